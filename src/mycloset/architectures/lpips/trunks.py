"""The features of classifiers on which LPIPS stands, as they lie in a whole module's file.

Source: richzhang/PerceptualSimilarity, lpips/pretrained_networks.py; numbers are those of
torchvision's `features`.
"""

from __future__ import annotations

from collections.abc import Sequence

from mycloset.architectures.blocks import conv
from mycloset.architectures.family import Shape, Shapes
from mycloset.architectures.reading import size

TAPS: dict[str, tuple[int, ...]] = {
    "alex": (64, 192, 384, 256, 256),
    "vgg": (64, 128, 256, 512, 512),
    "squeeze": (64, 128, 256, 384, 384, 512, 512),
}
"""Features of each layer that is compared."""

TITLES = {"alex": "AlexNet", "vgg": "VGG-16", "squeeze": "SqueezeNet 1.1"}

_ALEX = ((1, 0, 11), (2, 3, 5), (3, 6, 3), (4, 8, 3), (5, 10, 3))
_VGG = ((1, (0, 2)), (2, (5, 7)), (3, (10, 12, 14)), (4, (17, 19, 21)), (5, (24, 26, 28)))
_FIRES = ((2, 3), (2, 4), (3, 6), (3, 7), (4, 9), (5, 10), (6, 11), (7, 12))
_SQUEEZED = (16, 16, 32, 32, 48, 48, 64, 64)


def net_of(shapes: Shapes) -> str | None:
    """Which trunk a whole module's file holds; None where it holds none."""
    if "net.slice2.3.squeeze.weight" in shapes:
        return "squeeze"
    if "net.slice2.3.weight" in shapes:
        return "alex"
    return "vgg" if "net.slice2.5.weight" in shapes else None


def squeezed(shapes: Shapes) -> tuple[int, ...]:
    """Narrow features of each Fire module of a SqueezeNet."""
    return tuple(
        size(
            shapes,
            (f"net.slice{part}.{number}.squeeze.weight", 0),
            (f"net.slice{part}.{number}.squeeze.bias", 0),
            default=usual,
        )
        for (part, number), usual in zip(_FIRES, _SQUEEZED, strict=True)
    )


def trunk_tensors(
    net: str, taps: Sequence[int], narrow: Sequence[int] = _SQUEEZED
) -> dict[str, Shape]:
    """Every tensor of a trunk, in the file's order."""
    told: dict[str, Shape] = {}
    inp = 3
    if net == "alex":
        for (part, number, kernel), out in zip(_ALEX, taps, strict=True):
            told |= conv(f"net.slice{part}.{number}", out, inp, kernel)
            inp = out
    elif net == "vgg":
        for (part, numbers), out in zip(_VGG, taps, strict=True):
            for number in numbers:
                told |= conv(f"net.slice{part}.{number}", out, inp, 3)
                inp = out
    else:
        inp = taps[0]
        told |= conv("net.slice1.0", inp, 3, 3)
        for (part, number), few in zip(_FIRES, narrow, strict=True):
            half = taps[part - 1] // 2
            told |= conv(f"net.slice{part}.{number}.squeeze", few, inp)
            told |= conv(f"net.slice{part}.{number}.expand1x1", half, few)
            told |= conv(f"net.slice{part}.{number}.expand3x3", half, few, 3)
            inp = taps[part - 1]
    return told
