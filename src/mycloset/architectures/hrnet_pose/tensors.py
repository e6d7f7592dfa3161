"""The tensors of an HRNet of given widths, depths and head."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, NamedTuple

from mycloset.architectures.blocks import (
    basic_block,
    batch_norm,
    bottleneck,
    conv,
    conv_norm,
    linear,
    put,
)
from mycloset.architectures.family import Shape

Kind = Literal["BASIC", "BOTTLENECK"]
EXPANSION = {"BASIC": 1, "BOTTLENECK": 4}


class Stage(NamedTuple):
    """One stage: modules of parallel branches; `rows` is how many outputs its last module has."""

    modules: int
    kind: Kind
    blocks: tuple[int, ...]
    channels: tuple[int, ...]
    rows: int

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels that each branch gives."""
        return tuple(planes * EXPANSION[self.kind] for planes in self.channels)


class Backbone(NamedTuple):
    """The whole network up to its head."""

    inputs: int
    stem: tuple[int, int]
    first: tuple[Kind, int, int]
    """Kind, number and planes of the blocks in `layer1`."""
    stages: tuple[Stage, ...]

    @property
    def width(self) -> int:
        """Channels of the finest branch, after which the network is named."""
        return self.stages[-1].channels[0]


class Head(NamedTuple):
    """What follows: a convolution to heatmaps, a classifier, or nothing."""

    joints: int = 0
    kernel: int = 1
    classes: int = 0
    incre: tuple[int, ...] = ()
    features: int = 2048


def tensors(backbone: Backbone, head: Head, lead: str, final: str) -> dict[str, Shape]:
    """Every tensor in the file's order.

    Args:
        backbone: the network up to its head.
        head: the head.
        lead: what stands before the backbone's keys ("backbone.").
        final: the name of the convolution to heatmaps.
    """
    found: dict[str, Shape] = {}
    first, second = backbone.stem
    put(found, lead, conv_norm(first, backbone.inputs, 3, ("conv1", "bn1")))
    put(found, lead, conv_norm(second, first, 3, ("conv2", "bn2")))
    kind, blocks, planes = backbone.first
    widths: tuple[int, ...] = (_put_blocks(found, f"{lead}layer1.", kind, blocks, second, planes),)
    for number, stage in enumerate(backbone.stages, 2):
        _put_transition(found, f"{lead}transition{number - 1}.", widths, stage.widths)
        for module in range(stage.modules):
            rows = stage.rows if module == stage.modules - 1 else len(stage.widths)
            _put_module(found, f"{lead}stage{number}.{module}.", stage, rows)
        widths = stage.widths
    if head.joints:
        found |= conv(final, head.joints, widths[0], head.kernel)
    elif head.classes:
        _put_classifier(found, head, widths)
    return found


def _put_blocks(
    found: dict[str, Shape], prefix: str, kind: Kind, blocks: int, inp: int, planes: int
) -> int:
    """Blocks in a row; what they give."""
    out = planes * EXPANSION[kind]
    make = bottleneck if kind == "BOTTLENECK" else basic_block
    for number in range(blocks):
        put(found, f"{prefix}{number}.", make(inp, planes, down=inp != out))
        inp = out
    return out


def _put_transition(
    found: dict[str, Shape], prefix: str, before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    """Branches adapted in width, and new ones made from the coarsest by strided convolutions."""
    for branch, out in enumerate(after):
        if branch < len(before):
            if out != before[branch]:
                put(found, f"{prefix}{branch}.", conv_norm(out, before[branch], 3))
            continue
        steps = branch - len(before) + 1
        for step in range(steps):
            width = out if step == steps - 1 else before[-1]
            put(found, f"{prefix}{branch}.{step}.", conv_norm(width, before[-1], 3))


def _put_module(found: dict[str, Shape], prefix: str, stage: Stage, rows: int) -> None:
    """Branches side by side, then the exchange between them."""
    widths = stage.widths
    for branch, (blocks, planes) in enumerate(zip(stage.blocks, stage.channels, strict=True)):
        _put_blocks(
            found,
            f"{prefix}branches.{branch}.",
            stage.kind,
            blocks,
            widths[branch],
            planes,
        )
    for row, out in enumerate(widths[:rows]):
        for column, inp in enumerate(widths):
            place = f"{prefix}fuse_layers.{row}.{column}."
            if column > row:
                put(found, place, conv_norm(out, inp, 1))
            for step in range(row - column):
                width = out if step == row - column - 1 else inp
                put(found, f"{place}{step}.", conv_norm(width, inp, 3))


def _put_classifier(found: dict[str, Shape], head: Head, widths: tuple[int, ...]) -> None:
    """The ImageNet head: widened branches, summed from fine to coarse."""
    outs = [planes * 4 for planes in head.incre]
    for branch, (inp, planes) in enumerate(zip(widths, head.incre, strict=False)):
        _put_blocks(found, f"incre_modules.{branch}.", "BOTTLENECK", 1, inp, planes)
    for branch, (inp, out) in enumerate(pairwise(outs)):
        found |= conv(f"downsamp_modules.{branch}.0", out, inp, 3)
        found |= batch_norm(f"downsamp_modules.{branch}.1", out)
    found |= conv("final_layer.0", head.features, outs[-1] if outs else 0)
    found |= batch_norm("final_layer.1", head.features)
    found |= linear("classifier", head.classes, head.features)
