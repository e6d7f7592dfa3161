"""What top-down pose networks share: a person's crop in, heatmaps to joints out."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.architectures.plans import Forward, normalised
from mycloset.errors import OptionError
from mycloset.images import RGB
from mycloset.tasks.poses import Pose, Poses, Skeleton

Floats = NDArray[np.float32]

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PADDING = 1.25
"""How much larger the crop is than the person's box."""

REFINEMENTS = ("none", "quarter", "dark")


class HeatmapProcessing:
    """Each person's box, grown to the network's proportions, cut out and read.

    Args:
        skeleton: names of the joints.
        size: height and width of the network's picture.
    """

    def __init__(self, skeleton: Skeleton, size: Sequence[int]) -> None:
        self.skeleton = skeleton
        self.height, self.width = size

    def __call__(
        self,
        forward: Forward,
        picture: RGB,
        *,
        boxes: NDArray[np.floating] | Sequence[Sequence[float]] | None = None,
        flip: bool = False,
        refine: str = "quarter",
    ) -> Poses:
        """The joints of each person.

        Args:
            forward: the network.
            picture: (H, W, 3).
            boxes: (N, 4) left, top, right, bottom of each person, in pixels; by default the whole
                picture is one person's.
            flip: whether the mirrored crop is read as well and averaged (twice the work).
            refine: where between two cells a joint lies: "none", "quarter" (a quarter of a cell
                towards the higher neighbour), or "dark" (Zhang et al. 2019).

        Raises:
            OptionError: boxes are none, or another refinement.
        """
        if refine not in REFINEMENTS:
            raise OptionError(f"refine: {refine!r}.", hint=f"Use {', '.join(REFINEMENTS)}.")
        found = _boxes(boxes, picture)
        matrices = [self._matrix(box) for box in found]
        given = np.concatenate([self.prepare(picture, matrix) for matrix in matrices])
        heatmaps = forward(image=given)["heatmaps"]
        if flip:
            mirrored = forward(image=np.ascontiguousarray(given[..., ::-1]))["heatmaps"]
            heatmaps = (heatmaps + self._unmirrored(mirrored)) / 2
        points, values = decode(heatmaps, refine)
        rows, columns = heatmaps.shape[2:]
        scale = np.array([self.width / columns, self.height / rows], np.float32)
        people = []
        for place, value, matrix in zip(points, values, matrices, strict=True):
            back = cv2.invertAffineTransform(matrix)
            there = (place * scale) @ back[:, :2].T + back[:, 2]
            sure = np.clip(value, 0.0, 1.0).astype(np.float32)
            people.append(Pose(self.skeleton, there.astype(np.float32), sure, float(sure.mean())))
        return Poses(tuple(sorted(people, key=lambda pose: -pose.score)))

    def prepare(self, picture: RGB, matrix: Floats) -> Floats:
        """(1, 3, height, width) float32 of a crop, normalised."""
        crop = cv2.warpAffine(picture, matrix, (self.width, self.height), flags=cv2.INTER_LINEAR)
        return normalised(np.asarray(crop), MEAN, STD)

    def _matrix(self, box: Floats) -> Floats:
        """(2, 3): from the picture to the crop around a box."""
        left, top, right, bottom = (float(value) for value in box)
        wide, tall = right - left, bottom - top
        wide = max(wide, tall * self.width / self.height) * PADDING
        scale = self.width / wide
        across, down = (left + right) / 2, (top + bottom) / 2
        return np.array(
            [
                [scale, 0, self.width / 2 - scale * across],
                [0, scale, self.height / 2 - scale * down],
            ],
            np.float32,
        )

    def _unmirrored(self, heatmaps: Floats) -> Floats:
        """Heatmaps of a mirrored crop, mirrored back: sides swapped, moved by one cell."""
        joints = self.skeleton.joints
        order = [joints.index(_other_side(joint, joints)) for joint in joints]
        back = heatmaps[:, order, :, ::-1].copy()
        back[..., 1:] = back[..., :-1].copy()
        return back


