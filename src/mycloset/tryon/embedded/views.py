"""The pictures of a finished try-on at the sizes at which its quality is measured."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.errors import StepError
from mycloset.images import RGB
from mycloset.tryon.state import Fitting, TryOnState, WarpedGarment

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

WHOLE_SIDE = 512
CROP_SIDE = 400
CLOSE_SIDE = 512
SEEN = 0.95
PAIRS = 6000


@dataclass(frozen=True)
class Measured:
    """What one measure found.

    Attributes:
        value: the figure in `unit`, or None where it could not be measured.
        unit: unit of `value`.
        score: 0..1, or None with `value`.
        meaning: one sentence for the user.
        advice: what to do about it; empty where nothing need be done.
    """

    value: float | None
    unit: str
    score: float | None
    meaning: str
    advice: str = ""


@dataclass(frozen=True)
class Crop:
    """The part of the picture where the new garment is seen, at a limited size.

    Attributes:
        box: rows and columns of the person picture that this shows.
        scale: pixels of this crop per pixel of the person picture, at most 1.
        final: (h, w, 3) float32 CIELAB of the result.
        seen: (h, w) bool, pixels that show nothing but the new garment.
        grid: (h, w, 2) float32, x and y in the garment picture; NaN where there is none.
        step: how many pixels of the garment picture one pixel of the crop spans (median).
    """

    box: tuple[slice, slice]
    scale: float
    final: Floats
    seen: Bools
    grid: Floats
    step: float


@dataclass(frozen=True)
class CloseUp:
    """A box of at most 512 pixels square in the middle of the seen garment, at full size.

    Attributes:
        box: rows and columns of the person picture.
        seen: (h, w) bool, pixels that show nothing but the new garment.
        result: (h, w) float32 CIELAB L of the result.
    """

    box: tuple[slice, slice]
    seen: Bools
    result: Floats


class Pairs(NamedTuple):
    """(N, 3) float32 CIELAB of corresponding pixels."""

    source: Floats
    result: Floats


@dataclass(frozen=True)
class View:
    """All that the measures share; see `look`.

    Attributes:
        state: the try-on, with `warped`, `fitted`, `final` and `cloth_mask` filled.
        scale: pixels of the whole view per pixel of the person picture, at most 1.
        photo, final: (h, w, 3) float32 CIELAB of the photo and the result, long side at most 512.
        changed, garment: (h, w) float32 0..1, as in `Fitting`, at that size.
        crop: the garment's own part at up to 400 pixels, or None where it is seen nowhere.
    """

    state: TryOnState
    warped: WarpedGarment
    fitted: Fitting
    result: RGB
    scale: float
    photo: Floats
    final: Floats
    changed: Floats
    garment: Floats
    crop: Crop | None

    @cached_property
    def garment_lightness(self) -> Floats:
        """(H, W) float32 CIELAB L of the garment picture."""
        return lightness(self.state.garment_picture.rgb)

    @cached_property
    def close_up(self) -> CloseUp | None:
        """The middle of the seen garment at full size; None where too little is seen."""
        return _close_up(self)

    @cached_property
    def pairs(self) -> Pairs | None:
        """Colours of the garment picture and the result at the same spots; None if too few."""
        return _pairs(self)


def look(state: TryOnState) -> View:
    """Prepare the views of a finished try-on.

    Raises:
        StepError: a field that is needed is missing, or pictures differ in size.
    """
    warped, fitted, final = state.warped, state.fitted, state.final
    if warped is None or fitted is None or final is None or state.cloth_mask is None:
        needed = ("cloth_mask", "warped", "fitted", "final")
        missing = ", ".join(name for name in needed if getattr(state, name) is None)
        raise StepError(
            "quality_assessment",
            f"there is no {missing} to judge.",
            hint="Run the steps before it.",
            state=state,
        )
    size = state.person_picture.rgb.shape[:2]
    sizes = {
        "result": final.shape[:2],
        "changed region": fitted.changed.shape,
        "warped garment": warped.alpha.shape,
        "grid": warped.grid.shape[:2],
    }
    if state.parsing is not None:
        sizes["parsing"] = state.parsing.labels.shape
    if state.person is not None:
        sizes["silhouette"] = state.person.mask.alpha.shape
    for name, found in sizes.items():
        if found != size:
            raise StepError(
                "quality_assessment",
                f"the {name} is {found[1]}x{found[0]} pixels, the photo {size[1]}x{size[0]}.",
                hint="Every step must keep the size of the person picture.",
                state=state,
            )
    scale = min(1.0, WHOLE_SIDE / max(size))
    return View(
        state=state,
        warped=warped,
        fitted=fitted,
        result=final,
        scale=scale,
        photo=to_lab(shrink(state.person_picture.rgb, scale)),
        final=to_lab(shrink(final, scale)),
        changed=shrink(fitted.changed, scale),
        garment=shrink(fitted.garment, scale),
        crop=_crop(warped, fitted, final),
    )


def ramp(value: float, good: float, bad: float) -> float:
    """1 at `good` and beyond, 0 at `bad` and beyond, linear between; either may be the larger."""
    return float(np.clip((value - bad) / (good - bad), 0.0, 1.0))


def shrink(values: NDArray[Any], scale: float) -> NDArray[Any]:
    """Resize by area averages; `scale` of at most 1; a copy is made only where one is needed."""
    if scale >= 1.0:
        return values
    height, width = values.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA))


def to_lab(rgb: NDArray[np.uint8]) -> Floats:
    """sRGB (..., 3) of two or three axes to CIELAB (D65), L 0..100."""
    lab: Floats = np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB))
    return lab


def lightness(rgb: NDArray[np.uint8]) -> Floats:
    """(H, W) float32 CIELAB L, 0..100, at the precision of 8 bits (fast)."""
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    return np.asarray(lab[..., 0], dtype=np.float32) * (100.0 / 255.0)


def sample(picture: Floats, x: NDArray[Any], y: NDArray[Any]) -> Floats:
    """Bilinear samples at pixel positions (any shape of two axes); edges are repeated."""
    return np.asarray(
        cv2.remap(
            picture,
            np.ascontiguousarray(x, np.float32),
            np.ascontiguousarray(y, np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    )


def box_of(mask: Bools) -> tuple[slice, slice] | None:
    """Rows and columns of the smallest box around the true pixels; None where there are none."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if rows.size == 0:
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def distance(one: Floats, other: NDArray[Any]) -> Floats:
    """Euclidean distance along the last axis (CIELAB: the difference of 1976)."""
    off = one - other
    return np.asarray(np.sqrt(np.einsum("...i,...i->...", off, off)))


