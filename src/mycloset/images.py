"""Reading pictures within bounds, from any form a caller has them in, and writing them whole.

Everything above this module works on one form only: `uint8` RGB arrays of shape (H, W, 3), upright
(EXIF orientation applied), in sRGB.
"""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from mycloset.errors import ImageError, OutputError

RGB: TypeAlias = NDArray[np.uint8]
"""Picture of shape (H, W, 3), 0..255, sRGB."""

ImageSource: TypeAlias = Any
"""A path, bytes, a binary file, a PIL image, a numpy array or a torch tensor."""

MIN_SIDE = 64
MAX_PIXELS = 50_000_000
READ_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
WRITE_SUFFIXES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


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


def read_picture(source: ImageSource, *, role: str = "picture") -> Picture:
    """Read one picture.

    Args:
        source: path, bytes, binary file, PIL image, array or tensor. Arrays are (H, W), (H, W, 1),
            (H, W, 3) or (H, W, 4); tensors may also be (C, H, W) or (1, C, H, W). uint8 is 0..255,
            uint16 is 0..65535, floats are 0..1, bool is black and white.
        role: what the picture is for ("person picture"), used in messages.

    Raises:
        ImageError: it is not a picture, is damaged, smaller than 64 pixels on a side, or larger
            than 50 megapixels (found from the header, before anything is decoded).
    """
    if isinstance(source, Picture):
        return source
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        name = f"{role} {path}"
        return _from_pil(_open(_read_bytes(path, name), name), name)
    if isinstance(source, bytes | bytearray | memoryview):
        name = f"{role} ({len(source)} bytes)"
        return _from_pil(_open(bytes(source), name), name)
    if isinstance(source, Image.Image):
        return _from_pil(source, f"{role} (PIL image)")
    if hasattr(source, "detach") and hasattr(source, "cpu"):
        return _from_array(
            _channels_last(source.detach().cpu().numpy(), role), f"{role} (tensor)"
        )
    if isinstance(source, np.ndarray):
        return _from_array(source, f"{role} (array)")
    if hasattr(source, "read"):
        name = f"{role} {getattr(source, 'name', '(file)')}"
        return _from_pil(_open(source.read(), name), name)
    raise ImageError(
        f"{role}: a {type(source).__name__} is not a picture.",
        hint="Give a path, bytes, a PIL image, a numpy array or a tensor.",
    )


def check_writable(path: str | os.PathLike[str]) -> Path:
    """Say now, before any work is done, whether a picture can be written to `path`.

    Raises:
        OutputError: unknown suffix, missing or read-only folder, or a folder of that name.
    """
    path = Path(path)
    if path.suffix.lower() not in WRITE_SUFFIXES:
        raise OutputError(
            f"output {path}: the suffix {path.suffix or '(none)'!r} names no picture format.",
            hint=f"Use one of {', '.join(sorted(WRITE_SUFFIXES))}.",
        )
    check_writable_file(path)
    return path


def check_writable_file(path: Path) -> None:
    """Raise OutputError unless a file can be created or replaced at `path`."""
    folder = path.parent
    if path.is_dir():
        raise OutputError(f"output {path}: a folder has this name.", hint="Name a file.")
    if not folder.is_dir():
        raise OutputError(
            f"output {path}: the folder {folder} does not exist.", hint="Make it first."
        )
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            f"output {path}: nothing can be written in {folder} ({error.strerror}).",
            hint="Choose another folder.",
        ) from error


