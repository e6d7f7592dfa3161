"""Hands and faces into OpenPose's networks, and their points out."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from mycloset.architectures.openpose.enlarging import enlarged, enlarger
from mycloset.architectures.openpose.scaling import checked_scales, scaled
from mycloset.architectures.plans import Forward
from mycloset.errors import OptionError
from mycloset.images import RGB
from mycloset.tasks.poses import Pose, Poses
from mycloset.tasks.skeletons import OPENPOSE_HAND_21, numbered

Floats = NDArray[np.float32]

LOW = 0.05
"""Least height of a smoothed heatmap where a point may be."""
LEAST_SIDE = 20.0
"""Hands whose square is smaller than this many pixels are left out."""
MOST = 736
"""Longer side of the grid in which points are sought, in pixels."""
HAND_SCALES = (0.5, 1.0, 1.5, 2.0)


class PartProcessing:
    """Finds the points of one hand or face in each box.

    Args:
        points: how many the network finds.
    """

    def __init__(self, points: int) -> None:
        self.points = points
        hand = len(OPENPOSE_HAND_21.joints)
        self.skeleton = OPENPOSE_HAND_21 if points == hand else numbered(points)
        self.scales: tuple[float, ...] = HAND_SCALES if points == hand else (1.0,)

    def __call__(
        self,
        forward: Forward,
        picture: RGB,
        *,
        boxes: ArrayLike | None = None,
        scales: Sequence[float] | None = None,
        boxsize: int = 368,
    ) -> Poses:
        """One pose a box, in the boxes' order.

        Args:
            forward: the network.
            picture: (H, W, 3) RGB.
            boxes: (N, 4) left, top, right, bottom of hands or faces, in pixels (`hand_boxes` tells
                those of a body); the whole picture without.
            scales: as of bodies; by default (0.5, 1.0, 1.5, 2.0) for hands, else 1.
            boxsize: height of a box, in pixels.

        Raises:
            OptionError: an option has a value that it cannot have.
        """
        looked = checked_scales(self.scales if scales is None else scales, boxsize)
        found = []
        for left, top, right, bottom in _whole_boxes(boxes, picture):
            crop = np.ascontiguousarray(picture[top:bottom, left:right])
            places, heights = self._points(forward, crop, looked, boxsize)
            places += np.array([left, top], np.float32) * (heights > 0)[:, None]
            found.append(
                Pose(
                    self.skeleton,
                    places,
                    heights.clip(0.0, 1.0),
                    float(heights.clip(0.0, 1.0).mean()),
                    box=np.array([left, top, right, bottom], np.float32),
                )
            )
        return Poses(tuple(found))

    def _points(
        self, forward: Forward, crop: RGB, scales: list[float], boxsize: int
    ) -> tuple[Floats, Floats]:
        """(J, 2) places in a crop and (J,) heights; 0 where a point was not found."""
        height, width = crop.shape[:2]
        factor = min(1.0, MOST / max(height, width))
        grid = (max(1, round(height * factor)), max(1, round(width * factor)))
        given = [scaled(crop, scale, boxsize) for scale in scales]
        maps = [forward(image=scale.image)["heatmap"][0] for scale in given]
        sides = [
            enlarger((found.shape[1], found.shape[2]), scale.inner, grid)
            for found, scale in zip(maps, given, strict=True)
        ]
        points = np.zeros((self.points, 2), np.float32)
        heights = np.zeros(self.points, np.float32)
        back = np.array([width / grid[1], height / grid[0]], np.float32)
        for joint in range(self.points):
            some = [found[joint] for found in maps]
            smooth = enlarged(some, [(side.smooth_rows, side.smooth_columns) for side in sides])
            high = (smooth > LOW).astype(np.uint8)
            if not high.any():
                continue
            plain = enlarged(some, [(side.rows, side.columns) for side in sides])
            count, labels = cv2.connectedComponents(high, connectivity=8)
            sums = np.bincount(labels.ravel(), plain.ravel(), minlength=count)
            sums[0] = -np.inf
            within = np.where(labels == int(sums.argmax()), plain, -np.inf)
            row, column = divmod(int(within.argmax()), grid[1])
            points[joint] = (np.array([column, row], np.float32) + 0.5) * back - 0.5
            heights[joint] = max(float(plain[row, column]), 0.0)
        return points, heights


def hand_boxes(pose: Pose) -> Floats:
    """(N, 4) squares around a body's hands: left, then right, where elbow and wrist are seen.

    The square lies a third of the forearm beyond the wrist, and is one and a half times the larger
    of the forearm and nine tenths of the upper arm (pytorch-openpose, src/util.py).

    Raises:
        KeyError: the pose has no shoulders, elbows and wrists.
    """
    found = []
    for side in ("left", "right"):
        joints = [f"{side}_{name}" for name in ("shoulder", "elbow", "wrist")]
        if min(pose.sure(joint) for joint in joints) <= 0:
            continue
        shoulder, elbow, wrist = (pose.point(joint) for joint in joints)
        middle = wrist + np.float32(0.33) * (wrist - elbow)
        forearm = float(np.linalg.norm(wrist - elbow))
        upper = float(np.linalg.norm(elbow - shoulder))
        half = 1.5 * max(forearm, 0.9 * upper) / 2
        if 2 * half >= LEAST_SIDE:
            found.append([*(middle - half), *(middle + half)])
    return np.array(found, np.float32).reshape(-1, 4)


def _whole_boxes(boxes: ArrayLike | None, picture: RGB) -> list[tuple[int, int, int, int]]:
    """Boxes in whole pixels, cut to the picture.

    Raises:
        OptionError: they are no boxes, or one lies outside of the picture.
    """
    height, width = picture.shape[:2]
    if boxes is None:
        return [(0, 0, width, height)]
    given = np.asarray(boxes, np.float32)
    given = given.reshape(-1, 4) if given.size in (0, 4) else given
    if given.ndim != 2 or given.shape[1] != 4 or not np.isfinite(given).all():
        raise OptionError(
            f"boxes: an array of shape {list(given.shape)} is not (N, 4) numbers.",
            hint="Each box is left, top, right, bottom in pixels.",
        )
    low = np.floor(given[:, :2]).clip(0, (width, height)).astype(int)
    high = np.ceil(given[:, 2:]).clip(0, (width, height)).astype(int)
    if ((high - low) < 1).any():
        first = int(((high - low) < 1).any(axis=1).argmax())
        raise OptionError(
            f"boxes: number {first} is {given[first].tolist()}, of which nothing lies in the"
            f" picture of {width}x{height} pixels."
        )
    return [(int(a[0]), int(a[1]), int(b[0]), int(b[1])) for a, b in zip(low, high, strict=True)]
