"""What Self-Correction Human Parsing files look like: the CE2P network of any class count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mycloset.architectures.blocks import conv, conv_batch_norm
from mycloset.architectures.comparison import COUNTER
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.reading import numbered, size
from mycloset.architectures.resnet.layout import name_of
from mycloset.architectures.resnet.trunk import (
    NAMED,
    Names,
    Trunk,
    config_of,
    put_trunk,
    read_trunk,
    standard,
)

_SETS = {20: ("lip", "LIP", 473), 18: ("atr", "ATR", 512), 7: ("pascal", "Pascal-Person-Part", 512)}
"""Published class counts: variant, data set, and side of the square that the network takes."""

_MOST_POOLS = 16

_NAMES = Names("conv3", "bn3", NAMED.stages)


class _Sizes(NamedTuple):
    inputs: int
    stem: tuple[int, int]
    """Channels of the first two convolutions; the third is the trunk's."""
    trunk: Trunk
    pools: int
    pool: int
    context: int
    edge: int
    edges: int
    wide: int
    low: int
    joined: int
    parsing: int
    fused: int
    classes: int


def _standard(layers: tuple[int, ...], inputs: int, stem: int) -> Trunk:
    return standard(layers, deep=True, inputs=inputs, stem=stem)._replace(kernel=3)


_PUBLISHED = _Sizes(
    inputs=3,
    stem=(64, 64),
    trunk=_standard((3, 4, 23, 3), 64, 128),
    pools=4,
    pool=512,
    context=512,
    edge=256,
    edges=2,
    wide=256,
    low=48,
    joined=256,
    parsing=256,
    fused=256,
    classes=20,
)


def read(shapes: Shapes) -> Claim:
    """What an SCHP table is.

    Raises:
        NotThisError: it is none.
    """
    stem = (
        size(shapes, ("conv1.weight", 0), ("bn1.weight", 0)),
        size(shapes, ("conv2.weight", 0), ("bn2.weight", 0)),
    )
    trunk = read_trunk(shapes, names=_NAMES)._replace(inputs=stem[1])
    require(len(trunk.stages) == 4, f"{len(trunk.stages)} residual stages, not 4")
    pool = "context_encoding.stages.0."
    return _claim(
        _Sizes(
            inputs=size(shapes, ("conv1.weight", 1), default=3),
            stem=stem,
            trunk=trunk._replace(kernel=3),
            pools=numbered(shapes, "context_encoding.stages.", most=_MOST_POOLS),
            pool=size(shapes, (f"{pool}1.weight", 0), (f"{pool}2.weight", 0)),
            context=size(
                shapes,
                ("context_encoding.bottleneck.0.weight", 0),
                ("context_encoding.bottleneck.1.weight", 0),
            ),
            edge=size(shapes, ("edge.conv1.0.weight", 0), ("edge.conv1.1.weight", 0)),
            edges=size(shapes, ("edge.conv4.weight", 0), ("edge.conv4.bias", 0)),
            wide=size(shapes, ("decoder.conv1.0.weight", 0), ("decoder.conv1.1.weight", 0)),
            low=size(shapes, ("decoder.conv2.0.weight", 0), ("decoder.conv2.1.weight", 0)),
            joined=size(shapes, ("decoder.conv3.0.weight", 0), ("decoder.conv3.1.weight", 0)),
            parsing=size(shapes, ("decoder.conv3.2.weight", 0), ("decoder.conv3.3.weight", 0)),
            fused=size(shapes, ("fushion.0.weight", 0), ("fushion.1.weight", 0)),
            classes=size(
                shapes,
                ("fushion.3.weight", 0),
                ("decoder.conv4.weight", 0),
                ("fushion.3.bias", 0),
            ),
        )
    )


def examples() -> Iterator[Claim]:
    """The three published networks."""
    for classes in _SETS:
        yield _claim(_PUBLISHED._replace(classes=classes))


