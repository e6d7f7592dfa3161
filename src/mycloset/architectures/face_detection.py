"""What face detectors share: overlapping boxes are suppressed, the best of each heap stays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mycloset.errors import OptionError


def suppressed(
    boxes: NDArray[Any],
    scores: NDArray[Any],
    overlap: float,
    *,
    inclusive: bool = True,
    least: bool = False,
    most: int | None = None,
) -> NDArray[np.int64]:
    """The boxes that stay, by place, the surest first.

    Args:
        boxes: (N, 4) left, top, right, bottom.
        scores: (N,).
        overlap: a box goes that overlaps a surer one by more than this, 0..1.
        inclusive: whether the last pixel counts: sides are one longer.
        least: whether overlap is the share of the smaller box rather than of the union.
        most: boxes that are kept.
    """
    one = 1.0 if inclusive else 0.0
    left, top, right, bottom = np.asarray(boxes, np.float32).reshape(-1, 4).T
    areas = (right - left + one) * (bottom - top + one)
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while len(order) and (most is None or len(kept) < most):
        best, rest = order[0], order[1:]
        kept.append(int(best))
        width = np.minimum(right[best], right[rest]) - np.maximum(left[best], left[rest]) + one
        height = np.minimum(bottom[best], bottom[rest]) - np.maximum(top[best], top[rest]) + one
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        if least:
            whole = np.minimum(areas[best], areas[rest])
        else:
            whole = areas[best] + areas[rest] - shared
        order = rest[shared <= overlap * whole]
    return np.array(kept, np.int64)


def check_share(name: str, value: float) -> float:
    """The value, which must lie within 0..1.

    Raises:
        OptionError: it does not.
    """
    if not 0 <= value <= 1:
        raise OptionError(f"{name}: {value!r} does not lie within 0..1.")
    return float(value)
