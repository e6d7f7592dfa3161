"""Folds: ridges and creases of cloth, as heights in centimetres."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mycloset.wardrobe.curves import Floats, floats, smooth_noise, smoothstep


@dataclass(frozen=True)
class Fold:
    """A rounded ridge that starts at one place and dies out towards another; lengths in cm."""

    start: tuple[float, float]
    end: tuple[float, float]
    width: float
    height: float


def relief(folds: list[Fold], x: Floats, y: Floats) -> Floats:
    """(h, w) cm: the folds together, at places x, y in cm."""
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32)
    for fold in folds:
        total += _ridge(fold, x, y)
    return total


def coarse_relief(folds: list[Fold], x: Floats, y: Floats) -> Floats:
    """As `relief`, found at every fourth place only: folds are smooth."""
    small = relief(folds, x[::4, ::4], y[::4, ::4])
    return floats(cv2.resize(small, x.shape[::-1], interpolation=cv2.INTER_LINEAR))


def _ridge(fold: Fold, x: Floats, y: Floats) -> Floats:
    span = floats(fold.end) - floats(fold.start)
    length = float(np.hypot(span[0], span[1])) + 1e-6
    dx, dy = (float(v) for v in span / length)
    along = ((x - fold.start[0]) * dx + (y - fold.start[1]) * dy) / length
    off = (x - fold.start[0]) * -dy + (y - fold.start[1]) * dx
    wide = fold.width * (0.55 + 0.9 * np.clip(along, 0, 1))
    fade = smoothstep(-0.12, 0.10, along) * smoothstep(1.08, 0.35, along)
    return floats(fold.height * fade * np.exp(-0.5 * (off / wide) ** 2))


def shaken(folds: list[Fold], rng: np.random.Generator, amount: float = 0.9) -> list[Fold]:
    """The same folds, each moved and scaled a little."""
    found = []
    for fold in folds:
        moved = rng.normal(0, amount, 4)
        found.append(
            Fold(
                (fold.start[0] + float(moved[0]), fold.start[1] + float(moved[1])),
                (fold.end[0] + 1.5 * float(moved[2]), fold.end[1] + 1.5 * float(moved[3])),
                fold.width,
                fold.height * float(rng.uniform(0.6, 1.3)),
            )
        )
    return found


def crumple(
    across: Floats, along: Floats, cell: tuple[float, float], rng: np.random.Generator
) -> Floats:
    """(h, w) noise of deviation 1 in a surface's own frame: slanting creases.

    Args:
        across, along: cm.
        cell: cm of one crease along and across.
        rng: where the numbers come from.
    """
    per = 2.0
    rows, columns = 512, 256
    sheet = smooth_noise((rows, columns), (cell[0] * per, cell[1] * per), rng, octaves=2)
    slanted = along + 0.35 * across
    return floats(
        cv2.remap(
            sheet,
            floats(across * per + columns / 2),
            floats(np.clip(slanted * per + 60, 0, rows - 1)),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
    )
