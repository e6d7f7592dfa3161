"""Puts flat garments on bodies through a known map: where on the flat cloth each point of the body is.

The cloth is unwrapped as a tailor would: around the trunk by arc length from the middle line and
down by path length from the collar; along and around each arm and leg. The map stands in
`Stage.cloth_at`, so that what a try-on should show is known at every pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.wardrobe.body import Body, Profile
from mycloset.wardrobe.curves import Floats, blur, floats, smoothstep, to_linear
from mycloset.wardrobe.fabrics import as_float, paint, paint_front, weave_grain
from mycloset.wardrobe.flat import cuff_cm, details_of
from mycloset.wardrobe.folds import Fold, crumple, relief, shaken
from mycloset.wardrobe.garments import (
    SIDES,
    Cut,
    GarmentKind,
    GarmentSpec,
    Sleeve,
    cut_garment,
)
from mycloset.wardrobe.solids import Patch
from mycloset.wardrobe.stage import CLOTH, Stage

_LABELS = {
    GarmentKind.DRESS: "dress", GarmentKind.TROUSERS: "pants", GarmentKind.SKIRT: "skirt",
}  # fmt: skip


_SKIN = ("neck", "left-leg", "right-leg")


def label_of(kind: GarmentKind) -> str:
    """The part's name that a garment of this kind has."""
    return _LABELS.get(kind, "upper-clothes")


def put_garment(
    stage: Stage, body: Body, spec: GarmentSpec, seed: int, *, tuck_at: float | None = None
) -> None:
    """Dress a body.

    Args:
        stage: where the body stands.
        body: who wears it.
        spec: what is worn.
        seed: how the folds fall.
        tuck_at: cm below the neck's base at which an upper garment disappears in a lower one.
    """
    worn = _Worn(stage, body, spec, cut_garment(spec), np.random.default_rng([53, seed, _code(spec)]))
    if spec.kind is GarmentKind.TROUSERS:
        _put_trousers(worn)
    elif spec.kind is GarmentKind.SKIRT:
        _put_skirt(worn)
    else:
        _put_top(worn, tuck_at)


def waist_height(body: Body) -> float:
    """Where lower garments begin, in cm below the neck's base."""
    return 40.0 * body.unit


def _code(spec: GarmentSpec) -> int:
    return list(GarmentKind).index(spec.kind)


@dataclass
class _Worn:
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
        shade, trim = _sample_details(self.spec, np.clip(x, -edge, edge), y)
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


def _sample_details(spec: GarmentSpec, flat_x: Floats, flat_y: Floats) -> tuple[Floats, Floats]:
    details, scale, origin = _cached_details(spec)
    columns = np.nan_to_num(flat_x, nan=-1e4) * np.float32(scale) + origin[0]
    rows = np.nan_to_num(flat_y, nan=-1e4) * np.float32(scale) + origin[1]
    found = cv2.remap(
        details, floats(columns), floats(rows), cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(1, 0)
    )
    return found[..., 0], found[..., 1]


@lru_cache(maxsize=24)
def _cached_details(spec: GarmentSpec) -> tuple[Floats, float, Floats]:
    return details_of(spec)


# --- upper garments and dresses --------------------------------------------------------------


