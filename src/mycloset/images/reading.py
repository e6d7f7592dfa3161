"""Reading one picture from whatever holds it; what it cannot read it refuses, before decoding."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from mycloset.errors import ImageError
from mycloset.images.arrays import array_to_pil, tensor_to_array
from mycloset.images.decoding import split_alpha, upright
from mycloset.images.picture import (
    MAX_BYTES,
    READ_FORMATS,
    ImageSource,
    Picture,
    check_size,
    too_large,
)
from mycloset.images.signatures import advice_for, kind_of


class _Readable(Protocol):
    def read(self, size: int, /) -> Any: ...


def read_picture(source: ImageSource, *, role: str = "picture") -> Picture:
    """Read one picture; of an animation or a multi-page file, the first.

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
        name = f"{role} {os.fspath(source)}"
        return _decode(_open(_read_file(source, name), name), name)
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
        name = f"{role} ({len(data)} bytes)"
        return _decode(_open(data, name), name)
    if isinstance(source, Image.Image):
        return _decode(source, f"{role} (PIL image)")
    if hasattr(source, "detach") and hasattr(source, "cpu"):
        name = f"{role} (tensor)"
        return _decode(array_to_pil(tensor_to_array(source, name), name), name)
    if isinstance(source, np.ndarray):
        name = f"{role} (array)"
        return _decode(array_to_pil(source, name), name)
    if hasattr(source, "read"):
        name = f"{role} {getattr(source, 'name', '(file)')}"
        return _decode(_open(_read_stream(source, name), name), name)
    raise ImageError(
        f"{role}: a {type(source).__name__} is not a picture.",
        hint="Give a path, bytes, a PIL image, a numpy array or a tensor.",
    )


def _decode(image: Image.Image, name: str) -> Picture:
    check_size(image.width, image.height, name)
    try:
        image.load()
        turned = upright(image)
        rgb, alpha = split_alpha(turned, name)
    except (OSError, SyntaxError, ValueError, EOFError, IndexError) as error:
        # Pillow has no one error for broken data; these are what its decoders raise.
        raise ImageError(
            f"{name}: the picture is damaged or cut off ({error}).", hint="Get the file again."
        ) from error
    return Picture(np.ascontiguousarray(rgb), alpha, name)


def _open(data: bytes, name: str) -> Image.Image:
    """Read the header only."""
    if not data:
        raise ImageError(f"{name}: the file is empty (0 bytes).", hint="Give a picture.")
    try:
        return Image.open(io.BytesIO(data), formats=READ_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_large(name, "more than 89 million pixels") from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError) as error:
        raise _not_read(data, name) from error


def _not_read(data: bytes, name: str) -> ImageError:
    kind = kind_of(data)
    if kind in READ_FORMATS:
        return ImageError(
            f"{name}: this {kind} file is damaged, cut off, or of a rare kind.",
            hint="Get the file again, or save it as an ordinary 8-bit PNG or JPEG.",
        )
    if kind is not None:
        return ImageError(f"{name}: this is {kind}, which is not read.", hint=advice_for(kind))
    return ImageError(
        f"{name}: this is not a picture in a format that is read (it begins with {data[:8]!r}).",
        hint=f"Readable are {', '.join(READ_FORMATS)}.",
    )


def _read_file(path: str | os.PathLike[str], name: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return _read_stream(file, name)
    except OSError as error:
        raise ImageError(
            f"{name}: it cannot be read ({error.strerror}).", hint="Check the path."
        ) from error
    except ValueError as error:  # a NUL in the path
        raise ImageError(f"{name}: it cannot be read ({error}).", hint="Check the path.") from error


def _read_stream(stream: _Readable, name: str) -> bytes:
    """All bytes of a file; refused where there are more than any picture within bounds has."""
    try:
        data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ImageError(
            f"{name}: it cannot be read ({error.strerror}).", hint="Check the path."
        ) from error
    if not isinstance(data, bytes):
        raise ImageError(
            f"{name}: it gives {type(data).__name__}, not bytes.", hint="Open it in binary mode."
        )
    if len(data) > MAX_BYTES:
        raise ImageError(
            f"{name}: it is larger than the {MAX_BYTES // 2**20} MiB that are read.",
            hint="Make it smaller first.",
        )
    return data
