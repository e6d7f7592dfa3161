"""What all worn garments share: how cloth is measured on a body, painted, and hangs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.wardrobe.body import Body, Profile
from mycloset.wardrobe.curves import Floats, floats, smoothstep, to_linear
from mycloset.wardrobe.fabrics import as_float, paint, paint_front, weave_grain
from mycloset.wardrobe.garments import Cut, GarmentKind, GarmentSpec, Sleeve
from mycloset.wardrobe.sheet import cuff_cm, details_of
from mycloset.wardrobe.stage import Stage

_LABELS = {
    GarmentKind.DRESS: "dress", GarmentKind.TROUSERS: "pants", GarmentKind.SKIRT: "skirt",
}  # fmt: skip


def label_of(kind: GarmentKind) -> str:
    """The part's name that a garment of this kind has."""
    return _LABELS.get(kind, "upper-clothes")


SKIN_LABELS = ("neck", "left-leg", "right-leg")


@dataclass
class Worn:
    """A garment that is being put on."""

    stage: Stage
    body: Body
    spec: GarmentSpec
    cut: Cut
    rng: np.random.Generator

    @property
    def pixel(self) -> float:
        """cm that a pixel covers."""
        return 1.0 / self.stage.frame.scale

    @property
    def label(self) -> str:
        return label_of(self.spec.kind)

    def known(
        self, flat_x: Floats, flat_y: Floats, front: NDArray[np.bool_]
    ) -> tuple[Floats, Floats]:
        """The places on the flat garment, NaN where the flat garment's front does not show them."""
        _, _, mask = _sample_details(self.spec, flat_x, flat_y)
        seen = front & (mask > 0.4)
        return floats(np.where(seen, flat_x, np.nan)), floats(np.where(seen, flat_y, np.nan))

    def paint_body(self, x: Floats, y: Floats, front: NDArray[np.bool_]) -> Floats:
        """(h, w, 3) linear colours of the body piece.

        Args:
            x, y: cm on the flat garment.
            front: where the front is, which has the prints.
        """
        fabric = self.spec.fabric
        colors = paint_front(fabric, x, y, self.pixel)
        if fabric.prints and not front.all():
            colors[~front] = paint(fabric, x, y, self.pixel)[~front]
        colors = colors * weave_grain(fabric, x, y, self.pixel)[..., None]
        # Beyond the side seam the back looks like the front.
        edge = np.maximum(self.cut.half_width(y) - 0.3, 1.0)
        shade, trim, _ = _sample_details(self.spec, np.clip(x, -edge, edge), y)
        return self._finished(colors, shade, trim)

    def paint_sleeve(self, across: Floats, along: Floats, sleeve: Sleeve) -> Floats:
        """(h, w, 3) linear colours of a sleeve, from its own cm."""
        fabric, soft = self.spec.fabric, max(self.pixel, 0.05)
        colors = paint(fabric, across, along, self.pixel)
        colors = colors * weave_grain(fabric, across, along, self.pixel)[..., None]
        band = cuff_cm(self.spec)
        off = along - np.float32(sleeve.length - band)
        trim = smoothstep(-soft, soft, off)
        shade = 1 - 0.28 * smoothstep(0.12 + soft, 0.02, np.abs(off))
        if band > 3:
            ribs = 0.5 + 0.5 * np.sin(across * np.float32(2 * np.pi / 0.42))
            shade = shade * (1 - 0.14 * ribs * trim * float(np.clip(1.4 - self.pixel / 0.2, 0, 1)))
        return self._finished(colors, shade, trim)

    def _finished(self, colors: Floats, shade: Floats, trim: Floats) -> Floats:
        if self.spec.trim is not None:
            colors = colors + (as_float(self.spec.trim) - colors) * trim[..., None]
        return to_linear(colors) * shade[..., None]


