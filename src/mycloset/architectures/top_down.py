"""What top-down pose networks share: a crop around each person in, joints from heatmaps out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from mycloset.architectures.plans import Forward, normalised
from mycloset.errors import OptionError
from mycloset.images import RGB
from mycloset.tasks.poses import Pose, Poses
from mycloset.tasks.skeletons import (
    COCO_17,
    COCO_WHOLEBODY_133,
    CROWDPOSE_14,
    MPII_16,
    OPENPOSE_HAND_21,
    Skeleton,
    mirrored,
    numbered,
)

Floats = NDArray[np.float32]
Refine = Literal["quarter", "dark"] | None

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pictures, RGB, 0..1."""
PADDING = 1.25
"""How much larger than the person's box the crop is."""
SEEN = 0.2
"""Joints whose heatmap is lower do not count in a person's score (COCO evaluation of HRNet)."""
TOGETHER = 8
"""Crops that go through the network at once."""

SKELETONS = {
    len(skeleton.joints): skeleton
    for skeleton in (COCO_17, COCO_WHOLEBODY_133, MPII_16, CROWDPOSE_14, OPENPOSE_HAND_21)
}
"""Published sets of joints, by their number."""


_NAMED_SIZE = re.compile(r"(?<!\d)(\d{2,4})x(\d{2,4})(?!\d)")
_SQUARE = (len(MPII_16.joints), len(OPENPOSE_HAND_21.joints))
"""Numbers of joints whose networks mostly have square crops."""


def input_size(joints: int, file: str = "") -> list[int]:
    """Height and width of the crops: those of the file's name, else what the joints mostly have."""
    named = _NAMED_SIZE.search(file)
    if named:
        sides = [int(side) for side in named.groups()]
        if all(side >= 32 and side % 32 == 0 for side in sides):
            return sides
    return [256, 256] if joints in _SQUARE else [256, 192]