def erode(mask: Bools, radius: int) -> Bools:
    """Take `radius` pixels off the border of a mask; the picture's own edge is no border."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.asarray(cv2.erode(mask.astype(np.uint8), kernel)) > 0


def seen_garment(warped: WarpedGarment, fitted: Fitting, rows: slice, columns: slice) -> Bools:
    """(h, w) bool: pixels of a box that show nothing but the new garment."""
    sure: Bools = (
        (fitted.garment[rows, columns] >= SEEN)
        & (warped.alpha[rows, columns] >= SEEN)
        & np.isfinite(warped.grid[rows, columns, 0])
    )
    return sure


def _crop(warped: WarpedGarment, fitted: Fitting, final: RGB) -> Crop | None:
    box = box_of(fitted.garment >= SEEN)
    if box is None:
        return None
    rows, columns = box
    height, width = rows.stop - rows.start, columns.stop - columns.start
    scale = min(1.0, CROP_SIDE / max(height, width))
    # Averages over cells with a NaN are NaN: such cells lie at the garment's edge and drop out.
    grid = np.asarray(shrink(warped.grid[rows, columns], scale), dtype=np.float32)
    sure = seen_garment(warped, fitted, rows, columns).astype(np.float32)
    seen = erode((shrink(sure, scale) > 0.999) & np.isfinite(grid[..., 0]), 1)
    if int(seen.sum()) < 64:
        return None
    both = seen[:-1, :-1] & seen[:-1, 1:] & seen[1:, :-1]
    across = (grid[:-1, 1:] - grid[:-1, :-1])[both]
    down = (grid[1:, :-1] - grid[:-1, :-1])[both]
    if len(across) == 0:
        return None
    area = np.abs(across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0])
    step = float(np.sqrt(np.median(area)))
    if step <= 0:
        return None
    return Crop(
        box=box,
        scale=scale,
        final=to_lab(shrink(final[rows, columns], scale)),
        seen=seen,
        grid=grid,
        step=step,
    )


def _close_up(view: View) -> CloseUp | None:
    if view.crop is None:
        return None
    rows, columns = (_middle(side) for side in view.crop.box)
    seen = erode(seen_garment(view.warped, view.fitted, rows, columns), 2)
    if int(np.count_nonzero(seen)) < 256:
        return None
    return CloseUp((rows, columns), seen, lightness(view.result[rows, columns]))


def _middle(side: slice) -> slice:
    start, stop = int(side.start), int(side.stop)
    spare = max(0, stop - start - CLOSE_SIDE)
    return slice(start + spare // 2, stop - (spare - spare // 2))


def _pairs(view: View) -> Pairs | None:
    crop, state = view.crop, view.state
    if crop is None or state.cloth_mask is None:
        return None
    stride = max(1, int(np.sqrt(crop.seen.sum() / PAIRS)))
    seen = crop.seen[::stride, ::stride]
    grid = crop.grid[::stride, ::stride][seen]
    # Averages over what one pixel of the crop spans, so that the pattern's phase matters little.
    scale = min(1.0, 1.0 / crop.step)
    garment = to_lab(shrink(state.garment_picture.rgb, scale))
    alpha = shrink(state.cloth_mask.alpha, scale)
    x, y = ((grid + 0.5) * scale - 0.5).T
    inside = sample(alpha, x[None], y[None])[0] >= 0.99
    if int(inside.sum()) < 32:
        return None
    source = sample(garment, x[None], y[None])[0][inside]
    return Pairs(source, crop.final[::stride, ::stride][seen][inside])
