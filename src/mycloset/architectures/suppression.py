"""Non-maximum suppression: of boxes that overlap, the surest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def suppress(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    labels: NDArray[np.int64] | None = None,
    *,
    iou: float,
    most: int | None = None,
) -> NDArray[np.int64]:
    """Places of the boxes that are kept, the surest first.

    Args:
        boxes: (N, 4) left, top, right, bottom.
        scores: (N,).
        labels: (N,) classes; boxes of two classes do not suppress each other.
        iou: boxes that share more than this of their union with a surer one go.
        most: so many are kept at most.
    """
    order = np.argsort(-scores, kind="stable")
    left, top, right, bottom = boxes[order].T
    area = (right - left) * (bottom - top)
    kinds = None if labels is None else labels[order]
    alive = np.ones(len(order), bool)
    kept: list[int] = []
    place = 0
    while place < len(order) and (most is None or len(kept) < most):
        if alive[place]:
            kept.append(place)
            rest = np.flatnonzero(alive[place + 1 :]) + place + 1
            if kinds is not None:
                rest = rest[kinds[rest] == kinds[place]]
            wide = np.minimum(right[rest], right[place]) - np.maximum(left[rest], left[place])
            high = np.minimum(bottom[rest], bottom[place]) - np.maximum(top[rest], top[place])
            shared = wide.clip(0) * high.clip(0)
            union = area[rest] + area[place] - shared
            alive[rest[shared > iou * union]] = False
        place += 1
    found: NDArray[np.int64] = order[np.array(kept, np.int64)].astype(np.int64)
    return found
