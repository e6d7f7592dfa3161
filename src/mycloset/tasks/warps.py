"""Warps: which point of a garment's picture each pixel of a person's picture shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.images import RGB
from mycloset.tasks.parsing import HumanParsing

Floats = NDArray[np.float32]

SHRINK = 1.25
"""From so many garment pixels to one of the person on, the garment is averaged first."""


@dataclass(frozen=True)
class Warp:
    """A garment carried over to a person.

    Attributes:
        grid: (H, W, 2) float32, x and y in pixels of the garment's picture that each pixel of the
            person's picture shows; NaN where the warp says nothing.
        picture: (H, W, 3) uint8, the garment in the person's frame.
        alpha: (H, W) float32 0..1, where the garment is.
        source: (N, 2) float32, the control points in pixels of the garment's picture.
        target: (N, 2) float32, the same points in pixels of the person's picture.
        cloth: (4, h, w) float32, the garment -1..1 and its mask 0..1 as the network's own frame
            has them, for the try-on network behind it; None where no network has made the warp.
    """

    grid: Floats
    picture: RGB
    alpha: Floats
    source: Floats
    target: Floats
    cloth: Floats | None = None

    def apply(self, picture: NDArray[Any], *, fill: float = 0.0) -> NDArray[Any]:
        """What lies in the garment's frame, in the person's; `fill` outside of it.

        Args:
            picture: (h, w) or (h, w, C) of the garment picture's size, uint8 or float32.
            fill: for pixels that the warp says nothing of, or that lie outside of `picture`.

        Returns:
            (H, W) or (H, W, C), of the same type.
        """
        return remap(picture, self.grid, fill=fill)

    @property
    def folded(self) -> float:
        """Share of the garment at which the warp folds over itself, 0..1 (0: a good warp)."""
        inside = self.alpha[:-1, :-1] >= 0.5
        if not inside.any():
            return 0.0
        across = self.grid[:-1, 1:] - self.grid[:-1, :-1]
        down = self.grid[1:, :-1] - self.grid[:-1, :-1]
        area = across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]
        return float((area[inside] <= 0).mean())

    def draw(self, picture: RGB) -> RGB:
        """The garment on the picture, with the garment's own grid and the control points."""
        from mycloset.tasks.drawing_warps import draw_warp

        return draw_warp(picture, self)

    def to_dict(self) -> dict[str, Any]:
        """JSON values: sizes, control points, the garment's share and box; not the pixels."""
        rows = np.flatnonzero((self.alpha >= 0.5).any(axis=1))
        columns = np.flatnonzero((self.alpha >= 0.5).any(axis=0))
        box = None
        if rows.size:
            box = [int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1]
        return {
            "height": self.grid.shape[0],
            "width": self.grid.shape[1],
            "share": round(float(self.alpha.mean()), 6),
            "box": box,
            "control_points": [
                {"garment": np.round(a, 2).tolist(), "person": np.round(b, 2).tolist()}
                for a, b in zip(self.source, self.target, strict=True)
            ],
        }


@dataclass(frozen=True)
class Rendering:
    """A person in a new garment, as a try-on network paints it.

    Attributes:
        picture: (H, W, 3) uint8, the photo with what the network painted laid in.
        frame: (h, w, 3) uint8, the network's own picture.
        box: left, top, right and bottom of the network's frame in the photo; it may reach beyond.
        garment: (H, W) float32 0..1, where the new garment is seen, as the network says.
        confidence: 0..1, how decided the network is about where the garment goes.
    """

    picture: RGB
    frame: RGB
    box: tuple[int, int, int, int]
    garment: Floats
    confidence: float = 1.0

    def draw(self, picture: RGB) -> RGB:
        """The photo and the person in the new garment, side by side."""
        return np.concatenate([picture, self.picture], axis=1)

    def to_dict(self) -> dict[str, Any]:
        """JSON values: sizes, the frame and the garment's share; not the pixels."""
        return {
            "height": self.picture.shape[0],
            "width": self.picture.shape[1],
            "frame": {"height": self.frame.shape[0], "width": self.frame.shape[1]},
            "box": list(self.box),
            "garment_share": round(float(self.garment.mean()), 6),
        }


@dataclass(frozen=True)
class DressedParsing(HumanParsing):
    """What the parsing of a person in a new garment will be, as a network foresees it.

    Attributes:
        framed: (h, w) uint8, the same in the network's own frame, for the networks behind it.
    """

    framed: NDArray[np.uint8] | None = None


def remap(picture: NDArray[Any], grid: Floats, *, fill: float = 0.0) -> NDArray[Any]:
    """Pixels of a picture seen through a grid of x and y in its pixels; see `Warp.apply`."""
    known = np.isfinite(grid[..., 0])
    height, width = picture.shape[:2]
    scale = _scale(grid, known)
    seen = grid
    if scale > SHRINK:
        # The garment is shown smaller than it was photographed: average first, or it aliases.
        size = max(1, round(width / scale)), max(1, round(height / scale))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
        ratio = np.array([size[0] / width, size[1] / height], np.float32)
        seen = np.asarray((grid + np.float32(0.5)) * ratio - np.float32(0.5), np.float32)
    x, y = cv2.split(np.where(known[..., None], seen, np.float32(-10)))
    found = np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    inside = known & (grid[..., 0] >= -0.5) & (grid[..., 0] <= width - 0.5)
    inside &= (grid[..., 1] >= -0.5) & (grid[..., 1] <= height - 0.5)
    found[~inside] = fill
    return found


def _scale(grid: Floats, known: NDArray[np.bool_]) -> float:
    """Garment pixels to one of the person, in the middle of all places."""
    if min(grid.shape[:2]) < 2:
        return 1.0
    both = known[::4, :-1:4] & known[::4, 1::4][:, : known[::4, :-1:4].shape[1]]
    if not both.any():
        return 1.0
    step = grid[::4, 1::4][:, : both.shape[1]] - grid[::4, :-1:4]
    return float(np.median(np.hypot(step[..., 0], step[..., 1])[both]))
