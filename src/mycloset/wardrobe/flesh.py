"""Puts a bare body into a scene: trunk, neck, limbs, hands, and shoes on its feet."""

from __future__ import annotations

import numpy as np

from mycloset.wardrobe.body import Body, profile
from mycloset.wardrobe.curves import Floats, floats, smoothstep
from mycloset.wardrobe.garments import SIDES
from mycloset.wardrobe.solids import Tube, ellipsoid
from mycloset.wardrobe.stage import SHOE, SKIN, Stage


def put_body(stage: Stage, body: Body, skin: Floats, shoes: Floats) -> None:
    """Add a body without its head; `skin` and `shoes` are (3,) linear colours."""
    k, frame = body.unit, stage.frame
    trunk = body.trunk(-2.5 * k, 62.0 * k, body.half_width, body.half_depth).seen(frame)
    if trunk is not None:
        side_x = np.abs(trunk.across)
        # Collar bones and the hollow between them.
        bone = np.exp(-0.5 * ((trunk.along - (4.6 + 0.10 * side_x) * k) / (0.55 * k)) ** 2)
        bone = 0.28 * bone * smoothstep(1.0, 2.5, side_x) * smoothstep(14.0, 9.0, side_x)
        hollow = np.exp(-0.5 * ((side_x / 1.2) ** 2 + ((trunk.along - 4.6 * k) / 1.3) ** 2))
        swell = ((side_x / k - 7.0) / 4.4) ** 2 + ((trunk.along / k - 21) / 4.8) ** 2
        bust = 0.8 * body.shape.bust * k * np.exp(-0.5 * swell)
        trunk.emboss(bone - 0.5 * hollow + bust)
        stage.put(trunk, skin, "neck", material=SKIN, group=1)
    head, neck = body.joints["head"], body.joints["neck"]
    low = neck + floats([0, 5.5 * k, -1.5 * k])
    high = neck + (head - neck) * np.float32(0.62) + floats([0, 0, -1.5 * k])
    radius = body.shape.neck * k
    throat = Tube(np.stack([high, low]), lambda t: floats(radius + 0.02 * t)).seen(frame)
    if throat is not None:
        cords = 0.22 * np.exp(
            -0.5 * ((np.abs(throat.across) - 0.55 + 0.02 * throat.along) / 0.14) ** 2
        )
        throat.emboss(cords)
    stage.put(throat, skin * floats([0.96, 0.92, 0.90]), "neck", material=SKIN, group=1, blend=4.0)
    for side, sign in SIDES.items():
        for patch, label in (
            (body.leg(side).seen(frame), f"{side}-leg"),
            (body.arm(side).seen(frame), f"{side}-arm"),
        ):
            if patch is None:
                continue
            melt = 3.0 * smoothstep(13 * k, 2 * k, patch.along)
            if label.endswith("leg"):
                kneecap = np.exp(
                    -0.5 * (((patch.along - 42 * k) / 3.2) ** 2 + (patch.across / 0.6) ** 2)
                )
                patch.emboss(0.35 * kneecap)
            else:
                pit = np.exp(
                    -0.5 * (((patch.along - 29 * k) / 0.8) ** 2 + (patch.across / 0.5) ** 2)
                )
                patch.emboss(-0.12 * pit)
            stage.put(patch, skin, label, material=SKIN, group=1, blend=melt)
        _put_hand(stage, body, side, sign, skin)
        _put_shoe(stage, body, side, sign, shoes)


def _put_hand(stage: Stage, body: Body, side: str, sign: float, skin: Floats) -> None:
    k, frame, label = body.unit, stage.frame, f"{side}-arm"
    wrist, tip = body.joints[f"wrist_{side}"], body.joints[f"hand_{side}"]
    way = (tip - wrist) / np.float32(np.linalg.norm(tip - wrist))
    flat = float(np.hypot(way[0], way[1])) + 1e-6
    # Across the hand, towards the thumb: forwards and inwards of a hanging arm.
    thumb = floats([-sign * way[1] / flat, sign * way[0] / flat, 0.0])
    turn = 0.80

    def at(down: float, aside: float, forward: float = 0.0) -> Floats:
        place = wrist + way * np.float32(down * k) + thumb * np.float32(aside * turn * k)
        return floats(place + floats([0, 0, forward * k]))

    angle = float(np.rad2deg(np.arctan2(-way[0], way[1])))
    palm = ellipsoid(frame, at(4.6, 0.0), (3.5 * turn * k, 5.3 * k, 1.9 * k), angle)
    wristband = Tube(
        np.stack([at(-1.0, 0.0), at(3.0, 0.0)]), lambda t: floats(2.35 * k + 0.05 * t)
    ).seen(frame)
    stage.put(wristband, skin, label, material=SKIN, group=1, blend=1.0)
    stage.put(palm, skin, label, material=SKIN, group=1, blend=1.4)
    for place, reach, girth in (
        (2.5, 7.0, 0.86),
        (0.85, 7.8, 0.90),
        (-0.85, 7.2, 0.86),
        (-2.4, 5.8, 0.76),
    ):
        knuckle, end = 7.2, 7.2 + reach
        joints = np.stack([
            at(knuckle, place * 0.95),
            at(knuckle + reach * 0.45, place * 1.04, 0.5),
            at(knuckle + reach * 0.8, place, 0.3),
            at(end, place * 0.95, -0.6),
        ])  # fmt: skip
        thick = profile((0.0, reach * k), (girth * k, girth * k * (1 - 0.022 * reach)))
        finger = Tube(joints, thick).seen(frame)
        stage.put(
            finger, skin * floats([1.0, 0.95, 0.93]), label, material=SKIN, group=1, blend=0.25
        )
    joints = np.stack([at(1.6, 2.4, 0.8), at(5.0, 4.3, 1.5), at(8.2, 4.3, 1.4)])
    thumb_tube = Tube(joints, lambda t: floats(1.15 * k - 0.02 * t)).seen(frame)
    stage.put(
        thumb_tube, skin * floats([1.0, 0.96, 0.94]), label, material=SKIN, group=1, blend=0.6
    )


def _put_shoe(stage: Stage, body: Body, side: str, sign: float, color: Floats) -> None:
    k, frame, label = body.unit, stage.frame, f"{side}-shoe"
    ankle = body.joints[f"ankle_{side}"]
    out = 1.6 * sign * k
    heel = ellipsoid(frame, ankle + floats([0.2 * out, 2.4 * k, 0]), (4.1 * k, 4.4 * k, 5.0 * k))
    toe = ellipsoid(
        frame,
        ankle + floats([1.2 * out, 4.7 * k, 9.0 * k]),
        (4.6 * k, 3.1 * k, 9.0 * k),
        -6.0 * sign,
    )
    sole = ellipsoid(
        frame, ankle + floats([1.2 * out, 6.4 * k, 9.2 * k]), (4.9 * k, 1.3 * k, 9.3 * k)
    )
    stage.put(heel, color * 0.9, label, material=SHOE, group=5)
    if toe is not None:
        colors = np.broadcast_to(color, (*toe.z.shape, 3)).copy()
        laces = (np.abs(toe.along + 1.6 * k) < 1.3 * k) & (np.abs(toe.across) < 1.7 * k)
        bars = 0.5 + 0.5 * np.sin(toe.along * 9 / k)
        colors *= 1 - 0.35 * (laces * bars)[..., None]
        stage.put(toe, colors, label, material=SHOE, group=5, blend=1.5)
    stage.put(sole, floats([0.62, 0.60, 0.57]), label, material=SHOE, group=6)
