"""Puts tops and dresses on a body: around the trunk, and along each arm."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mycloset.wardrobe.body import Body, Profile
from mycloset.wardrobe.curves import Floats, blur, floats, smoothstep
from mycloset.wardrobe.folds import Fold, coarse_relief, crumple, shaken
from mycloset.wardrobe.garments import SIDES, Cut, GarmentKind
from mycloset.wardrobe.patches import Patch
from mycloset.wardrobe.stage import CLOTH
from mycloset.wardrobe.worn import (
    SKIN_LABELS,
    Down,
    Worn,
    arc_share,
    flutes,
    hem_at,
    quarter,
    table,
)


def put_top(worn: Worn, tuck_at: float | None) -> None:
    body, cut, spec = worn.body, worn.cut, worn.spec
    k = body.unit
    sleeved = cut.sleeve is not None
    shoulder_scale = 1.06
    # The collar's ends lie where the trunk is as wide as they are apart.
    rows = np.arange(0.0, 12.0, 0.05, dtype=np.float32)
    wide = body.half_width(rows) + 0.6
    collar_at = float(np.interp(cut.landmarks["collar_left"][0] / shoulder_scale, wide, rows))
    down = Down(body, collar_at)
    stop = float(down.to_v(floats([cut.hem + 6.0]))[0])
    half_width, half_depth = _hanging(body, cut, down, stop, dress=spec.kind is GarmentKind.DRESS)
    patch = body.trunk(-2.0, stop, half_width, half_depth).seen(worn.stage.frame)
    if patch is not None:
        y = down.to_y(patch.along)
        x_arc = cut.half_width(y) * arc_share(patch.turn)
        share = smoothstep(6.0 * k, 17.0 * k, patch.along)
        x = patch.across * np.float32(shoulder_scale) * (1 - share) + x_arc * share
        front = np.abs(patch.turn) < np.pi / 2
        wave = (
            0.35
            * np.sin(patch.turn * 7 + worn.rng.uniform(0, 6))
            * (spec.kind is not GarmentKind.DRESS)
        )
        keep = _below_neckline(cut, x, y, front) & (y < hem_at(cut, x) + wave)
        if not sleeved:
            keep &= np.abs(x) < _armhole_at(cut, y)
        if tuck_at is not None:
            keep &= patch.along < tuck_at + 1.2
        _drape_trunk(worn, patch, y, stop)
        colors = worn.paint_body(x, y, front)
        patch.cut(keep)
        at = worn.known(x, y, front)
        worn.stage.put(
            patch, colors, worn.label, material=CLOTH, group=2, cloth_at=at,
            covers=(*SKIN_LABELS, "pants", "skirt"),
        )  # fmt: skip
    if cut.sleeve is not None:
        for side in SIDES:
            _put_sleeve(worn, side)


def _hanging(
    body: Body, cut: Cut, down: Down, stop: float, *, dress: bool
) -> tuple[Profile, Profile]:
    """Half-width and half-depth of a top on the trunk: as wide as cloth and body let it be."""
    k = body.unit
    v = np.arange(-3.0, stop + 2.0, 0.25, dtype=np.float32)
    # Below the waist it hangs over what is worn there.
    ease = 0.6 + 1.5 * smoothstep(34 * k, 46 * k, v)
    a, b = body.half_width(v) + ease, body.half_depth(v) + ease
    cloth = cut.half_width(down.to_y(v))
    natural = quarter(a, b)
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
    return table(v, wide), table(v, deep)


def _below_neckline(cut: Cut, x: Floats, y: Floats, front: NDArray[np.bool_]) -> NDArray[np.bool_]:
    edge = np.interp(np.abs(x), cut.neck[:, 0], cut.neck[:, 1], right=-50.0)
    back = np.interp(np.abs(x), cut.back_neck[:, 0], cut.back_neck[:, 1], right=-50.0)
    return np.asarray(np.where(front, y > edge, y > back - 1.0), np.bool_)


def _armhole_at(cut: Cut, y: Floats) -> Floats:
    return floats(np.interp(y, cut.armhole[:, 1], cut.armhole[:, 0], right=1e3))


def _put_sleeve(worn: Worn, side: str) -> None:
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
            loose = loose + 0.5 * smoothstep(9.0, 0.0, np.abs(along - sleeve.length + 8)) * (
                1 - near
            )
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
    at = worn.known(flat_x * np.float32(sign), flat_y, np.ones(along.shape, np.bool_))
    melt = 3.2 * smoothstep(13 * k, 3 * k, patch.along)
    worn.stage.put(
        patch,
        colors,
        worn.label,
        material=CLOTH,
        group=2,
        blend=melt,
        cloth_at=at,
        covers=(f"{side}-arm",),
    )


def _drape_trunk(worn: Worn, patch: Patch, y: Floats, stop: float) -> None:
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
    folds = coarse_relief(shaken(lines, rng), trunk_x, patch.along)
    folds += 0.13 * crumple(trunk_x, patch.along, (16.0, 7.0), rng)
    folds += 0.05 * crumple(trunk_x, patch.along, (5.0, 3.5), rng)
    folds *= 1.7
    folds *= 0.35 + 0.65 * smoothstep(5 * k, 18 * k, patch.along)
    bust = body.shape.bust * k * 0.8
    if bust > 0:
        side_x = np.abs(patch.across)
        swell = np.exp(
            -0.5
            * (((side_x - 7.0 * k) / (4.6 * k)) ** 2 + ((patch.along - 21 * k) / (4.8 * k)) ** 2)
        )
        folds += bust * swell
    if worn.spec.kind is GarmentKind.DRESS:
        folds += flutes(patch.turn, y, worn.cut.landmarks["waist_left"][1], hem, worn)
    patch.emboss(folds)
