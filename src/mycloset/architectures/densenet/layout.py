"""What DenseNet files look like: torchvision's modules, and the names in its published files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from mycloset.architectures.blocks import batch_norm, conv, linear, put
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.reading import extent, ratio, size

_DEPTHS: dict[tuple[int, tuple[int, ...]], int] = {
    (32, (6, 12, 24, 16)): 121,
    (48, (6, 12, 36, 24)): 161,
    (32, (6, 12, 32, 32)): 169,
    (32, (6, 12, 48, 32)): 201,
    (32, (6, 12, 64, 48)): 264,
}
"""Growth rate and layers of each block -> the depth in the network's name."""

_DOTS = {"torchvision": "", "torchvision-old": "."}
"""Layout -> what stands between `norm` or `conv` and its number within a layer."""


class Network(NamedTuple):
    """A whole network, or its features (no classes).

    Attributes:
        inputs: channels of the picture.
        stem: channels of the first convolution.
        kernel: its kernel.
        growth: channels that each layer adds.
        bottleneck: channels of a layer's 1x1 convolution.
        blocks: layers of each block.
        transitions: channels that each transition gives.
        classes: labels; 0 without a classifier.
        layout: whose names the keys have.
    """

    inputs: int
    stem: int
    kernel: int
    growth: int
    bottleneck: int
    blocks: tuple[int, ...]
    transitions: tuple[int, ...]
    classes: int
    layout: str = "torchvision"

    @property
    def out(self) -> int:
        """Channels of the features."""
        before = self.transitions[-1] if self.transitions else self.stem
        return before + self.growth * self.blocks[-1]


