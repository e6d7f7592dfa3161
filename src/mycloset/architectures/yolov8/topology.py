"""YOLOv8's layers in their order, as its published configurations list them, and its scales."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

Kind = Literal["conv", "c2f", "c2", "sppf", "up", "cat"]


class Layer(NamedTuple):
    """One layer.

    Attributes:
        kind: "conv" (3x3, stride 2), "c2f" and "c2" (split, bottlenecks, joined), "sppf" (pooled
            at three sizes), "up" (twice the size), "cat" (joined with an earlier layer).
        channels: outputs at width 1; 0 where the layer before decides.
        repeats: bottlenecks at depth 1.
        joined: the earlier layer, for "cat".
    """

    kind: Kind
    channels: int = 0
    repeats: int = 0
    joined: int = 0


class Topology(NamedTuple):
    """Layers, and which of them the head reads (none: it classifies the last)."""

    name: str
    layers: tuple[Layer, ...]
    taken: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()


class Scale(NamedTuple):
    """Multiples by which a scale's layers differ from those written here."""

    depth: float
    width: float
    most: int
    """Channels before widening are cut to this."""

    def channels(self, layer: Layer) -> int:
        return math.ceil(min(layer.channels, self.most) * self.width / 8) * 8

    def repeats(self, layer: Layer) -> int:
        return max(round(layer.repeats * self.depth), 1) if layer.repeats else 0


def _conv(channels: int) -> Layer:
    return Layer("conv", channels)


def _c2f(channels: int, repeats: int = 3) -> Layer:
    return Layer("c2f", channels, repeats)


def _c2(channels: int) -> Layer:
    return Layer("c2", channels, 3)


def _joined(layer: int) -> tuple[Layer, Layer]:
    return Layer("up"), Layer("cat", joined=layer)


def _cat(layer: int) -> Layer:
    return Layer("cat", joined=layer)


_TO_STRIDE_16 = (
    _conv(64),
    _conv(128),
    _c2f(128),
    _conv(256),
    _c2f(256, 6),
    _conv(512),
    _c2f(512, 6),
)
_TO_STRIDE_32 = (*_TO_STRIDE_16, _conv(1024), _c2f(1024))
_P5 = (*_TO_STRIDE_32, Layer("sppf", 1024))
_P6 = (*_TO_STRIDE_16, _conv(768), _c2f(768), _conv(1024), _c2f(1024), Layer("sppf", 1024))

CLASSIFIER = Topology("cls", _TO_STRIDE_32)
DETECTORS = (
    Topology(
        "",
        (
            *_P5,
            *(*_joined(6), _c2f(512), *_joined(4), _c2f(256)),
            *(_conv(256), _cat(12), _c2f(512), _conv(512), _cat(9), _c2f(1024)),
        ),
        (15, 18, 21),
        (8, 16, 32),
    ),
    Topology(
        "p2",
        (
            *_P5,
            *(*_joined(6), _c2f(512), *_joined(4), _c2f(256), *_joined(2), _c2f(128)),
            *(_conv(128), _cat(15), _c2f(256), _conv(256), _cat(12), _c2f(512)),
            *(_conv(512), _cat(9), _c2f(1024)),
        ),
        (18, 21, 24, 27),
        (4, 8, 16, 32),
    ),
    Topology(
        "p6",
        (
            *_P6,
            *(*_joined(8), _c2(768), *_joined(6), _c2(512), *_joined(4), _c2(256)),
            *(_conv(256), _cat(17), _c2(512), _conv(512), _cat(14), _c2(768)),
            *(_conv(768), _cat(11), _c2(1024)),
        ),
        (20, 23, 26, 29),
        (8, 16, 32, 64),
    ),
)

SCALES = {
    "n": Scale(0.33, 0.25, 1024),
    "s": Scale(0.33, 0.5, 1024),
    "m": Scale(0.67, 0.75, 768),
    "l": Scale(1.0, 1.0, 512),
    "x": Scale(1.0, 1.25, 512),
}
CLASSIFIER_SCALES = {name: Scale(scale.depth, scale.width, 1024) for name, scale in SCALES.items()}
