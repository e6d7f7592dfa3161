"""The part of a photo that holds a person, at the size at which classes are decided.

Only the person's own pixels are looked at: they are kept as a list, one entry a pixel, and spread
over the picture where neighbours matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.images import RGB
from mycloset.tasks.masks import Mask
from mycloset.tryon.embedded.body import Body
from mycloset.tryon.embedded.colour_models import colour_terms, to_lab

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

LEARNING_SIDE = 256
"""Long side, in pixels, at which colours and garments' ends are learned."""
WORKING_SIDE = 448
"""Long side at which classes are decided; borders are then brought to full size."""

CLASSES = ("face", "hair", "neck", "upper", "lower", "arm", "leg", "shoe")
FACE, HAIR, NECK, UPPER, LOWER, ARM, LEG, SHOE = range(len(CLASSES))
HAT = len(CLASSES)
"""Told from hair only at the end: it has no place or colour of its own to be looked for."""

MARGIN = 2
"""Pixels around the mask that are judged too: the full-size edge may lie beyond the small one."""


@dataclass(frozen=True)
class Frame:
    """A person's pixels. N of them lie in a box of h x w pixels.

    Attributes:
        guide: (h, w, 3) uint8, the box.
        where: (h, w) bool, the N pixels that are judged.
        inside: (N,) bool, those that are the person's for certain.
        xs, ys: (N,) float32, places in pixels of the whole picture at working size.
        lab: (N, 3) float32, a little blurred.
        terms: (7, N) float32, of `colour_terms`.
        body: the body at working size.
        left, top: the box's corner in the picture at working size.
        size: (width, height) of the whole picture at working size.
    """

    guide: RGB
    where: Flags
    inside: Flags
    xs: Floats
    ys: Floats
    lab: Floats
    terms: Floats
    body: Body
    left: int
    top: int
    size: tuple[int, int]

    def spread(self, values: Floats) -> Floats:
        """(h, w) float32: values of the N pixels in their places, 0 elsewhere."""
        canvas = np.zeros(self.where.shape, np.float32)
        canvas[self.where] = values
        return canvas

    def mark(self, flags: Flags) -> NDArray[np.uint8]:
        """(h, w) uint8: 1 where a pixel is flagged."""
        canvas = np.zeros(self.where.shape, np.uint8)
        canvas[self.where] = flags
        return canvas

    def on_canvas(self, box: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(H, W) uint8 at working size: the box in its place in the whole picture, else 0."""
        canvas = np.zeros(self.size[::-1], np.uint8)
        canvas[self.top : self.top + box.shape[0], self.left : self.left + box.shape[1]] = box
        return canvas

    def eroded(self, flags: Flags, share: float) -> Flags:
        """(N,) bool: without the outer rim, half so many shoulder breadths wide."""
        found: Flags = cv2.erode(self.mark(flags), self._kernel(share))[self.where] > 0
        return found

    def dilated(self, flags: Flags, share: float) -> Flags:
        """(N,) bool: with an outer rim, half so many shoulder breadths wide."""
        found: Flags = cv2.dilate(self.mark(flags), self._kernel(share))[self.where] > 0
        return found

    def _kernel(self, share: float) -> NDArray[np.uint8]:
        side = max(3, int(share * self.body.unit)) | 1
        return np.ones((side, side), np.uint8)


def frame_person(rgb: RGB, mask: Mask, body: Body, side: int) -> Frame | None:
    """Cut a person out of (H, W, 3) `rgb`; None where the mask is empty.

    Args:
        body: in pixels of `rgb`.
        side: long side of the picture at the frame's size; smaller pictures stay as they are.
    """
    height, width = rgb.shape[:2]
    factor = min(1.0, side / max(height, width))
    size = (max(round(width * factor), 1), max(round(height * factor), 1))
    alpha = cv2.resize(mask.alpha, size, interpolation=cv2.INTER_AREA)
    near = cv2.dilate(
        (alpha > 0.3).astype(np.uint8), np.ones((2 * MARGIN + 1, 2 * MARGIN + 1), np.uint8)
    )
    left, top, wide, high = cv2.boundingRect(near)
    if not wide:
        return None
    box = (slice(top, top + high), slice(left, left + wide))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    guide = np.ascontiguousarray(small[box])
    where = near[box] > 0
    rows, columns = np.nonzero(where)
    lab = np.asarray(cv2.GaussianBlur(to_lab(guide), (0, 0), 0.8), np.float32)[where]
    return Frame(
        guide,
        where,
        alpha[box][where] > 0.5,
        (columns + left).astype(np.float32),
        (rows + top).astype(np.float32),
        lab,
        colour_terms(lab),
        body.scaled(factor),
        left,
        top,
        size,
    )
