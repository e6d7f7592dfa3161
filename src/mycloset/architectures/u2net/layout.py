"""What U2-Net files look like: any widths, depths and numbers of classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from mycloset.architectures.blocks import put
from mycloset.architectures.family import (
    Claim,
    Family,
    Published,
    Shape,
    Shapes,
    batch_norm,
    conv,
    require,
)
from mycloset.architectures.reading import extent
from mycloset.architectures.sizes import size

_ENCODER = tuple(f"stage{n}" for n in range(1, 7))
_DECODER = tuple(f"stage{n}d" for n in range(5, 0, -1))
_STAGES = _ENCODER + _DECODER

Unit = tuple[int, int, int, int]
"""Depth (convolutions on the way down), inputs, middle and outputs of a residual U-block."""


class Network(NamedTuple):
    """A whole network: its eleven U-blocks in the file's order, and its classes."""

    units: tuple[Unit, ...]
    classes: int


def read(shapes: Shapes) -> Claim:
    """What a U2-Net table is.

    Raises:
        NotThisError: it lacks one of the eleven stages, or what tells their widths.
    """
    units: list[Unit] = []
    for number, name in enumerate(_STAGES):
        inputs = 3
        if 0 < number < len(_ENCODER):
            inputs = units[-1][3]
        elif number > 0:  # A decoder's block sees the one before and its equal of the encoder.
            inputs = units[-1][3] + units[len(_STAGES) - 1 - number][3]
        units.append(_read_unit(shapes, f"{name}.rebnconv", inputs))
    classes = size(shapes, ("side1.weight", 0), ("outconv.weight", 0), ("outconv.bias", 0))
    return _claim(Network(tuple(units), classes))


def examples() -> Iterator[Claim]:
    """The published networks."""
    yield _claim(_full(1))
    yield _claim(_small(1))
    yield _claim(_full(4))


def _read_unit(shapes: Shapes, start: str, inputs: int) -> Unit:
    depth = extent(
        shapes,
        start + "{}.conv_s1.weight",
        start + "{}.bn_s1.weight",
        start=1,
        limit=16,
    )
    require(depth > 1, f"no `{start}1.conv_s1.weight`")
    return (
        depth,
        size(shapes, (f"{start}in.conv_s1.weight", 1), default=inputs),
        size(shapes, (f"{start}1.conv_s1.weight", 0), (f"{start}1.bn_s1.weight", 0)),
        size(shapes, (f"{start}in.conv_s1.weight", 0), (f"{start}in.bn_s1.weight", 0)),
    )


def _full(classes: int) -> Network:
    return Network(
        (
            (7, 3, 32, 64),
            (6, 64, 32, 128),
            (5, 128, 64, 256),
            (4, 256, 128, 512),
            (4, 512, 256, 512),
            (4, 512, 256, 512),
            (4, 1024, 256, 512),
            (4, 1024, 128, 256),
            (5, 512, 64, 128),
            (6, 256, 32, 64),
            (7, 128, 16, 64),
        ),
        classes,
    )


def _small(classes: int) -> Network:
    depths = (7, 6, 5, 4, 4, 4, 4, 4, 5, 6, 7)
    inputs = (3, 64, 64, 64, 64, 64, 128, 128, 128, 128, 128)
    return Network(
        tuple((depth, inp, 16, 64) for depth, inp in zip(depths, inputs, strict=True)), classes
    )


