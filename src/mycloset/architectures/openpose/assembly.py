"""From heatmaps and part affinity fields to people: peaks, limbs by line integrals, grouping.

Source: Cao et al. 2017, section 2.3; Hzzone/pytorch-openpose, src/body.py, for the constants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

PEAK = 0.1
"""Height above which a place can be a joint."""
ALONG = 0.05
"""How far along the limb a field must point at a sample."""
SAMPLES = 10
AGREEING = 0.8
"""Share of samples that must point along the limb."""
SIGMA = 3.0
"""Pixels by which heatmaps are smoothed before peaks are looked for."""
FEWEST, LEAST = 4, 0.4
"""Joints that a person has at least, and the least mean score."""


@dataclass(frozen=True)
class Limbs:
    """Which joints limbs join, and where their fields lie.

    Attributes:
        joints: how many joints there are.
        pairs: from, to.
        channels: of each limb's field: x and y.
        starting: how many of the limbs, from the first, may begin a person.
    """

    joints: int
    pairs: tuple[tuple[int, int], ...]
    channels: tuple[tuple[int, int], ...]
    starting: int


COCO = Limbs(
    18,
    (
        (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12),
        (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17), (2, 16), (5, 17),
    ),
    (
        (12, 13), (20, 21), (14, 15), (16, 17), (22, 23), (24, 25), (0, 1), (2, 3), (4, 5), (6, 7),
        (8, 9), (10, 11), (28, 29), (30, 31), (34, 35), (32, 33), (36, 37), (18, 19), (26, 27),
    ),
    17,
)  # fmt: skip
"""The body model of 18 joints."""


class Peaks(NamedTuple):
    """Places of one joint: (N, 2) x and y, and (N,) heights."""

    points: NDArray[np.intp]
    scores: Floats


class Connections(NamedTuple):
    """Limbs of one kind: (N,) from and to, as numbers among their joint's peaks, and scores."""

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    scores: NDArray[np.float64]


def find_peaks(heatmap: Floats, least: float = PEAK) -> Peaks:
    """Where a heatmap (H, W) is higher than its four neighbours.

    Heights are those of the map before it was smoothed.
    """
    size = 2 * int(4 * SIGMA + 0.5) + 1
    smooth = np.asarray(
        cv2.GaussianBlur(heatmap, (size, size), SIGMA, borderType=cv2.BORDER_REFLECT)
    )
    above = smooth > least
    # Outside is 0, so that what is above `least` is higher than it.
    above[1:] &= smooth[1:] >= smooth[:-1]
    above[:-1] &= smooth[:-1] >= smooth[1:]
    above[:, 1:] &= smooth[:, 1:] >= smooth[:, :-1]
    above[:, :-1] &= smooth[:, :-1] >= smooth[:, 1:]
    rows, columns = np.nonzero(above)
    return Peaks(np.stack([columns, rows], 1), heatmap[rows, columns])


def connect(first: Peaks, second: Peaks, field: Floats, height: int) -> Connections:
    """The limbs that a field (H, W, 2) draws between two joints' peaks.

    Each pair's score is the line integral of the field along it, less for limbs longer than half
    the picture's height; the best pairs are taken first, each peak once.
    """
    if not len(first.points) or not len(second.points):
        none = np.zeros(0, np.intp)
        return Connections(none, none, np.zeros(0))
    start = first.points[:, None].astype(np.float64)
    end = second.points[None].astype(np.float64)
    way = end - start
    length = np.maximum(np.sqrt((way**2).sum(2)), 0.001)
    share = np.linspace(0.0, 1.0, SAMPLES)
    places = start[:, :, None] + way[:, :, None] * share[:, None]
    columns, rows = np.rint(places).astype(np.intp).transpose(3, 0, 1, 2)
    sampled = field[rows, columns]
    along = (sampled * (way / length[..., None])[:, :, None]).sum(3)
    scores = along.mean(2) + np.minimum(0.5 * height / length - 1.0, 0.0)
    good = ((along > ALONG).sum(2) > AGREEING * SAMPLES) & (scores > 0)
    ones, others = np.nonzero(good)
    order = np.argsort(-scores[ones, others], kind="stable")
    taken: list[tuple[int, int]] = []
    used_first, used_second = set(), set()
    for number in order:
        one, other = int(ones[number]), int(others[number])
        if one in used_first or other in used_second:
            continue
        used_first.add(one)
        used_second.add(other)
        taken.append((one, other))
    if not taken:
        none = np.zeros(0, np.intp)
        return Connections(none, none, np.zeros(0))
    pairs = np.array(taken, np.intp)
    return Connections(pairs[:, 0], pairs[:, 1], scores[pairs[:, 0], pairs[:, 1]])


