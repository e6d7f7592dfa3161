"""How many centimetres a pixel is at the person: from a given height, or from what is seen."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from mycloset.tasks.people import Person
from mycloset.tasks.poses import Pose
from mycloset.tryon.embedded.body_ratios import EYE_TO_EYE, EYE_TO_EYE_CM, STATURE_CM, TRUNK
from mycloset.tryon.embedded.views import Floats

SURE = 0.5

# A silhouette is higher than the person is tall: hair, soles, and the toes of feet that the
# camera sees from above. Our own estimate, hence its wide error.
TALLER, TALLER_ERROR = 1.03, 0.025
# BlazePose's shoulders lie below the acromia, and its hips as much below the trochanters: on
# full-length photos the two cancel. How well they do is our own estimate.
JOINT_ERROR = 0.04
# The landmark network's metres are made for a mean body.
WORLD_ERROR = 0.12


class Scale(NamedTuple):
    """Centimetres per pixel, relative standard deviation, and what it was taken from."""

    cm: float
    error: float
    source: str


def scale_of(person: Person, height_cm: float | None) -> Scale | None:
    """The scale at the person, or None where nothing of known size is seen.

    With a height: the silhouette from head to sole where all of it is in the picture; else the
    distance of the eyes and the length of the trunk, as shares of the height. Without one: the
    distance of the eyes in centimetres, the metres of the landmark network, and a mean stature
    where the full length is seen. What is independent is averaged by inverse variance.
    """
    tall = full_length(person)
    if tall is not None and height_cm is not None:
        return Scale(height_cm * TALLER / tall, TALLER_ERROR, "the given height, seen in full")
    found = list(_clues(person, height_cm))
    if tall is not None:
        error = math.hypot(STATURE_CM.sd / STATURE_CM.mean, TALLER_ERROR)
        found.append(Scale(STATURE_CM.mean * TALLER / tall, error, "a mean stature"))
    if not found:
        return None
    weights = [1.0 / clue.error**2 for clue in found]
    mean = sum(w * math.log(clue.cm) for w, clue in zip(weights, found, strict=True)) / sum(weights)
    source = " and ".join(clue.source for clue in found)
    return Scale(math.exp(mean), 1.0 / math.sqrt(sum(weights)), source)


def full_length(person: Person) -> float | None:
    """Height of the silhouette in pixels; None unless head and a foot are seen whole."""
    rows = np.flatnonzero(person.mask.binary.any(axis=1))
    if len(rows) == 0 or not (person.pose.sure("nose") >= SURE):
        return None
    feet = [f"{side}_{part}" for side in ("left", "right") for part in ("heel", "foot_index")]
    if max(person.pose.sure(joint) for joint in feet) < SURE:
        return None
    if rows[0] <= 1 or rows[-1] >= person.mask.alpha.shape[0] - 2:
        return None
    return float(rows[-1] - rows[0] + 1)


def length(pose: Pose, *joints: str) -> float | None:
    """Length of a chain of joints in pixels, with foreshortening taken out where depth is known.

    None where a joint is not surely seen. The network's metres give how much of each limb points
    towards the camera; at most twice the visible length is believed.
    """
    if min(pose.sure(joint) for joint in joints) < SURE:
        return None
    total = 0.0
    for first, second in itertools.pairwise(joints):
        seen = float(np.linalg.norm(pose.point(second) - pose.point(first)))
        total += seen / visible_share(pose, first, second)
    return total


def visible_share(pose: Pose, first: str, second: str) -> float:
    """Cosine of the angle between a limb and the picture, 0.5..1; 1 where depth is unknown."""
    if pose.world is None:
        return 1.0
    line = pose.world[pose.skeleton.index(second)] - pose.world[pose.skeleton.index(first)]
    whole = float(np.linalg.norm(line))
    return min(1.0, max(0.5, float(np.linalg.norm(line[:2])) / whole)) if whole > 1e-6 else 1.0


def middle(points: Floats) -> Floats:
    """Mean of (N, 2) points."""
    return np.asarray(points.mean(axis=0))


def trunk(pose: Pose) -> tuple[Floats, Floats] | None:
    """Middles between the shoulders and between the hips; None where they are not surely seen."""
    pairs = [[f"{side}_{joint}" for side in ("left", "right")] for joint in ("shoulder", "hip")]
    if min(pose.sure(joint) for pair in pairs for joint in pair) < SURE:
        return None
    shoulders, hips = (middle(np.stack([pose.point(j) for j in pair])) for pair in pairs)
    return shoulders, hips


def _clues(person: Person, height_cm: float | None) -> Iterable[Scale]:
    pose = person.pose
    eyes = length(pose, "left_eye", "right_eye")
    if eyes is not None and eyes >= 6.0:
        # A pixel and a half of doubt about where the eyes are.
        doubt = 1.5 / eyes
        if height_cm is None:
            error = math.hypot(EYE_TO_EYE_CM.sd / EYE_TO_EYE_CM.mean, doubt)
            yield Scale(EYE_TO_EYE_CM.mean / eyes, error, "the distance of the eyes")
        else:
            error = math.hypot(EYE_TO_EYE.sd / EYE_TO_EYE.mean, doubt)
            yield Scale(EYE_TO_EYE.mean * height_cm / eyes, error, "the distance of the eyes")
    ends = trunk(pose)
    if ends is None:
        return
    seen = float(np.linalg.norm(ends[1] - ends[0]))
    if seen < 8.0:
        return
    if height_cm is not None:
        error = math.hypot(TRUNK.sd / TRUNK.mean, JOINT_ERROR)
        yield Scale(TRUNK.mean * height_cm / seen, error, "the length of the trunk")
    elif pose.world is not None:
        index = pose.skeleton.index
        shoulders, hips = (
            pose.world[[index(f"left_{joint}"), index(f"right_{joint}")]].mean(axis=0)
            for joint in ("shoulder", "hip")
        )
        flat = float(np.linalg.norm((hips - shoulders)[:2]))
        if flat > 0.1:
            yield Scale(100.0 * flat / seen, WORLD_ERROR, "the pose network's metres")
