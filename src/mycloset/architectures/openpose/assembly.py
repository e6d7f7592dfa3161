"""From heatmaps and part affinity fields to people: peaks, line integrals, and who owns what.

The rules are those of Cao et al. 2017 as pytorch-openpose states them (src/body.py); all pairs of
all limbs are measured at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.architectures.openpose.tables import Limb

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

PEAK = 0.1
"""Least height of a smoothed heatmap at a joint."""
ALONG = 0.05
"""Least value of a field along a limb, at a sample."""
SAMPLES = 10
"""Places on a limb at which its field is looked at."""
SHARE = 0.8
"""More than this share of them must reach `ALONG`."""
LEAST_JOINTS, LEAST_MEAN = 4, 0.4
"""People with fewer joints, or a lower score per joint, are none."""

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
"""A pixel and its direct neighbours."""

_TOGETHER = 1 << 15
"""Pairs of peaks that are measured at once; bounds the memory that noise can take."""

_FIRST = [2, 4, 6, 8]
"""Samples that every pair is looked at; the others only where these speak for a limb."""

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
"""A pixel and its direct neighbours."""

FieldAt = Callable[[Integers, Integers, Integers], Floats]
"""Values of fields (channel, y and x as arrays of one shape) at whole pixels."""


class Peaks(NamedTuple):
    """Joints of one kind: (P,) columns and rows in pixels, and heights."""

    x: Integers
    y: Integers
    height: Floats


class Person(NamedTuple):
    """Whose joints are whose.

    Attributes:
        peaks: for each kind of joint the number of its peak, -1 where it was not found.
        total: heights of its peaks and values of its limbs, added up.
        parts: how many joints were counted.
    """

    peaks: tuple[int, ...]
    total: float
    parts: int


def find_peaks(smooth: Floats, corner: tuple[int, int] = (0, 0)) -> tuple[Integers, Integers]:
    """Columns and rows of pixels higher than `PEAK` that no direct neighbour exceeds.

    Args:
        smooth: (H, W) smoothed heatmap, or a part of it.
        corner: column and row of the part's first pixel.
    """
    if not smooth.size:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    highest = cv2.dilate(smooth, _CROSS)
    top = np.flatnonzero((smooth >= highest) & (smooth > PEAK))
    rows, columns = np.divmod(top, smooth.shape[1])
    return columns + corner[0], rows + corner[1]


def assemble(
    peaks: Sequence[Peaks], limbs: Sequence[Limb], field_at: FieldAt, height: int
) -> list[Person]:
    """People, in the order in which they were found.

    Args:
        peaks: of each kind of joint.
        limbs: what joins them, in the order in which people grow.
        field_at: looks up the part affinity fields.
        height: of the picture that peaks and fields lie in; limbs longer than half of it count
            less.
    """
    connections = _connections(peaks, limbs, field_at, height)
    rows: list[list[Any]] = []
    kinds = len(peaks)
    for limb, (firsts, seconds, values) in zip(limbs, connections, strict=True):
        a, b = limb.first, limb.second
        above, below = peaks[a].height.tolist(), peaks[b].height.tolist()
        for one, other, value in zip(firsts, seconds, values, strict=True):
            owners = [row for row in rows if row[a] == one or row[b] == other][:2]
            if not owners:
                if limb.founds:
                    row: list[Any] = [-1] * kinds
                    row[a], row[b] = one, other
                    rows.append([*row, above[one] + below[other] + value, 2])
                continue
            owner = owners[0]
            if len(owners) == 2 and _apart(owner, owners[1], kinds):
                second = owners[1]
                for kind in range(kinds):
                    owner[kind] = max(owner[kind], second[kind])
                owner[-2] += second[-2] + value
                owner[-1] += second[-1]
                rows = [row for row in rows if row is not second]
            elif len(owners) == 2 or owner[b] != other:
                owner[b] = other
                owner[-2] += below[other] + value
                owner[-1] += 1
    return [
        Person(tuple(row[:kinds]), float(row[-2]), int(row[-1]))
        for row in rows
        if row[-1] >= LEAST_JOINTS and row[-2] / row[-1] >= LEAST_MEAN
    ]


def _apart(one: list[Any], other: list[Any], kinds: int) -> bool:
    """Whether two people have no kind of joint in common, so that they may be one."""
    return not any(one[kind] >= 0 and other[kind] >= 0 for kind in range(kinds))


Connections = tuple[list[int], list[int], list[float]]


def _connections(
    peaks: Sequence[Peaks], limbs: Sequence[Limb], field_at: FieldAt, height: int
) -> list[Connections]:
    """For each limb the pairs of peaks that it joins, best first, with their values."""
    counts = [len(kind.x) for kind in peaks]
    sizes = [counts[limb.first] * counts[limb.second] for limb in limbs]
    if not any(sizes):
        return [([], [], []) for _ in limbs]
    pairs = [
        np.divmod(np.arange(size), max(1, counts[limb.second]))
        for limb, size in zip(limbs, sizes, strict=True)
    ]

    both = list(zip(limbs, pairs, strict=True))
    firsts, seconds = (
        (
            np.concatenate([peaks[limb[end]].x[pair[end]] for limb, pair in both]),
            np.concatenate([peaks[limb[end]].y[pair[end]] for limb, pair in both]),
        )
        for end in (0, 1)
    )
    channels = np.repeat(np.array([[limb.x, limb.y] for limb in limbs]), sizes, axis=0)
    parts = [
        _integrals(
            (firsts[0][part], firsts[1][part]),
            (seconds[0][part], seconds[1][part]),
            channels[part],
            field_at,
            height,
        )
        for part in (slice(start, start + _TOGETHER) for start in range(0, sum(sizes), _TOGETHER))
    ]
    score = np.concatenate([value for value, _ in parts])
    kept = np.concatenate([sound for _, sound in parts])

    found: list[Connections] = []
    start = 0
    for limb, size, (one, two) in zip(limbs, sizes, pairs, strict=True):
        here = np.flatnonzero(kept[start : start + size])
        value = score[start : start + size][here]
        order = np.argsort(-value, kind="stable")
        most = min(counts[limb.first], counts[limb.second])
        found.append(
            _matched(
                one[here][order].tolist(), two[here][order].tolist(), value[order].tolist(), most
            )
        )
        start += size
    return found


def _integrals(
    starts: tuple[Integers, Integers],
    ends: tuple[Integers, Integers],
    channels: Integers,
    field_at: FieldAt,
    height: int,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(K,) values of lines from start to end, x and y, in their fields; and which are limbs."""
    along, across = (
        (end - start).astype(np.float64) for start, end in zip(starts, ends, strict=True)
    )
    length = np.maximum(np.hypot(along, across), 1e-3)
    steps = np.linspace(0.0, 1.0, SAMPLES)

    def at(pairs: Integers, samples: NDArray[np.float64]) -> NDArray[np.float64]:
        """(pairs, samples) the field along each line."""
        dx, dy = along[pairs, None], across[pairs, None]
        x = np.rint(starts[0][pairs, None] + dx * samples).astype(np.int64)
        y = np.rint(starts[1][pairs, None] + dy * samples).astype(np.int64)
        which = channels[pairs]
        total = field_at(np.broadcast_to(which[:, :1], x.shape), y, x) * dx
        total = total + field_at(np.broadcast_to(which[:, 1:], x.shape), y, x) * dy
        found: NDArray[np.float64] = total / length[pairs, None]
        return found

    # Most pairs are none, and a few samples show it: so many of them may fail, and no more.
    failing = SAMPLES - math.floor(SHARE * SAMPLES) - 1
    first = at(np.arange(len(length)), steps[_FIRST])
    pairs = np.flatnonzero((first <= ALONG).sum(axis=1) <= failing)
    values = at(pairs, steps)
    score, kept = np.zeros(len(length)), np.zeros(len(length), bool)
    score[pairs] = values.mean(axis=1) + np.minimum(0.5 * height / length[pairs] - 1.0, 0.0)
    kept[pairs] = ((values > ALONG).sum(axis=1) > SHARE * SAMPLES) & (score[pairs] > 0)
    return score, kept


def _matched(ones: list[int], twos: list[int], values: list[float], most: int) -> Connections:
    """The best pairs in which no peak occurs twice; at most `most`."""
    taken: Connections = ([], [], [])
    first: set[int] = set()
    second: set[int] = set()
    for one, two, value in zip(ones, twos, values, strict=True):
        if one not in first and two not in second:
            first.add(one)
            second.add(two)
            taken[0].append(one)
            taken[1].append(two)
            taken[2].append(value)
            if len(first) == most:
                break
    return taken