def _put_top(worn: _Worn, tuck_at: float | None) -> None:
    body, cut, spec = worn.body, worn.cut, worn.spec
    k = body.unit
    sleeved = cut.sleeve is not None
    shoulder_scale = 1.06
    # The collar's ends lie where the trunk is as wide as they are apart.
    rows = np.arange(0.0, 12.0, 0.05, dtype=np.float32)
    wide = body.half_width(rows) + 0.6
    collar_at = float(np.interp(cut.landmarks["collar_left"][0] / shoulder_scale, wide, rows))
    down = _Down(body, collar_at)
    stop = float(down.to_v(floats([cut.hem + 6.0]))[0])
    half_width, half_depth = _hanging(body, cut, down, stop, dress=spec.kind is GarmentKind.DRESS)
    patch = body.trunk(-2.0, stop, half_width, half_depth).seen(worn.stage.frame)
    if patch is not None:
        y = down.to_y(patch.along)
        x_arc = cut.half_width(y) * _arc(patch.turn)
        share = smoothstep(6.0 * k, 17.0 * k, patch.along)
        x = patch.across * np.float32(shoulder_scale) * (1 - share) + x_arc * share
        front = np.abs(patch.turn) < np.pi / 2
        wave = 0.35 * np.sin(patch.turn * 7 + worn.rng.uniform(0, 6)) * (spec.kind is not GarmentKind.DRESS)
        keep = _below_neckline(cut, x, y, front) & (y < _hem_at(cut, x) + wave)
        if not sleeved:
            keep &= np.abs(x) < _armhole_at(cut, y)
        if tuck_at is not None:
            keep &= patch.along < tuck_at + 1.2
        _drape_trunk(worn, patch, y, stop)
        colors = worn.paint_body(x, y, front)
        patch.cut(keep)
        at = (np.where(front, x, np.nan), np.where(front, y, np.nan))
        worn.stage.put(
            patch, colors, worn.label, material=CLOTH, group=2, cloth_at=at,
            covers=(*_SKIN, "pants", "skirt"),
        )  # fmt: skip
    if cut.sleeve is not None:
        for side in SIDES:
            _put_sleeve(worn, side)


class _Down:
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


def _arc(turn: Floats) -> Floats:
    """Arc length around a trunk from its front, 1 at the side."""
    index = (turn + np.float32(np.pi)) * np.float32(720 / (2 * np.pi))
    whole = np.clip(index.astype(np.int32), 0, 719)
    rest = index - whole
    return floats(_ARC[whole] * (1 - rest) + _ARC[whole + 1] * rest)


def _quarter(a: Floats, b: Floats) -> Floats:
    """A quarter of an ellipse's circumference (Ramanujan's first approximation)."""
    return floats(np.pi / 4 * (3 * (a + b) - np.sqrt((3 * a + b) * (a + 3 * b))))


def _hanging(
    body: Body, cut: Cut, down: _Down, stop: float, *, dress: bool
) -> tuple[Profile, Profile]:
    """Half-width and half-depth of a top on the trunk: as wide as its cloth, if the body lets it."""
    k = body.unit
    v = np.arange(-3.0, stop + 2.0, 0.25, dtype=np.float32)
    # Below the waist it hangs over what is worn there.
    ease = 0.6 + 1.5 * smoothstep(34 * k, 46 * k, v)
    a, b = body.half_width(v) + ease, body.half_depth(v) + ease
    cloth = cut.half_width(down.to_y(v))
    natural = _quarter(a, b)
    limit = np.full_like(v, 1.36)
    if dress:
        limit = 1.10 + 2.0 * smoothstep(44 * k, 60 * k, v)
    factor = np.clip(cloth / natural, 1.0, limit)
    factor = 1 + (factor - 1) * smoothstep(9 * k, 19 * k, v)
    if not dress:
        # What hangs from the chest does not fall in again below it.
        bust = np.interp(21.0 * k, v, b * factor)
        b = np.maximum(b * factor, bust * 0.93 * smoothstep(19 * k, 24 * k, v)) / factor
    smooth = blur((a * factor)[None, :], 5.0)[0], blur((b * factor)[None, :], 5.0)[0]
    near_top = smoothstep(3 * k, 9 * k, v)
    wide = a * factor * (1 - near_top) + smooth[0] * near_top
    deep = b * factor * (1 - near_top) + smooth[1] * near_top
    return _table(v, wide), _table(v, deep)


def _table(places: Floats, values: Floats) -> Profile:
    return lambda at: floats(np.interp(at, places, values))


