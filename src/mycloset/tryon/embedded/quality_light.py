"""Whether the new garment lies in the photo's own light, with the folds of the body under it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.tryon.embedded.quality_coverage import old_place
from mycloset.tryon.embedded.views import (
    Bools,
    Crop,
    Floats,
    Measured,
    View,
    ramp,
    sample,
    shrink,
    to_lab,
)

SMOOTH = 0.02  # Of the crop's long side: finer than a fold, coarser than a print.
EVEN = 0.02
CHROMA_SPREAD = 10.0
LIGHT_GOOD, LIGHT_BAD = 0.4, 0.0


def light(view: View) -> Measured:
    """How much of the photo's light and shade the new garment shows: 0 is flat, 1 is all of it.

    Where old and new garment lie over each other: the regression slope of the new shading (log
    ratio of the result's lightness to the garment picture's) on the photo's own (log of the old
    garment's lightness), both smoothed. It can be told only where the old garment was of one
    colour and the light on it uneven.
    """
    crop, old = view.crop, old_place(view)
    if crop is None or old is None:
        return _none("the photo shows no garment of this kind")
    where, photo, final, grid = _coarse(view, crop, old)
    if int(where.sum()) < 200:
        return _none("the old garment and the new one hardly overlap")
    if float(photo[where][:, 1:].std(axis=0).max()) > CHROMA_SPREAD or _patterned(
        photo[..., 0], where
    ):
        return _none("the old garment has a pattern, its shading cannot be told from it")
    scale = 0.5 / max(0.5, crop.step)
    x, y = np.moveaxis((np.nan_to_num(grid) + 0.5) * scale - 0.5, 2, 0)
    source = sample(shrink(view.garment_lightness, scale), x, y)
    before = _smooth(np.log(photo[..., 0] + 16.0), where)
    after = _smooth(np.log((final[..., 0] + 16.0) / (source + 16.0)), where)
    spread = float(before.var())
    if spread < EVEN**2:
        return _none("the light on the old garment was even")
    value = float(np.cov(before, after)[0, 1] / spread)
    score = ramp(value, LIGHT_GOOD, LIGHT_BAD)
    return Measured(
        value,
        "ratio",
        score,
        "Share of the photo's light and shade that the new garment shows.",
        "The garment looks flat, without the photo's light: a garment picture in even light and a "
        "photo with visible folds help."
        if score < 0.5
        else "",
    )


def _coarse(view: View, crop: Crop, old: Bools) -> tuple[Bools, Floats, Floats, Floats]:
    """Where both garments are, the photo's and result's CIELAB and the grid, at half the crop."""
    height, width = crop.seen.shape
    size = (width // 2, height // 2)

    def half(values: NDArray[Any]) -> Floats:
        return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA))

    seen = half(crop.seen.astype(np.float32)) > 0.99
    rows, columns = crop.box
    photo = half(view.state.person_picture.rgb[rows, columns])
    # Of the whole view, the same box at the same size.
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    y = ((y + 0.5) * (rows.stop - rows.start) / size[1] + rows.start) * view.scale - 0.5
    x = ((x + 0.5) * (columns.stop - columns.start) / size[0] + columns.start) * view.scale - 0.5
    place = sample(old.astype(np.float32), x, y) > 0.99
    return seen & place, to_lab(photo.astype(np.uint8)), half(crop.final), half(crop.grid)


def _smooth(values: Floats, where: Bools) -> Floats:
    """Values of the masked pixels after a Gaussian that takes in masked pixels only."""
    mask = where.astype(np.float32)
    sigma = SMOOTH * max(values.shape)
    total = cv2.GaussianBlur(values * mask, (0, 0), sigma)
    weight = cv2.GaussianBlur(mask, (0, 0), sigma)
    return np.asarray((total / np.maximum(weight, 1e-3))[where])


def _patterned(lightness_: Floats, where: Bools) -> bool:
    """Whether fine contrast is stronger than folds of plain cloth make it."""
    fine = lightness_ - np.asarray(cv2.GaussianBlur(lightness_, (0, 0), 3.0))
    return float(np.std(fine[where])) > 6.0


def _none(why: str) -> Measured:
    return Measured(None, "ratio", None, f"Not measured: {why}.")
