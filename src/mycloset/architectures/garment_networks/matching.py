"""The geometric matching module of CP-VTON and its successors, by its tensors.

Source: sergeywong/cp-vton@fbaf333, networks.py (FeatureExtraction, FeatureRegression), after
ignacio-rocco/cnngeometric_pytorch. Convolution, ReLU and batch norm follow each other in that
order, so convolutions stand at 0, 3, 6 … and norms two places behind each but the last.
"""

from __future__ import annotations

from math import log
from typing import NamedTuple

from mycloset.architectures.blocks import batch_norm, conv, linear
from mycloset.architectures.family import Shape, Shapes, require
from mycloset.architectures.reading import size

_MOST = 12


class Matching(NamedTuple):
    """Sizes of one matching module.

    Attributes:
        person: channels of the person's representation (extractionA).
        cloth: channels of the garment (extractionB).
        widths: output channels of the extractors' convolutions.
        kernels: their kernel sizes.
        correlation: channels that enter the regression: places of the feature map.
        regression: output channels of its convolutions.
        regression_kernels: their kernel sizes.
        features: numbers that enter its last layer.
        theta: numbers that it gives: two for each control point.
    """

    person: int
    cloth: int
    widths: tuple[int, ...]
    kernels: tuple[int, ...]
    correlation: int
    regression: tuple[int, ...]
    regression_kernels: tuple[int, ...]
    features: int
    theta: int

    @property
    def grid(self) -> int | None:
        """Control points along a side; None where their number is no square."""
        side = round((self.theta / 2) ** 0.5)
        return side if 2 * side * side == self.theta else None


PUBLISHED = Matching(
    person=22,
    cloth=3,
    widths=(64, 128, 256, 512, 512, 512),
    kernels=(4, 4, 4, 4, 3, 3),
    correlation=192,
    regression=(512, 256, 128, 64),
    regression_kernels=(4, 4, 3, 3),
    features=768,
    theta=50,
)
"""CP-VTON's."""


def read(shapes: Shapes, regression: str = "regression.") -> Matching:
    """The sizes of the matching module that a table holds.

    Args:
        shapes: the table.
        regression: what its regression's keys begin with.

    Raises:
        NotThisError: it holds none.
    """
    first, second = "extractionA.model.", "extractionB.model."
    number = _convolutions(shapes, (first, second))
    places = [3 * place for place in range(number)]
    return Matching(
        person=size(shapes, (f"{first}0.weight", 1), default=22),
        cloth=size(shapes, (f"{second}0.weight", 1), default=3),
        widths=tuple(
            size(
                shapes,
                (f"{first}{place}.weight", 0),
                (f"{second}{place}.weight", 0),
                (f"{first}{place}.bias", 0),
            )
            for place in places
        ),
        kernels=tuple(
            size(shapes, (f"{first}{place}.weight", -1), (f"{second}{place}.weight", -1))
            for place in places
        ),
        correlation=size(shapes, (f"{regression}conv.0.weight", 1), default=192),
        regression=tuple(
            size(
                shapes,
                (f"{regression}conv.{place}.weight", 0),
                (f"{regression}conv.{place}.bias", 0),
                (f"{regression}conv.{place + 1}.weight", 0),
            )
            for place in _regression(shapes, regression)
        ),
        regression_kernels=tuple(
            size(shapes, (f"{regression}conv.{place}.weight", -1), default=3)
            for place in _regression(shapes, regression)
        ),
        features=size(shapes, (f"{regression}linear.weight", 1), default=768),
        theta=size(shapes, (f"{regression}linear.weight", 0), (f"{regression}linear.bias", 0)),
    )


def tensors(net: Matching, regression: str = "regression.") -> dict[str, Shape]:
    """Every tensor of a matching module, in the file's order."""
    found: dict[str, Shape] = {}
    for name, inputs in (("extractionA", net.person), ("extractionB", net.cloth)):
        last = len(net.widths) - 1
        for place, (width, kernel) in enumerate(zip(net.widths, net.kernels, strict=True)):
            found |= conv(f"{name}.model.{3 * place}", width, inputs, kernel)
            if place < last:
                found |= batch_norm(f"{name}.model.{3 * place + 2}", width)
            inputs = width
    inputs = net.correlation
    for place, (width, kernel) in enumerate(
        zip(net.regression, net.regression_kernels, strict=True)
    ):
        found |= conv(f"{regression}conv.{3 * place}", width, inputs, kernel)
        found |= batch_norm(f"{regression}conv.{3 * place + 1}", width)
        inputs = width
    return found | linear(f"{regression}linear", net.theta, net.features)


def markers(regression: str = "regression.") -> tuple[tuple[str, ...], ...]:
    """Keys that every such module has."""
    return (
        ("extractionA.model.0.weight", f"{regression}linear.weight"),
        ("extractionB.model.0.weight", f"{regression}linear.bias"),
        ("extractionA.model.3.weight", f"{regression}conv.0.weight"),
    )


def config(net: Matching) -> dict[str, object]:
    """What a matching module's constructor takes beside the names of each system."""
    height, width = picture_size(net)
    return {
        "widths": list(net.widths),
        "kernels": list(net.kernels),
        "regression_widths": list(net.regression),
        "regression_kernels": list(net.regression_kernels),
        "features": net.features,
        "input_height": height,
        "input_width": width,
    }


def picture_size(net: Matching) -> tuple[int, int]:
    """Height and width of the pictures that a module takes.

    The correlation has a channel for each place of the feature map. Of the maps with so many
    places, and with as many numbers left for the last layer, the one nearest to the published 4:3
    is taken; where there is none (a damaged table), the published 16 x 12.
    """
    halved = 2 ** sum(kernel % 2 == 0 for kernel in net.regression_kernels)
    last = net.regression[-1] if net.regression else 1
    maps = [
        (net.correlation // width, width)
        for width in range(1, min(net.correlation, 4096) + 1)
        if net.correlation % width == 0
        and (net.correlation // width // halved) * (width // halved) * last == net.features
    ]
    height, width = min(maps, key=lambda size: abs(log(0.75 * size[0] / size[1])), default=(16, 12))
    down = 2 ** sum(kernel % 2 == 0 for kernel in net.kernels)
    return height * down, width * down


def evidence(net: Matching) -> tuple[str, ...]:
    """What shows the system: the channels of both inputs, and the grid."""
    first, kernel = net.widths[0], net.kernels[0]
    return (
        f"`extractionA.model.0.weight` is {[first, net.person, kernel, kernel]}:"
        f" {net.person} channels of the person",
        f"`extractionB.model.0.weight` is {[first, net.cloth, kernel, kernel]}:"
        f" {net.cloth} of the garment",
        f"theta has {net.theta} numbers"
        + (f": a grid of {net.grid} x {net.grid} points" if net.grid else ""),
    )


def _convolutions(shapes: Shapes, starts: tuple[str, ...]) -> int:
    number = 0
    while number < _MOST and any(f"{start}{3 * number}.weight" in shapes for start in starts):
        number += 1
    require(number > 1, f"no `{starts[0]}3.weight`")
    return number


def _regression(shapes: Shapes, start: str) -> range:
    end = 0
    while end < _MOST and (
        f"{start}conv.{3 * end}.weight" in shapes or f"{start}conv.{3 * end + 1}.weight" in shapes
    ):
        end += 1
    return range(0, 3 * end, 3)
