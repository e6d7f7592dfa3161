"""Garments: what is asked for, and the pieces that it is cut into, laid flat.

The cloth's own frame is in centimetres: x to the picture's right (the wearer's left) from the
garment's middle line, y down from the line on which the collar's ends (or the waist) lie.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from mycloset.wardrobe.curves import Floats, mirrored
from mycloset.wardrobe.fabrics import Color, Fabric

SIDES = {"left": 1.0, "right": -1.0}
"""The wearer's left lies on the picture's right."""


class GarmentKind(StrEnum):
    """What is drawn."""

    T_SHIRT = "t_shirt"
    LONG_SLEEVE = "long_sleeve"
    TANK_TOP = "tank_top"
    DRESS = "dress"
    TROUSERS = "trousers"
    SKIRT = "skirt"

    @property
    def category(self) -> str:
        """`upper`, `lower` or `dress`: the part of the body that it dresses."""
        if self is GarmentKind.DRESS:
            return "dress"
        return "lower" if self in (GarmentKind.TROUSERS, GarmentKind.SKIRT) else "upper"


class Neckline(StrEnum):
    """The front edge of the neck's opening."""

    CREW = "crew"
    V = "v"
    SCOOP = "scoop"


@dataclass(frozen=True)
class GarmentSpec:
    """One garment.

    Attributes:
        kind: what it is.
        fabric: what it is made of.
        name: what to call it.
        neckline: the neck's opening (upper garments and dresses).
        sleeve_cm: length of the sleeves' outer edge; None for what is usual for the kind, 0 for
            none (dresses may have any).
        length_cm: from the collar's ends (or the waist) to the hem; None for what is usual.
        width: factor on the usual width of the body.
        flare_cm: added to each side of the hem.
        trim: colour of collar, cuffs and waistband; the fabric's own where None.
        seed: which folds it lies in.
    """

    kind: GarmentKind
    fabric: Fabric
    name: str = ""
    neckline: Neckline = Neckline.CREW
    sleeve_cm: float | None = None
    length_cm: float | None = None
    width: float = 1.0
    flare_cm: float = 0.0
    trim: Color | None = None
    seed: int = 0


@dataclass(frozen=True)
class Sleeve:
    """A sleeve of the wearer's left side, laid flat, with the frame in which its cloth runs.

    Attributes:
        shoulder, armpit, cuff_outer, cuff_inner: its corners, (x, y) in cm.
        axis: (2,) unit vector down the sleeve.
        origin: (2,) where the middle line begins, at the height of the shoulder point.
        length: cm from `shoulder` to `cuff_outer` along the axis.
        outline: (N, 2) polygon in cm.
    """

    shoulder: tuple[float, float]
    armpit: tuple[float, float]
    cuff_outer: tuple[float, float]
    cuff_inner: tuple[float, float]
    axis: Floats
    origin: Floats
    length: float
    outline: Floats

    @property
    def across(self) -> Floats:
        """(2,) unit vector across the sleeve, towards its outer edge."""
        return np.array([self.axis[1], -self.axis[0]], np.float32)

    def half_width(self, along: Floats) -> Floats:
        """Half the sleeve's width at `along` cm below the shoulder point."""
        start = abs(float((np.subtract(self.shoulder, self.origin)) @ self.across))
        end = float(np.hypot(*np.subtract(self.cuff_outer, self.cuff_inner))) / 2
        share = np.clip(np.asarray(along) / self.length, 0.0, 1.0)
        width: Floats = np.asarray(start + (end - start) * share, np.float32)
        return width

    def to_local(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Across (outer side positive) and along, in cm, of places on the flat garment."""
        dx, dy = x - self.origin[0], y - self.origin[1]
        return (
            dx * self.across[0] + dy * self.across[1],
            dx * self.axis[0] + dy * self.axis[1],
        )

    def to_flat(self, across: Floats, along: Floats) -> tuple[Floats, Floats]:
        """Places on the flat garment, in cm, of places in the sleeve's frame."""
        return (
            self.origin[0] + across * self.across[0] + along * self.axis[0],
            self.origin[1] + across * self.across[1] + along * self.axis[1],
        )


@dataclass(frozen=True)
class Cut:
    """A garment's pieces, laid flat.

    Attributes:
        body: (N, 2) polygon of the body piece in cm.
        side: (N, 2) the body's left side line from top to bottom: half-width over height.
        neck: (N, 2) front neckline from its middle to the left collar end; empty for lower ones.
        back_neck: (N, 2) the back's neckline, the same way round.
        armhole: (N, 2) left armhole from the shoulder point to the armpit; empty for lower ones.
        sleeve: the left sleeve, or None.
        landmarks: name -> (x, y) in cm.
        hem: y of the hem's middle in cm.
        leg: (N, 3) for trousers: y, inner and outer x of the left leg; empty otherwise.
    """

    body: Floats
    side: Floats
    landmarks: Mapping[str, tuple[float, float]]
    hem: float
    neck: Floats = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    back_neck: Floats = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    armhole: Floats = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    sleeve: Sleeve | None = None
    leg: Floats = field(default_factory=lambda: np.zeros((0, 3), np.float32))

    def half_width(self, y: Floats) -> Floats:
        """Half the body piece's width at each height, in cm."""
        width: Floats = np.interp(y, self.side[:, 1], self.side[:, 0]).astype(np.float32)
        return width

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in cm of the whole garment laid flat."""
        points = [self.body]
        if self.sleeve is not None:
            points += [self.sleeve.outline, mirrored(self.sleeve.outline)]
        every = np.concatenate(points)
        low, high = every.min(axis=0), every.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])
