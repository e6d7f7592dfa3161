"""Whether the garment sits on the body: sleeves along arms, a level hem, nothing in the air."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import cv2
import numpy as np

from mycloset.tasks.garments import Category, SleeveLength
from mycloset.tasks.poses import Pose
from mycloset.tryon.embedded.views import Bools, Floats, Measured, View, ramp, shrink

SURE = 0.3

# Reach along a limb: 0 at the shoulder (hip), 1 at the elbow (knee), 2 at the wrist (ankle).
SLEEVE_REACH = {SleeveLength.SHORT: (0.2, 1.2), SleeveLength.LONG: (1.35, 2.0)}
LEG_REACH = (0.25, 2.0)
OFF_AXIS = 0.24  # Mean distance from the axis, in upper arms (thighs): a wide sleeve has 0.2.
ASYMMETRY = 0.2
SLEEVE_BAD = 0.45

HEM_GOOD, HEM_BAD = 6.0, 28.0
# Where a hem may lie: torso lengths below the line between the hips.
HEM_BOUNDS = {
    Category.UPPER: (-0.75, 0.8),
    Category.DRESS: (0.0, 2.7),
    Category.LOWER: (0.0, 2.7),
}

LOOSE = 0.06
FIT_GOOD, FIT_BAD = 0.03, 0.30


class Reach(NamedTuple):
    """How a tube of cloth lies along a limb."""

    reach: float
    off_axis: float


def sleeves(view: View) -> Measured:
    """Sleeves against the arms, or trouser legs against the legs.

    The value is how far the worst of three findings lies beyond what is plausible, in lengths of
    the upper limb: the cloth's mean distance from the limb's axis, the difference of the two
    reaches, and the reach outside what sleeves of this kind have. 0 is plausible.
    """
    pose, matching = view.state.pose, view.state.matching
    names = sorted(name for name in view.warped.parts if name.startswith(("sleeve_", "leg_")))
    if not names:
        return _none("limb", "the garment has no sleeves or legs of its own")
    if pose is None:
        return _none("limb", "no pose is known")
    found: dict[str, Reach] = {}
    for name in names:
        reach = _reach(pose, name, shrink(view.warped.parts[name], view.scale) >= 0.5, view.scale)
        if reach is not None:
            found[name] = reach
    if not found:
        return _none("limb", "no arm or leg that the garment covers is seen in the photo")
    legs = names[0].startswith("leg_")
    limb, tube = ("leg", "trouser leg") if legs else ("arm", "sleeve")
    bounds = LEG_REACH
    if not legs:
        kind = matching.shape.sleeves if matching is not None else SleeveLength.NONE
        bounds = SLEEVE_REACH.get(kind, (0.1, 2.0))
    reaches = [r.reach for r in found.values()]
    off = max(r.off_axis for r in found.values()) - OFF_AXIS
    uneven = max(reaches) - min(reaches) - ASYMMETRY
    outside = max(max(bounds[0] - r, r - bounds[1] - 0.05) for r in reaches)
    worst = max(0.0, off, uneven, outside)
    score = ramp(worst, 0.0, SLEEVE_BAD)
    ends = ", ".join(f"{name.split('_')[1]} {_place(r.reach, legs)}" for name, r in found.items())
    advice = ""
    if score < 0.6:
        if worst == uneven:
            short = min(found, key=lambda name: found[name].reach)
            advice = (
                f"The {tube}s end at different heights ({ends}); the {short.split('_')[1]} one is "
                f"short: give a photo with both {limb}s away from the body and in full view."
            )
        elif worst == off:
            advice = (
                f"A {tube} does not follow its {limb}: give a photo with the {limb}s away from "
                "the body."
            )
        else:
            where = "above" if min(reaches) < bounds[0] else "below"
            advice = (
                f"The {tube}s end {where} where they should ({ends}): give a garment picture in "
                f"which the {tube}s are spread out and seen in full."
            )
    return Measured(
        worst, "limb", score, f"The {tube}s end {ends}; 0 is a plausible lie on the {limb}.", advice
    )


def hem(view: View) -> Measured:
    """Angle between the garment's lower edge and the line between the hips, in degrees.

    A hem that is cut at an angle in the garment picture is allowed that angle.
    """
    pose, category = view.state.pose, _category(view)
    if pose is None or category is None:
        return _none("°", "no pose or no kind of garment is known")
    if min(pose.sure(j) for j in ("left_hip", "right_hip")) < SURE:
        return _none("°", "the hips are not seen in the photo")
    parts = view.warped.parts
    if any(name.startswith("leg_") for name in parts):
        return _none("°", "trousers have no single hem; their legs are judged instead")
    alpha = parts.get("torso", parts.get("skirt", view.warped.alpha))
    edge = _lower_edge(shrink(alpha, view.scale) >= 0.5)
    if edge is None:
        return _none("°", "the hem lies outside of the picture or cannot be made out")
    x, y = edge
    slope, middle = _line(x, y)
    hips = [pose.point(j) * view.scale for j in ("left_hip", "right_hip")]
    shoulders = [pose.point(j) * view.scale for j in ("left_shoulder", "right_shoulder")]
    line = hips[1] - hips[0]
    tilt = float(np.degrees(np.arctan(slope) - np.arctan2(line[1], line[0]))) - _cut(view)
    angle = abs((tilt + 90.0) % 180.0 - 90.0)
    torso = float(np.linalg.norm(np.mean(hips, axis=0) - np.mean(shoulders, axis=0)))
    level = (middle - float(np.mean([h[1] for h in hips]))) / max(torso, 1.0)
    low, high = HEM_BOUNDS[category]
    beyond = max(low - level, level - high, 0.0)
    score = min(ramp(angle, HEM_GOOD, HEM_BAD), ramp(beyond, 0.0, 0.5))
    advice = ""
    if score < 0.6:
        advice = (
            f"The hem ends too {'high' if level < low else 'low'} on the body: check that the "
            "category is right, and give a garment picture that shows the garment in full."
            if beyond > 0
            else f"The hem is {angle:.0f}° askew to the hips: give a photo of a person standing "
            "straight, seen from the front."
        )
    side = "below" if level >= 0 else "above"
    return Measured(
        angle,
        "°",
        score,
        f"Tilt of the hem against the hips; it lies {abs(level):.2f} torso lengths {side} them.",
        advice,
    )


def body_fit(view: View) -> Measured:
    """Share of the garment that hangs beyond the person's silhouette in the photo.

    What lies within LOOSE shoulder breadths of the silhouette is loose cloth. Below the hips
    skirts and dresses may spread as they like.
    """
    pose, body = view.state.pose, _silhouette(view)
    if pose is None or body is None:
        return _none("%", "no pose or no silhouette is known")
    garment = shrink(view.warped.alpha, view.scale) >= 0.5
    breadth = view.scale * float(
        np.linalg.norm(pose.point("left_shoulder") - pose.point("right_shoulder"))
    )
    if _category(view) is not Category.UPPER:
        below = min(pose.point(j)[1] for j in ("left_hip", "right_hip")) * view.scale
        garment[max(0, int(below)) :] = False
    area = int(np.count_nonzero(garment))
    if area < 64 or breadth < 4:
        return _none("%", "too little of the garment lies above the hips")
    away = cv2.distanceTransform((~body).astype(np.uint8), cv2.DIST_L2, 3)
    share = float(np.count_nonzero(garment & (np.asarray(away) > LOOSE * breadth))) / area
    score = ramp(share, FIT_GOOD, FIT_BAD)
    return Measured(
        100.0 * share,
        "%",
        score,
        "Share of the garment that hangs in the air beside the person.",
        "The garment stands off from the body: give a photo seen from the front, with the arms "
        "away from the body, and a garment picture with its sleeves spread out."
        if score < 0.6
        else "",
    )


def _silhouette(view: View) -> Bools | None:
    person, parsing = view.state.person, view.state.parsing
    if person is not None:
        return shrink(person.mask.alpha, view.scale) >= 0.5
    if parsing is None:
        return None
    body = parsing.labels != parsing.table.index("background")
    return shrink(body.astype(np.float32), view.scale) >= 0.5


def _reach(pose: Pose, part: str, where: Bools, scale: float) -> Reach | None:
    kind, side = part.split("_", 1)
    names = ("shoulder", "elbow", "wrist") if kind == "sleeve" else ("hip", "knee", "ankle")
    joints = [f"{side}_{name}" for name in names]
    sure = [pose.sure(joint) >= SURE for joint in joints]
    if not (sure[0] and sure[1]) or int(where.sum()) < 20:
        return None
    axis = [pose.point(joint) * scale for joint in joints[: 3 if sure[2] else 2]]
    ys, xs = np.nonzero(where)
    spots = np.stack([xs, ys], axis=1)[:: max(1, len(xs) // 4000)].astype(np.float32)
    along, away = _project(spots, axis)
    length = max(float(np.linalg.norm(axis[1] - axis[0])), 1.0)
    # A tube's end is where the outermost twentieth of its cloth begins, not its last pixel.
    return Reach(float(np.percentile(along, 97)), float(away.mean()) / length)


def _project(spots: Floats, axis: list[Floats]) -> tuple[Floats, Floats]:
    """Place along a chain of joints (0 at the first, 1 at the second ...) and distance from it."""
    best = np.full(len(spots), np.inf, np.float32)
    place = np.zeros(len(spots), np.float32)
    for number, (start, end) in enumerate(itertools.pairwise(axis)):
        line = end - start
        share = (spots - start) @ line / max(float(line @ line), 1e-6)
        held = np.clip(share, 0.0, 1.0)
        distance = np.linalg.norm(spots - (start + held[:, None] * line), axis=1)
        last = number == len(axis) - 2
        along = number + (np.clip(share, 0.0, 1.5) if last else held)
        nearer = distance < best
        best[nearer], place[nearer] = distance[nearer], along[nearer]
    return place, best


def _place(reach: float, legs: bool) -> str:
    upper, lower, end = (
        ("thigh", "lower leg", "ankle") if legs else ("upper arm", "forearm", "wrist")
    )
    if reach <= 1.0:
        return f"{100 * reach:.0f} % down the {upper}"
    if reach < 1.9:
        return f"{100 * (reach - 1):.0f} % down the {lower}"
    return f"at the {end}"


def _lower_edge(where: Bools) -> tuple[Floats, Floats] | None:
    """x and y of the lowest pixels of the middle four fifths of a mask's columns."""
    height = where.shape[0]
    columns = np.flatnonzero(where.sum(axis=0) >= 0.05 * max(1, int(where.sum(axis=0).max())))
    if len(columns) < 12:
        return None
    trim = len(columns) // 10
    columns = columns[trim : len(columns) - trim]
    lowest = height - 1 - np.argmax(where[::-1, columns], axis=0)
    if float((lowest >= height - 2).mean()) > 0.3:
        return None
    inside = lowest < height - 2
    return columns[inside].astype(np.float32), lowest[inside].astype(np.float32)


def _line(x: Floats, y: Floats) -> tuple[float, float]:
    """Slope, and height at the middle, of a line through points, the worst fifth left out."""
    keep = np.ones(len(x), bool)
    slope, base = np.polyfit(x, y, 1)
    for _ in range(2):
        off = np.abs(y - (slope * x + base))
        keep = off <= max(float(np.percentile(off, 80)), 0.5)
        slope, base = np.polyfit(x[keep], y[keep], 1)
    return float(slope), float(slope * x.mean() + base)


def _cut(view: View) -> float:
    """Angle of the hem in the garment picture, in degrees, where its ends are known."""
    matching = view.state.matching
    points = matching.shape.points if matching is not None else {}
    if "hem_left" not in points or "hem_right" not in points:
        return 0.0
    line = points["hem_left"] - points["hem_right"]
    angle = float(np.degrees(np.arctan2(line[1], line[0])))
    return (angle + 90.0) % 180.0 - 90.0


def _category(view: View) -> Category | None:
    matching = view.state.matching
    return matching.shape.category if matching is not None else view.state.category


def _none(unit: str, why: str) -> Measured:
    return Measured(None, unit, None, f"Not measured: {why}.")
