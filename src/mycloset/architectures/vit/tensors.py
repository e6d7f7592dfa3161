"""The tensors of a vision transformer of given sizes, under the names of three layouts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from mycloset.architectures.blocks import conv, linear, norm, put
from mycloset.architectures.family import Shape

BLOCKS = {
    "timm": "blocks.{}.",
    "torchvision": "encoder.layers.encoder_layer_{}.",
    "torchvision-old": "encoder.layers.encoder_layer_{}.",
}
"""Layout -> what stands before a block's keys."""

MLPS = {
    "timm": ("fc1", "fc2"),
    "torchvision": ("0", "3"),
    "torchvision-old": ("linear_1", "linear_2"),
}
"""Layout -> names of the two linear layers behind the attention."""


class Network(NamedTuple):
    """A whole network.

    Attributes:
        layout: whose names the keys have.
        width: length of a token.
        layers: blocks.
        hidden: width between the two linear layers of a block.
        patch: channels of the picture, and side of a patch.
        positions: rows of the table of positions.
        classes: labels; 0 without a head.
        cls: whether there is a class token.
        biased: whether queries, keys and values have a bias.
        distilled: whether there is a second token and head (DeiT).
        registers: key and number of further tokens, if any.
        mask: whether there is a token for masked patches.
        scaled: whether each branch is scaled.
        gated: whether the linear layers are gated, and under whose names ("", "w12", "fc1").
        norm: name of the last norm.
    """

    layout: str
    width: int
    layers: int
    hidden: int
    patch: tuple[int, int]
    positions: int
    classes: int
    cls: bool = True
    biased: bool = True
    distilled: bool = False
    registers: tuple[str, int] | None = None
    mask: bool = False
    scaled: bool = False
    gated: str = ""
    norm: str = "norm"


def tensors(network: Network) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    if network.layout != "timm":
        return _torchvision(network)
    width = network.width
    found: dict[str, Shape] = {}
    if network.cls:
        found["cls_token"] = (1, 1, width)
    found["pos_embed"] = (1, network.positions, width)
    if network.distilled:
        found["dist_token"] = (1, 1, width)
    if network.registers:
        key, number = network.registers
        found[key] = (1, number, width)
    if network.mask:
        found["mask_token"] = (1, width)
    inputs, patch = network.patch
    found |= conv("patch_embed.proj", width, inputs, patch)
    block = _timm_block(width, network.hidden, network.biased, network.scaled, network.gated)
    for layer in range(network.layers):
        put(found, f"blocks.{layer}.", block)
    found |= norm(network.norm, width)
    if network.classes:
        found |= linear("head", network.classes, width)
        if network.distilled:
            found |= linear("head_dist", network.classes, width)
    return found


def _torchvision(network: Network) -> dict[str, Shape]:
    width = network.width
    inputs, patch = network.patch
    found: dict[str, Shape] = {"class_token": (1, 1, width)}
    found |= conv("conv_proj", width, inputs, patch)
    found["encoder.pos_embedding"] = (1, network.positions, width)
    block = _torchvision_block(network.layout, width, network.hidden)
    for layer in range(network.layers):
        put(found, BLOCKS[network.layout].format(layer), block)
    found |= norm("encoder.ln", width)
    if network.classes:
        found |= linear("heads.head", network.classes, width)
    return found


@lru_cache(maxsize=64)
def _timm_block(
    width: int, hidden: int, biased: bool, scaled: bool, gated: str
) -> Mapping[str, Shape]:
    found = norm("norm1", width)
    found |= linear("attn.qkv", 3 * width, width, bias=biased)
    found |= linear("attn.proj", width, width)
    if scaled:
        found["ls1.gamma"] = (width,)
    found |= norm("norm2", width)
    if gated == "w12":
        found |= linear("mlp.w12", 2 * hidden, width) | linear("mlp.w3", width, hidden)
    else:
        found |= linear("mlp.fc1", 2 * hidden if gated else hidden, width)
        found |= linear("mlp.fc2", width, hidden)
    if scaled:
        found["ls2.gamma"] = (width,)
    return MappingProxyType(found)


@lru_cache(maxsize=64)
def _torchvision_block(layout: str, width: int, hidden: int) -> Mapping[str, Shape]:
    first, second = MLPS[layout]
    return MappingProxyType(
        {
            **norm("ln_1", width),
            "self_attention.in_proj_weight": (3 * width, width),
            "self_attention.in_proj_bias": (3 * width,),
            **linear("self_attention.out_proj", width, width),
            **norm("ln_2", width),
            **linear(f"mlp.{first}", hidden, width),
            **linear(f"mlp.{second}", width, hidden),
        }
    )
