"""What U²-Net files look like: full, small, for clothes, and IS-Net with its stem.

Source: xuebinqin/U-2-Net@ac7e1c8, model/u2net.py; levindabhi/cloth-segmentation@28392f0;
xuebinqin/DIS, models/isnet.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from mycloset.architectures.blocks import Block, batch_norm, conv, put
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.reading import extent, size

_MOST_STAGES = 12
_MOST_LEVELS = 16


class _Stage(NamedTuple):
    """A nested U: its levels, the channels within it, and those that it gives."""

    levels: int
    mid: int
    out: int


class _Sizes(NamedTuple):
    inputs: int
    stem: int
    """Channels of the convolution before the first stage; 0 where there is none."""
    down: tuple[_Stage, ...]
    up: tuple[_Stage, ...]
    """From the deepest to the first."""
    classes: int
    fused: bool
    """Whether a last convolution joins the side outputs."""


def _nested(down: tuple[tuple[int, int], ...], up: tuple[tuple[int, int], ...]) -> _Sizes:
    levels = (7, 6, 5, 4, 4, 4)
    return _Sizes(
        inputs=3,
        stem=0,
        down=tuple(_Stage(level, *widths) for level, widths in zip(levels, down, strict=True)),
        up=tuple(_Stage(level, *widths) for level, widths in zip(levels[-2::-1], up, strict=True)),
        classes=1,
        fused=True,
    )


_FULL = _nested(
    ((32, 64), (32, 128), (64, 256), (128, 512), (256, 512), (256, 512)),
    ((256, 512), (128, 256), (64, 128), (32, 64), (16, 64)),
)
_SMALL = _nested(((16, 64),) * 6, ((16, 64),) * 5)
_ISNET = _FULL._replace(stem=64, fused=False)


def read(shapes: Shapes) -> Claim:
    """What a U²-Net table is.

    Raises:
        NotThisError: it is none.
    """
    depth = extent(
        shapes,
        "stage{}.rebnconvin.conv_s1.weight",
        "stage{}.rebnconv1.conv_s1.weight",
        start=1,
        limit=_MOST_STAGES,
    )
    require(2 <= depth < _MOST_STAGES, f"{depth} stages of nested blocks")
    stem = 0
    if "conv_in.weight" in shapes or "conv_in.bias" in shapes:
        stem = size(shapes, ("conv_in.weight", 0), ("conv_in.bias", 0))
    first = "conv_in.weight" if stem else "stage1.rebnconvin.conv_s1.weight"
    fused = "outconv.weight" in shapes or "outconv.bias" in shapes
    return _claim(
        _Sizes(
            inputs=size(shapes, (first, 1), default=3),
            stem=stem,
            down=tuple(_read_stage(shapes, f"stage{number + 1}.") for number in range(depth)),
            up=tuple(_read_stage(shapes, f"stage{number}d.") for number in range(depth - 1, 0, -1)),
            classes=size(shapes, ("side1.weight", 0), ("side1.bias", 0), (f"side{depth}.bias", 0)),
            fused=fused,
        )
    )


def examples() -> Iterator[Claim]:
    """The published networks."""
    yield _claim(_FULL)
    yield _claim(_SMALL)
    yield _claim(_FULL._replace(classes=4))
    yield _claim(_ISNET)


def _read_stage(shapes: Shapes, stage: str) -> _Stage:
    levels = extent(
        shapes,
        f"{stage}rebnconv{{}}.conv_s1.weight",
        f"{stage}rebnconv{{}}.bn_s1.weight",
        start=1,
        limit=_MOST_LEVELS,
    )
    require(levels > 1, f"no nested block at `{stage}`")
    return _Stage(
        levels,
        size(
            shapes,
            (f"{stage}rebnconv1.conv_s1.weight", 0),
            (f"{stage}rebnconv1.bn_s1.weight", 0),
        ),
        size(
            shapes,
            (f"{stage}rebnconvin.conv_s1.weight", 0),
            (f"{stage}rebnconvin.bn_s1.weight", 0),
        ),
    )


def _claim(sizes: _Sizes) -> Claim:
    classes = sizes.classes
    variant, title = _name(sizes)
    clothes = variant == "cloth-segm"
    first = sizes.down[0]
    return Claim(
        variant=variant,
        title=title,
        config={
            "in_ch": sizes.inputs,
            "out_ch": classes,
            "stem": sizes.stem or None,
            "fused": sizes.fused,
            "encoder": [list(stage) for stage in sizes.down],
            "decoder": [list(stage) for stage in sizes.up],
        },
        tensors=_tensors(sizes),
        evidence=(
            f"`stage1.rebnconv1.conv_s1.weight` is {[first.mid, first.out, 3, 3]}",
            f"{len(sizes.down)} stages down and {len(sizes.up)} up, the first of"
            f" {first.levels} levels",
            f"`side1.weight` is {[classes, sizes.up[-1].out, 3, 3]}: {classes} channels",
        ),
        undecidable=_undecidable(variant),
        task="cloth segmentation" if clothes else None,
        steps=("cloth_segmentation", "human_parsing") if clothes else None,
        input_channels=sizes.inputs,
        output_channels=classes,
        licence="MIT" if clothes else None,
    )


def _name(sizes: _Sizes) -> tuple[str, str]:
    classes = sizes.classes
    plain = sizes._replace(classes=1)
    if plain == _FULL and classes == 4:
        return "cloth-segm", "U²-Net for clothes (background, upper, lower, full body)"
    for published, name, title in (
        (_FULL, "u2net", "U²-Net"),
        (_SMALL, "u2netp", "U²-Net, small"),
        (_ISNET, "isnet", "IS-Net"),
    ):
        if plain == published:
            if classes == 1:
                return name, title
            return f"{name}-{classes}", f"{title}, {classes} channels"
    return "custom", f"U²-Net of other widths, {classes} channels"


def _undecidable(variant: str) -> tuple[str, ...]:
    if variant == "u2net":
        return (
            "what it segments: u2net.pth (salient objects), u2net_human_seg.pth and"
            " u2net_portrait.pth have the same tensors",
        )
    if variant == "cloth-segm":
        return ("what its channels mean: their order is the authors'",)
    return ("what it segments",)


def _tensors(sizes: _Sizes) -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    inp = sizes.inputs
    if sizes.stem:
        found |= conv("conv_in", sizes.stem, inp, 3)
        inp = sizes.stem
    for number, stage in enumerate(sizes.down, 1):
        put(found, f"stage{number}.", _nest(stage, inp))
        inp = stage.out
    for number, stage in zip(range(len(sizes.up), 0, -1), sizes.up, strict=True):
        put(found, f"stage{number}d.", _nest(stage, inp + sizes.down[number - 1].out))
        inp = stage.out
    sides = [stage.out for stage in reversed(sizes.up)] + [sizes.down[-1].out]
    for number, width in enumerate(sides, 1):
        found |= conv(f"side{number}", sizes.classes, width, 3)
    if sizes.fused:
        found |= conv("outconv", sizes.classes, len(sides) * sizes.classes)
    return found


@lru_cache(maxsize=128)
def _nest(stage: _Stage, inp: int) -> Block:
    mid, levels = stage.mid, stage.levels
    steps = [("in", stage.out, inp), ("1", mid, stage.out)]
    steps += [(str(level), mid, mid) for level in range(2, levels + 1)]
    steps += [(f"{level}d", mid, 2 * mid) for level in range(levels - 1, 1, -1)]
    steps.append(("1d", stage.out, 2 * mid))
    found: dict[str, Shape] = {}
    for name, out, width in steps:
        found |= conv(f"rebnconv{name}.conv_s1", out, width, 3)
        found |= batch_norm(f"rebnconv{name}.bn_s1", out)
    return MappingProxyType(found)


FAMILY = Family(
    name="u2net",
    title="U²-Net",
    task="salient object segmentation",
    steps=("cloth_segmentation",),
    markers=(
        ("stage1.rebnconvin.conv_s1.weight", "side1.weight"),
        ("stage2.rebnconv1.conv_s1.weight", "stage1d.rebnconv1d.conv_s1.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("u2net.pth", "u2net"),
        Published("u2net_human_seg.pth", "u2net"),
        Published("u2net_portrait.pth", "u2net"),
        Published("u2netp.pth", "u2netp"),
        Published("cloth_segm_u2net_latest.pth", "cloth-segm"),
        Published("u2net_cloth_seg.pth", "cloth-segm"),
        Published("isnet-general-use.pth", "isnet"),
        Published("isnet.pth", "isnet"),
    ),
    licence="Apache-2.0",
    source="xuebinqin/U-2-Net@ac7e1c8, model/u2net.py",
    aliases=("u2net", "u2netp", "u-2-net", "cloth_segm", "isnet"),
)
