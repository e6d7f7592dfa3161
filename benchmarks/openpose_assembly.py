"""OpenPose's assembly of people: ours beside the plain nested loops, on the same maps.

    python benchmarks/openpose_assembly.py [--people 20] [--runs 9]

People are drawn as heatmaps and part affinity fields, so that the truth is known. Both ways get the
same peaks and the same fields, and must give the same people.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mycloset.architectures.openpose.assembly import Peaks, Person, assemble, find_peaks
from mycloset.architectures.openpose.tables import BODIES, Limb

Floats = NDArray[np.float32]

BODY = BODIES[18]
STANDING = {
    "nose": (0, -0.85), "neck": (0, -0.6), "right_shoulder": (-0.2, -0.58),
    "right_elbow": (-0.27, -0.3), "right_wrist": (-0.3, -0.02), "left_shoulder": (0.2, -0.58),
    "left_elbow": (0.27, -0.3), "left_wrist": (0.3, -0.02), "right_hip": (-0.13, 0),
    "right_knee": (-0.14, 0.4), "right_ankle": (-0.15, 0.8), "left_hip": (0.13, 0),
    "left_knee": (0.14, 0.4), "left_ankle": (0.15, 0.8), "right_eye": (-0.05, -0.9),
    "left_eye": (0.05, -0.9), "right_ear": (-0.1, -0.87), "left_ear": (0.1, -0.87),
}  # fmt: skip
"""Joints of somebody who stands, one unit from hips to sole."""


def crowd(people: int, *, seed: int = 0, height: int = 368) -> tuple[Floats, Floats, Floats]:
    """Maps of people side by side in rows.

    Returns:
        (18, H, W) heatmaps, (38, H, W) fields, and (people, 18, 2) the truth.
    """
    stream = np.random.default_rng(seed)
    columns = max(1, math.ceil(math.sqrt(2 * people)))
    rows = math.ceil(people / columns)
    size = height / rows / 2.2
    width = round(columns * size * 1.1)
    rest = np.array([STANDING[joint] for joint in BODY.skeleton.joints], np.float32)
    centres = [
        ((place % columns + 0.5) * width / columns, (place // columns + 0.52) * height / rows)
        for place in range(people)
    ]
    truth = np.array(
        [rest * size + centre + stream.normal(0, 0.02 * size, rest.shape) for centre in centres],
        np.float32,
    )
    y, x = np.mgrid[:height, :width].astype(np.float32)
    heatmaps = np.zeros((18, height, width), np.float32)
    fields = np.zeros((38, height, width), np.float32)
    for person in truth:
        for joint, (px, py) in enumerate(person):
            bump = np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 2.0**2))
            heatmaps[joint] = np.maximum(heatmaps[joint], bump)
        for limb in BODY.limbs:
            start, way = person[limb.first], person[limb.second] - person[limb.first]
            length = max(float(np.hypot(*way)), 1e-3)
            unit = way / length
            along = (x - start[0]) * unit[0] + (y - start[1]) * unit[1]
            beside = np.abs((x - start[0]) * unit[1] - (y - start[1]) * unit[0])
            near = (along > -1) & (along < length + 1) & (beside < 3)
            fields[limb.x][near], fields[limb.y][near] = unit
    return heatmaps, fields, truth


def peaks_of(heatmaps: Floats) -> list[Peaks]:
    """The peaks that both ways start from."""
    found = []
    for heatmap in heatmaps:
        x, y = find_peaks(heatmap)
        found.append(Peaks(x, y, heatmap[y, x]))
    return found


def ours(peaks: Sequence[Peaks], fields: Floats) -> list[Person]:
    """The product's assembly."""
    return assemble(peaks, BODY.limbs, lambda c, y, x: fields[c, y, x], fields.shape[1])


def plain(peaks: Sequence[Peaks], fields: Floats) -> list[Person]:
    """Cao et al. 2017 by nested loops: every pair of every limb, every sample, every person."""
    rows: list[list[float]] = []
    for limb in BODY.limbs:
        for one, other, value in _best(_candidates(peaks, limb, fields), peaks, limb):
            _grow(rows, peaks, limb, one, other, value)
    people = []
    for row in rows:
        if row[19] >= 4 and row[18] / row[19] >= 0.4:
            people.append(Person(tuple(int(n) for n in row[:18]), row[18], int(row[19])))
    return people


