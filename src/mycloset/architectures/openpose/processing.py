"""Pictures into OpenPose's networks, and everybody's joints out; as pytorch-openpose has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mycloset.architectures.openpose.assembly import Peaks, Person, assemble, find_peaks
from mycloset.architectures.openpose.enlarging import (
    SIGMA,
    Enlarger,
    Fields,
    enlarged,
    enlarger,
)
from mycloset.architectures.openpose.parts import PartProcessing
from mycloset.architectures.openpose.scaling import Scaled, checked_scales, scaled
from mycloset.architectures.openpose.tables import BODIES, Body, body_of
from mycloset.architectures.plans import Forward, Processing
from mycloset.errors import OptionError
from mycloset.images import RGB
from mycloset.tasks.poses import Pose, Poses

Floats = NDArray[np.float32]

MOST = 1280
"""Longer side of the grid in which joints are sought, in pixels; larger pictures are coarser."""
FAINT = 0.05
"""Where a map stays below this, its cubic enlargement stays below `assembly.PEAK`."""


class BodyProcessing:
    """Finds joints and limbs at one or more scales, and puts people together.

    Args:
        body: the joints and limbs; None where the network's are not known.
        joints: how many joints the network finds.
    """

    def __init__(self, body: Body | None, joints: int) -> None:
        self.body = body
        self.joints = joints

    def __call__(
        self,
        forward: Forward,
        picture: RGB,
        *,
        scales: Sequence[float] = (0.5,),
        boxsize: int = 368,
    ) -> Poses:
        """Everybody in the picture, the best first.

        Args:
            forward: the network.
            picture: (H, W, 3) RGB.
            scales: heights at which the picture is looked at, in boxes; the maps' mean counts. The
                paper's are (0.5, 1.0, 1.5, 2.0).
            boxsize: height of a box, in pixels.

        Returns:
            A pose's score is the mean of its peaks and limbs, 0..1; joints that were not found lie
            at (0, 0) with confidence 0.

        Raises:
            OptionError: an option has a value that it cannot have, or the network finds joints of
                which no limbs are known.
        """
        if self.body is None:
            raise OptionError(
                f"limbs: which of its {self.joints} joints are joined is not known.",
                hint="Give load config={'limbs': [[first, second], ...]}, a pair for each limb.",
            )
        height, width = picture.shape[:2]
        factor = min(1.0, MOST / max(height, width))
        grid = (max(1, round(height * factor)), max(1, round(width * factor)))
        given = [scaled(picture, s, boxsize) for s in checked_scales(scales, boxsize)]
        found = [forward(image=scale.image) for scale in given]
        heatmaps = [maps["heatmap"][0] for maps in found]
        sides = [_enlarger(scale, maps, grid) for scale, maps in zip(given, heatmaps, strict=True)]
        peaks = [
            self._peaks([maps[joint] for maps in heatmaps], sides) for joint in range(self.joints)
        ]
        fields = Fields([maps["paf"][0] for maps in found], [(e.rows, e.columns) for e in sides])
        people = assemble(peaks, self.body.limbs, fields, grid[0])
        to_picture = np.array([width / grid[1], height / grid[0]], np.float32)
        poses = [self._pose(person, peaks, to_picture) for person in people]
        return Poses(tuple(sorted(poses, key=lambda pose: -pose.score)))

    def _peaks(self, maps: list[Floats], sides: list[Enlarger]) -> Peaks:
        """The places of one kind of joint, with the heights of the unsmoothed map."""
        rows, columns = _region(maps, sides)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            none = np.zeros(0, np.int64)
            return Peaks(none, none, np.zeros(0, np.float32))
        smooth = enlarged(
            maps, [(side.smooth_rows[rows], side.smooth_columns[columns]) for side in sides]
        )
        x, y = find_peaks(smooth, (columns.start, rows.start))
        heights = [
            np.einsum("ph,hw,pw->p", side.rows[y], found, side.columns[x], optimize=True)
            for found, side in zip(maps, sides, strict=True)
        ]
        return Peaks(x, y, np.mean(heights, axis=0, dtype=np.float32))

    def _pose(self, person: Person, peaks: list[Peaks], to_picture: Floats) -> Pose:
        assert self.body is not None
        points = np.zeros((self.joints, 2), np.float32)
        confidence = np.zeros(self.joints, np.float32)
        for joint, number in enumerate(person.peaks):
            if number >= 0:
                kind = peaks[joint]
                place = np.array([kind.x[number], kind.y[number]], np.float32)
                points[joint] = (place + np.float32(0.5)) * to_picture - np.float32(0.5)
                confidence[joint] = kind.height[number]
        score = person.total / (2 * person.parts - 1)
        return Pose(
            self.body.skeleton, points, confidence.clip(0.0, 1.0), float(np.clip(score, 0.0, 1.0))
        )


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> Processing:
    """How an OpenPose network is used; `limbs` of the config as in `network.plan`."""
    joints = config["keypoints"]
    if "paf_channels" not in config:
        return PartProcessing(joints)
    body = BODIES.get(joints)
    if config.get("limbs") is not None:
        body = body_of(_pairs(config["limbs"], joints, config["paf_channels"]), joints)
    elif body is not None and 2 * len(body.limbs) != config["paf_channels"]:
        body = None
    return BodyProcessing(body, joints)


def _pairs(limbs: Any, joints: int, channels: int) -> tuple[tuple[int, int], ...]:
    """The caller's limbs, checked."""
    pairs = tuple((int(first), int(second)) for first, second in limbs)
    if 2 * len(pairs) != channels or any(not 0 <= joint < joints for p in pairs for joint in p):
        raise OptionError(
            f"limbs: {len(pairs)} pairs, but the network has {channels // 2} limbs between"
            f" joints 0 to {joints - 1}."
        )
    return pairs


def _enlarger(scale: Scaled, maps: Floats, grid: tuple[int, int]) -> Enlarger:
    return enlarger((maps.shape[1], maps.shape[2]), scale.inner, grid)


def _region(maps: list[Floats], sides: list[Enlarger]) -> tuple[slice, slice]:
    """The part of the enlarged map in which a smoothed peak can lie."""
    down: list[tuple[int, int]] = []
    across: list[tuple[int, int]] = []
    reach = round(4 * SIGMA) + 1
    for found, side in zip(maps, sides, strict=True):
        high = found > FAINT
        for seen, weights, spans in (
            (high.any(axis=1), side.rows, down),
            (high.any(axis=0), side.columns, across),
        ):
            touched = np.flatnonzero((weights[:, seen] != 0).any(axis=1))
            if touched.size:
                spans.append((int(touched[0]) - reach, int(touched[-1]) + reach + 1))
    if not down or not across:
        return slice(0, 0), slice(0, 0)
    return _span(down), _span(across)


def _span(spans: list[tuple[int, int]]) -> slice:
    return slice(max(0, min(first for first, _ in spans)), max(last for _, last in spans))
