"""Garments drawn with a few polygons: pictures whose mask and landmarks are known exactly."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.images import Picture
from mycloset.tasks.masks import Mask

SIZE = (640, 480)

# Points of the half that lies on the picture's right, from the neck down; x from the axis.
T_SHIRT = {
    "collar": (45, 100), "shoulder": (110, 122), "cuff_outer": (200, 220),
    "cuff_inner": (160, 255), "armpit": (120, 205), "hem": (122, 500),
}  # fmt: skip
LONG_SLEEVE = {
    "collar": (45, 80), "shoulder": (105, 102), "cuff_outer": (215, 430),
    "cuff_inner": (175, 445), "armpit": (118, 190), "hem": (118, 480),
}  # fmt: skip
TANK = {"collar": (50, 90), "shoulder": (85, 98), "armpit": (125, 230), "hem": (125, 500)}
TROUSERS = {
    "waist": (86, 60), "hem_outer": (110, 600), "hem_inner": (45, 600), "crotch": (0, 180),
}  # fmt: skip
SKIRT = {"waist": (80, 120), "hem_outer": (160, 480)}


def landmarks(half: dict[str, tuple[int, int]]) -> dict[str, NDArray[np.float32]]:
    """All landmarks of a garment that is given by one half of it."""
    points = {}
    for name, (x, y) in half.items():
        if x == 0:
            points[name] = np.array([SIZE[1] / 2, y], np.float32)
            continue
        points[f"{name}_left"] = np.array([SIZE[1] / 2 + x, y], np.float32)
        points[f"{name}_right"] = np.array([SIZE[1] / 2 - x, y], np.float32)
    return points


def drawn_mask(half: dict[str, tuple[int, int]], neck: int = 0) -> NDArray[np.float32]:
    """(H, W) float32 with soft edges; `neck` is how far the top edge dips at the axis."""
    right = list(half.values())
    first = right[0]
    outline = [(0, first[1] + neck), *right]
    if "crotch" not in half:
        outline.append((0, right[-1][1]))
    polygon = [(SIZE[1] / 2 + x, y) for x, y in outline]
    polygon += [(SIZE[1] / 2 - x, y) for x, y in reversed(outline)]
    big = np.zeros((SIZE[0] * 4, SIZE[1] * 4), np.uint8)
    cv2.fillPoly(big, [np.round(np.array(polygon) * 4).astype(np.int32)], 255)
    small = cv2.resize(big, SIZE[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)


def painted(
    alpha: NDArray[np.float32],
    color: tuple[int, int, int] | NDArray[np.uint8],
    ground: tuple[int, int, int] | NDArray[np.uint8],
    noise: float = 0.0,
) -> Picture:
    """A picture of a garment of one colour (or texture) on a ground of one colour (or texture)."""
    front = np.broadcast_to(np.asarray(color, np.float32), (*alpha.shape, 3))
    back = np.broadcast_to(np.asarray(ground, np.float32), (*alpha.shape, 3))
    mixed = back + (front - back) * alpha[..., None]
    mixed = mixed + np.random.default_rng(0).normal(0, 1, mixed.shape) * noise
    return Picture(np.clip(mixed + 0.5, 0, 255).astype(np.uint8), None, "drawn garment")


def exact(half: dict[str, tuple[int, int]], neck: int = 0) -> tuple[Mask, Picture]:
    """A garment's own mask, and a plain picture of it."""
    alpha = drawn_mask(half, neck)
    return Mask(alpha), painted(alpha, (60, 90, 150), (255, 255, 255))


def overlap(found: NDArray[np.float32], true: NDArray[np.float32]) -> float:
    """Intersection over union of two soft masks."""
    return float(np.minimum(found, true).sum() / np.maximum(found, true).sum())