class TopDownProcessing:
    """Crops people, normalises as for ImageNet, and reads joints from heatmaps.

    The network takes `image` (N, 3, H, W) and gives "heatmaps" (N, J, h, w). Sun et al. 2019 and
    mmpose's top-down networks work so.

    Args:
        joints: how many heatmaps there are.
        size: height and width of the crops, in pixels.
        udp: whether crops are mapped by distances between pixel centres (Huang et al. 2020).
    """

    def __init__(self, *, joints: int, size: Sequence[int], udp: bool = False) -> None:
        checked = [int(side) for side in size]
        if len(checked) != 2 or any(side < 32 or side % 32 for side in checked):
            raise OptionError(
                f"input_size: {list(size)} is not a height and a width, multiples of 32.",
                hint="The published networks have [256, 192], [384, 288] or [256, 256].",
            )
        self.size = (checked[0], checked[1])
        self.skeleton: Skeleton = SKELETONS.get(joints) or numbered(joints)
        self.pairs = np.array(mirrored(self.skeleton))
        self.udp = udp

    def __call__(
        self,
        forward: Forward,
        picture: RGB,
        *,
        boxes: ArrayLike | None = None,
        scores: ArrayLike | None = None,
        flip: bool = False,
        refine: Refine | Literal["auto"] = "auto",
    ) -> Poses:
        """Everybody whose box is given.

        Args:
            forward: the network.
            picture: (H, W, 3) RGB.
            boxes: (N, 4) left, top, right, bottom of people, in pixels; the whole picture without.
            scores: (N,) 0..1, of the boxes; they multiply the people's scores.
            flip: also look at the mirrored crops, and take the mean.
            refine: joints between the heatmap's pixels: "quarter" moves each a quarter of a pixel
                towards its higher neighbour, "dark" takes the top of the Gaussian through it
                (Zhang et al. 2020), None neither; "auto" is "dark" with `udp`, else "quarter".

        Raises:
            OptionError: an option has a value that it cannot have.
        """
        if refine not in ("auto", "quarter", "dark", None):
            raise OptionError(
                f"refine: {refine!r} is not one of them.",
                hint='Use "auto", "quarter", "dark" or None.',
            )
        if refine == "auto":
            refine = "dark" if self.udp else "quarter"
        whole = _boxes(boxes, picture)
        weights = _scores(scores, len(whole))
        found: list[Pose] = []
        for start in range(0, len(whole), TOGETHER):
            some = whole[start : start + TOGETHER]
            maps = self.heatmaps(forward, picture, some, flip=flip)
            points, sure = decode(maps, refine=refine, udp=self.udp)
            points = self._back(points, some, maps.shape[2:])
            for place, box in enumerate(some):
                seen = sure[place][sure[place] > SEEN]
                score = float(seen.mean()) if seen.size else 0.0
                found.append(
                    Pose(
                        self.skeleton,
                        points[place],
                        sure[place],
                        score * float(weights[start + place]),
                        box=box,
                    )
                )
        return Poses(tuple(found))

    def heatmaps(
        self, forward: Forward, picture: RGB, boxes: Floats, *, flip: bool = False
    ) -> Floats:
        """(N, J, h, w) heatmaps of people by their boxes (N, 4)."""
        crops = np.concatenate([self.prepare(picture, box) for box in boxes])
        found: Floats = forward(image=crops)["heatmaps"]
        if flip:
            mirror = forward(image=np.ascontiguousarray(crops[..., ::-1]))["heatmaps"]
            mirror = np.ascontiguousarray(mirror[:, self.pairs, :, ::-1])
            if not self.udp:
                # A mirrored crop's heatmap lies one pixel to the left of the straight one's.
                mirror[..., 1:] = mirror[..., :-1].copy()
            found = (found + mirror) / np.float32(2)
        return found

    def prepare(self, picture: RGB, box: Floats) -> Floats:
        """(1, 3, H, W) float32: the crop around a box, normalised."""
        height, width = self.size
        crop = np.asarray(
            cv2.warpAffine(picture, self._matrix(box), (width, height), flags=cv2.INTER_LINEAR)
        )
        return normalised(np.asarray(crop, np.uint8), MEAN, STD)

    def _matrix(self, box: Floats) -> NDArray[np.float64]:
        """(2, 3) from the picture to the crop."""
        factor, middle = self._factor(self._extent(box), self.size), _middle(box)
        offset = [
            (side - self.udp) / 2 - scale * place
            for side, scale, place in zip(self.size[::-1], factor, middle, strict=True)
        ]
        return np.array([[factor[0], 0, offset[0]], [0, factor[1], offset[1]]])

    def _extent(self, box: Floats) -> tuple[float, float]:
        """Width and height of the padded box in the crop's proportions, in pixels."""
        width, height = float(box[2] - box[0]), float(box[3] - box[1])
        aspect = self.size[1] / self.size[0]
        width, height = max(width, height * aspect), max(height, width / aspect)
        return width * PADDING, height * PADDING

    def _factor(self, extent: tuple[float, float], size: Sequence[int]) -> tuple[float, float]:
        """What a picture's pixel is in a grid (height, width) over the crop, across and down."""
        if self.udp:
            return (size[1] - 1) / extent[0], (size[0] - 1) / extent[1]
        # The authors' map keeps proportions: the width decides.
        return size[1] / extent[0], size[1] / extent[0]

    def _back(self, points: Floats, boxes: Floats, grid: Sequence[int]) -> Floats:
        """(N, J, 2) places in heatmaps to places in the picture."""
        found = np.empty_like(points)
        middle_of_grid = np.array([grid[1] - self.udp, grid[0] - self.udp], np.float32) / 2
        for place, box in enumerate(boxes):
            factor = np.array(self._factor(self._extent(box), grid), np.float32)
            found[place] = (points[place] - middle_of_grid) / factor + _middle(box)
        return found


def decode(heatmaps: Floats, *, refine: Refine, udp: bool = False) -> tuple[Floats, Floats]:
    """The highest place of each heatmap.

    Args:
        heatmaps: (N, J, h, w).
        refine: see `TopDownProcessing`.
        udp: whether "dark" takes derivatives over one pixel (UDP) rather than two (DARK).

    Returns:
        points: (N, J, 2) x and y in heatmap pixels, (0, 0) where no value is positive;
        confidence: (N, J), the highest value, 0..1.
    """
    people, joints, height, width = heatmaps.shape
    flat = heatmaps.reshape(people, joints, -1)
    top = flat.argmax(axis=2)
    best = np.take_along_axis(flat, top[..., None], axis=2)[..., 0]
    x, y = top % width, top // width
    points = np.stack([x, y], axis=-1).astype(np.float32)
    rows, columns = np.arange(people)[:, None], np.arange(joints)[None]
    if refine == "quarter":
        inner = (x > 1) & (x < width - 1) & (y > 1) & (y < height - 1)
        left, right = np.maximum(x - 1, 0), np.minimum(x + 1, width - 1)
        above, below = np.maximum(y - 1, 0), np.minimum(y + 1, height - 1)
        across = heatmaps[rows, columns, y, right] - heatmaps[rows, columns, y, left]
        down = heatmaps[rows, columns, below, x] - heatmaps[rows, columns, above, x]
        points += 0.25 * np.sign(np.stack([across, down], axis=-1)) * inner[..., None]
    elif refine == "dark":
        points += _dark(heatmaps, x, y, step=1 if udp else 2)
    points *= (best > 0)[..., None]
    return points.astype(np.float32), best.clip(0.0, 1.0).astype(np.float32)