def _candidates(peaks: Sequence[Peaks], limb: Limb, fields: Floats) -> list[tuple[int, int, float]]:
    found = []
    first, second = peaks[limb.first], peaks[limb.second]
    for i in range(len(first.x)):
        for j in range(len(second.x)):
            dx, dy = float(second.x[j] - first.x[i]), float(second.y[j] - first.y[i])
            length = max(0.001, math.sqrt(dx * dx + dy * dy))
            xs = np.linspace(first.x[i], second.x[j], 10)
            ys = np.linspace(first.y[i], second.y[j], 10)
            values = []
            for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
                column, row = round(x), round(y)
                values.append(
                    fields[limb.x, row, column] * dx / length
                    + fields[limb.y, row, column] * dy / length
                )
            score = sum(values) / len(values) + min(0.5 * fields.shape[1] / length - 1, 0)
            if sum(value > 0.05 for value in values) > 8 and score > 0:
                found.append((i, j, score))
    return found


def _best(
    candidates: list[tuple[int, int, float]], peaks: Sequence[Peaks], limb: Limb
) -> list[tuple[int, int, float]]:
    chosen: list[tuple[int, int, float]] = []
    most = min(len(peaks[limb.first].x), len(peaks[limb.second].x))
    for i, j, score in sorted(candidates, key=lambda found: found[2], reverse=True):
        if all(i != one and j != other for one, other, _ in chosen):
            chosen.append((i, j, score))
            if len(chosen) >= most:
                break
    return chosen


def _grow(
    rows: list[list[float]],
    peaks: Sequence[Peaks],
    limb: Limb,
    one: int,
    other: int,
    value: float,
) -> None:
    owners = []
    for number in range(len(rows)):
        if rows[number][limb.first] == one or rows[number][limb.second] == other:
            owners.append(number)
    below = float(peaks[limb.second].height[other])
    if len(owners) >= 2:
        first, second = rows[owners[0]], rows[owners[1]]
        if not any(first[kind] >= 0 and second[kind] >= 0 for kind in range(18)):
            for kind in range(18):
                first[kind] += second[kind] + 1
            first[18] += second[18] + value
            first[19] += second[19]
            del rows[owners[1]]
        else:
            first[limb.second] = other
            first[18] += below + value
            first[19] += 1
    elif len(owners) == 1:
        row = rows[owners[0]]
        if row[limb.second] != other:
            row[limb.second] = other
            row[18] += below + value
            row[19] += 1
    elif limb.founds:
        row = [-1.0] * 20
        row[limb.first], row[limb.second] = one, other
        row[18] = float(peaks[limb.first].height[one]) + below + value
        row[19] = 2
        rows.append(row)


def same(one: list[Person], other: list[Person]) -> bool:
    """Whether two ways gave the same people, with the same scores but for rounding."""
    return len(one) == len(other) and all(
        a.peaks == b.peaks and a.parts == b.parts and math.isclose(a.total, b.total, rel_tol=1e-4)
        for a, b in zip(one, other, strict=True)
    )


def seconds(call: Callable[[], Any], runs: int) -> float:
    """The middle of several runs' times, after one that does not count."""
    call()
    taken = []
    for _ in range(runs):
        begin = time.perf_counter()
        call()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, nargs="+", default=[1, 5, 20])
    parser.add_argument("--runs", type=int, default=9)
    given = parser.parse_args()
    print(f"{'people':>7} {'found':>7} {'plain ms':>10} {'ours ms':>9} {'ratio':>7}  same people")
    for people in given.people:
        heatmaps, fields, _ = crowd(people)
        peaks = peaks_of(heatmaps)
        agree = same(ours(peaks, fields), plain(peaks, fields))
        slow = seconds(partial(plain, peaks, fields), given.runs)
        fast = seconds(partial(ours, peaks, fields), given.runs)
        found = len(ours(peaks, fields))
        print(
            f"{people:7d} {found:7d} {1e3 * slow:10.1f} {1e3 * fast:9.2f} {slow / fast:6.0f}x"
            f"  {'yes' if agree else 'NO'}"
        )


if __name__ == "__main__":
    main()