def _below_neckline(cut: Cut, x: Floats, y: Floats, front: Floats) -> Floats:
    edge = np.interp(np.abs(x), cut.neck[:, 0], cut.neck[:, 1], right=-50.0)
    back = np.interp(np.abs(x), cut.back_neck[::1, 0], cut.back_neck[:, 1], right=-50.0)
    return np.asarray(np.where(front, y > edge, y > back - 1.0))


def _armhole_at(cut: Cut, y: Floats) -> Floats:
    return floats(np.interp(y, cut.armhole[:, 1], cut.armhole[:, 0], right=1e3))


def _hem_at(cut: Cut, x: Floats) -> Floats:
    side_y, side_x = float(cut.side[-1, 1]), float(cut.side[-1, 0])
    return floats(cut.hem - (cut.hem - side_y) * np.clip(x / side_x, -1, 1) ** 2)


def _put_sleeve(worn: _Worn, side: str) -> None:
    body, sleeve = worn.body, worn.cut.sleeve
    assert sleeve is not None
    k, sign = body.unit, SIDES[side]
    cap = 4.0 * k
    cuffed = sleeve.length > 35

    def radius(t: Floats) -> Floats:
        along = t + np.float32(cap)
        arm = body.arm_radius(t)
        cloth = sleeve.half_width(along) * np.float32(2 / np.pi)
        loose = np.clip(cloth, arm + 0.55, arm * 1.5 + 0.6)
        close = arm + 0.25 + 0.45 * smoothstep(-3 * k, 3 * k, t)
        loose = close + (loose - close) * smoothstep(0.0, 9 * k, t)
        if cuffed:
            # Above a cuff the cloth sits; the cuff itself is narrow.
            near = smoothstep(sleeve.length - 5.5, sleeve.length - 4.0, along)
            loose = loose + 0.5 * smoothstep(9.0, 0.0, np.abs(along - sleeve.length + 8)) * (1 - near)
            loose = loose + (arm + 0.6 - loose) * near
        return floats(loose)

    patch = body.arm(side, radius).seen(worn.stage.frame)
    if patch is None:
        return
    along = patch.along + np.float32(cap)
    across = sleeve.half_width(along) * patch.across * np.float32(2 / np.pi)
    flat_x, flat_y = sleeve.to_flat(across, along)
    elbow = np.exp(-(((patch.along - 29 * k) / 9.0) ** 2)) if cuffed else 0.0
    strength = 0.16 + 0.20 * elbow + 0.10 * smoothstep(10, 0, sleeve.length - along) * cuffed
    patch.emboss(strength * crumple(patch.across * 6, along, (3.0, 9.0), worn.rng))
    colors = worn.paint_sleeve(across, along, sleeve)
    end = sleeve.length + 0.10 * patch.across
    patch.cut(along < end)
    at = (flat_x * np.float32(sign), flat_y)
    melt = 3.2 * smoothstep(13 * k, 3 * k, patch.along)
    worn.stage.put(patch, colors, worn.label, material=CLOTH, group=2, blend=melt, cloth_at=at, covers=(f"{side}-arm",))


