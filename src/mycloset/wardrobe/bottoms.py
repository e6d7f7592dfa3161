"""Puts trousers and skirts on a body: around the hips, and along each leg."""

from __future__ import annotations

import numpy as np

from mycloset.wardrobe.curves import Floats, blur, floats, smoothstep
from mycloset.wardrobe.folds import Fold, crumple, relief, shaken
from mycloset.wardrobe.garments import SIDES, Cut
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
    waist_height,
)


def put_skirt(worn: Worn) -> None:
    body, cut = worn.body, worn.cut
    top = waist_height(body) - 1.0
    down = Down(body, top)
    stop = top + cut.hem + 8.0
    v = np.arange(top - 2, stop + 2, 0.25, dtype=np.float32)
    a, b = body.half_width(v) + 1.3, body.half_depth(v) + 1.3
    factor = np.maximum(cut.half_width(down.to_y(v)) / quarter(a, b), 1.0)
    factor = np.minimum(factor, 1.06 + 2 * smoothstep(top + 2, top + 22, v))
    factor = blur(factor[None, :], 6.0)[0]
    patch = body.trunk(top - 1.0, stop, table(v, a * factor), table(v, b * factor)).seen(
        worn.stage.frame
    )
    if patch is None:
        return
    y = down.to_y(patch.along)
    x = cut.half_width(y) * arc_share(patch.turn)
    front = np.abs(patch.turn) < np.pi / 2
    folds = flutes(patch.turn, y, 8.0, cut.hem, worn)
    folds += 0.10 * crumple(patch.across, patch.along, (18.0, 6.0), worn.rng)
    patch.emboss(folds)
    colors = worn.paint_body(x, y, front)
    patch.cut((y > 0) & (y < hem_at(cut, x)))
    at = worn.known(x, y, front)
    worn.stage.put(
        patch,
        colors,
        worn.label,
        material=CLOTH,
        group=3,
        cloth_at=at,
        covers=(*SKIN_LABELS, "pants"),
    )


def put_trousers(worn: Worn) -> None:
    body, cut, rng = worn.body, worn.cut, worn.rng
    k = body.unit
    top = waist_height(body)
    down = Down(body, top)
    hips_v = body.trunk_length
    crotch = cut.landmarks["crotch"][1]
    stop = 63.0 * k
    v = np.arange(top - 2, stop + 2, 0.25, dtype=np.float32)
    wide, deep = table(v, body.half_width(v) + 0.9), table(v, body.half_depth(v) + 0.9)
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
        x = cut.half_width(y) * arc_share(patch.turn)
        front = np.abs(patch.turn) < np.pi / 2
        patch.emboss(relief(whiskers, x, y) + 0.05 * crumple(x, y, (6.0, 6.0), rng))
        colors = worn.paint_body(x, y, front)
        patch.cut(y > 0)
        at = worn.known(x, y, front)
        worn.stage.put(
            patch, colors, worn.label, material=CLOTH, group=3, cloth_at=at, covers=SKIN_LABELS
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
        on_hips = cut.half_width(y) * arc_share(floats(np.broadcast_to(turn, y.shape)))
        low = smoothstep(crotch - 3.0, crotch + 16.0, y)
        x = on_leg * np.float32(sign) * low + on_hips * (1 - low)
        front = np.abs(leg_patch.across) < np.pi / 2
        knee = np.exp(-(((leg_patch.along - 42 * k) / 9.0) ** 2))
        stack = smoothstep(22.0, 4.0, cut.hem - y)
        creases = crumple(leg_patch.across * 7, leg_patch.along, (4.5, 10.0), rng)
        leg_patch.emboss(relief(whiskers, x, y) + (0.09 + 0.16 * knee + 0.2 * stack) * creases)
        colors = worn.paint_body(x, y, front)
        leg_patch.cut(y < cut.hem + 0.5 * leg_patch.nz)
        at = worn.known(x, y, front)
        melt = 3.5 * smoothstep(26.0 * k, 4.0 * k, leg_patch.along)
        worn.stage.put(
            leg_patch,
            colors,
            worn.label,
            material=CLOTH,
            group=3,
            blend=melt,
            cloth_at=at,
            covers=SKIN_LABELS,
        )


def _leg_at(cut: Cut, y: Floats) -> tuple[Floats, Floats]:
    """Middle and half-width of the left leg laid flat, at each height."""
    outer = np.interp(y, cut.side[:, 1], cut.side[:, 0])
    inner = np.interp(y, cut.leg[:, 0], cut.leg[:, 1])
    return floats((outer + inner) / 2), floats((outer - inner) / 2)