def write_picture(path: str | os.PathLike[str], picture: NDArray[np.uint8]) -> Path:
    """Write a (H, W, 3|4) or (H, W) uint8 array; the file appears whole or not at all.

    Raises:
        OutputError: as `check_writable`, or the disk refused the bytes.
    """
    path = check_writable(path)
    kind = WRITE_SUFFIXES[path.suffix.lower()]
    image = Image.fromarray(picture)
    if kind == "JPEG" and image.mode not in ("RGB", "L"):
        image = image.convert("RGB")
    options: dict[str, Any] = {
        "PNG": {"compress_level": 3},
        "JPEG": {"quality": 95, "subsampling": 0},
        "WEBP": {"quality": 95},
    }[kind]
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    write_bytes(path, buffer.getvalue())
    return path


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` through a temporary neighbour; whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
    except OSError as error:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise OutputError(f"output {path}: it could not be written ({error.strerror}).") from error


def _read_bytes(path: Path, name: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(
            f"{name}: it cannot be read ({error.strerror}).", hint="Check the path."
        ) from error
    return data


def _open(data: bytes, name: str) -> Image.Image:
    if not data:
        raise ImageError(f"{name}: the file is empty (0 bytes).", hint="Give a picture.")
    try:
        # The formats are named so that no interpreter (PostScript, say) is ever started.
        return Image.open(io.BytesIO(data), formats=READ_FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_large(name, "far more") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageError(
            f"{name}: this is not a picture in a format that is read (it begins with "
            f"{data[:8]!r}).",
            hint=f"Readable are {', '.join(READ_FORMATS)}.",
        ) from error


def _too_large(name: str, found: str) -> ImageError:
    return ImageError(
        f"{name}: it has {found} pixels than the {MAX_PIXELS // 1_000_000} million that are read."
        if found == "far more"
        else f"{name}: it has {found}; at most {MAX_PIXELS // 1_000_000} million pixels are read.",
        hint="Make it smaller first.",
    )


def _check_size(width: int, height: int, name: str) -> None:
    if width * height > MAX_PIXELS:
        raise _too_large(name, f"{width}x{height} pixels")
    if min(width, height) < MIN_SIDE:
        raise ImageError(
            f"{name}: it is {width}x{height} pixels; each side needs at least {MIN_SIDE}.",
            hint="Give a larger picture.",
        )


def _from_pil(image: Image.Image, name: str) -> Picture:
    _check_size(image.width, image.height, name)
    try:
        image.load()
        image = ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ImageError(
            f"{name}: the picture is damaged or cut off ({error}).", hint="Get the file again."
        ) from error
    alpha = None
    if "A" in image.getbands() or "transparency" in image.info or image.mode in ("La", "RGBa"):
        rgba = image.convert("RGBA")
        alpha = np.asarray(rgba.getchannel("A"))
        ground = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        rgb = np.asarray(Image.alpha_composite(ground, rgba).convert("RGB"))
        if (alpha == 255).all():
            alpha = None
    elif image.mode.startswith(("I", "F")):
        rgb = _grey_to_rgb(np.asarray(image))
    else:
        rgb = np.asarray(_to_srgb(image))
    return Picture(np.ascontiguousarray(rgb), alpha, name)


def _to_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            described = ImageCms.getProfileDescription(source)
            if image.mode == "RGB" and "srgb" in described.lower():
                return image
            converted = ImageCms.profileToProfile(
                image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError):
            # A broken profile says nothing of the pixels; every viewer shows them without it.
            return image.convert("RGB")
        if converted is not None:
            return converted
    return image.convert("RGB")


def _grey_to_rgb(values: NDArray[Any]) -> RGB:
    """Grey of any depth to 8-bit RGB: 16-bit integers by their full range, floats as 0..1."""
    if values.dtype.kind == "f":
        top = 1.0 if float(np.nanmax(values)) <= 1.0 else 255.0
        grey = np.clip(np.nan_to_num(values) / top * 255.0 + 0.5, 0, 255)
    else:
        top = 65535.0 if int(values.max()) > 255 else 255.0
        grey = np.clip(values / top * 255.0 + 0.5, 0, 255)
    return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)


def _channels_last(values: NDArray[Any], role: str) -> NDArray[Any]:
    if values.ndim == 4 and values.shape[0] == 1:
        values = values[0]
    if values.ndim == 3 and values.shape[0] in (1, 3, 4) and values.shape[2] not in (1, 3, 4):
        values = np.moveaxis(values, 0, 2)
    elif values.ndim == 4:
        raise ImageError(
            f"{role} (tensor): it has shape {values.shape}, a batch of {values.shape[0]}.",
            hint="Give one picture.",
        )
    return values


def _from_array(values: NDArray[Any], name: str) -> Picture:
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim != 3 or values.shape[2] not in (1, 3, 4):
        raise ImageError(
            f"{name}: it has shape {values.shape}.",
            hint="Give (H, W), (H, W, 1), (H, W, 3) or (H, W, 4).",
        )
    _check_size(values.shape[1], values.shape[0], name)
    data = _to_uint8(values, name)
    if data.shape[2] == 1:
        data = np.repeat(data, 3, axis=2)
    return _from_pil(Image.fromarray(np.ascontiguousarray(data)), name)


def _to_uint8(values: NDArray[Any], name: str) -> NDArray[np.uint8]:
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.bool_:
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype == np.uint16:
        return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if values.dtype.kind == "f":
        low, high = float(values.min()), float(values.max())
        if not (low >= -1e-3 and high <= 1.0 + 1e-3):
            raise ImageError(
                f"{name}: its {values.dtype} values run from {low:.3g} to {high:.3g}.",
                hint="Floats are read as 0..1; scale them, or give uint8.",
            )
        return np.clip(values * 255.0 + 0.5, 0, 255).astype(np.uint8)
    raise ImageError(
        f"{name}: its values are {values.dtype}.", hint="Give uint8, uint16, bool or floats 0..1."
    )

