"""What a head looks like: colours, hair style, and the shape of the skull that both share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from mycloset.wardrobe.body import Body, profile
from mycloset.wardrobe.curves import Floats, floats, smoothstep
from mycloset.wardrobe.fabrics import Color
from mycloset.wardrobe.solids import Stack


class HairStyle(StrEnum):
    """How the hair is worn."""

    SHORT = "short"
    BOB = "bob"
    LONG = "long"
    """falls before the shoulders"""
    BUN = "bun"
    BALD = "bald"


@dataclass(frozen=True)
class Looks:
    """What a head looks like.

    Attributes:
        skin: colour of the skin.
        hair: colour of the hair.
        style: how the hair is worn.
        eyes: colour of the irises.
        lips: how much redder than the skin the lips are, 0..1.
        jaw: factor on the jaw's width.
    """

    skin: Color = (226, 178, 148)
    hair: Color = (74, 48, 34)
    style: HairStyle = HairStyle.SHORT
    eyes: Color = (84, 62, 44)
    lips: float = 0.5
    jaw: float = 1.0


_ROWS = (-12.0, -11.6, -10.8, -9.5, -7.5, -5, -2, 1, 4, 6.5, 8.5, 10, 10.9, 11.4)


_DEPTHS = (0.8, 3.4, 5.6, 7.3, 8.7, 9.4, 9.6, 9.4, 9.1, 8.7, 8.2, 7.2, 5.2, 2.0)


_WIDTHS = (0.6, 2.9, 4.7, 6.0, 7.0, 7.5, 7.6, 7.35, 6.8, 6.0, 4.9, 3.6, 2.3, 0.8)


def skull_of(body: Body, looks: Looks, grow: float = 0.0, top: float = 0.0) -> Stack:
    k = body.unit
    pose = body.pose
    widths = [
        w * (1 + (looks.jaw - 1) * np.clip((r - 2) / 6, 0, 1))
        for r, w in zip(_ROWS, _WIDTHS, strict=True)
    ]
    rows = tuple((row - (grow + top) * np.clip(-row / 12.0, 0, 1)) * k for row in _ROWS)
    center = body.joints["head"]
    return Stack(
        origin=(float(center[0]), float(center[1]), float(center[2])),
        lean=pose.lean * 0.6 + pose.head_roll,
        yaw=pose.yaw * 0.6 + pose.head_yaw,
        start=rows[0],
        stop=rows[-1],
        half_width=profile(rows, tuple((w + grow) * k for w in widths)),
        half_depth=profile(rows, tuple((d + grow) * k for d in _DEPTHS)),
        camera=(0.0, 1e6),
    )


def hairline(x: Floats, style: HairStyle) -> Floats:
    """Height of the hair's edge at each x."""
    side = np.abs(x)
    if style in (HairStyle.LONG, HairStyle.BOB):
        line = -7.4 + 0.085 * (x - 1.6) ** 2 + 2.2 * smoothstep(4.6, 7.0, side)
        return floats(line + 7.0 * smoothstep(6.3, 7.8, side))
    line = -6.7 - 0.25 * np.cos(x * 0.9) + 0.02 * side**2
    line = line + 2.4 * smoothstep(4.7, 6.4, side) + 5.6 * smoothstep(6.1, 6.9, side)
    return floats(line + 0.16 * np.sin(x * 5.1) + 0.10 * np.sin(x * 13.3 + 1))
