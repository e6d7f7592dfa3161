"""Writing tensors: keys and shapes of the layers and blocks that many families are built of."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from mycloset.architectures.family import Shape

Block = Mapping[str, Shape]
"""Shape by key within the block."""


def put(tensors: dict[str, Shape], prefix: str, block: Block) -> None:
    """Add a block's tensors under a prefix ("layer1.0.")."""
    for key, shape in block.items():
        tensors[prefix + key] = shape


def conv(
    name: str,
    out: int,
    inp: int,
    kernel: int | tuple[int, ...] = 1,
    *,
    bias: bool = True,
    groups: int = 1,
) -> dict[str, Shape]:
    """Tensors of a 2-D convolution (any number of dimensions with a tuple of kernel sizes)."""
    sizes = (kernel, kernel) if isinstance(kernel, int) else kernel
    tensors: dict[str, Shape] = {f"{name}.weight": (out, inp // groups, *sizes)}
    if bias:
        tensors[f"{name}.bias"] = (out,)
    return tensors


def linear(name: str, out: int, inp: int, *, bias: bool = True) -> dict[str, Shape]:
    """Tensors of a fully connected layer."""
    return {f"{name}.weight": (out, inp), **({f"{name}.bias": (out,)} if bias else {})}


def norm(name: str, channels: int) -> dict[str, Shape]:
    """Tensors of a layer, group or affine instance norm."""
    return {f"{name}.weight": (channels,), f"{name}.bias": (channels,)}


def batch_norm(name: str, channels: int) -> dict[str, Shape]:
    """Tensors of a batch norm, its counter included (0-dimensional, optional everywhere)."""
    return {
        f"{name}.weight": (channels,),
        f"{name}.bias": (channels,),
        f"{name}.running_mean": (channels,),
        f"{name}.running_var": (channels,),
        f"{name}.num_batches_tracked": (),
    }


def conv_batch_norm(name: str, norm: str, out: int, inp: int, kernel: int = 1) -> dict[str, Shape]:
    """Tensors of a convolution without bias and of the batch norm behind it."""
    return conv(name, out, inp, kernel, bias=False) | batch_norm(norm, out)


@lru_cache(maxsize=512)
def conv_norm(out: int, inp: int, kernel: int, names: tuple[str, str] = ("0", "1")) -> Block:
    """The same as a block: names of the convolution and of the norm within it."""
    return MappingProxyType(conv_batch_norm(*names, out, inp, kernel))


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
