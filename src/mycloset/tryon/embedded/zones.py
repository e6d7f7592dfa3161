"""Where each part of the body can be: soft zones drawn from the pose alone."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.tryon.embedded.body import SIDES, Body, capsule
from mycloset.tryon.embedded.parsing_frame import Frame

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class LimbZone:
    """One arm or leg.

    Attributes:
        distance: (N,) pixels from the limb's axis.
        place: (N,) place along it: 0 at its root, 1 at the middle joint, 2 at its end, beyond 2
            the hand or foot.
        inside: (N,) bool, closer to the axis than the limb can be wide.
        seen: whether its joints are believed.
    """

    distance: Floats
    place: Floats
    inside: NDArray[np.bool_]
    seen: bool


@dataclass(frozen=True)
class Zones:
    """All zones of one person, one entry for each of the frame's N pixels.

    Attributes:
        height: place along the torso: 0 at the shoulder line, 1 at the hip line, beyond 1 legs.
        aside: distance from the torso's axis in units of the shoulder breadth; left positive.
        face: inside the outline of the face.
        head: distance from the head's centre in head radii.
        arms: by side.
        legs: by side.
    """

    height: Floats
    aside: Floats
    face: NDArray[np.bool_]
    head: Floats
    arms: dict[str, LimbZone]
    legs: dict[str, LimbZone]


def read_zones(frame: Frame) -> Zones:
    """Draw the zones of the frame's body for its pixels."""
    body, xs, ys = frame.body, frame.xs, frame.ys
    span = max(float((body.hips - body.neck) @ body.down), 0.6 * body.unit)
    if not body.hips_seen:
        span = max(span, 1.45 * body.unit)
    dx, dy = xs - body.neck[0], ys - body.neck[1]
    torso = (dx * body.down[0] + dy * body.down[1]) / np.float32(span)
    aside = (dx * body.across[0] + dy * body.across[1]) / np.float32(body.unit)
    face, head = _head(frame)
    return Zones(
        torso.astype(np.float32),
        aside.astype(np.float32),
        face,
        head,
        {side: _arm(body, side, xs, ys) for side in SIDES},
        {side: _leg(body, side, xs, ys) for side in SIDES},
    )


def _head(frame: Frame) -> tuple[NDArray[np.bool_], Floats]:
    body = frame.body
    corner = np.array([frame.left, frame.top], np.float32)
    canvas = np.zeros(frame.where.shape, np.uint8)
    if body.face is not None:
        outline = np.round((body.face - corner) * 8).astype(np.int32)
        cv2.fillPoly(canvas, [outline], 255, shift=3)
        top, bottom = body.face[0], body.chin
        centre = top + 0.38 * (bottom - top)
        radius = 0.62 * max(float(np.linalg.norm(bottom - top)), 1.0)
    else:
        centre = (body.joint("left_ear") + body.joint("right_ear")) / 2
        radius = 0.38 * body.unit
        if min(body.sure("left_ear"), body.sure("right_ear")) > 0.5 and (centre[1] > 0):
            axes = (max(int(0.24 * body.unit), 1), max(int(0.32 * body.unit), 1))
            x, y = (int(v) for v in centre - corner)
            cv2.ellipse(canvas, (x, y), axes, 0, 0, 360, 255, -1)
    distance = np.hypot(frame.xs - centre[0], frame.ys - centre[1]) / np.float32(radius)
    return canvas[frame.where] > 0, distance.astype(np.float32)


def _arm(body: Body, side: str, xs: Floats, ys: Floats) -> LimbZone:
    shoulder, elbow, wrist = body.arm(side)
    tip = wrist + 1.6 * (body.hand(side) - wrist)
    seen = body.sure(f"{side}_elbow") > 0.3
    widths = (0.24, 0.2, 0.2)
    return _limb((shoulder, elbow, wrist, tip), widths, body.unit, xs, ys, seen)


def _leg(body: Body, side: str, xs: Floats, ys: Floats) -> LimbZone:
    hip, knee, ankle = body.leg(side)
    foot = body.joint(f"{side}_foot_index")
    tip = ankle + 1.3 * (foot - ankle)
    seen = body.hips_seen
    return _limb((hip, knee, ankle, tip), (0.42, 0.34, 0.26), body.unit, xs, ys, seen)


def _limb(
    joints: tuple[NDArray[np.float32], ...],
    widths: tuple[float, float, float],
    unit: float,
    xs: Floats,
    ys: Floats,
    seen: bool,
) -> LimbZone:
    distance = np.full(xs.shape, np.inf, np.float32)
    place = np.zeros(xs.shape, np.float32)
    inside = np.zeros(xs.shape, bool)
    for number, width in enumerate(widths):
        d, t = capsule(xs, ys, joints[number], joints[number + 1])
        nearer = d < distance
        distance[nearer] = d[nearer]
        place[nearer] = number + np.clip(t[nearer], 0, 1)
        inside |= d < width * unit
    return LimbZone(distance, place, inside, seen)
