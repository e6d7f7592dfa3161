"""What a picture is here, and the bounds within which one is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mycloset.errors import ImageError

RGB: TypeAlias = NDArray[np.uint8]
"""Picture of shape (H, W, 3), 0..255, sRGB."""

ImageSource: TypeAlias = Any
"""A path, bytes, a binary file, a PIL image, a numpy array or a torch tensor."""

MIN_SIDE = 64
MAX_PIXELS = 50_000_000
MAX_BYTES = 512 * 1024 * 1024
"""More than 50 megapixels of four 16-bit channels have uncompressed."""

READ_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
"""By Pillow's names; naming them keeps it from ever starting an interpreter (PostScript, say)."""


@dataclass(frozen=True)
class Picture:
    """A picture as read.

    Attributes:
        rgb: (H, W, 3) uint8, upright, sRGB; transparent pixels are laid on white.
        alpha: (H, W) uint8 coverage, or None where the source is opaque everywhere.
        name: what to call the picture in a message (its path, or what kind of object it was).
    """

    rgb: RGB
    alpha: NDArray[np.uint8] | None
    name: str

    @property
    def height(self) -> int:
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        return int(self.rgb.shape[1])


def check_size(width: int, height: int, name: str) -> None:
    """Raise ImageError where a picture of that size is not read."""
    if width * height > MAX_PIXELS:
        raise too_large(name, f"{width}x{height} pixels")
    if min(width, height) < MIN_SIDE:
        raise ImageError(
            f"{name}: it is {width}x{height} pixels; each side needs at least {MIN_SIDE}.",
            hint="Give a larger picture.",
        )


def too_large(name: str, found: str) -> ImageError:
    """The error for a picture that has `found`."""
    return ImageError(
        f"{name}: it has {found}; at most {MAX_PIXELS // 1_000_000} million pixels are read.",
        hint="Make it smaller first.",
    )