def _dark(heatmaps: Floats, x: NDArray[np.int64], y: NDArray[np.int64], *, step: int) -> Floats:
    """(N, J, 2) from the highest pixel to the top of the Gaussian through it.

    The second derivatives are taken over `step` pixels; a joint within that of the border stays.
    """
    people, joints, height, width = heatmaps.shape
    # The kernel that the authors blur with: of the width of their training's Gaussians.
    kernel = 11 if height <= 64 else 17
    rows, columns = np.arange(people)[:, None], np.arange(joints)[None]
    logs = np.empty_like(heatmaps)
    for person in range(people):
        for joint in range(joints):
            blurred = cv2.GaussianBlur(heatmaps[person, joint], (kernel, kernel), 0)
            most, now = float(heatmaps[person, joint].max()), float(blurred.max())
            share = most / now if now > 0 else 1.0
            logs[person, joint] = np.log(np.maximum(np.asarray(blurred) * share, 1e-10))
    inner = (x >= step) & (x < width - step) & (y >= step) & (y < height - step)

    def at(across: int, down: int) -> Floats:
        found: Floats = logs[
            rows, columns, (y + down).clip(0, height - 1), (x + across).clip(0, width - 1)
        ]
        return found

    dx, dy = (at(1, 0) - at(-1, 0)) / 2, (at(0, 1) - at(0, -1)) / 2
    dxx = (at(step, 0) - 2 * at(0, 0) + at(-step, 0)) / step**2
    dyy = (at(0, step) - 2 * at(0, 0) + at(0, -step)) / step**2
    dxy = (at(1, 1) - at(-1, 1) - at(1, -1) + at(-1, -1)) / 4
    determinant = dxx * dyy - dxy * dxy
    solvable = inner & (np.abs(determinant) > 1e-12)
    safe = np.where(solvable, determinant, 1.0)
    moved = np.stack([dxy * dy - dyy * dx, dxy * dx - dxx * dy], axis=-1) / safe[..., None]
    found: Floats = np.where(solvable[..., None], moved, 0.0).astype(np.float32)
    return found


def _middle(box: Floats) -> Floats:
    """(2,) x and y of a box's centre."""
    return (box[:2] + box[2:]) / np.float32(2)


def _boxes(boxes: ArrayLike | None, picture: RGB) -> Floats:
    """(N, 4) float32, checked."""
    height, width = picture.shape[:2]
    if boxes is None:
        return np.array([[0, 0, width, height]], np.float32)
    found = np.asarray(boxes, np.float32)
    if found.size == 0:
        return np.zeros((0, 4), np.float32)
    found = found[None] if found.ndim == 1 else found
    if found.ndim != 2 or found.shape[1] != 4:
        raise OptionError(
            f"boxes: an array of shape {list(found.shape)} is not (N, 4).",
            hint="Each box is left, top, right, bottom in pixels.",
        )
    sound = np.isfinite(found).all(axis=1) & (found[:, 2:] - found[:, :2] > 0).all(axis=1)
    if not sound.all():
        first = int(np.argmin(sound))
        raise OptionError(
            f"boxes: number {first} is {found[first].tolist()}, which has no area.",
            hint="Each box is left, top, right, bottom in pixels.",
        )
    return found


def _scores(scores: ArrayLike | None, number: int) -> Floats:
    if scores is None:
        return np.ones(number, np.float32)
    found = np.asarray(scores, np.float32).reshape(-1)
    if len(found) != number:
        raise OptionError(f"scores: {len(found)} of them, but {number} boxes.")
    return found
