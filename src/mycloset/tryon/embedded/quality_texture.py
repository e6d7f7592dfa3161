"""Whether the garment kept its pattern: SSIM in the garment's own frame, and its sharpness."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.tryon.embedded.views import (
    Bools,
    Crop,
    Floats,
    Measured,
    View,
    erode,
    lightness,
    ramp,
    sample,
    shrink,
)

# Of the cells of the garment's frame: 1.5 pixels of the result each, so that nearly every cell is
# hit; shading is what is smoother than 8 cells; SSIM's window is the usual 1.5.
CELL = 1.5
SHADING_SIGMA = 8.0
WINDOW_SIGMA = 1.5
STABLE = 9.0  # (0.03 x 100)^2, SSIM's second constant on a scale of 100.
PLAIN = 0.04

SSIM_GOOD, SSIM_BAD = 0.75, 0.15
SHARP_GOOD, SHARP_BAD = 0.65, 0.15


def texture(view: View) -> Measured:
    """SSIM between the garment picture and the result, brought back to the garment's frame.

    Each seen pixel of the result names the spot of the garment picture that it shows (the warp's
    grid). All pixels that fall into one cell of the garment's frame give the mean place in either
    picture; both are sampled there. Lightness alone is compared, less what is smoother than
    8 cells (folds, light); cells count by how much pattern the garment picture has there.
    """
    crop = view.crop
    if crop is None:
        return _none("SSIM", "too little of the new garment is seen in the result")
    source, result, valid = _unwarp(view, crop)
    if int(valid.sum()) < 256:
        return _none("SSIM", "too little of the new garment is seen in the result")
    ssim, variance = _masked_ssim(source, result, valid)
    weight = np.where(valid, variance / (variance + STABLE), 0.0)
    if float(weight.sum()) < PLAIN * float(valid.sum()):
        return _none("SSIM", "the garment is plain, it has no pattern that could be compared")
    value = float((weight * ssim).sum() / weight.sum())
    score = ramp(value, SSIM_GOOD, SSIM_BAD)
    return Measured(
        value,
        "SSIM",
        score,
        "Likeness of the pattern to the garment picture, with light and folds taken out; "
        "1 is the same.",
        "The garment's pattern is not well kept: give a larger, sharper picture of the garment "
        "lying flat or seen straight from the front."
        if score < 0.5
        else "",
    )


def sharpness(view: View) -> Measured:
    """Fine detail of the garment in the result against the garment picture at the same scale.

    The ratio of the mean magnitudes of the Laplacian of lightness, at the result's full
    resolution (at most 512 pixels square of it), extremes clipped at the 98th percentile.
    """
    near, crop = view.close_up, view.crop
    if near is None or crop is None:
        return _none("ratio", "too little of the new garment is seen in the result")
    grid = view.warped.grid[near.box]
    step = max(1.0, crop.step * crop.scale)
    garment = shrink(view.garment_lightness, 1.0 / step)
    x, y = np.moveaxis((np.nan_to_num(grid) + 0.5) / step - 0.5, 2, 0)
    wanted = _detail(sample(garment, x, y), near.seen)
    found = _detail(near.result, near.seen)
    if wanted < 0.25:
        return _none("ratio", "the garment picture has no fine detail at this scale")
    value = found / wanted
    score = ramp(value, SHARP_GOOD, SHARP_BAD)
    return Measured(
        value,
        "ratio",
        score,
        "Fine detail of the garment in the result, as a share of what its picture holds at this "
        "size.",
        "The garment came out blurred: try it without smoothing, or with sharpening in "
        "post-processing."
        if score < 0.5
        else "",
    )


def sharpness_photo(view: View) -> Measured:
    """Crispness of the garment's edges in the result against that of the photo.

    Crispness is the 99th percentile of the Laplacian over that of the gradient: for an edge that
    is blurred by a Gaussian it falls as one over its width, whatever the edge's contrast.
    """
    near, person = view.close_up, view.state.person
    if near is None:
        return _none("ratio", "too little of the new garment is seen in the result")
    body = near.seen if person is None else erode(person.mask.alpha[near.box] >= 0.9, 2)
    found = _crispness(near.result, near.seen)
    photo = _crispness(lightness(view.state.person_picture.rgb[near.box]), body)
    if found is None or photo is None:
        which = "the new garment" if found is None else "the photo"
        return _none("ratio", f"{which} has no edges that could tell sharp from blurred")
    value = found / photo
    score = ramp(value, SHARP_GOOD, SHARP_BAD)
    return Measured(
        value,
        "ratio",
        score,
        "Crispness of the garment's edges, as a share of that of the photo's own.",
        "The garment is softer than the photo around it: give a larger garment picture."
        if score < 0.5
        else "",
    )


def _unwarp(view: View, crop: Crop) -> tuple[Floats, Floats, Bools]:
    """Lightness of source and result on the garment's cells, and which cells are seen."""
    cell = CELL * crop.step
    ys, xs = np.nonzero(crop.seen)
    spots = (crop.grid[ys, xs] + 0.5) / cell
    low = np.floor(spots.min(axis=0)).astype(int)
    columns, rows = (np.floor(spots) - low).astype(int).T
    width, height = int(columns.max()) + 1, int(rows.max()) + 1
    flat = rows * width + columns
    count = np.bincount(flat, minlength=width * height).reshape(height, width)
    share = 1.0 / np.maximum(count, 1)

    def mean(values: NDArray[Any]) -> Floats:
        total = np.bincount(flat, weights=values, minlength=width * height)
        return (total.reshape(height, width) * share).astype(np.float32)

    x, y = mean(xs), mean(ys)
    spread = mean(xs * xs + ys * ys) - x * x - y * y
    # A cell whose pixels lie apart is shown twice (a fold, two parts): it has no one place.
    valid = (count > 0) & (spread < 4.0)
    garment = shrink(view.garment_lightness, 1.0 / cell)
    scale = garment.shape[1] / view.state.garment_picture.width
    factor = np.float32(cell * scale)
    source = sample(garment, mean(spots[:, 0]) * factor - 0.5, mean(spots[:, 1]) * factor - 0.5)
    soft: Floats = np.asarray(cv2.GaussianBlur(crop.final[..., 0], (0, 0), CELL / 2.5), np.float32)
    return source, sample(soft, x, y), valid


