"""What SCHP files look like: a ResNet with a pyramid, an edge branch and a fusion, any classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from mycloset.architectures.blocks import put
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, conv, require
from mycloset.architectures.reading import extent
from mycloset.architectures.resnet.trunk import Stage, Trunk, read_trunk
from mycloset.architectures.sizes import size

_SETS = {
    20: ("lip", "LIP", 473),
    18: ("atr", "ATR", 512),
    7: ("pascal", "Pascal-Person-Part", 512),
}
"""Classes -> variant, set of labels, and side of the published network's input."""


class Network(NamedTuple):
    """A whole network.

    Attributes:
        trunk: the ResNet; its stem is the last of three convolutions.
        stem: channels of the stem's first two convolutions.
        pyramid: parts of the context encoding.
        context: channels of each part.
        edge: channels of the edge branch.
        parsing: channels of the parsing branch.
        shallow: channels of the shallow features that the decoder adds.
        classes: labels.
    """

    trunk: Trunk
    stem: tuple[int, int]
    pyramid: int
    context: int
    edge: int
    parsing: int
    shallow: int
    classes: int


def read(shapes: Shapes) -> Claim:
    """What an SCHP table is.

    Raises:
        NotThisError: it lacks the ResNet, the edge branch or the classes.
    """
    trunk = read_trunk(shapes)
    require(trunk.deep and len(trunk.stages) == 4, "no `layer4.0.conv3.weight`")
    trunk = trunk._replace(
        stem=size(shapes, ("conv3.weight", 0), ("bn3.weight", 0), ("layer1.0.conv1.weight", 1)),
        kernel=3,
    )
    stages = "context_encoding.stages."
    return _claim(
        Network(
            trunk=trunk,
            stem=(
                size(shapes, ("conv1.weight", 0), ("bn1.weight", 0)),
                size(shapes, ("conv2.weight", 0), ("bn2.weight", 0)),
            ),
            pyramid=extent(shapes, stages + "{}.1.weight", stages + "{}.2.weight", limit=16),
            context=size(shapes, (f"{stages}0.1.weight", 0), (f"{stages}0.2.weight", 0)),
            edge=size(shapes, ("edge.conv1.0.weight", 0), ("edge.conv1.1.weight", 0)),
            parsing=size(shapes, ("decoder.conv1.0.weight", 0), ("decoder.conv1.1.weight", 0)),
            shallow=size(shapes, ("decoder.conv2.0.weight", 0), ("decoder.conv2.1.weight", 0)),
            classes=size(
                shapes,
                ("fushion.3.weight", 0),
                ("decoder.conv4.weight", 0),
                ("decoder.conv4.bias", 0),
            ),
        )
    )


def examples() -> Iterator[Claim]:
    """The published networks."""
    stages = (
        Stage(3, 64, 256),
        Stage(4, 128, 512),
        Stage(23, 256, 1024),
        Stage(3, 512, 2048),
    )
    for classes in _SETS:
        yield _claim(
            Network(Trunk(3, 128, 3, True, stages), (64, 64), 4, 512, 256, 256, 48, classes)
        )


def _claim(network: Network) -> Claim:
    classes = network.classes
    layers = network.trunk.layers
    variant, labels, side = _SETS.get(classes, (f"{classes}_classes", "unknown labels", 473))
    depth = 2 + 3 * sum(layers)
    return Claim(
        variant=variant,
        title=f"SCHP on ResNet-{depth}, {classes} classes ({labels})",
        config={
            "num_classes": classes,
            "backbone": f"resnet{depth}",
            "layers": list(layers),
            "input_size": [side, side],
            "psp_parts": network.pyramid,
            "psp_channels": network.context,
            "edge_channels": network.edge,
            "parsing_channels": network.parsing,
            "input_channels": network.trunk.inputs,
        },
        tensors=tensors(network),
        evidence=(
            f"`decoder.conv4.weight` is {[classes, network.parsing, 1, 1]}: {classes} classes,"
            f" {labels}",
            f"`fushion.3.weight` has {classes} rows",
            f"`edge.conv5.weight` is {[2, 6, 1, 1]}: the edge branch of CE2P",
            f"stages of {', '.join(map(str, layers))} bottlenecks",
        ),
        undecidable=(
            ()
            if classes in _SETS
            else ("what its classes are", "the side of its input: 473 for LIP, 512 for the others")
        ),
        input_channels=network.trunk.inputs,
        output_channels=classes,
    )


