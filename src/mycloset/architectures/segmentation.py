"""What networks share that give a class for every pixel: logits to labels at the picture's size."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mycloset.architectures.plans import Forward, normalised
from mycloset.images import RGB
from mycloset.tasks.parsing import HumanParsing, LabelTable

Floats = NDArray[np.float32]


def from_logits(
    logits: Floats, matrix: Floats, size: tuple[int, int], table: LabelTable
) -> HumanParsing:
    """The likeliest class of every pixel.

    Args:
        logits: (classes, h, w) float32.
        matrix: (2, 3), from places in the logits' grid to the picture's pixels.
        size: height and width of the picture.
        table: names of the classes.

    Returns:
        Labels at the picture's size, and how sure they are: the mean probability of the
        likeliest class, over the pixels that have one other than the first.
    """
    enlarge = _enlarger(logits.shape[1:], matrix, size)
    best = enlarge(logits[0])
    labels = np.zeros(size, np.uint8)
    # One class at a time: all of them at the size of a photograph would take gigabytes.
    for number, plane in enumerate(logits[1:], start=1):
        found = enlarge(plane)
        above = np.asarray(cv2.compare(found, best, cv2.CMP_GT), np.uint8)
        cv2.max(best, found, best)
        # Numbers grow, so that the largest is the last that was above.
        cv2.max(labels, np.bitwise_and(above, np.uint8(number)), labels)
    sure = enlarge(_likelihood(logits))
    inside = np.minimum(labels, np.uint8(1))
    seen = inside if inside.any() else None
    return HumanParsing(labels, table, float(np.clip(cv2.mean(sure, seen)[0], 0.0, 1.0)))


def _enlarger(
    grid: tuple[int, ...], matrix: Floats, size: tuple[int, int]
) -> Callable[[Floats], Floats]:
    """Brings planes from a grid to the picture's size."""
    height, width = size
    if np.allclose(matrix, resized_matrix((grid[0], grid[1]), size), rtol=1e-6, atol=1e-6):
        # The same as below, many times as fast.
        return lambda plane: np.asarray(cv2.resize(plane, (width, height)), np.float32)
    return lambda plane: np.asarray(
        cv2.warpAffine(
            plane,
            matrix,
            (width, height),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.float32,
    )


def _likelihood(logits: Floats) -> Floats:
    """(h, w): the probability of the likeliest class."""
    total = np.exp(logits - logits.max(axis=0)).sum(axis=0)
    return np.asarray(1.0 / total, np.float32)


def resized_matrix(
    grid: tuple[int, int], size: tuple[int, int], *, aligned: bool = False
) -> Floats:
    """(2, 3) map from a grid's places to pixels, where the grid covers the whole picture.

    Args:
        grid: its height and width.
        size: the picture's.
        aligned: whether corner points lie on corner points (rather than corners of cells).
    """
    (rows, columns), (height, width) = grid, size
    if aligned:
        down = (height - 1) / max(rows - 1, 1)
        right = (width - 1) / max(columns - 1, 1)
        return np.array([[right, 0, 0], [0, down, 0]], np.float32)
    right, down = width / columns, height / rows
    return np.array([[right, 0, right / 2 - 0.5], [0, down, down / 2 - 0.5]], np.float32)


MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pictures, RGB, 0..1."""


class SquareProcessing:
    """The whole picture squashed to one size, ImageNet's normalisation.

    Args:
        table: names of the classes.
        size: side of the square, or height and width.
        output: name of the logits among what the network gives.
        aligned: whether the network's corner points lie on the picture's.
        area: whether pixels are averaged by area rather than by Pillow's bilinear filter.
    """

    def __init__(
        self,
        table: LabelTable,
        size: int | Sequence[int],
        *,
        output: str,
        aligned: bool = False,
        area: bool = False,
    ) -> None:
        self.table = table
        height, width = (size, size) if isinstance(size, int) else size
        self.sides = (width, height)
        self.area = area
        self.output = output
        self.aligned = aligned

    def __call__(self, forward: Forward, picture: RGB) -> HumanParsing:
        """The classes of one picture."""
        return self.batch(forward, [picture])[0]

    def batch(self, forward: Forward, pictures: Sequence[RGB]) -> list[HumanParsing]:
        """The classes of several pictures, in one forward."""
        given = [self._resized(picture) for picture in pictures]
        found = forward(image=np.concatenate([normalised(g, MEAN, STD) for g in given]))
        return [
            from_logits(
                logits,
                resized_matrix(
                    (logits.shape[1], logits.shape[2]), picture.shape[:2], aligned=self.aligned
                ),
                picture.shape[:2],
                self.table,
            )
            for logits, picture in zip(found[self.output], pictures, strict=True)
        ]

    def _resized(self, picture: RGB) -> RGB:
        if self.area:
            return np.asarray(
                cv2.resize(picture, self.sides, interpolation=cv2.INTER_AREA), np.uint8
            )
        return np.asarray(Image.fromarray(picture).resize(self.sides, Image.Resampling.BILINEAR))
