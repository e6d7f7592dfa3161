"""How broad the trunk is at a height, from the silhouette, with the arms beside it taken off."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from mycloset.tasks.people import Person
from mycloset.tasks.poses import Pose
from mycloset.tryon.embedded.body_scale import trunk, visible_share
from mycloset.tryon.embedded.views import Bools, Floats, sample

ARM_HIDES = 0.06
ARM_RADIUS = 0.10  # Of the trunk's length: 5 cm of 50.
TURNED = 0.8


class Breadth(NamedTuple):
    """Breadth in pixels, its relative error, and whether an arm had to be taken off."""

    pixels: float
    error: float
    arms: bool


def breadth_at(person: Person, place: float) -> Breadth | str:
    """Breadth of the trunk across its axis.

    Args:
        person: with shoulders and hips seen.
        place: 0 between the shoulders, 1 between the hips; beyond 1 is below the hips.

    Returns:
        the breadth, or why there is none.
    """
    pose = person.pose
    ends = trunk(pose)
    if ends is None:
        return "shoulders and hips are not all seen"
    turned = visible_share(pose, "left_shoulder", "right_shoulder")
    if turned < TURNED:
        return "the person is turned to the side"
    start, end = ends
    axis = end - start
    long = float(np.linalg.norm(axis))
    centre = start + place * axis
    height, width = person.mask.alpha.shape
    if not (0 <= centre[0] < width and 0 <= centre[1] < height - 1):
        return "this height of the body lies outside of the picture"
    # Across the axis, the person's left (the picture's right, seen from the front) positive.
    across = np.array([axis[1], -axis[0]], np.float32) / np.float32(long)
    steps = np.arange(-1.2 * long, 1.2 * long, 0.5, dtype=np.float32)
    line = centre + steps[:, None] * across
    alpha = sample(person.mask.alpha, line[:, 0][None], line[:, 1][None])[0]
    last = np.array([width, height], np.float32) - 1.0
    outside: Bools = np.asarray(((line < 0) | (line > last)).any(axis=1))
    inside = (alpha >= 0.5) & ~outside
    middle = len(steps) // 2
    if not inside[middle]:
        return "the silhouette does not hold the trunk at this height"
    left_gaps = np.flatnonzero(~inside[:middle])
    right_gaps = np.flatnonzero(~inside[middle:])
    low = int(left_gaps[-1]) + 1 if len(left_gaps) else 0
    high = middle + int(right_gaps[0]) - 1 if len(right_gaps) else len(steps) - 1
    if outside[max(low - 1, 0)] or outside[min(high + 1, len(steps) - 1)]:
        return "the body reaches beyond the picture at this height"
    near, far = float(steps[low]), float(steps[high])
    arms = False
    for position in _arm_crossings(pose, centre, across, axis):
        if position < 0 and position > near - ARM_RADIUS * long:
            near, arms = max(near, position + ARM_RADIUS * long), True
        elif position > 0 and position < far + ARM_RADIUS * long:
            far, arms = min(far, position - ARM_RADIUS * long), True
    if far - near < 0.2 * long:
        return "the arms hide the trunk at this height"
    error = (ARM_HIDES if arms else 0.0) + 0.3 * (1.0 - turned)
    return Breadth((far - near) / turned, error + 1.0 / (far - near), arms)


def _arm_crossings(pose: Pose, centre: Floats, across: Floats, axis: Floats) -> list[float]:
    """Where the arms' axes cross the line through `centre`, in pixels along `across`."""
    found = []
    for side in ("left", "right"):
        joints = [f"{side}_{joint}" for joint in ("shoulder", "elbow", "wrist", "index")]
        joints = [joint for joint in joints if joint in pose.skeleton.joints]
        for first, second in itertools.pairwise(joints):
            if min(pose.sure(first), pose.sure(second)) < 0.3:
                continue
            start, end = pose.point(first) - centre, pose.point(second) - centre
            above, below = float(start @ axis), float(end @ axis)
            if above * below > 0 or above == below:
                continue
            share = above / (above - below)
            found.append(float((start + share * (end - start)) @ across))
    return found
