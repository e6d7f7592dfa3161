"""The tensors of the blocks that latent-diffusion networks are made of, in both namings."""

from __future__ import annotations

from functools import lru_cache
from math import gcd
from typing import Literal

from mycloset.architectures.family import Shape

Naming = Literal["diffusers", "ldm"]
Pair = tuple[str, Shape]
LATENT = 4
"""Channels of the latent in every published UNet: taken where the first convolution is lost."""
_GROUPS = 32

RESIDUAL = {
    "diffusers": ("norm1", "conv1", "time_emb_proj", "norm2", "conv2", "conv_shortcut"),
    "ldm": (
        "in_layers.0",
        "in_layers.2",
        "emb_layers.1",
        "out_layers.0",
        "out_layers.3",
        "skip_connection",
    ),
}
"""Names within a residual block."""


@lru_cache(maxsize=256)
def residual_block(naming: Naming, inp: int, out: int, embedding: int) -> tuple[Pair, ...]:
    """Tensors of a residual block that takes the time embedding."""
    norm1, conv1, time, norm2, conv2, shortcut = RESIDUAL[naming]
    pairs: list[Pair] = [
        (f".{norm1}.weight", (inp,)),
        (f".{norm1}.bias", (inp,)),
        (f".{conv1}.weight", (out, inp, 3, 3)),
        (f".{conv1}.bias", (out,)),
        (f".{time}.weight", (out, embedding)),
        (f".{time}.bias", (out,)),
        (f".{norm2}.weight", (out,)),
        (f".{norm2}.bias", (out,)),
        (f".{conv2}.weight", (out, out, 3, 3)),
        (f".{conv2}.bias", (out,)),
    ]
    if inp != out:
        pairs += [(f".{shortcut}.weight", (out, inp, 1, 1)), (f".{shortcut}.bias", (out,))]
    return tuple(pairs)


@lru_cache(maxsize=256)
def spatial_transformer(
    naming: Naming,
    width: int,
    depth: int,
    context: int,
    *,
    linear: bool,
    cross_only: bool = False,
    prompted: bool = False,
    framed: bool = False,
) -> tuple[Pair, ...]:
    """Tensors of a stack of transformer blocks over a feature map.

    `framed` is the order of UNets for videos, which set their norms after their attentions.
    """
    project = (width, width) if linear else (width, width, 1, 1)
    pairs: list[Pair] = [
        (".norm.weight", (width,)),
        (".norm.bias", (width,)),
        (".proj_in.weight", project),
        (".proj_in.bias", (width,)),
    ]
    first = attention("attn1", width, context if cross_only else width)
    second = attention("attn2", width, context)
    if prompted:
        second += [
            ("attn2.processor.to_k_ip.weight", (width, context)),
            ("attn2.processor.to_v_ip.weight", (width, context)),
        ]
    norms = [norm_pairs(f"norm{number}", width) for number in (1, 2, 3)]
    if framed:
        block = [*first, *norms[0], *second, *norms[1], *feed_forward(width), *norms[2]]
    elif naming == "diffusers":
        block = [*norms[0], *first, *norms[1], *second, *norms[2], *feed_forward(width)]
    else:
        block = [*first, *feed_forward(width), *second, *norms[0], *norms[1], *norms[2]]
    for number in range(depth):
        start = f".transformer_blocks.{number}."
        pairs += [(start + name, shape) for name, shape in block]
    pairs += [(".proj_out.weight", project), (".proj_out.bias", (width,))]
    return tuple(pairs)


def attention(name: str, width: int, context: int) -> list[Pair]:
    """Tensors of an attention without biases before the output."""
    return [
        (f"{name}.to_q.weight", (width, width)),
        (f"{name}.to_k.weight", (width, context)),
        (f"{name}.to_v.weight", (width, context)),
        (f"{name}.to_out.0.weight", (width, width)),
        (f"{name}.to_out.0.bias", (width,)),
    ]


def feed_forward(width: int) -> list[Pair]:
    """Tensors of a gated feed-forward layer, four times as wide inside."""
    return [
        ("ff.net.0.proj.weight", (8 * width, width)),
        ("ff.net.0.proj.bias", (8 * width,)),
        ("ff.net.2.weight", (width, 4 * width)),
        ("ff.net.2.bias", (width,)),
    ]


def norm_pairs(name: str, width: int) -> list[Pair]:
    """Scale and shift."""
    return [(f"{name}.weight", (width,)), (f"{name}.bias", (width,))]


def layer(name: str, *shape: int) -> list[Pair]:
    """Weight of the shape, and its bias."""
    return [(f"{name}.weight", shape), (f"{name}.bias", (shape[0],))]


def groups(widths: tuple[int, ...]) -> int:
    """Groups of the norms: 32, as in every published network, or the most that divide them."""
    return gcd(_GROUPS, *widths)