def assemble(
    heatmaps: Floats, fields: Floats, limbs: Limbs = COCO
) -> list[tuple[NDArray[np.float32], Floats, float]]:
    """The people that heatmaps and fields show.

    Args:
        heatmaps: (H, W, joints and more) float32, at the picture's size.
        fields: (H, W, channels) float32.
        limbs: which joints limbs join.

    Returns:
        For each person (joints, 2) points (NaN where a joint is not seen), (joints,) heights, and
        the score of the whole; the best first.
    """
    peaks = [find_peaks(np.ascontiguousarray(heatmaps[..., j])) for j in range(limbs.joints)]
    connections = [
        connect(peaks[one], peaks[other], fields[..., list(channels)], heatmaps.shape[0])
        for (one, other), channels in zip(limbs.pairs, limbs.channels, strict=True)
    ]
    rows = _grouped(peaks, connections, limbs)
    people = []
    for row, total, count in rows:
        if count < FEWEST or total / count < LEAST:
            continue
        points = np.full((limbs.joints, 2), np.nan, np.float32)
        heights = np.zeros(limbs.joints, np.float32)
        for joint, peak in enumerate(row):
            if peak >= 0:
                points[joint] = peaks[joint].points[peak]
                heights[joint] = peaks[joint].scores[peak]
        people.append((points, heights, total / count))
    return sorted(people, key=lambda person: -person[2])


def _grouped(
    peaks: Sequence[Peaks], connections: Sequence[Connections], limbs: Limbs
) -> list[tuple[list[int], float, int]]:
    """Each person's peaks by joint (-1 for none), total score, and number of joints."""
    rows: list[list[int]] = []
    totals: list[float] = []
    counts: list[int] = []
    for number, ((one, other), found) in enumerate(zip(limbs.pairs, connections, strict=True)):
        # Limbs of one kind share no peak: who holds a peak changes only through this limb's own.
        for first, second, score in zip(*(values.tolist() for values in found), strict=True):
            holders = [
                place for place, row in enumerate(rows) if row[one] == first or row[other] == second
            ][:2]
            height = float(peaks[other].scores[second])
            if len(holders) == 2 and not _common(rows[holders[0]], rows[holders[1]]):
                keep, gone = holders
                rows[keep] = [max(pair) for pair in zip(rows[keep], rows[gone], strict=True)]
                totals[keep] += totals[gone] + score
                counts[keep] += counts[gone]
                del rows[gone], totals[gone], counts[gone]
            elif holders:
                keep = holders[0]
                if rows[keep][other] != second:
                    rows[keep][other] = second
                    counts[keep] += 1
                    totals[keep] += height + score
            elif number < limbs.starting:
                row = [-1] * limbs.joints
                row[one], row[other] = first, second
                rows.append(row)
                counts.append(2)
                totals.append(float(peaks[one].scores[first]) + height + score)
    return list(zip(rows, totals, counts, strict=True))


def _common(one: list[int], other: list[int]) -> bool:
    """Whether two people both have some joint."""
    return any(a >= 0 and b >= 0 for a, b in zip(one, other, strict=True))
