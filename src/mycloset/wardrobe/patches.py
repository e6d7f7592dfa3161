"""Surfaces as the camera sees them: a depth, a normal and a place of its own for every pixel.

The camera's frame is in centimetres: x to the right, y down, z towards the viewer; the view is
orthographic along z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mycloset.wardrobe.curves import Floats, floats

FAR = np.float32(-1e4)
"""Depth where there is nothing."""


@dataclass(frozen=True)
class Frame:
    """Where the pixels of a picture lie in the camera's centimetres.

    Attributes:
        size: height and width in pixels.
        scale: pixels per centimetre.
        origin: (2,) pixel at which x = y = 0.
    """

    size: tuple[int, int]
    scale: float
    origin: tuple[float, float]

    def window(self, left: float, top: float, right: float, bottom: float) -> Window:
        """The part of the picture that holds a box in cm; may be empty."""
        height, width = self.size
        x0 = int(np.clip(np.floor(left * self.scale + self.origin[0]), 0, width))
        x1 = int(np.clip(np.ceil(right * self.scale + self.origin[0]) + 1, x0, width))
        y0 = int(np.clip(np.floor(top * self.scale + self.origin[1]), 0, height))
        y1 = int(np.clip(np.ceil(bottom * self.scale + self.origin[1]) + 1, y0, height))
        return Window(self, slice(y0, y1), slice(x0, x1))

    def to_pixels(self, points: ArrayLike) -> Floats:
        """(N, 2) pixels of (N, 2) or (N, 3) points in cm."""
        flat = floats(points)[..., :2]
        return floats(flat * np.float32(self.scale) + floats(self.origin))


@dataclass(frozen=True)
class Window:
    """A rectangle of a frame."""

    frame: Frame
    rows: slice
    columns: slice

    @property
    def empty(self) -> bool:
        """Whether it holds no pixel."""
        return bool(self.rows.stop <= self.rows.start or self.columns.stop <= self.columns.start)

    def grid(self) -> tuple[Floats, Floats]:
        """x as (1, w) and y as (h, 1), in cm."""
        columns = np.arange(self.columns.start, self.columns.stop, dtype=np.float32)
        rows = np.arange(self.rows.start, self.rows.stop, dtype=np.float32)
        scale = np.float32(1 / self.frame.scale)
        x = (columns - np.float32(self.frame.origin[0])) * scale
        y = (rows - np.float32(self.frame.origin[1])) * scale
        return x[None, :], y[:, None]


@dataclass
class Patch:
    """A solid's front surface in a window; arrays are (h, w) float32.

    Attributes:
        window: where it lies.
        z: depth, FAR where the solid is not.
        nx, ny, nz: unit normal.
        across, along: the surface's own coordinates. Tubes: angle around the axis (0 towards the
            viewer, positive to the outer side) and cm from the tube's start. Stacks: the body's
            own x in cm and cm down the axis.
        turn: stacks only: angle around the axis, 0 in front, positive to the picture's right.
    """

    window: Window
    z: Floats
    nx: Floats
    ny: Floats
    nz: Floats
    across: Floats
    along: Floats
    turn: Floats

    @property
    def there(self) -> NDArray[np.bool_]:
        """(h, w) bool: where the solid is."""
        return np.asarray(self.z > FAR / 2, np.bool_)

    def cut(self, keep: ArrayLike) -> None:
        """Take away what is not kept."""
        self.z = np.where(keep, self.z, FAR)

    def emboss(self, relief: ArrayLike, strength: float = 1.0) -> None:
        """Raise the surface by a relief in cm, and turn its normals with it."""
        relief = floats(relief) * np.float32(strength)
        step = np.float32(self.window.frame.scale)
        down, right = np.gradient(relief)
        self.z = self.z + np.where(self.there, relief, 0)
        self.tilt(right * step, down * step)

    def tilt(self, slope_x: Floats, slope_y: Floats) -> None:
        """Turn the normals as a relief with these slopes would."""
        # Seen from the side a relief moves normals less, as its slopes are foreshortened.
        nx = self.nx - slope_x * self.nz
        ny = self.ny - slope_y * self.nz
        length = np.sqrt(nx * nx + ny * ny + self.nz * self.nz) + np.float32(1e-6)
        self.nx, self.ny, self.nz = nx / length, ny / length, self.nz / length
