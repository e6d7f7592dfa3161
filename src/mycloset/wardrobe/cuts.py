"""Cuts garments: the outlines and landmarks of their pieces, from what is asked for."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mycloset.wardrobe.curves import Floats, bezier, mirrored, path
from mycloset.wardrobe.garments import SIDES, Cut, GarmentKind, GarmentSpec, Neckline, Sleeve


def cut_garment(spec: GarmentSpec) -> Cut:
    """The pieces of a garment."""
    if spec.kind is GarmentKind.TROUSERS:
        return _trousers(spec)
    if spec.kind is GarmentKind.SKIRT:
        return _skirt(spec)
    return _top(spec)


_USUAL_SLEEVE = {GarmentKind.T_SHIRT: 21.0, GarmentKind.LONG_SLEEVE: 61.0}
_NECK = {Neckline.CREW: (8.7, 8.0), Neckline.V: (8.7, 16.5), Neckline.SCOOP: (10.5, 13.5)}


def _top(spec: GarmentSpec) -> Cut:
    sleeve_cm = _USUAL_SLEEVE.get(spec.kind, 0.0) if spec.sleeve_cm is None else spec.sleeve_cm
    dress = spec.kind is GarmentKind.DRESS
    neck_x, neck_y = _NECK[spec.neckline]
    width = spec.width * (0.93 if dress else 1.0)
    hem = spec.length_cm or (98.0 if dress else 69.0)
    armpit = (25.5 * width, 23.5)
    shoulder = (21.0 * width, 4.8)
    if sleeve_cm == 0.0:
        shoulder = (14.6 * min(width, 1.0), 2.6)
        armpit = (23.0 * width, 22.5)
        neck_x = min(neck_x, shoulder[0] - 4.8)

    neck = _neckline(spec.neckline, neck_x, neck_y)
    back_neck = bezier((0.0, 2.4), (neck_x * 0.62, 2.4), (neck_x * 0.93, 1.2), (neck_x, 0.0))
    if sleeve_cm == 0.0:
        armhole = bezier(
            shoulder, (shoulder[0] - 1.6, 12.0), (armpit[0] - 7.5, armpit[1] - 1.5), armpit
        )
    else:
        armhole = bezier(
            shoulder, (shoulder[0] - 2.2, 13.0), (armpit[0] - 5.5, armpit[1] - 2.5), armpit
        )
    hem_x = armpit[0] * (1.0 if not dress else 1.18) + spec.flare_cm
    waist_y = 41.0
    if dress:
        waist = (armpit[0] * 0.83, waist_y)
        side = path(
            bezier(armpit, (armpit[0] - 1.5, 31.0), (waist[0], 34.0), waist),
            bezier(waist, (waist[0], 50.0), (hem_x - 3.5, hem - 25.0), (hem_x, hem - 1.2)),
        )
    else:
        waist = (armpit[0] * 0.965, min(46.0, hem - 12))
        side = path(
            bezier(armpit, (armpit[0] - 0.9, 31.0), (waist[0], 36.0), waist),
            bezier(waist, (waist[0], waist[1] + 10.0), (hem_x, hem - 8.0), (hem_x, hem - 0.8)),
        )
    bottom = bezier((hem_x, float(side[-1, 1])), (hem_x * 0.6, hem + 0.2), (0.0, hem))
    half = path(neck, armhole, side, bottom)
    landmarks = _both_sides(
        {
            "collar": (neck_x, 0.0),
            "shoulder": shoulder,
            "armpit": armpit,
            "hem": (hem_x, float(side[-1, 1])),
        }
        | ({"waist": waist} if dress else {})
    )
    landmarks["neck_front"] = (0.0, neck_y)
    sleeve = None
    if sleeve_cm > 0.0:
        sleeve = _sleeve(shoulder, armpit, armhole, sleeve_cm)
        landmarks |= _both_sides({"cuff_outer": sleeve.cuff_outer, "cuff_inner": sleeve.cuff_inner})
    return Cut(
        body=path(half, mirrored(half)),
        side=path((neck_x, -1.0), shoulder, side),
        neck=neck,
        back_neck=back_neck,
        armhole=armhole,
        sleeve=sleeve,
        landmarks=landmarks,
        hem=hem,
    )


def _neckline(kind: Neckline, x: float, depth: float) -> Floats:
    if kind is Neckline.V:
        return bezier((0.0, depth), (x * 0.42, depth * 0.60), (x * 0.86, depth * 0.22), (x, 0.0))
    if kind is Neckline.SCOOP:
        return bezier((0.0, depth), (x * 0.72, depth), (x * 0.98, depth * 0.55), (x, 0.0))
    return bezier((0.0, depth), (x * 0.66, depth), (x * 0.98, depth * 0.55), (x, 0.0))


def _sleeve(
    shoulder: tuple[float, float], armpit: tuple[float, float], armhole: Floats, length: float
) -> Sleeve:
    long = length > 35.0
    # Long sleeves are laid close to the body, short ones stand out.
    angle = np.deg2rad(70.0 if long else 28.0 + 0.4 * length)
    axis = np.array([np.cos(angle), np.sin(angle)], np.float32)
    across = np.array([axis[1], -axis[0]], np.float32)
    cuff_half = 5.6 if long else 9.8 - 0.075 * length
    outer = np.asarray(shoulder, np.float32) + axis * length
    outer = outer + across * (0.2 if long else 0.8)
    inner = outer - across * 2 * cuff_half + axis * (0.3 if long else -0.6)
    middle_cuff = (outer + inner) / 2
    start = (np.asarray(shoulder, np.float32) + np.asarray(armpit, np.float32)) / 2
    axis = (middle_cuff - start) / np.float32(np.hypot(*(middle_cuff - start)))
    across = np.array([axis[1], -axis[0]], np.float32)
    origin = start + axis * float((np.asarray(shoulder) - start) @ axis)
    reach = float((outer - np.asarray(shoulder)) @ axis)

    def at(point: Floats) -> tuple[float, float]:
        return float(point[0]), float(point[1])

    cap = bezier(
        shoulder,
        at(np.asarray(shoulder) + axis * reach * 0.16 + across * (1.5 if long else 0.9)),
        at(outer - axis * reach * 0.35 + across * 0.2),
        at(outer),
    )
    under = bezier(
        at(inner),
        at(inner - axis * reach * 0.3 - across * 0.2),
        at(np.asarray(armpit) + axis * reach * 0.10 - across * 0.3),
        armpit,
    )
    cuff = bezier(at(outer), at((outer + inner) / 2 + axis * 0.35), at(inner), n=10)
    return Sleeve(
        shoulder=shoulder,
        armpit=armpit,
        cuff_outer=at(outer),
        cuff_inner=at(inner),
        axis=axis.astype(np.float32),
        origin=origin.astype(np.float32),
        length=reach,
        outline=path(cap, cuff, under, armhole[::-1]),
    )


def _trousers(spec: GarmentSpec) -> Cut:
    length = spec.length_cm or 101.0
    waist_x, hip_x, crotch_y = 19.5 * spec.width, 24.5 * spec.width, 27.5
    crotch = (0.0, crotch_y)
    hem_half = 9.6 * spec.width + spec.flare_cm / 2
    middle = 12.6 * spec.width
    outer, inner = middle + hem_half, middle - hem_half
    side = path(
        bezier((waist_x, 0.0), (waist_x + 1.0, 6.0), (hip_x - 0.3, 13.0), (hip_x, 21.0)),
        bezier((hip_x, 21.0), (hip_x + 0.3, 38.0), (outer + 0.4, 60.0), (outer, length - 0.4)),
    )
    inseam = bezier(
        (inner, length), (inner + 0.4, length * 0.62), (1.8, crotch_y + 10.0), crotch, n=40
    )
    top = bezier((0.0, 1.1), (waist_x * 0.6, 0.8), (waist_x, 0.0))
    hem = bezier((outer, length - 0.4), (middle, length + 0.6), (inner, length), n=10)
    half = path(top, side, hem, inseam)
    rows = np.linspace(crotch_y, length, 40)
    leg = np.stack(
        [
            rows,
            np.interp(rows, inseam[::-1, 1], inseam[::-1, 0]),
            np.interp(rows, side[:, 1], side[:, 0]),
        ],
        axis=1,
    ).astype(np.float32)
    landmarks = _both_sides(
        {"waist": (waist_x, 0.0), "hem_outer": (outer, length - 0.4), "hem_inner": (inner, length)}
    )
    landmarks["crotch"] = crotch
    return Cut(body=path(half, mirrored(half)), side=side, landmarks=landmarks, hem=length, leg=leg)


def _skirt(spec: GarmentSpec) -> Cut:
    length = spec.length_cm or 56.0
    waist_x, hip_x = 17.5 * spec.width, 24.0 * spec.width
    hem_x = hip_x + 1.0 + spec.flare_cm
    side = path(
        bezier((waist_x, 0.0), (waist_x + 1.2, 6.0), (hip_x - 1.4, 11.0), (hip_x, 19.0)),
        bezier(
            (hip_x, 19.0), (hip_x + 0.9, 26.0), (hem_x - 0.6, length * 0.8), (hem_x, length - 1.2)
        ),
    )
    top = bezier((0.0, 1.0), (waist_x * 0.6, 0.8), (waist_x, 0.0))
    hem = bezier((hem_x, length - 1.2), (hem_x * 0.55, length + 0.5), (0.0, length + 0.2))
    half = path(top, side, hem)
    landmarks = _both_sides({"waist": (waist_x, 0.0), "hem_outer": (hem_x, length - 1.2)})
    return Cut(body=path(half, mirrored(half)), side=side, landmarks=landmarks, hem=length)


def _both_sides(points: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    return {
        f"{name}_{side}": (sign * x, y)
        for name, (x, y) in points.items()
        for side, sign in SIDES.items()
    }
