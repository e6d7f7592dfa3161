"""What a SwinIR is built of, and its tensors.

Source: JingyunLiang/SwinIR, models/network_swinir.py; spandrel for a picture folded first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mycloset.architectures.blocks import conv, linear, norm
from mycloset.architectures.family import Shape

Upsampler = Literal["pixelshuffle", "pixelshuffledirect", "nearest+conv", ""]
Residual = Literal["1conv", "3conv"]


@dataclass(frozen=True)
class Sizes:
    """What a SwinIR is built of.

    Attributes:
        width: features of the trunk.
        depths: blocks of each group.
        heads: attention heads of each group.
        hidden: features within a block's feed-forward layer.
        window: pixels along a window's side.
        upsampler: how the result is enlarged; "" where it is not.
        residual: convolutions that end a group.
        scale: by how much the result is larger.
        inputs: channels of the picture.
        outputs: channels of the result.
        features: of the convolutions at full size.
        training: side of the pictures of training; None where no constant tells.
        masked: whether odd blocks hold their masks.
        indexed: whether blocks hold their table of relative positions' indices.
        places: values of a table of absolute positions; 0 without.
        patch_norm: whether a norm follows the first convolution.
        biased: whether queries, keys and values have biases.
        folding: side of the squares of pixels that are folded into channels first; 1 without.
    """

    width: int
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    hidden: int
    window: int = 8
    upsampler: Upsampler = ""
    residual: Residual = "1conv"
    scale: int = 1
    inputs: int = 3
    outputs: int = 3
    features: int = 64
    training: int | None = 64
    masked: bool = True
    indexed: bool = True
    places: int = 0
    patch_norm: bool = True
    biased: bool = True
    folding: int = 1

    @property
    def mask(self) -> Shape | None:
        """Shape of a mask: windows of a training picture, and their pixels twice."""
        if self.training is None:
            return None
        area = self.window**2
        return (self.training // self.window) ** 2, area, area


def tensors(sizes: Sizes) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    width = sizes.width
    first = "conv_first" if sizes.folding == 1 else "conv_first.1"
    told: dict[str, Shape] = {}
    if sizes.places:
        told["absolute_pos_embed"] = (1, sizes.places, width)
    told |= conv(first, width, sizes.inputs * sizes.folding**2, 3)
    if sizes.patch_norm:
        told |= norm("patch_embed.norm", width)
    for group, (depth, heads) in enumerate(zip(sizes.depths, sizes.heads, strict=True)):
        even, odd = (list(_block(sizes, heads, shifted).items()) for shifted in (False, True))
        for number in range(depth):
            start = f"layers.{group}.residual_group.blocks.{number}."
            for key, shape in odd if number % 2 else even:
                told[start + key] = shape
        told.update(_residual(f"layers.{group}.conv", width, sizes.residual))
    told |= norm("norm", width)
    told |= _residual("conv_after_body", width, sizes.residual)
    return told | _end(sizes)


def constants(sizes: Sizes) -> dict[str, Shape | None]:
    """Tensors that the network computes anew where a file lacks them."""
    told: dict[str, Shape | None] = {}
    area = sizes.window**2
    for group, depth in enumerate(sizes.depths):
        for number in range(depth):
            start = f"layers.{group}.residual_group.blocks.{number}"
            told[f"{start}.attn.relative_position_index"] = (area, area)
            if number % 2:
                told[f"{start}.attn_mask"] = sizes.mask
    return told


def masks(sizes: Sizes) -> frozenset[str]:
    """Keys of the masks, which are floating but no parameters."""
    if not sizes.masked:
        return frozenset()
    return frozenset(
        f"layers.{group}.residual_group.blocks.{number}.attn_mask"
        for group, depth in enumerate(sizes.depths)
        for number in range(1, depth, 2)
    )


def _block(sizes: Sizes, heads: int, shifted: bool) -> dict[str, Shape]:
    width, area = sizes.width, sizes.window**2
    told: dict[str, Shape] = {}
    if shifted and sizes.masked and sizes.mask is not None:
        told["attn_mask"] = sizes.mask
    told |= norm("norm1", width)
    told["attn.relative_position_bias_table"] = ((2 * sizes.window - 1) ** 2, heads)
    if sizes.indexed:
        told["attn.relative_position_index"] = (area, area)
    told |= linear("attn.qkv", 3 * width, width, bias=sizes.biased)
    told |= linear("attn.proj", width, width)
    told |= norm("norm2", width)
    told |= linear("mlp.fc1", sizes.hidden, width)
    return told | linear("mlp.fc2", width, sizes.hidden)


def _residual(name: str, width: int, kind: Residual) -> dict[str, Shape]:
    if kind == "1conv":
        return conv(name, width, width, 3)
    few = width // 4
    return {
        **conv(f"{name}.0", few, width, 3),
        **conv(f"{name}.2", few, few),
        **conv(f"{name}.4", width, few, 3),
    }


def _end(sizes: Sizes) -> dict[str, Shape]:
    width, features, outputs = sizes.width, sizes.features, sizes.outputs
    if sizes.upsampler == "":
        return conv("conv_last", outputs, width, 3)
    if sizes.upsampler == "pixelshuffledirect":
        return conv("upsample.0", sizes.scale**2 * outputs, width, 3)
    told = conv("conv_before_upsample.0", features, width, 3)
    doublings = sizes.scale.bit_length() - 1
    if sizes.upsampler == "nearest+conv":
        for number in range(1, doublings + 1):
            told |= conv(f"conv_up{number}", features, features, 3)
        told |= conv("conv_hr", features, features, 3)
    elif sizes.scale == 3:
        told |= conv("upsample.0", 9 * features, features, 3)
    else:
        for number in range(doublings):
            told |= conv(f"upsample.{2 * number}", 4 * features, features, 3)
    return told | conv("conv_last", outputs, features, 3)
