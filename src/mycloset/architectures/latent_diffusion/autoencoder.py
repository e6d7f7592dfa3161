"""The tensors of a latent-diffusion autoencoder (AutoencoderKL), by its sizes, in three namings.

Sources: `AutoencoderKL` of diffusers ("diffusers"; "diffusers<0.15" for its attention's first
names), `ldm/modules/diffusionmodules/model.py` of CompVis' latent-diffusion ("ldm").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from mycloset.architectures.family import NotThisError, Shape, Shapes, require
from mycloset.architectures.latent_diffusion.blocks import Pair, groups, layer, norm_pairs
from mycloset.architectures.reading import common_size, counted

Naming = Literal["diffusers", "diffusers<0.15", "ldm"]

_LEVELS = 8
_BLOCKS = 16


class Autoencoder(NamedTuple):
    """Sizes of one autoencoder.

    Attributes:
        in_channels: of the picture.
        out_channels: of the picture that it gives back.
        latent: channels of the latent.
        widths: channels by level, finest first.
        blocks: residual blocks of a level on the way down; one more on the way up.
        attention: whether the middle attends.
        quantised: whether 1x1 convolutions stand around the latent.
    """

    in_channels: int
    out_channels: int
    latent: int
    widths: tuple[int, ...]
    blocks: int
    attention: bool = True
    quantised: bool = True


SD_VAE = Autoencoder(3, 3, 4, (128, 256, 512, 512), 2)
FLUX_VAE = Autoencoder(3, 3, 16, (128, 256, 512, 512), 2, quantised=False)


@lru_cache(maxsize=32)
def tensors(vae: Autoencoder, naming: Naming) -> Mapping[str, Shape]:
    """Every tensor in the file's order."""
    pairs = _ldm(vae) if naming == "ldm" else _diffusers(vae, naming)
    return MappingProxyType(dict(pairs))


def naming_of(shapes: Shapes, start: str = "") -> Naming:
    """How the keys of an autoencoder are named.

    Raises:
        NotThisError: the table holds none there.
    """
    if any(f"{start}encoder.down.0.block.0.{part}.weight" in shapes for part in ("conv1", "conv2")):
        return "ldm"
    middles = [f"{start}{half}.mid_block.attentions.0." for half in ("encoder", "decoder")]
    if any(f"{name}query.weight" in shapes for name in middles):
        return "diffusers<0.15"
    if any(
        f"{start}encoder.down_blocks.0.resnets.0.{part}.weight" in shapes
        for part in ("conv1", "conv2")
    ):
        return "diffusers"
    raise NotThisError(f"no `{start}encoder.down_blocks.0.resnets.0.conv1.weight`")


def read(shapes: Shapes, naming: Naming, start: str = "") -> Autoencoder:
    """An autoencoder's sizes.

    Raises:
        NotThisError: the table holds none there.
    """
    if naming == "ldm":
        level, block, middle, first = "encoder.down.", "block.", "mid.attn_1.q", "mid.block_1"
    else:
        level, block, first = "encoder.down_blocks.", "resnets.", "mid_block.resnets.0"
        middle = "mid_block.attentions.0.group_norm"
    ends = (".conv1.weight", ".conv2.weight", ".norm1.weight")
    name = start + level
    levels = counted(shapes, name, *(f".{block}0{end}" for end in ends), most=_LEVELS)
    require(levels > 0, f"no `{name}0`")
    blocks = counted(shapes, f"{name}0.{block}", *ends, most=_BLOCKS)
    widths = tuple(
        common_size(
            shapes,
            (f"{name}{number}.{block}0.conv1.weight", 0),
            (f"{name}{number}.{block}0.conv2.weight", 0),
            (f"{name}{number}.{block}0.norm2.weight", 0),
        )
        for number in range(levels)
    )
    require(
        any(f"{start}encoder.{first}.conv{number}.weight" in shapes for number in (1, 2)),
        f"no `{start}encoder.{first}`",
    )
    return Autoencoder(
        in_channels=common_size(
            shapes, (f"{start}encoder.conv_in.weight", 1), (f"{start}decoder.conv_out.weight", 0)
        ),
        out_channels=common_size(
            shapes, (f"{start}decoder.conv_out.weight", 0), (f"{start}decoder.conv_out.bias", 0)
        ),
        latent=common_size(
            shapes,
            (f"{start}decoder.conv_in.weight", 1),
            (f"{start}post_quant_conv.weight", 0),
            (f"{start}post_quant_conv.weight", 1),
        ),
        widths=widths,
        blocks=blocks,
        attention=any(
            f"{start}{half}.{middle}.weight" in shapes for half in ("encoder", "decoder")
        ),
        quantised=any(f"{start}{end}conv.weight" in shapes for end in ("quant_", "post_quant_")),
    )


def config(vae: Autoencoder) -> dict[str, Any]:
    """Arguments of diffusers' `AutoencoderKL`; groups are as the published ones have them."""
    levels = len(vae.widths)
    found: dict[str, Any] = {
        "in_channels": vae.in_channels,
        "out_channels": vae.out_channels,
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "block_out_channels": list(vae.widths),
        "layers_per_block": vae.blocks,
        "latent_channels": vae.latent,
        "norm_num_groups": groups(vae.widths),
    }
    if not vae.quantised:
        found["use_quant_conv"] = found["use_post_quant_conv"] = False
    if not vae.attention:
        found["mid_block_add_attention"] = False
    return found