def _masked_ssim(source: Floats, result: Floats, valid: Bools) -> tuple[Floats, Floats]:
    """SSIM's contrast and structure where `valid`, and the source's local variance."""
    mask = valid.astype(np.float32)

    def local(values: Floats, sigma: float) -> Floats:
        total = cv2.GaussianBlur(values * mask, (0, 0), sigma)
        weight = cv2.GaussianBlur(mask, (0, 0), sigma)
        return np.asarray(total / np.maximum(weight, 1e-3))

    source = source - local(source, SHADING_SIGMA)
    result = result - local(result, SHADING_SIGMA)
    mean_s, mean_r = local(source, WINDOW_SIGMA), local(result, WINDOW_SIGMA)
    variance_s = np.maximum(local(source * source, WINDOW_SIGMA) - mean_s * mean_s, 0.0)
    variance_r = np.maximum(local(result * result, WINDOW_SIGMA) - mean_r * mean_r, 0.0)
    covariance = local(source * result, WINDOW_SIGMA) - mean_s * mean_r
    ssim = (2.0 * covariance + STABLE) / (variance_s + variance_r + STABLE)
    return np.asarray(ssim, dtype=np.float32), np.asarray(variance_s, dtype=np.float32)


def _detail(picture: Floats, where: Bools) -> float:
    laplacian = np.abs(np.asarray(cv2.Laplacian(picture, cv2.CV_32F, ksize=1))[where])
    return float(np.minimum(laplacian, np.percentile(laplacian[::7], 98)).mean())


def _crispness(picture: Floats, where: Bools) -> float | None:
    if int(np.count_nonzero(where)) < 256:
        return None
    laplacian = np.abs(np.asarray(cv2.Laplacian(picture, cv2.CV_32F, ksize=1))[where])
    across = cv2.Sobel(picture, cv2.CV_32F, 1, 0, scale=0.125)
    down = cv2.Sobel(picture, cv2.CV_32F, 0, 1, scale=0.125)
    slope = float(np.percentile(cv2.magnitude(across, down)[where][::3], 99))
    if slope < 2.0:
        return None
    return float(np.percentile(laplacian[::3], 99)) / slope


def _none(unit: str, why: str) -> Measured:
    return Measured(None, unit, None, f"Not measured: {why}.")
