"""The stages of a ResNet within another network: read off a table, and written down."""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from mycloset.architectures.blocks import Block, basic_block, bottleneck, conv_norm, put
from mycloset.architectures.family import Shape, Shapes, batch_norm, conv
from mycloset.architectures.reading import extent
from mycloset.architectures.sizes import size

_MOST_BLOCKS = 256


class ResidualStage(NamedTuple):
    """One stage ("layer1") of a ResNet, ResNeXt or wide ResNet.

    `width` is the channels of its 3x3 convolutions, `group` the input channels of one of their
    groups, `out` what its blocks give; `down` says that the first block's shortcut has a
    convolution, `basic` that blocks have two 3x3 convolutions.
    """

    blocks: int
    width: int
    group: int
    out: int
    down: bool
    basic: bool


def plain_stages(
    depths: tuple[int, ...], inp: int = 64, *, basic: bool = False, expansion: int = 4
) -> tuple[ResidualStage, ...]:
    """The stages of a published ResNet: widths 64, 128, 256, 512."""
    found = []
    for number, blocks in enumerate(depths):
        width = 64 << number
        out = width if basic else width * expansion
        down = number > 0 or inp != out
        found.append(ResidualStage(blocks, width, width, out, down, basic))
    return tuple(found)


def read_stages(shapes: Shapes, lead: str) -> tuple[ResidualStage, ...]:
    """The stages below a prefix ("backbone.").

    Raises:
        NotThisError: a stage's widths stand nowhere.
    """
    found: list[ResidualStage] = []
    for number in range(1, 9):
        stage = f"{lead}layer{number}."
        blocks = extent(
            shapes, f"{stage}{{}}.conv1.weight", f"{stage}{{}}.conv2.weight", limit=_MOST_BLOCKS
        )
        if blocks == 0:
            break
        found.append(_read_stage(shapes, stage, blocks))
    return tuple(found)


def put_stages(
    tensors: dict[str, Shape], lead: str, stages: tuple[ResidualStage, ...], inp: int
) -> int:
    """Add the stages' tensors; the channels that come out."""
    for number, stage in enumerate(stages, 1):
        for block in range(stage.blocks):
            down = stage.down and block == 0
            prefix = f"{lead}layer{number}.{block}."
            put(tensors, prefix, _block(stage, inp, down=down))
            inp = stage.out
    return inp


def depth_name(stages: tuple[ResidualStage, ...]) -> str:
    """The published name of a ResNet of these stages; "" where there is none."""
    names: dict[tuple[bool, tuple[int, ...]], str] = {
        (True, (2, 2, 2, 2)): "resnet18",
        (True, (3, 4, 6, 3)): "resnet34",
        (False, (3, 4, 6, 3)): "resnet50",
        (False, (3, 4, 23, 3)): "resnet101",
        (False, (3, 8, 36, 3)): "resnet152",
    }
    basic = stages[0].basic if stages else False
    for number, stage in enumerate(stages):
        width = 64 << number
        if stage.basic != basic or stage.width != width or stage.group != width:
            return ""
        if stage.out != (width if basic else 4 * width):
            return ""
    return names.get((basic, tuple(stage.blocks for stage in stages)), "")


def _read_stage(shapes: Shapes, stage: str, blocks: int) -> ResidualStage:
    first = f"{stage}0."
    basic = f"{first}conv3.weight" not in shapes and f"{first}bn3.weight" not in shapes
    width = size(shapes, (f"{first}conv1.weight", 0), (f"{first}bn1.weight", 0))
    down = any(f"{first}downsample.{part}.weight" in shapes for part in (0, 1))
    if basic:
        out = size(shapes, (f"{first}conv2.weight", 0), (f"{first}bn2.weight", 0))
        return ResidualStage(blocks, width, width, out, down, basic)
    group = size(shapes, (f"{first}conv2.weight", 1), default=width)
    out = size(shapes, (f"{first}conv3.weight", 0), (f"{first}bn3.weight", 0))
    return ResidualStage(blocks, width, group, out, down, basic)


@lru_cache(maxsize=256)
def _block(stage: ResidualStage, inp: int, *, down: bool) -> Block:
    width, out = stage.width, stage.out
    if stage.basic and out == width:
        return basic_block(inp, width, down=down)
    if not stage.basic and stage.group == width and out == 4 * width:
        return bottleneck(inp, width, down=down)
    shortcut = conv_norm(out, inp, 1, ("downsample.0", "downsample.1")) if down else {}
    if stage.basic:
        return MappingProxyType(
            {
                **conv_norm(width, inp, 3, ("conv1", "bn1")),
                **conv_norm(out, width, 3, ("conv2", "bn2")),
                **shortcut,
            }
        )
    return MappingProxyType(
        {
            **conv_norm(width, inp, 1, ("conv1", "bn1")),
            **conv("conv2", width, stage.group, 3, bias=False),
            **batch_norm("bn2", width),
            **conv_norm(out, width, 1, ("conv3", "bn3")),
            **shortcut,
        }
    )