def _residual(name: str, inp: int, out: int, shortcut: str) -> list[Pair]:
    pairs: list[Pair] = [
        (f"{name}.norm1.weight", (inp,)),
        (f"{name}.norm1.bias", (inp,)),
        (f"{name}.conv1.weight", (out, inp, 3, 3)),
        (f"{name}.conv1.bias", (out,)),
        (f"{name}.norm2.weight", (out,)),
        (f"{name}.norm2.bias", (out,)),
        (f"{name}.conv2.weight", (out, out, 3, 3)),
        (f"{name}.conv2.bias", (out,)),
    ]
    if inp != out:
        pairs += layer(f"{name}.{shortcut}", out, inp, 1, 1)
    return pairs


_ATTENTION = {
    "diffusers": ("to_q", "to_k", "to_v", "to_out.0"),
    "diffusers<0.15": ("query", "key", "value", "proj_attn"),
    "ldm": ("q", "k", "v", "proj_out"),
}


def _diffusers(vae: Autoencoder, naming: Naming) -> Iterator[Pair]:
    widths, last = vae.widths, len(vae.widths) - 1
    yield from layer("encoder.conv_in", widths[0], vae.in_channels, 3, 3)
    before = widths[0]
    for level, width in enumerate(widths):
        name = f"encoder.down_blocks.{level}"
        for block in range(vae.blocks):
            yield from _residual(f"{name}.resnets.{block}", before, width, "conv_shortcut")
            before = width
        if level < last:
            yield from layer(f"{name}.downsamplers.0.conv", width, width, 3, 3)
    yield from _middle("encoder.mid_block", vae, naming)
    yield from norm_pairs("encoder.conv_norm_out", widths[-1])
    yield from layer("encoder.conv_out", 2 * vae.latent, widths[-1], 3, 3)
    yield from layer("decoder.conv_in", widths[-1], vae.latent, 3, 3)
    for level, width in enumerate(reversed(widths)):
        name = f"decoder.up_blocks.{level}"
        for block in range(vae.blocks + 1):
            yield from _residual(f"{name}.resnets.{block}", before, width, "conv_shortcut")
            before = width
        if level < last:
            yield from layer(f"{name}.upsamplers.0.conv", width, width, 3, 3)
    yield from _middle("decoder.mid_block", vae, naming)
    yield from norm_pairs("decoder.conv_norm_out", widths[0])
    yield from layer("decoder.conv_out", vae.out_channels, widths[0], 3, 3)
    yield from _around_the_latent(vae)


def _middle(name: str, vae: Autoencoder, naming: Naming) -> Iterator[Pair]:
    width = vae.widths[-1]
    if vae.attention:
        yield from norm_pairs(f"{name}.attentions.0.group_norm", width)
        for part in _ATTENTION[naming]:
            yield from layer(f"{name}.attentions.0.{part}", width, width)
    for block in range(2):
        yield from _residual(f"{name}.resnets.{block}", width, width, "")


def _ldm(vae: Autoencoder) -> Iterator[Pair]:
    widths, last = vae.widths, len(vae.widths) - 1
    yield from layer("encoder.conv_in", widths[0], vae.in_channels, 3, 3)
    before = widths[0]
    for level, width in enumerate(widths):
        for block in range(vae.blocks):
            name = f"encoder.down.{level}.block.{block}"
            yield from _residual(name, before, width, "nin_shortcut")
            before = width
        if level < last:
            yield from layer(f"encoder.down.{level}.downsample.conv", width, width, 3, 3)
    yield from _ldm_middle("encoder.mid", vae)
    yield from norm_pairs("encoder.norm_out", widths[-1])
    yield from layer("encoder.conv_out", 2 * vae.latent, widths[-1], 3, 3)
    yield from layer("decoder.conv_in", widths[-1], vae.latent, 3, 3)
    yield from _ldm_middle("decoder.mid", vae)
    for level, width in enumerate(widths):
        before = widths[min(level + 1, last)]
        for block in range(vae.blocks + 1):
            name = f"decoder.up.{level}.block.{block}"
            yield from _residual(name, before, width, "nin_shortcut")
            before = width
        if level:
            yield from layer(f"decoder.up.{level}.upsample.conv", width, width, 3, 3)
    yield from norm_pairs("decoder.norm_out", widths[0])
    yield from layer("decoder.conv_out", vae.out_channels, widths[0], 3, 3)
    yield from _around_the_latent(vae)


def _ldm_middle(name: str, vae: Autoencoder) -> Iterator[Pair]:
    width = vae.widths[-1]
    yield from _residual(f"{name}.block_1", width, width, "")
    if vae.attention:
        yield from norm_pairs(f"{name}.attn_1.norm", width)
        for part in _ATTENTION["ldm"]:
            yield from layer(f"{name}.attn_1.{part}", width, width, 1, 1)
    yield from _residual(f"{name}.block_2", width, width, "")


def _around_the_latent(vae: Autoencoder) -> Iterator[Pair]:
    if vae.quantised:
        yield from layer("quant_conv", 2 * vae.latent, 2 * vae.latent, 1, 1)
        yield from layer("post_quant_conv", vae.latent, vae.latent, 1, 1)