def _claim(sizes: _Sizes) -> Claim:
    classes = sizes.classes
    published = sizes == _PUBLISHED._replace(classes=classes)
    variant, data, side = _SETS.get(classes, ("custom", "", 0)) if published else ("custom", "", 0)
    trunk = sizes.trunk
    backbone = name_of(trunk)
    undecidable = [
        "the sizes to which the pyramid pools (1, 2, 3 and 6 as published)",
        "the size of picture"
        + (f": {side}x{side} as published" if side else " that it was trained for"),
    ]
    if variant == "lip":
        undecidable.insert(0, "the data set: LIP and CIHP have 20 classes each")
    return Claim(
        variant=variant,
        title=f"SCHP, {data}, {classes} classes" if data else f"SCHP, {classes} classes",
        config={
            "num_classes": classes,
            "backbone": backbone,
            **config_of(trunk),
            "stem": [*sizes.stem, trunk.stem],
            "input_channels": sizes.inputs,
            "psp_branches": sizes.pools,
            "psp_channels": sizes.pool,
            "context_channels": sizes.context,
            "edge_channels": sizes.edge,
            "edge_classes": sizes.edges,
            "decoder_channels": [sizes.wide, sizes.low, sizes.joined, sizes.parsing],
            "fusion_channels": sizes.fused,
            "input_size": side or None,
        },
        tensors=_tensors(sizes),
        evidence=(
            f"`fushion.3.weight` is {[classes, sizes.fused, 1, 1]}: {classes} classes",
            f"`edge.conv5.weight` is {[sizes.edges, 3 * sizes.edges, 1, 1]}: the edge branch",
            f"`conv3.weight` has {trunk.stem} channels: a stem of three convolutions"
            f" before a {backbone} of {sum(trunk.layers)} blocks",
        ),
        undecidable=tuple(undecidable),
        input_channels=sizes.inputs,
        output_channels=classes,
    )


def _tensors(sizes: _Sizes) -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    inp = sizes.inputs
    for number, out in enumerate(sizes.stem, 1):
        found |= conv_batch_norm(f"conv{number}", f"bn{number}", out, inp, 3)
        inp = out
    put_trunk(found, sizes.trunk, names=_NAMES)
    deep = sizes.trunk.out
    for number in range(sizes.pools):
        place = f"context_encoding.stages.{number}."
        found |= conv_batch_norm(f"{place}1", f"{place}2", sizes.pool, deep)
    place = "context_encoding.bottleneck."
    pooled = deep + sizes.pools * sizes.pool
    found |= conv_batch_norm(f"{place}0", f"{place}1", sizes.context, pooled, 3)
    for number, stage in enumerate(sizes.trunk.stages[:3], 1):
        found |= conv_batch_norm(
            f"edge.conv{number}.0", f"edge.conv{number}.1", sizes.edge, stage.out
        )
    found |= conv("edge.conv4", sizes.edges, sizes.edge, 3)
    found |= conv("edge.conv5", sizes.edges, 3 * sizes.edges)
    found |= conv_batch_norm("decoder.conv1.0", "decoder.conv1.1", sizes.wide, sizes.context)
    found |= conv_batch_norm(
        "decoder.conv2.0", "decoder.conv2.1", sizes.low, sizes.trunk.stages[0].out
    )
    found |= conv_batch_norm(
        "decoder.conv3.0", "decoder.conv3.1", sizes.joined, sizes.wide + sizes.low
    )
    found |= conv_batch_norm("decoder.conv3.2", "decoder.conv3.3", sizes.parsing, sizes.joined)
    found |= conv("decoder.conv4", sizes.classes, sizes.parsing)
    found |= conv_batch_norm("fushion.0", "fushion.1", sizes.fused, sizes.parsing + 3 * sizes.edge)
    found |= conv("fushion.3", sizes.classes, sizes.fused)
    # InPlaceABN keeps no counter.
    return {key: shape for key, shape in found.items() if not key.endswith(COUNTER)}


FAMILY = Family(
    name="schp",
    title="SCHP",
    task="human parsing",
    steps=("human_parsing",),
    markers=(
        ("edge.conv5.weight", "fushion.3.weight"),
        ("fushion.0.weight", "context_encoding.bottleneck.0.weight"),
        ("context_encoding.stages.3.1.weight", "decoder.conv4.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published(
            "exp-schp-201908261155-lip.pth",
            "lip",
            "24fa3254ceeb74c8435458994a64b522fb439a3635b7b86ff470457e0413da00",
            267_449_349,
        ),
        Published(
            "exp-schp-201908301523-atr.pth",
            "atr",
            "e9d7c91ce3b4e7133df56b599fc817b533e3439c5e8d282a59126d2fda339a2a",
            267_445_237,
        ),
        Published("exp-schp-201908270938-pascal-person-part.pth", "pascal"),
    ),
    licence="MIT",
    source="GoGoDuck912/Self-Correction-Human-Parsing@eb84c43, networks/AugmentCE2P.py",
    aliases=("schp", "self-correction", "ce2p"),
)
