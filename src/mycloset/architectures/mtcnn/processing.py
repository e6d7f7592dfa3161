"""Pictures into MTCNN's networks, alone or one behind the other, faces out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mycloset.architectures.face_detection import check_share, suppressed
from mycloset.architectures.plans import Forward
from mycloset.errors import OptionError
from mycloset.images import RGB
from mycloset.tasks.faces import Faces

THRESHOLDS = (0.6, 0.7, 0.7)
"""The least that a face must have after each network; facenet-pytorch's defaults."""
FACTOR = 0.709
"""From one size of the picture to the next."""
WINDOW, STEP = 12, 2
"""What PNet sees at one place, and how far the places are apart, in pixels."""
SIDES = {"rnet": 24, "onet": 48}
AT_ONCE = 512
"""Faces that go through a network together."""

Boxes = NDArray[np.float32]


class MtcnnProcessing:
    """A pyramid of pictures for PNet, then what was found for RNet, then for ONet.

    A network alone does its part: PNet proposes; RNet and ONet look at the `boxes` that are given,
    or at the whole picture as one face. So `onet(p, boxes=rnet(p, boxes=pnet(p).boxes).boxes)`
    does what a file with all three does.

    Args:
        variant: "pnet", "rnet", "onet", or "mtcnn" for all.
    """

    def __init__(self, variant: str) -> None:
        self.variant = variant

    def __call__(
        self,
        forward: Forward,
        picture: RGB,
        *,
        boxes: ArrayLike | None = None,
        smallest: int = 20,
        scores: tuple[float, float, float] = THRESHOLDS,
    ) -> Faces:
        """The faces of one picture.

        Args:
            forward: the network.
            picture: RGB.
            boxes: (N, 4) left, top, right, bottom of what RNet or ONet alone looks at.
            smallest: side of the smallest face that PNet looks for, in pixels.
            scores: the least that a face must have after each of the three networks, 0..1.

        Raises:
            OptionError: an option has a value that it cannot have.
        """
        if len(scores) != 3:
            raise OptionError(f"scores: three are wanted, not {len(scores)}.")
        for number, value in enumerate(scores):
            check_share(f"scores[{number}]", value)
        if smallest < WINDOW:
            raise OptionError(f"smallest: {smallest!r} is less than {WINDOW} pixels.")
        if boxes is not None and self.variant in ("pnet", "mtcnn"):
            raise OptionError("boxes: PNet finds boxes itself.", hint="Leave them out.")
        if self.variant == "pnet":
            return _proposed(forward, "forward", picture, smallest, scores[0])
        if self.variant == "mtcnn":
            found = _proposed(forward, "propose", picture, smallest, scores[0])
            found = _refined(forward, "refine", picture, found.boxes, scores[1])
            return _finished(forward, "finish", picture, found.boxes, scores[2])
        given = _given(boxes, picture)
        if self.variant == "rnet":
            return _refined(forward, "forward", picture, given, scores[1])
        return _finished(forward, "forward", picture, given, scores[2])