def _claim(network: Network) -> Claim:
    classes = network.classes
    inputs = network.units[0][1]
    widths = tuple(unit[2:] for unit in network.units)
    size_name = "u2net"
    if widths == tuple(unit[2:] for unit in _small(1).units):
        size_name = "u2netp"
    elif widths != tuple(unit[2:] for unit in _full(1).units):
        size_name = f"u2net_{network.units[0][2]}x{network.units[0][3]}"
    title = "U\N{SUPERSCRIPT TWO}-Net" + size_name.removeprefix("u2net").replace("p", "-P")
    variant, what, task, steps = size_name, f"{classes} classes", "segmentation", None
    undecidable: tuple[str, ...] = ("what its classes are",)
    licence = None
    if classes == 1:
        what, task = "one mask", "salient object segmentation"
        undecidable = ("whether it finds objects, people or draws portraits: the tensors agree",)
    elif classes == 4:
        variant = "cloth_segm" if size_name == "u2net" else f"{size_name}_cloth"
        what, task = "upper body, lower body and full body garments", "cloth segmentation"
        steps, licence = ("human_parsing", "cloth_segmentation"), "MIT"
        undecidable = ()
    else:
        variant = f"{size_name}_{classes}"
    first = network.units[0]
    return Claim(
        variant=variant,
        title=f"{title}, {what}",
        config={
            "in_ch": inputs,
            "out_ch": classes,
            "stages": {
                name: [f"RSU{depth}{'F' if flat else ''}", inp, mid, out]
                for name, (depth, inp, mid, out), flat in zip(
                    _STAGES, network.units, _flat(network), strict=True
                )
            },
        },
        tensors=tensors(network),
        evidence=(
            f"`side1.weight` has {classes} rows: {what}",
            f"`stage1.rebnconv1.conv_s1.weight` is {[first[2], first[3], 3, 3]}: {size_name}",
            f"eleven U-blocks of {', '.join(str(unit[0]) for unit in network.units)} levels",
        ),
        undecidable=undecidable,
        task=task,
        steps=steps,
        input_channels=inputs,
        output_channels=classes,
        licence=licence,
    )


def _flat(network: Network) -> Iterator[bool]:
    """Which blocks widen their kernels' reach in place of pooling (5, 6 and 5d by design)."""
    return (name in ("stage5", "stage6", "stage5d") for name in _STAGES[: len(network.units)])


def tensors(network: Network) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    found: dict[str, Shape] = {}
    for name, unit in zip(_STAGES, network.units, strict=True):
        put(found, f"{name}.", _unit(unit))
    classes = network.classes
    # Sides 1 to 5 look at the decoder's blocks, side 6 at the last of the encoder.
    outs = [unit[3] for unit in network.units[:5:-1]] + [network.units[5][3]]
    for number, out in enumerate(outs, 1):
        found |= conv(f"side{number}", classes, out, 3)
    return found | conv("outconv", classes, len(outs) * classes)


@lru_cache(maxsize=64)
def _unit(unit: Unit) -> Mapping[str, Shape]:
    depth, inp, mid, out = unit
    steps = [("in", out, inp), ("1", mid, out)]
    steps += [(str(n), mid, mid) for n in range(2, depth + 1)]
    steps += [(f"{n}d", out if n == 1 else mid, 2 * mid) for n in range(depth - 1, 0, -1)]
    found: dict[str, Shape] = {}
    for name, outputs, inputs in steps:
        found |= conv(f"rebnconv{name}.conv_s1", outputs, inputs, 3)
        found |= batch_norm(f"rebnconv{name}.bn_s1", outputs)
    return MappingProxyType(found)


FAMILY = Family(
    name="u2net",
    title="U\N{SUPERSCRIPT TWO}-Net",
    task="salient object segmentation",
    steps=("cloth_segmentation",),
    markers=(
        ("stage1.rebnconvin.conv_s1.weight", "stage6.rebnconv1.conv_s1.weight"),
        ("stage1.rebnconv1.conv_s1.weight", "stage1d.rebnconv1d.conv_s1.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("u2net.pth", "u2net"),
        Published("u2net_human_seg.pth", "u2net"),
        Published("u2net_portrait.pth", "u2net"),
        Published("u2netp.pth", "u2netp"),
        Published("cloth_segm_u2net_latest.pth", "cloth_segm"),
        Published("cloth_segm.pth", "cloth_segm"),
        Published("u2net_cloth_seg.*", "cloth_segm"),
    ),
    licence="Apache-2.0",
    source="xuebinqin/U-2-Net, model/u2net.py; levindabhi/cloth-segmentation, networks/u2net.py",
    aliases=("u2net", "u2netp", "u2net_human_seg", "u2net_portrait", "cloth_segm", "cloth_seg"),
)
