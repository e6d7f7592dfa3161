"""What SqueezeNet files look like: fire modules at the places of version 1.0, 1.1 or another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mycloset.architectures.blocks import conv
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.reading import size

_VERSIONS: dict[tuple[int, ...], str] = {
    (3, 4, 5, 7, 8, 9, 10, 12): "1_0",
    (3, 4, 6, 7, 9, 10, 11, 12): "1_1",
}
"""Places of the fire modules -> version: poolings lie between them."""

_FIRES = (
    (16, 64),
    (16, 64),
    (32, 128),
    (32, 128),
    (48, 192),
    (48, 192),
    (64, 256),
    (64, 256),
)
_MOST = 64

Fire = tuple[int, int, int, int]
"""Place, and channels of the squeeze, the 1x1 and the 3x3 convolution."""


class Network(NamedTuple):
    """A whole network, or its features (no classes).

    Attributes:
        inputs: channels of the picture.
        stem: channels of the first convolution.
        kernel: its kernel.
        fires: the fire modules.
        classes: labels; 0 without a classifier.
    """

    inputs: int
    stem: int
    kernel: int
    fires: tuple[Fire, ...]
    classes: int


def read(shapes: Shapes) -> Claim:
    """What a SqueezeNet table is.

    Raises:
        NotThisError: it has no fire modules.
    """
    places = [
        place
        for place in range(_MOST)
        if f"features.{place}.squeeze.weight" in shapes
        or f"features.{place}.squeeze.bias" in shapes
    ]
    require(bool(places), "no `features.3.squeeze.weight`")
    fires = []
    for place in places:
        start = f"features.{place}."
        squeeze = size(shapes, (f"{start}squeeze.weight", 0), (f"{start}squeeze.bias", 0))
        one = size(shapes, (f"{start}expand1x1.weight", 0), (f"{start}expand1x1.bias", 0))
        three = size(shapes, (f"{start}expand3x3.weight", 0), (f"{start}expand3x3.bias", 0))
        fires.append((place, squeeze, one, three))
    classes = 0
    if "classifier.1.weight" in shapes or "classifier.1.bias" in shapes:
        classes = size(shapes, ("classifier.1.weight", 0), ("classifier.1.bias", 0))
    return _claim(
        Network(
            inputs=size(shapes, ("features.0.weight", 1), default=3),
            stem=size(shapes, ("features.0.weight", 0), ("features.0.bias", 0)),
            kernel=size(shapes, ("features.0.weight", 2), default=7 if 5 in places else 3),
            fires=tuple(fires),
            classes=classes,
        )
    )


def examples() -> Iterator[Claim]:
    """The published networks, with and without their classifier."""
    for places, version in _VERSIONS.items():
        stem, kernel = (96, 7) if version == "1_0" else (64, 3)
        fires = tuple(
            (place, squeeze, expand, expand)
            for place, (squeeze, expand) in zip(places, _FIRES, strict=True)
        )
        for classes in (1000, 0):
            yield _claim(Network(3, stem, kernel, fires, classes))


def tensors(network: Network) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    found = conv("features.0", network.stem, network.inputs, network.kernel)
    inp = network.stem
    for place, squeeze, one, three in network.fires:
        found |= conv(f"features.{place}.squeeze", squeeze, inp)
        found |= conv(f"features.{place}.expand1x1", one, squeeze)
        found |= conv(f"features.{place}.expand3x3", three, squeeze, 3)
        inp = one + three
    if network.classes:
        found |= conv("classifier.1", network.classes, inp)
    return found


def _claim(network: Network) -> Claim:
    places = tuple(fire[0] for fire in network.fires)
    version = _VERSIONS.get(places)
    name = f"squeezenet{version or f'_{len(places)}fires'}"
    title = f"SqueezeNet {version.replace('_', '.') if version else f'of {len(places)} fires'}"
    classes = network.classes
    evidence = [
        f"fire modules at `features.` {', '.join(map(str, places))}",
        f"`features.0.weight` is {[network.stem, network.inputs, network.kernel, network.kernel]}",
    ]
    last = network.fires[-1]
    if classes:
        evidence.insert(0, f"`classifier.1.weight` has {classes} rows: {classes} classes")
    return Claim(
        variant=name if classes else f"{name}_features",
        title=f"{title}, {f'classifier of {classes} classes' if classes else 'features alone'}",
        config={
            "version": version,
            "num_classes": classes or None,
            "input_channels": network.inputs,
            "stem": [network.stem, network.kernel],
            "fires": [list(fire) for fire in network.fires],
        },
        tensors=tensors(network),
        layout="torchvision",
        evidence=tuple(evidence),
        undecidable=() if classes == 1000 else ("what it was trained on",),
        task="image classification" if classes else "image features",
        input_channels=network.inputs,
        output_channels=classes or last[2] + last[3],
    )


FAMILY = Family(
    name="squeezenet",
    title="SqueezeNet",
    task="image classification",
    steps=("quality_assessment",),
    markers=(
        ("features.0.weight", "features.3.squeeze.weight", "features.12.expand3x3.weight"),
        ("features.3.squeeze.bias", "features.4.expand1x1.bias"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("squeezenet1_0-b66bff10.pth", "squeezenet1_0", "b66bff10"),
        Published("squeezenet1_0-a815701f.pth", "squeezenet1_0", "a815701f"),
        Published("squeezenet1_1-b8a52dc0.pth", "squeezenet1_1", "b8a52dc0"),
        Published("squeezenet1_1-f364aa15.pth", "squeezenet1_1", "f364aa15"),
    ),
    licence="BSD-3-Clause",
    source="pytorch/vision, torchvision/models/squeezenet.py",
    aliases=("squeezenet",),
)