def area_resized(picture: NDArray[np.uint8], height: int, width: int) -> NDArray[np.float32]:
    """(height, width, 3) means over the pixels that each new pixel touches, larger or smaller."""
    sums: NDArray[Any] = picture
    counts = []
    for axis, size in ((0, height), (1, width)):
        old = sums.shape[axis]
        start = np.arange(size) * old // size
        end = -(-(np.arange(size) + 1) * old // size)
        counts.append(end - start)
        summed = np.cumsum(sums, axis=axis, dtype=np.int64 if axis else np.int32)
        ground = np.zeros_like(summed.take([0], axis))
        summed = np.concatenate([ground, summed], axis)
        sums = summed.take(end, axis) - summed.take(start, axis)
    touched = (counts[0][:, None] * counts[1][None]).astype(np.float32)
    return np.asarray(sums / touched[..., None], np.float32)


def _proposed(forward: Forward, method: str, picture: RGB, smallest: int, least: float) -> Faces:
    height, width = picture.shape[:2]
    scale = WINDOW / smallest
    boxes: list[Boxes] = []
    scores: list[NDArray[np.float32]] = []
    moves: list[Boxes] = []
    while min(height, width) * scale >= WINDOW:
        resized = area_resized(picture, int(height * scale + 1), int(width * scale + 1))
        found = forward(method, image=_prepared(resized[None]))
        prob = found["prob"][0, 1]
        rows, columns = np.nonzero(prob >= least)
        places = np.stack([columns, rows], 1) * STEP
        level = np.floor(np.concatenate([places + 1, places + WINDOW], 1) / scale)
        sure = prob[rows, columns]
        kept = suppressed(level, sure, 0.5, inclusive=False)
        boxes.append(level[kept].astype(np.float32))
        scores.append(sure[kept])
        moves.append(found["reg"][0][:, rows, columns].T[kept])
        scale *= FACTOR
    if not boxes:
        return _faces(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
    every, sure, move = np.concatenate(boxes), np.concatenate(scores), np.concatenate(moves)
    kept = suppressed(every, sure, 0.7, inclusive=False)
    every, sure, move = every[kept], sure[kept], move[kept]
    sides = np.tile(every[:, 2:] - every[:, :2], 2)
    return _faces(_square(every + move * sides), sure)


def _refined(forward: Forward, method: str, picture: RGB, boxes: Boxes, least: float) -> Faces:
    seen, found = _looked(forward, method, picture, boxes, SIDES["rnet"])
    sure = found["prob"][:, 1] if len(seen) else np.zeros(0, np.float32)
    good = np.flatnonzero(sure > least)
    if not len(good):
        return _faces(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
    boxes, sure, move = seen[good], sure[good], found["reg"][good]
    kept = suppressed(boxes, sure, 0.7, inclusive=False)
    return _faces(_square(_moved(boxes[kept], move[kept])), sure[kept])


def _finished(forward: Forward, method: str, picture: RGB, boxes: Boxes, least: float) -> Faces:
    seen, found = _looked(forward, method, picture, boxes, SIDES["onet"])
    sure = found["prob"][:, 1] if len(seen) else np.zeros(0, np.float32)
    good = np.flatnonzero(sure > least)
    if not len(good):
        return _faces(
            np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32)
        )
    boxes, sure = seen[good], sure[good]
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    shares = found["points"][good].reshape(-1, 2, 5).transpose(0, 2, 1)
    points = shares * sides[:, None] + boxes[:, None, :2] - 1
    moved = _moved(boxes, found["reg"][good])
    kept = suppressed(moved, sure, 0.7, least=True)
    return _faces(moved[kept], sure[kept], points[kept])


def _looked(
    forward: Forward, method: str, picture: RGB, boxes: Boxes, side: int
) -> tuple[Boxes, dict[str, NDArray[Any]]]:
    """What a network says of the parts of a picture within boxes; those that lie outside go."""
    height, width = picture.shape[:2]
    whole = np.trunc(boxes)
    # As published: the first pixel counts from 1.
    left, top = np.maximum(whole[:, 0], 1) - 1, np.maximum(whole[:, 1], 1) - 1
    right, bottom = np.minimum(whole[:, 2], width), np.minimum(whole[:, 3], height)
    inside = np.flatnonzero((right > left) & (bottom > top))
    parts: list[dict[str, NDArray[Any]]] = []
    for start in range(0, len(inside), AT_ONCE):
        cut = [
            area_resized(
                picture[int(top[n]) : int(bottom[n]), int(left[n]) : int(right[n])], side, side
            )
            for n in inside[start : start + AT_ONCE]
        ]
        parts.append(forward(method, image=_prepared(np.stack(cut))))
    names = parts[0] if parts else {}
    return boxes[inside], {name: np.concatenate([p[name] for p in parts]) for name in names}


def _prepared(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 3, H, W) of (N, H, W, 3), normalised."""
    return np.ascontiguousarray(((pictures - 127.5) / 128).transpose(0, 3, 1, 2), np.float32)


def _moved(boxes: Boxes, move: Boxes) -> Boxes:
    sides = np.tile(boxes[:, 2:] - boxes[:, :2] + 1, 2)
    return np.asarray(boxes + move * sides, np.float32)


def _square(boxes: Boxes) -> Boxes:
    """Each box about its middle with its longer side."""
    sides = boxes[:, 2:] - boxes[:, :2]
    longer = sides.max(1, keepdims=True)
    corner = boxes[:, :2] + (sides - longer) / 2
    return np.asarray(np.concatenate([corner, corner + longer], 1), np.float32)


def _faces(
    boxes: Boxes, scores: NDArray[np.float32], points: NDArray[np.float32] | None = None
) -> Faces:
    order = np.argsort(-scores, kind="stable")
    return Faces(
        np.asarray(boxes[order], np.float32),
        np.asarray(scores[order], np.float32),
        None if points is None else np.asarray(points[order], np.float32),
    )


def _given(boxes: ArrayLike | None, picture: RGB) -> Boxes:
    if boxes is None:
        return np.array([[0, 0, picture.shape[1], picture.shape[0]]], np.float32)
    found = np.asarray(boxes, np.float32)
    if found.size == 0:
        return np.zeros((0, 4), np.float32)
    if found.ndim != 2 or found.shape[1] != 4 or not np.isfinite(found).all():
        raise OptionError(
            f"boxes: (N, 4) is wanted, not {found.shape}.",
            hint="Give left, top, right and bottom in pixels.",
        )
    return found


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> MtcnnProcessing:
    """How one of the networks, or all three in one, is used."""
    return MtcnnProcessing(variant)