def _drape_trunk(worn: _Worn, patch: Patch, y: Floats, stop: float) -> None:
    body, k, rng = worn.body, worn.body.unit, worn.rng
    hem = worn.cut.hem
    lines: list[Fold] = []
    for side, sign in SIDES.items():
        lift = max(0.0, (getattr(body.pose, f"arm_{side}").upper[0] - 25.0) / 60.0)
        chest = body.shape.chest * k
        lines += [
            Fold((sign * chest, 17 * k), (sign * 2.0, 33 * k), 1.1, 0.42 + 0.35 * lift),
            Fold((sign * (chest + 1), 19 * k), (sign * chest * 0.5, 44 * k), 1.3, 0.45),
            Fold((sign * chest * 0.95, 13 * k), (sign * 4.0, 8 * k), 1.0, 0.22 + 0.5 * lift),
            Fold((sign * chest * 1.1, 40 * k), (sign * 1.0, 44 * k), 1.2, 0.40),
            Fold((sign * chest * 1.1, 45 * k), (sign * 3.0, 52 * k), 1.3, 0.38),
        ]
        if worn.spec.kind is not GarmentKind.DRESS:
            lines += [
                Fold((sign * chest * 0.75, hem + 4), (sign * chest * 0.6, hem - 24), 1.7, 0.42),
                Fold((sign * chest * 0.20, hem + 4), (sign * chest * 0.32, hem - 18), 1.7, 0.30),
            ]
    trunk_x = patch.across
    folds = relief(shaken(lines, rng), trunk_x, patch.along)
    folds += 0.13 * crumple(trunk_x, patch.along, (16.0, 7.0), rng)
    folds += 0.05 * crumple(trunk_x, patch.along, (5.0, 3.5), rng)
    folds *= 1.7
    folds *= 0.35 + 0.65 * smoothstep(5 * k, 18 * k, patch.along)
    bust = body.shape.bust * k * 0.8
    if bust > 0:
        side_x = np.abs(patch.across)
        swell = np.exp(-0.5 * (((side_x - 7.0 * k) / (4.6 * k)) ** 2 + ((patch.along - 21 * k) / (4.8 * k)) ** 2))
        folds += bust * swell
    if worn.spec.kind is GarmentKind.DRESS:
        folds += _flutes(patch.turn, y, worn.cut.landmarks["waist_left"][1], hem, worn)
    patch.emboss(folds)


def _flutes(turn: Floats, y: Floats, top: float, hem: float, worn: _Worn) -> Floats:
    """The waves in which a flared skirt hangs."""
    amount = 0.25 + 0.085 * worn.spec.flare_cm
    phase = worn.rng.uniform(0, 2 * np.pi, 2)
    grow = smoothstep(top, hem + 10, y) ** 1.2
    waves = np.cos(turn * 9 + phase[0]) + 0.6 * np.cos(turn * 14 + phase[1] + 0.01 * y)
    return floats(amount * grow * waves)


# --- lower garments ---------------------------------------------------------------------------


def _put_skirt(worn: _Worn) -> None:
    body, cut = worn.body, worn.cut
    top = waist_height(body) - 1.0
    down = _Down(body, top)
    stop = top + cut.hem + 8.0
    v = np.arange(top - 2, stop + 2, 0.25, dtype=np.float32)
    a, b = body.half_width(v) + 1.3, body.half_depth(v) + 1.3
    factor = np.maximum(cut.half_width(down.to_y(v)) / _quarter(a, b), 1.0)
    factor = np.minimum(factor, 1.06 + 2 * smoothstep(top + 2, top + 22, v))
    factor = blur(factor[None, :], 6.0)[0]
    patch = body.trunk(top - 1.0, stop, _table(v, a * factor), _table(v, b * factor)).seen(worn.stage.frame)
    if patch is None:
        return
    y = down.to_y(patch.along)
    x = cut.half_width(y) * _arc(patch.turn)
    front = np.abs(patch.turn) < np.pi / 2
    folds = _flutes(patch.turn, y, 8.0, cut.hem, worn)
    folds += 0.10 * crumple(patch.across, patch.along, (18.0, 6.0), worn.rng)
    patch.emboss(folds)
    colors = worn.paint_body(x, y, front)
    patch.cut((y > 0) & (y < _hem_at(cut, x)))
    at = (np.where(front, x, np.nan), np.where(front, y, np.nan))
    worn.stage.put(
        patch, colors, worn.label, material=CLOTH, group=3, cloth_at=at, covers=(*_SKIN, "pants")
    )