def _sample_details(
    spec: GarmentSpec, flat_x: Floats, flat_y: Floats
) -> tuple[Floats, Floats, Floats]:
    details, scale, origin = _cached_details(spec)
    columns = np.nan_to_num(flat_x, nan=-1e4) * np.float32(scale) + origin[0]
    rows = np.nan_to_num(flat_y, nan=-1e4) * np.float32(scale) + origin[1]
    found = cv2.remap(
        details,
        floats(columns),
        floats(rows),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(1, 0, 0),
    )
    return floats(found[..., 0]), floats(found[..., 1]), floats(found[..., 2])


@lru_cache(maxsize=24)
def _cached_details(spec: GarmentSpec) -> tuple[Floats, float, Floats]:
    return details_of(spec)


class Down:
    """Path length down the front of a body: from the trunk's axis to the cloth and back."""

    def __init__(self, body: Body, zero_at: float) -> None:
        self.v = np.arange(-6.0, 190.0, 0.1, dtype=np.float32)
        depth = body.half_depth(self.v)
        steps = np.sqrt(1 + np.gradient(depth, 0.1) ** 2) * 0.1
        # Cloth bridges hollows: it does not follow the trunk inwards.
        steps = np.where(np.gradient(depth) < 0, 0.1, steps)
        # From the side of the neck cloth runs forwards as much as down.
        steps = steps + 0.045 * (1 - smoothstep(3.0, 9.0, self.v))
        self.y = floats(np.cumsum(steps))
        self.y -= np.interp(zero_at, self.v, self.y).astype(np.float32)

    def to_y(self, v: Floats) -> Floats:
        index = (v - self.v[0]) * 10
        whole = np.clip(index.astype(np.int32), 0, len(self.v) - 2)
        rest = index - whole
        return floats(self.y[whole] * (1 - rest) + self.y[whole + 1] * rest)

    def to_v(self, y: Floats) -> Floats:
        return floats(np.interp(y, self.y, self.v))


_ANGLES = np.linspace(-np.pi, np.pi, 721)


def _arc_table() -> Floats:
    speed = np.sqrt(np.cos(_ANGLES) ** 2 + 0.72**2 * np.sin(_ANGLES) ** 2)
    arc = np.cumsum(speed)
    arc -= arc[360]
    return floats(arc / np.interp(np.pi / 2, _ANGLES, arc))


_ARC = _arc_table()


def arc_share(turn: Floats) -> Floats:
    """Arc length around a trunk from its front, 1 at the side."""
    index = (turn + np.float32(np.pi)) * np.float32(720 / (2 * np.pi))
    whole = np.clip(index.astype(np.int32), 0, 719)
    rest = index - whole
    return floats(_ARC[whole] * (1 - rest) + _ARC[whole + 1] * rest)


def quarter(a: Floats, b: Floats) -> Floats:
    """A quarter of an ellipse's circumference (Ramanujan's first approximation)."""
    return floats(np.pi / 4 * (3 * (a + b) - np.sqrt((3 * a + b) * (a + 3 * b))))


def table(places: Floats, values: Floats) -> Profile:
    return lambda at: floats(np.interp(at, places, values))


def hem_at(cut: Cut, x: Floats) -> Floats:
    side_y, side_x = float(cut.side[-1, 1]), float(cut.side[-1, 0])
    return floats(cut.hem - (cut.hem - side_y) * np.clip(x / side_x, -1, 1) ** 2)


def flutes(turn: Floats, y: Floats, top: float, hem: float, worn: Worn) -> Floats:
    """The waves in which a flared skirt hangs."""
    amount = 0.25 + 0.085 * worn.spec.flare_cm
    phase = floats(worn.rng.uniform(0, 2 * np.pi, 2))
    grow = smoothstep(top, hem + 10, y) ** 1.2
    waves = np.cos(turn * 9 + phase[0]) + 0.6 * np.cos(turn * 14 + phase[1] + 0.01 * y)
    return floats(amount * grow * waves)


def waist_height(body: Body) -> float:
    """Where lower garments begin, in cm below the neck's base."""
    return 40.0 * body.unit