def tensors(network: Network) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    trunk = network.trunk
    first, second = network.stem
    found: dict[str, Shape] = {}
    for number, out, inp in (
        (1, first, trunk.inputs),
        (2, second, first),
        (3, trunk.stem, second),
    ):
        found |= conv(f"conv{number}", out, inp, 3, bias=False) | _norm(f"bn{number}", out)
    inp = trunk.stem
    for number, stage in enumerate(trunk.stages, 1):
        for block in range(stage.blocks):
            put(found, f"layer{number}.{block}.", _bottleneck(inp, stage, block == 0))
            inp = stage.out
    outs = [stage.out for stage in trunk.stages]
    context, edge, parsing, shallow = (
        network.context,
        network.edge,
        network.parsing,
        network.shallow,
    )
    for part in range(network.pyramid):
        place = f"context_encoding.stages.{part}"
        found |= conv(f"{place}.1", context, outs[3], bias=False) | _norm(f"{place}.2", context)
    found |= conv(
        "context_encoding.bottleneck.0",
        context,
        outs[3] + network.pyramid * context,
        3,
        bias=False,
    )
    found |= _norm("context_encoding.bottleneck.1", context)
    for number in (1, 2, 3):
        place = f"edge.conv{number}"
        found |= conv(f"{place}.0", edge, outs[number - 1], bias=False)
        found |= _norm(f"{place}.1", edge)
    found |= conv("edge.conv4", 2, edge, 3) | conv("edge.conv5", 2, 6)
    found |= conv("decoder.conv1.0", parsing, context, bias=False)
    found |= _norm("decoder.conv1.1", parsing)
    found |= conv("decoder.conv2.0", shallow, outs[0], bias=False)
    found |= _norm("decoder.conv2.1", shallow)
    found |= conv("decoder.conv3.0", parsing, parsing + shallow, bias=False)
    found |= _norm("decoder.conv3.1", parsing)
    found |= conv("decoder.conv3.2", parsing, parsing, bias=False)
    found |= _norm("decoder.conv3.3", parsing)
    found |= conv("decoder.conv4", network.classes, parsing)
    found |= conv("fushion.0", parsing, parsing + 3 * edge, bias=False) | _norm(
        "fushion.1", parsing
    )
    return found | conv("fushion.3", network.classes, parsing)


def _norm(name: str, channels: int) -> dict[str, Shape]:
    """Tensors of an in-place activated batch norm: it counts no batches."""
    return {
        f"{name}.{tensor}": (channels,)
        for tensor in ("weight", "bias", "running_mean", "running_var")
    }


@lru_cache(maxsize=64)
def _bottleneck(inp: int, stage: Stage, down: bool) -> Mapping[str, Shape]:
    width, out = stage.width, stage.out
    found = conv("conv1", width, inp, bias=False) | _norm("bn1", width)
    found |= conv("conv2", width, width, 3, bias=False) | _norm("bn2", width)
    found |= conv("conv3", out, width, bias=False) | _norm("bn3", out)
    if down:
        found |= conv("downsample.0", out, inp, bias=False) | _norm("downsample.1", out)
    return MappingProxyType(found)


FAMILY = Family(
    name="schp",
    title="SCHP",
    task="human parsing",
    steps=("human_parsing",),
    markers=(
        ("context_encoding.stages.0.1.weight", "edge.conv1.0.weight"),
        ("decoder.conv1.0.weight", "fushion.0.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("exp-schp-201908261155-lip.pth", "lip"),
        Published("exp-schp-201908301523-atr.pth", "atr"),
        Published("exp-schp-201908270938-pascal-person-part.pth", "pascal"),
    ),
    licence="MIT",
    source="GoGoDuck912/Self-Correction-Human-Parsing, networks/AugmentCE2P.py",
    aliases=("schp", "exp-schp", "self-correction-human-parsing", "ce2p"),
)
