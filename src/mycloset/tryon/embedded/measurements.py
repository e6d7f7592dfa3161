"""Body measurements in centimetres from a pose and a silhouette, with honest uncertainties.

Lengths are distances of joints; circumferences are ellipses whose breadth is that of the
silhouette and whose depth is a mean share of it (`body_ratios`, from ANSUR II). Clothes count as
body: in wide clothes the circumferences come out too large.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from mycloset.errors import OptionError
from mycloset.tasks.measurements import BodyMeasurements, Measurement, Origin
from mycloset.tasks.people import Person
from mycloset.tryon.embedded.body_girths import breadth_at
from mycloset.tryon.embedded.body_ratios import GIRTHS
from mycloset.tryon.embedded.body_scale import (
    TALLER,
    TALLER_ERROR,
    Scale,
    full_length,
    length,
    scale_of,
    trunk,
    visible_share,
)
from mycloset.tryon.state import BodyFigures

RANGES = {
    "height_cm": (50.0, 272.0, "cm"),
    "chest_cm": (30.0, 250.0, "cm"),
    "waist_cm": (30.0, 300.0, "cm"),
    "hip_cm": (30.0, 300.0, "cm"),
    "weight_kg": (2.0, 650.0, "kg"),
}
"""What is believed of a person: about from a toddler to the extremes on record."""

# The distance of BlazePose's shoulders to the biacromial breadth; our own estimate.
ACROMIAL, ACROMIAL_ERROR = 1.18, 0.07
ARM_ERROR = 0.05
# BlazePose's hips lie about at the height of the crotch; our own estimate from full-length photos.
LEG_ERROR = 0.06
TRUNK_ERROR = 0.06
CLOTHES_ERROR = 0.05
BELIEVED = 1.35
DISAGREE = 0.25  # Of natural logarithms: about a quarter.
NO_SCALE = "nothing of known size is seen: give the height"


def check_figures(figures: BodyFigures) -> None:
    """Raise OptionError where a figure is not one of a person."""
    for name, (low, high, unit) in RANGES.items():
        value = getattr(figures, name)
        if value is not None and not (math.isfinite(value) and low <= value <= high):
            raise OptionError(
                f"{name}: {value:g} is outside of {low:g}..{high:g} {unit}.",
                hint=f"Give it in {'centimetres' if unit == 'cm' else 'kilograms'}.",
            )


def measure_body(person: Person, figures: BodyFigures | None = None) -> BodyMeasurements:
    """Estimate measurements of a person.

    Args:
        person: a pose whose skeleton names joints as BLAZEPOSE_33 does, and a silhouette.
        figures: what the user knows; each is returned as given, with an uncertainty of 0, and
            helps with the others (height gives the scale, girths tell how wide the clothes are,
            weight gives a second estimate of each girth).

    Raises:
        OptionError: a figure is outside of what is believed of a person.
    """
    figures = figures if figures is not None else BodyFigures()
    check_figures(figures)
    person = _seen_only(person)
    notes: list[str] = []
    scale = scale_of(person, figures.height_cm)
    items = [
        _height(person, figures, scale),
        _length("shoulder_breadth", scale, *_shoulders(person)),
        _length("arm_length", scale, *_arm(person)),
        _length("torso_length", scale, *_torso(person)),
        _length("inseam", scale, *_inseam(person)),
    ]
    items += _girths(person, figures, scale, notes)
    bmi = None
    if figures.height_cm is not None and figures.weight_kg is not None:
        bmi = figures.weight_kg / (figures.height_cm / 100.0) ** 2
        if not 12.0 <= bmi <= 70.0:
            notes.append(f"Height and weight give a body mass index of {bmi:.0f}: check both.")
    if figures.height_cm is None and scale is not None:
        notes.append(f"No height was given; the scale comes from {scale.source}.")
    elif scale is not None and full_length(person) is None:
        notes.append(f"The photo does not show the full length; the scale comes from "
                     f"{scale.source}.")  # fmt: skip
    return BodyMeasurements(
        tuple(items),
        scale.cm if scale is not None else None,
        scale.error if scale is not None else None,
        scale.source if scale is not None else "nothing",
        bmi,
        tuple(notes),
    )


def _seen_only(person: Person) -> Person:
    """The person with joints outside of the picture, which are guesses, as not seen."""
    height, width = person.mask.alpha.shape
    points = person.pose.points
    inside = ((points >= 0) & (points <= np.array([width, height], np.float32) - 1)).all(axis=1)
    sure = np.where(inside, person.pose.confidence, np.float32(0.0)).astype(np.float32)
    return replace(person, pose=replace(person.pose, confidence=sure))


def _height(person: Person, figures: BodyFigures, scale: Scale | None) -> Measurement:
    if figures.height_cm is not None:
        return _given("height", figures.height_cm)
    tall = full_length(person)
    if tall is None:
        return _unknown("height", "the photo does not show the person from head to foot")
    if scale is None:
        return _unknown("height", NO_SCALE)
    cm = tall / TALLER * scale.cm
    error = math.hypot(scale.error, TALLER_ERROR)
    return _estimated("height", cm, error, "Height of the silhouette, less hair and soles.")


def _shoulders(person: Person) -> tuple[float | None, float, str]:
    pixels = length(person.pose, "left_shoulder", "right_shoulder")
    if pixels is None:
        return None, 0.0, "the shoulders are not both seen"
    share = visible_share(person.pose, "left_shoulder", "right_shoulder")
    if share < 0.6:
        return None, 0.0, "the person is turned too far to the side"
    # The more a body is turned, the more its breadth rests on the estimated depth.
    error = math.hypot(ACROMIAL_ERROR, 0.3 * (1.0 - share))
    return pixels * ACROMIAL, error, "Distance of the shoulder joints, taken out to the acromia."


def _arm(person: Person) -> tuple[float | None, float, str]:
    found = [
        length(person.pose, *(f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist")))
        for side in ("left", "right")
    ]
    seen = [pixels for pixels in found if pixels is not None]
    if not seen:
        return None, 0.0, "no arm is seen from shoulder to wrist"
    error = ARM_ERROR / math.sqrt(len(seen))
    return sum(seen) / len(seen), error, "Shoulder to wrist over the elbow."


def _torso(person: Person) -> tuple[float | None, float, str]:
    ends = trunk(person.pose)
    if ends is None:
        return None, 0.0, "shoulders and hips are not all seen"
    pixels = float(np.linalg.norm(ends[1] - ends[0]))
    return pixels, TRUNK_ERROR, "Middle of the shoulders to middle of the hip joints."


def _inseam(person: Person) -> tuple[float | None, float, str]:
    found = []
    for side in ("left", "right"):
        leg = length(person.pose, *(f"{side}_{joint}" for joint in ("hip", "knee", "ankle")))
        foot = length(person.pose, f"{side}_ankle", f"{side}_heel")
        if leg is not None and foot is not None:
            found.append(leg + foot)
    if not found:
        return None, 0.0, "no leg is seen from hip to heel"
    return sum(found) / len(found), LEG_ERROR, "Hip over knee and ankle to the heel."


def _girths(
    person: Person, figures: BodyFigures, scale: Scale | None, notes: list[str]
) -> list[Measurement]:
    given = {name: getattr(figures, f"{name}_cm") for name in GIRTHS}
    estimates = {name: _girth(person, name, scale, figures, notes) for name in GIRTHS}
    ratios = []
    for name, value in given.items():
        cm = estimates[name].cm
        if value is None or cm is None:
            continue
        if max(cm / value, value / cm) > BELIEVED:
            notes.append(
                f"The given {name} of {value:g} cm does not fit the photo, in which it looks like "
                f"{cm:.0f} cm: wide clothes, or a wrong figure."
            )
        else:
            ratios.append(value / cm)
    wide = math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else 1.0
    items = []
    for name, estimate in estimates.items():
        if given[name] is not None:
            items.append(_given(name, given[name]))
        elif ratios and estimate.cm is not None and estimate.plus_minus_cm is not None:
            # What a known girth says of scale and clothes holds for the others, less exactly.
            items.append(
                Measurement(
                    name,
                    estimate.cm * wide,
                    max(0.7 * estimate.plus_minus_cm * wide, 0.035 * estimate.cm),
                    Origin.ESTIMATED,
                    f"{estimate.note} Scaled by {wide:.2f} to fit what was given.",
                )
            )
        else:
            items.append(estimate)
    return items


def _girth(
    person: Person, name: str, scale: Scale | None, figures: BodyFigures, notes: list[str]
) -> Measurement:
    girth = GIRTHS[name]
    found: list[tuple[float, float, str]] = []
    breadth = breadth_at(person, girth.at)
    if scale is not None and not isinstance(breadth, str):
        width = breadth.pixels * scale.cm
        cm = ellipse(width, width * girth.depth) * girth.girth
        parts = (scale.error, girth.error, CLOTHES_ERROR, breadth.error)
        hidden = " where arms hide the sides" if breadth.arms else ""
        found.append(
            (cm, math.sqrt(sum(p * p for p in parts)), f"silhouette {width:.0f} cm wide{hidden}")
        )
    if figures.height_cm is not None and figures.weight_kg is not None:
        cm = girth.by_weight * math.sqrt(figures.weight_kg / figures.height_cm)
        found.append((cm, girth.weight_error, "height and weight"))
    if not found:
        why = breadth if isinstance(breadth, str) else NO_SCALE
        return _unknown(name, why)
    weights = [1.0 / error**2 for _, error, _ in found]
    mean = sum(w * math.log(cm) for w, (cm, _, _) in zip(weights, found, strict=True))
    cm = math.exp(mean / sum(weights))
    error = 1.0 / math.sqrt(sum(weights))
    if len(found) == 2:
        # Two estimates that disagree by more than they claim to err are both less sure.
        error = max(error, abs(math.log(found[0][0] / found[1][0])) / 2.0)
        if abs(math.log(found[0][0] / found[1][0])) > DISAGREE:
            notes.append(
                f"By the photo the {name} is {found[0][0]:.0f} cm, by height and weight "
                f"{found[1][0]:.0f} cm: wide clothes, or a wrong figure."
            )
    note = "Ellipse of mean depth; from " + " and ".join(source for _, _, source in found) + "."
    return _estimated(name, cm, error, note)


def ellipse(breadth: float, depth: float) -> float:
    """Circumference of an ellipse with these two axes (Ramanujan's second approximation)."""
    h = ((breadth - depth) / (breadth + depth)) ** 2
    return math.pi / 2.0 * (breadth + depth) * (1.0 + 3.0 * h / (10.0 + math.sqrt(4.0 - 3.0 * h)))


def _length(
    name: str, scale: Scale | None, pixels: float | None, error: float, note: str
) -> Measurement:
    if pixels is None:
        return _unknown(name, note)
    if scale is None:
        return _unknown(name, NO_SCALE)
    return _estimated(name, pixels * scale.cm, math.hypot(error, scale.error), note)


def _given(name: str, cm: float) -> Measurement:
    return Measurement(name, float(cm), 0.0, Origin.GIVEN, "As given.")


def _estimated(name: str, cm: float, error: float, note: str) -> Measurement:
    return Measurement(name, cm, cm * error, Origin.ESTIMATED, note)


def _unknown(name: str, why: str) -> Measurement:
    return Measurement(name, None, None, Origin.UNKNOWN, f"Not estimated: {why}.")