def read(shapes: Shapes) -> Claim:
    """What a DenseNet table is.

    Raises:
        NotThisError: it lacks the first dense block.
    """
    first = "features.denseblock1.denselayer1."
    old = any(f"{first}{name}.weight" in shapes for name in ("norm.1", "conv.1", "conv.2"))
    layout = "torchvision-old" if old else "torchvision"
    dot = _DOTS[layout]
    blocks = []
    for block in range(1, 17):
        layer = f"features.denseblock{block}.denselayer{{}}."
        layers = extent(shapes, f"{layer}conv{dot}1.weight", f"{layer}conv{dot}2.weight", start=1)
        if layers == 0:
            break
        blocks.append(layers)
    require(bool(blocks), f"no `{first}conv1.weight`")
    second = "features.denseblock1.denselayer2."
    stem = size(
        shapes,
        ("features.conv0.weight", 0),
        ("features.norm0.weight", 0),
        (f"{first}norm{dot}1.weight", 0),
    )
    growth = size(shapes, (f"{first}conv{dot}2.weight", 0), (f"{second}conv{dot}2.weight", 0))
    transitions: list[int] = []
    before = stem
    for block, layers in enumerate(blocks[:-1], 1):
        after = f"features.denseblock{block + 1}.denselayer1."
        before = size(
            shapes,
            (f"features.transition{block}.conv.weight", 0),
            (f"{after}norm{dot}1.weight", 0),
            default=max(1, (before + growth * layers) // 2),
        )
        transitions.append(before)
    classes = 0
    if "classifier.weight" in shapes or "classifier.bias" in shapes:
        classes = size(shapes, ("classifier.weight", 0), ("classifier.bias", 0))
    return _claim(
        Network(
            inputs=size(shapes, ("features.conv0.weight", 1), default=3),
            stem=stem,
            kernel=size(shapes, ("features.conv0.weight", 2), default=7),
            growth=growth,
            bottleneck=size(
                shapes, (f"{first}conv{dot}1.weight", 0), (f"{first}norm{dot}2.weight", 0)
            ),
            blocks=tuple(blocks),
            transitions=tuple(transitions),
            classes=classes,
            layout=layout,
        )
    )


def examples() -> Iterator[Claim]:
    """The published networks in both layouts, and their features."""
    for (growth, blocks), depth in _DEPTHS.items():
        if depth == 264:
            continue
        for classes, layout in (
            (1000, "torchvision"),
            (1000, "torchvision-old"),
            (0, "torchvision"),
        ):
            yield _claim(standard(growth, blocks, classes, layout))


def standard(
    growth: int, blocks: tuple[int, ...], classes: int, layout: str = "torchvision"
) -> Network:
    """A network of torchvision's rule: transitions halve the channels."""
    stem = 2 * growth
    transitions = []
    width = stem
    for layers in blocks[:-1]:
        width = (width + growth * layers) // 2
        transitions.append(width)
    return Network(3, stem, 7, growth, 4 * growth, blocks, tuple(transitions), classes, layout)


def tensors(network: Network) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    found = conv("features.conv0", network.stem, network.inputs, network.kernel, bias=False)
    found |= batch_norm("features.norm0", network.stem)
    dot = _DOTS[network.layout]
    width = network.stem
    for number, layers in enumerate(network.blocks, 1):
        for layer in range(1, layers + 1):
            place = f"features.denseblock{number}.denselayer{layer}."
            put(found, place, _layer(width, network.bottleneck, network.growth, dot))
            width += network.growth
        if number <= len(network.transitions):
            out = network.transitions[number - 1]
            found |= batch_norm(f"features.transition{number}.norm", width)
            found |= conv(f"features.transition{number}.conv", out, width, bias=False)
            width = out
    found |= batch_norm(f"features.norm{len(network.blocks) + 1}", width)
    if network.classes:
        found |= linear("classifier", network.classes, width)
    return found


@lru_cache(maxsize=512)
def _layer(inp: int, bottleneck: int, growth: int, dot: str) -> Mapping[str, Shape]:
    return MappingProxyType(
        {
            **batch_norm(f"norm{dot}1", inp),
            **conv(f"conv{dot}1", bottleneck, inp, bias=False),
            **batch_norm(f"norm{dot}2", bottleneck),
            **conv(f"conv{dot}2", growth, bottleneck, 3, bias=False),
        }
    )


def _claim(network: Network) -> Claim:
    growth, blocks, classes = network.growth, network.blocks, network.classes
    depth = _DEPTHS.get((growth, blocks))
    deeper = 2 * sum(blocks) + len(blocks) + 1
    name = f"densenet{depth}" if depth else f"densenet{deeper}_k{growth}"
    dot = _DOTS[network.layout]
    evidence = [
        f"blocks of {', '.join(map(str, blocks))} layers",
        f"`features.denseblock1.denselayer1.conv{dot}2.weight` has {growth} rows: growth {growth}",
    ]
    if classes:
        evidence.insert(0, f"`classifier.weight` is {[classes, network.out]}: {classes} classes")
    head = f"classifier of {classes} classes" if classes else "features alone"
    return Claim(
        variant=name,
        title=f"DenseNet-{depth or deeper}, {head}",
        config={
            "growth_rate": growth,
            "block_config": list(blocks),
            "num_init_features": network.stem,
            "bn_size": ratio(network.bottleneck, growth),
            "num_classes": classes or None,
            "transitions": list(network.transitions),
            "input_channels": network.inputs,
        },
        tensors=tensors(network),
        layout=network.layout,
        evidence=tuple(evidence),
        undecidable=() if classes == 1000 else ("what it was trained on",),
        task="image classification" if classes else "image features",
        input_channels=network.inputs,
        output_channels=classes or network.out,
    )


_FILES = {
    "densenet121": "a639ec97",
    "densenet161": "8d451a50",
    "densenet169": "b2777c0a",
    "densenet201": "c1103571",
}
"""Variant -> how the SHA-256 of its published file begins, as its name says."""

FAMILY = Family(
    name="densenet",
    title="DenseNet",
    task="image classification",
    steps=("cloth_warping",),
    markers=tuple(
        group
        for dot in _DOTS.values()
        for group in (
            ("features.conv0.weight", f"features.denseblock1.denselayer1.conv{dot}1.weight"),
            (
                "features.norm0.weight",
                f"features.denseblock1.denselayer1.conv{dot}2.weight",
                f"features.denseblock2.denselayer1.conv{dot}2.weight",
            ),
        )
    ),
    read=read,
    examples=examples,
    published=(
        *(Published(f"{name}-{start}.pth", name, start) for name, start in _FILES.items()),
        *(Published(f"{name}.pth", name) for name in _FILES),
    ),
    licence="BSD-3-Clause",
    source="pytorch/vision, torchvision/models/densenet.py",
    aliases=("densenet",),
)