def _put_trousers(worn: _Worn) -> None:
    body, cut, rng = worn.body, worn.cut, worn.rng
    k = body.unit
    top = waist_height(body)
    down = _Down(body, top)
    hips_v = body.trunk_length
    crotch = cut.landmarks["crotch"][1]
    stop = 63.0 * k
    v = np.arange(top - 2, stop + 2, 0.25, dtype=np.float32)
    wide, deep = _table(v, body.half_width(v) + 0.9), _table(v, body.half_depth(v) + 0.9)
    patch = body.trunk(top - 1.0, stop, wide, deep).seen(worn.stage.frame)
    whiskers = shaken(
        [
            Fold((sign * 1.0, 25), (sign * 14.0, y), 1.0, 0.34)
            for sign in SIDES.values()
            for y in (19.0, 23.5, 28.0)
        ],
        rng,
    )
    if patch is not None:
        y = down.to_y(patch.along)
        x = cut.half_width(y) * _arc(patch.turn)
        front = np.abs(patch.turn) < np.pi / 2
        patch.emboss(relief(whiskers, x, y) + 0.05 * crumple(x, y, (6.0, 6.0), rng))
        colors = worn.paint_body(x, y, front)
        patch.cut(y > 0)
        at = (np.where(front, x, np.nan), np.where(front, y, np.nan))
        worn.stage.put(
            patch, colors, worn.label, material=CLOTH, group=3, cloth_at=at, covers=_SKIN
        )
    start_y = float(down.to_y(floats([hips_v]))[0])
    for side, sign in SIDES.items():
        def radius(t: Floats) -> Floats:
            leg = body.leg_radius(t)
            _, half = _leg_at(cut, floats(t + start_y))
            loose = np.clip(half * 2 / np.pi, leg + 0.5, leg * 1.7)
            return floats(leg + 0.5 + (loose - leg - 0.5) * smoothstep(2.0, 24.0, t))

        leg_patch = body.leg(side, radius).seen(worn.stage.frame)
        if leg_patch is None:
            continue
        y = leg_patch.along + np.float32(start_y)
        middle, half = _leg_at(cut, y)
        on_leg = middle + half * leg_patch.across * np.float32(2 / np.pi)
        x_cm, _ = leg_patch.window.grid()
        center = float(body.on_trunk(0.0, hips_v)[0])
        share_x = np.clip((x_cm - center) / (body.half_width(floats([hips_v]))[0] + 0.9), -1, 1)
        turn = np.arcsin(share_x) - np.float32(np.deg2rad(body.pose.yaw))
        on_hips = cut.half_width(y) * _arc(floats(np.broadcast_to(turn, y.shape)))
        low = smoothstep(crotch - 3.0, crotch + 16.0, y)
        x = on_leg * np.float32(sign) * low + on_hips * (1 - low)
        front = np.abs(leg_patch.across) < np.pi / 2
        knee = np.exp(-(((leg_patch.along - 42 * k) / 9.0) ** 2))
        stack = smoothstep(22.0, 4.0, cut.hem - y)
        creases = crumple(leg_patch.across * 7, leg_patch.along, (4.5, 10.0), rng)
        leg_patch.emboss(relief(whiskers, x, y) + (0.09 + 0.16 * knee + 0.2 * stack) * creases)
        colors = worn.paint_body(x, y, front)
        leg_patch.cut(y < cut.hem + 0.5 * leg_patch.nz)
        at = (np.where(front, x, np.nan), np.where(front, y, np.nan))
        melt = 3.5 * smoothstep(26.0 * k, 4.0 * k, leg_patch.along)
        worn.stage.put(leg_patch, colors, worn.label, material=CLOTH, group=3, blend=melt, cloth_at=at, covers=_SKIN)


def _leg_at(cut: Cut, y: Floats) -> tuple[Floats, Floats]:
    """Middle and half-width of the left leg laid flat, at each height."""
    outer = np.interp(y, cut.side[:, 1], cut.side[:, 0])
    inner = np.interp(y, cut.leg[:, 0], cut.leg[:, 1])
    return floats((outer + inner) / 2), floats((outer - inner) / 2)
