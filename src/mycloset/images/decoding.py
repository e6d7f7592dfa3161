"""From a decoded Pillow image of any mode to sRGB bytes and coverage."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from mycloset.errors import ImageError
from mycloset.images.picture import RGB

_WITH_ALPHA = ("LA", "PA", "RGBA", "RGBa")
_MAY_BE_KEYED = ("1", "L", "P", "RGB")
"""Modes in which one colour (or a palette's entries) can be said to be transparent."""

_PROFILE_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}


def upright(image: Image.Image) -> Image.Image:
    """The picture turned as its EXIF data say; as it is where they say nothing readable."""
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, struct.error):
        # Broken EXIF data belong to a picture that every viewer shows, unturned.
        return image


def split_alpha(image: Image.Image, name: str) -> tuple[RGB, NDArray[np.uint8] | None]:
    """Colours on white, (H, W, 3) in sRGB, and coverage, (H, W), or None where all is opaque.

    Raises:
        ImageError: grey values whose range is not known.
    """
    if image.mode.startswith(("I", "F")):
        return _deep_grey(image, name)
    if image.mode == "La":
        grey, cover = image.split()
        image = Image.merge("RGBa", (grey, grey, grey, cover))
    keyed = image.mode in _MAY_BE_KEYED and "transparency" in image.info
    if not keyed and image.mode not in _WITH_ALPHA:
        return np.asarray(_to_srgb(image)), None
    profile = image.info.get("icc_profile")
    rgba = image.convert("RGBA")
    coverage = rgba.getchannel("A")
    opaque = rgba.convert("RGB")
    opaque.info["icc_profile"] = profile
    colours = _to_srgb(opaque)
    alpha = np.asarray(coverage)
    if (alpha == 255).all():
        return np.asarray(colours), None
    ground = Image.new("RGB", image.size, (255, 255, 255))
    ground.paste(colours, mask=coverage)
    return np.asarray(ground), alpha


def _to_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    converted = _by_profile(image, profile) if profile else None
    return converted if converted is not None else image.convert("RGB")


def _by_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    """The picture in sRGB as its profile says; None where the profile says nothing usable."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _PROFILE_MODES.get(source.profile.xcolor_space.strip())
        if mode == "RGB" and "srgb" in ImageCms.getProfileDescription(source).lower():
            return None
        if mode == "RGB":
            image = image.convert("RGB")
        if image.mode != mode:
            return None
        return ImageCms.profileToProfile(
            image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        # A broken profile says nothing of the pixels; every viewer shows them without it.
        return None


def _deep_grey(image: Image.Image, name: str) -> tuple[RGB, NDArray[np.uint8] | None]:
    """Grey of more than 8 bits: 16-bit files by their full range, others by the range they use."""
    values = np.asarray(image)
    grey = _grey_to_uint8(values, image.mode, name)
    key = image.info.get("transparency")
    alpha = None
    if isinstance(key, int) and (values == key).any():
        alpha = np.where(values == key, np.uint8(0), np.uint8(255))
        grey = np.where(values == key, np.uint8(255), grey)
    return np.repeat(grey[..., None], 3, axis=2), alpha


def _grey_to_uint8(values: NDArray[Any], mode: str, name: str) -> NDArray[np.uint8]:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ImageError(
            f"{name}: its grey values hold NaN or infinity.", hint="Save it as 8 or 16 bits."
        )
    low, high = float(values.min()), float(values.max())
    tops = (65535.0,) if mode.startswith("I;16") else (255.0, 65535.0)
    if values.dtype.kind == "f":
        tops = (1.0, *tops)
    top = next((top for top in tops if high <= top), None)
    if top is None or low < 0:
        raise ImageError(
            f"{name}: its grey values run from {low:.4g} to {high:.4g}.",
            hint="Save it as 8 or 16 bits.",
        )
    return np.clip(values / np.float32(top) * np.float32(255.0) + 0.5, 0, 255).astype(np.uint8)