def decode(heatmaps: Floats, refine: str = "quarter") -> tuple[Floats, Floats]:
    """Where each heatmap is highest.

    Args:
        heatmaps: (N, J, H, W).
        refine: "none", "quarter" or "dark".

    Returns:
        (N, J, 2) x and y in cells, and (N, J) the heights.
    """
    count, joints, height, width = heatmaps.shape
    flat = heatmaps.reshape(count, joints, -1)
    place = flat.argmax(axis=2)
    values = np.take_along_axis(flat, place[..., None], 2)[..., 0]
    x, y = place % width, place // width
    points = np.stack([x, y], -1).astype(np.float32)
    inside = (x > 1) & (x < width - 2) & (y > 1) & (y < height - 2)
    if refine == "quarter":
        inside = (x > 1) & (x < width - 1) & (y > 1) & (y < height - 1)
    if refine == "none" or not inside.any():
        return points, values
    where = np.nonzero(inside)
    col, row = x[where], y[where]
    if refine == "quarter":
        here = heatmaps[where]
        each = np.arange(len(col))
        right = here[each, row, col + 1] - here[each, row, col - 1]
        down = here[each, row + 1, col] - here[each, row - 1, col]
        points[where] += 0.25 * np.sign(np.stack([right, down], -1))
        return points, values
    points[where] += _taylor(heatmaps[where], col, row)
    return points, values


def _taylor(heatmaps: Floats, col: NDArray[np.intp], row: NDArray[np.intp]) -> Floats:
    """(M, 2) step from the highest cell to the top of a Gaussian through it (DARK)."""
    kernel = max(3, (min(heatmaps.shape[1:]) // 4) // 2 * 2 - 1)
    smooth = np.empty_like(heatmaps)
    for number, plane in enumerate(heatmaps):
        most = float(plane.max())
        blurred = np.asarray(cv2.GaussianBlur(plane, (kernel, kernel), 0))
        smooth[number] = blurred * (most / max(float(blurred.max()), 1e-12))
    logs = np.log(np.maximum(smooth, 1e-10))
    each = np.arange(len(col))

    def at(down: int, right: int) -> Floats:
        found: Floats = logs[each, row + down, col + right]
        return found

    dx = (at(0, 1) - at(0, -1)) / 2
    dy = (at(1, 0) - at(-1, 0)) / 2
    dxx = (at(0, 2) - 2 * at(0, 0) + at(0, -2)) / 4
    dyy = (at(2, 0) - 2 * at(0, 0) + at(-2, 0)) / 4
    dxy = (at(1, 1) - at(-1, 1) - at(1, -1) + at(-1, -1)) / 4
    det = dxx * dyy - dxy**2
    sound = np.abs(det) > 1e-12
    safe = np.where(sound, det, 1.0)
    step = np.stack([-(dyy * dx - dxy * dy) / safe, -(dxx * dy - dxy * dx) / safe], -1)
    return np.where(sound[:, None] & (np.abs(step) < 2).all(axis=1, keepdims=True), step, 0.0)


def _boxes(boxes: object, picture: RGB) -> Floats:
    """(N, 4) boxes; that of the whole picture where none are given."""
    if boxes is None:
        height, width = picture.shape[:2]
        return np.array([[0, 0, width, height]], np.float32)
    found = np.asarray(boxes, np.float32).reshape(-1, 4)
    sound = np.isfinite(found).all() and (found[:, 2:] > found[:, :2]).all()
    if not len(found) or not sound:
        raise OptionError(
            "boxes: each must be left, top, right, bottom in pixels, right and bottom larger."
        )
    return found


def _other_side(joint: str, joints: Sequence[str]) -> str:
    for one, other in (("left", "right"), ("right", "left")):
        if joint.startswith(one):
            swapped = other + joint[len(one) :]
            return swapped if swapped in joints else joint
    return joint
