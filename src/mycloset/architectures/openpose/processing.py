"""Pictures into OpenPose, everybody's joints (or one hand's points) out; as the PyTorch port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.architectures.openpose.assembly import COCO, assemble
from mycloset.architectures.plans import Forward
from mycloset.errors import ModelFileError, OptionError
from mycloset.images import RGB
from mycloset.tasks.poses import (
    OPENPOSE_18,
    OPENPOSE_HAND_21,
    Pose,
    Poses,
    Skeleton,
    numbered_skeleton,
)

Floats = NDArray[np.float32]

STRIDE = 8
PADDING = 128
BOX = 368
LARGEST = 1024
"""Pixels of the longer side to which larger pictures are brought first."""
SCALES = (0.5,)
HAND_SCALES = (0.5, 1.0, 1.5, 2.0)
HAND_PEAK = 0.05


class BodyProcessing:
    """Everybody in a picture, 18 joints each."""

    def __call__(
        self, forward: Forward, picture: RGB, *, scales: Sequence[float] = SCALES
    ) -> Poses:
        """The people in one picture, the surest first.

        Args:
            forward: the network.
            picture: (H, W, 3).
            scales: heights at which the picture is shown, in boxes of 368 pixels.

        Raises:
            OptionError: scales are none.
        """
        _check(scales)
        small, shrink = _shrunk(picture)
        heatmaps, fields = _averaged(forward, small, scales, ("heatmap", "paf"))
        people = []
        for points, heights, score in assemble(heatmaps, fields, COCO):
            seen = np.asarray(np.isfinite(points).all(axis=1))
            places = np.where(seen[:, None], (points + 0.5) / shrink - 0.5, 0.0)
            sure = np.where(seen, np.clip(heights, 0.0, 1.0), 0.0).astype(np.float32)
            people.append(
                Pose(OPENPOSE_18, places.astype(np.float32), sure, float(np.clip(score, 0, 1)))
            )
        return Poses(tuple(people))


class PointsProcessing:
    """One hand (or face) that fills the picture.

    Args:
        skeleton: names of the points.
    """

    def __init__(self, skeleton: Skeleton) -> None:
        self.skeleton = skeleton

    def __call__(
        self, forward: Forward, picture: RGB, *, scales: Sequence[float] = HAND_SCALES
    ) -> Poses:
        """The points of one crop; `scales` as for bodies.

        Raises:
            OptionError: scales are none.
        """
        _check(scales)
        small, shrink = _shrunk(picture)
        (heatmaps,) = _averaged(forward, small, scales, ("heatmap",))
        count = len(self.skeleton.joints)
        points = np.zeros((count, 2), np.float32)
        sure = np.zeros(count, np.float32)
        for joint in range(count):
            plane = np.ascontiguousarray(heatmaps[..., joint])
            place = _strongest(plane)
            if place is not None:
                row, column = place
                points[joint] = (np.array([column, row]) + 0.5) / shrink - 0.5
                sure[joint] = np.clip(plane[row, column], 0.0, 1.0)
        return Poses((Pose(self.skeleton, points, sure, float(sure.mean())),))


def processing(
    variant: str, layout: str, config: Mapping[str, Any]
) -> BodyProcessing | PointsProcessing:
    """How an OpenPose network is used.

    Raises:
        ModelFileError: a body network other than that of 18 joints: its limbs are not assembled.
    """
    if "paf_channels" not in config:
        joints = config["keypoints"]
        hand = joints == len(OPENPOSE_HAND_21.joints)
        return PointsProcessing(OPENPOSE_HAND_21 if hand else numbered_skeleton(joints))
    if config["keypoints"] != COCO.joints or config["paf_channels"] != 2 * len(COCO.pairs):
        raise ModelFileError(
            f"OpenPose {variant} finds {config['keypoints']} joints; people are put together"
            " of 18 joints only.",
            hint="Load body_pose_model.pth.",
        )
    return BodyProcessing()


def _check(scales: Sequence[float]) -> None:
    if not len(scales) or not all(0.1 <= scale <= 4 for scale in scales):
        raise OptionError(f"scales: {list(scales)}.", hint="Give some between 0.1 and 4.")


def _shrunk(picture: RGB) -> tuple[RGB, float]:
    """The picture, no larger than LARGEST, and by what it was multiplied."""
    shrink = min(1.0, LARGEST / max(picture.shape[:2]))
    if shrink == 1.0:
        return picture, 1.0
    size = (round(picture.shape[1] * shrink), round(picture.shape[0] * shrink))
    small = cv2.resize(picture, (max(1, size[0]), max(1, size[1])), interpolation=cv2.INTER_AREA)
    return np.asarray(small), shrink


def _averaged(
    forward: Forward, picture: RGB, scales: Sequence[float], names: Sequence[str]
) -> list[Floats]:
    """The network's maps at the picture's size, (H, W, C), averaged over scales."""
    height, width = picture.shape[:2]
    total: list[Floats] = []
    for scale in scales:
        factor = scale * BOX / height
        # Very wide pictures would take more than there is.
        factor = min(factor, 4 * BOX / width)
        size = (max(8, round(width * factor)), max(8, round(height * factor)))
        shown = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
        below, right = -size[1] % STRIDE, -size[0] % STRIDE
        padded = np.pad(
            np.asarray(shown)[..., ::-1], ((0, below), (0, right), (0, 0)), constant_values=PADDING
        )
        given = padded.transpose(2, 0, 1)[None].astype(np.float32)
        given *= np.float32(1 / 256)
        given -= np.float32(0.5)
        found = forward(image=given)
        for place, name in enumerate(names):
            maps = _upsampled(found[name][0], padded.shape, size, (width, height))
            if len(total) <= place:
                total.append(maps)
            else:
                total[place] += maps
    for maps in total:
        maps /= np.float32(len(scales))
    return total


def _upsampled(
    maps: Floats, padded: Sequence[int], size: tuple[int, int], whole: tuple[int, int]
) -> Floats:
    """(C, h, w) maps at the picture's size, channels last."""
    fine = _resized(maps.transpose(1, 2, 0), (padded[1], padded[0]))
    return _resized(fine[: size[1], : size[0]], whole)


def _resized(maps: Floats, size: tuple[int, int]) -> Floats:
    found = cv2.resize(np.ascontiguousarray(maps), size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(found, np.float32).reshape(size[1], size[0], -1)


def _strongest(heatmap: Floats) -> tuple[int, int] | None:
    """Row and column of the highest place in the patch that weighs most; None for none."""
    smooth = cv2.GaussianBlur(heatmap, (25, 25), 3.0, borderType=cv2.BORDER_REFLECT)
    mask = (np.asarray(smooth) > HAND_PEAK).astype(np.uint8)
    count, labels = cv2.connectedComponents(mask, connectivity=8)
    if count < 2:
        return None
    weights = np.bincount(labels.ravel(), weights=heatmap.ravel(), minlength=count)
    weights[0] = -np.inf
    inside = np.where(labels == int(weights.argmax()), heatmap, -np.inf)
    row, column = np.unravel_index(int(inside.argmax()), inside.shape)
    return int(row), int(column)
