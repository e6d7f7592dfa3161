"""Whether the warp kept the garment's own geometry: no folds, no wild stretch, its proportions."""

from __future__ import annotations

import numpy as np

from mycloset.tryon.embedded.views import Bools, Floats, Measured, View, ramp

STRETCH = 4.0
WARP_GOOD, WARP_BAD = 0.01, 0.15
PROPORTION_GOOD, PROPORTION_BAD = 1.35, 2.0


def warp_regularity(view: View) -> Measured:
    """Share of the seen garment where the warp is folded over or stretched beyond reason.

    From the Jacobian of the grid: folded is where its determinant is not positive; beyond reason
    is where one direction is stretched STRETCH times more than the other, or the area is scaled
    by more than STRETCH squared against the median.
    """
    crop = view.crop
    if crop is None:
        return _none("%")
    across, down, area = _jacobian(crop.grid, crop.seen)
    squares = (across**2).sum(axis=1) + (down**2).sum(axis=1)
    middle = max(float(np.median(np.abs(area))), 1e-9)
    relative = np.abs(area) / middle
    # Where one part ends on another the grid jumps: its cells span far more than any stretch.
    jump = squares > 64.0 * 2.0 * middle
    folded = (area <= 0.0) & ~jump
    extreme = (
        (_stretch(across, down) > STRETCH) | (relative > STRETCH**2) | (relative < STRETCH**-2)
    )
    bad = folded | (extreme & ~jump)
    share = float(bad.sum()) / max(1, int((~jump).sum()))
    score = ramp(share, WARP_GOOD, WARP_BAD)
    return Measured(
        100.0 * share,
        "%",
        score,
        f"Share of the garment that is folded over ({100.0 * float(folded.mean()):.1f} %) or "
        "stretched more than four times.",
        "The garment had to be bent hard to fit the pose: give a photo seen from the front with "
        "arms away from the body."
        if score < 0.6
        else "",
    )


def proportions(view: View) -> Measured:
    """How much more the garment was stretched one way than the other (median of its area).

    A garment that lies flat is wider than the same garment around a body seen from the front, so
    a ratio of up to 1.35 is what a faithful result has.
    """
    crop = view.crop
    if crop is None:
        return _none("ratio")
    across, down, _ = _jacobian(crop.grid, crop.seen)
    if len(across) < 32:
        return _none("ratio")
    ratio = float(np.median(_stretch(across, down)))
    score = ramp(ratio, PROPORTION_GOOD, PROPORTION_BAD)
    return Measured(
        ratio,
        "ratio",
        score,
        "How many times more the garment was stretched in one direction than in the other.",
        "The garment was squeezed or drawn out to fit: check its category, and give a garment "
        "picture that was taken straight from the front."
        if score < 0.6
        else "",
    )


def _jacobian(grid: Floats, seen: Bools) -> tuple[Floats, Floats, Floats]:
    """Differences of the grid (N, 2) per pixel across and down where seen, and determinants."""
    # Every other pixel of every other row says as much, at a quarter of the time.
    here, right, below = (
        (slice(0, -1, 2), slice(0, -1, 2)),
        (slice(0, -1, 2), slice(1, None, 2)),
        (slice(1, None, 2), slice(0, -1, 2)),
    )
    whole = seen[here] & seen[right] & seen[below]
    start = grid[here][whole]
    across, down = grid[right][whole] - start, grid[below][whole] - start
    return across, down, across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0]


def _stretch(across: Floats, down: Floats) -> Floats:
    """Ratio of the two singular values of each Jacobian, at least 1."""
    squares = (across**2).sum(axis=1) + (down**2).sum(axis=1)
    area = across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0]
    half = np.sqrt(np.maximum(squares**2 - 4.0 * area**2, 0.0))
    return np.asarray(np.sqrt((squares + half) / np.maximum(squares - half, 1e-9)))


def _none(unit: str) -> Measured:
    return Measured(
        None, unit, None, "Not measured: too little of the new garment is seen in the result."
    )
