"""Blocks of tensors that networks of several families are built of."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from mycloset.architectures.family import Shape, batch_norm, conv

Block = Mapping[str, Shape]
"""Shape by key within the block."""


def put(tensors: dict[str, Shape], prefix: str, block: Block) -> None:
    """Add a block's tensors under a prefix ("layer1.0.")."""
    for key, shape in block.items():
        tensors[prefix + key] = shape


@lru_cache(maxsize=512)
def conv_norm(out: int, inp: int, kernel: int, names: tuple[str, str] = ("0", "1")) -> Block:
    """A convolution without bias and the batch norm behind it."""
    convolution, norm = names
    return MappingProxyType(conv(convolution, out, inp, kernel, bias=False) | batch_norm(norm, out))


@lru_cache(maxsize=512)
def basic_block(inp: int, planes: int, *, down: bool) -> Block:
    """ResNet's block of two 3x3 convolutions (torchvision's key names)."""
    return MappingProxyType(
        {
            **conv_norm(planes, inp, 3, ("conv1", "bn1")),
            **conv_norm(planes, planes, 3, ("conv2", "bn2")),
            **(conv_norm(planes, inp, 1, ("downsample.0", "downsample.1")) if down else {}),
        }
    )


@lru_cache(maxsize=512)
def bottleneck(inp: int, planes: int, *, down: bool, expansion: int = 4) -> Block:
    """ResNet's block of 1x1, 3x3 and 1x1 convolutions (torchvision's key names)."""
    out = planes * expansion
    return MappingProxyType(
        {
            **conv_norm(planes, inp, 1, ("conv1", "bn1")),
            **conv_norm(planes, planes, 3, ("conv2", "bn2")),
            **conv_norm(out, planes, 1, ("conv3", "bn3")),
            **(conv_norm(out, inp, 1, ("downsample.0", "downsample.1")) if down else {}),
        }
    )
