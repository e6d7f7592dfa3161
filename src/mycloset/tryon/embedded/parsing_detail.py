"""From classes at working size to a label map at the photo's own size, its borders on the edges."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.filters import nearest_value
from mycloset.images import RGB
from mycloset.tryon.embedded.parsing_frame import Flags, Floats, Frame

COLUMNS = 256
"""Points are looked up in rows of so many: OpenCV's maps have a greatest length."""


def enlarge(
    rgb: RGB,
    inside: Flags,
    frame: Frame,
    classes: NDArray[np.uint8],
    coefficients: Sequence[Floats],
) -> NDArray[np.uint8]:
    """(H, W) uint8: the class of every pixel of the person at full size, 255 elsewhere.

    Away from borders the working size knows enough; at them the smoothed costs are computed
    anew from the photo's own pixels.

    Args:
        rgb: (H, W, 3) the photo.
        inside: (H, W) bool, the person.
        classes: (h, w) the classes in the frame's box.
        coefficients: of each class, see `SharedGuide.coefficients`.
    """
    height, width = inside.shape
    classes = _filled(classes, frame.where)
    kernel = np.ones((3, 3), np.uint8)
    band = np.asarray(cv2.morphologyEx(classes, cv2.MORPH_GRADIENT, kernel), np.uint8)
    labels, doubtful = (_enlarged(frame.on_canvas(box), (width, height)) for box in (classes, band))
    ys, xs = np.nonzero((doubtful > 0) & inside)
    if len(ys):
        labels[ys, xs] = _decide(rgb, frame, classes, coefficients, ys, xs)
    labels[~inside] = 255
    return labels


def _enlarged(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def _filled(classes: NDArray[np.uint8], where: Flags) -> NDArray[np.uint8]:
    """The classes, and beyond the judged pixels that of the nearest one."""
    filled = classes.copy()
    filled[~where] = nearest_value(classes, where, ~where)
    return filled


def _decide(
    rgb: RGB,
    frame: Frame,
    classes: NDArray[np.uint8],
    coefficients: Sequence[Floats],
    ys: NDArray[np.int64],
    xs: NDArray[np.int64],
) -> NDArray[np.uint8]:
    """(M,) for some pixels of the photo the cheapest of the classes that are near."""
    high, wide = coefficients[0].shape[:2]
    box_high, box_wide = frame.where.shape
    fx, fy = frame.size[0] / rgb.shape[1], frame.size[1] / rgb.shape[0]
    mx = (((xs + 0.5) * fx - frame.left) * (wide / box_wide) - 0.5).astype(np.float32)
    my = (((ys + 0.5) * fy - frame.top) * (high / box_high) - 0.5).astype(np.float32)
    count = len(xs)
    padded = -(-count // COLUMNS) * COLUMNS
    map_x, map_y = (np.pad(m, (0, padded - count)).reshape(-1, COLUMNS) for m in (mx, my))
    colours = np.ones((count, 4), np.float32)
    colours[:, :3] = rgb[ys, xs] * np.float32(1 / 255)
    costs = np.full((len(coefficients), count), np.inf, np.float32)
    row = np.clip(((ys + 0.5) * fy).astype(np.int64) - frame.top, 0, box_high - 1)
    column = np.clip(((xs + 0.5) * fx).astype(np.int64) - frame.left, 0, box_wide - 1)
    kernel = np.ones((5, 5), np.uint8)
    for number, layer in enumerate(coefficients):
        found = cv2.remap(
            layer, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ).reshape(-1, 4)[:count]
        near = cv2.dilate((classes == number).astype(np.uint8), kernel)[row, column] > 0
        costs[number, near] = np.einsum("nc,nc->n", found[near], colours[near])
    return np.asarray(costs.argmin(axis=0), np.uint8)
