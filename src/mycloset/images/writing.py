"""Writing files whole or not at all, and saying before any work whether that will be possible."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mycloset.errors import OutputError

WRITE_SUFFIXES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}

_SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    "PNG": {"compress_level": 3},
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95},
}


def check_writable(path: str | os.PathLike[str]) -> Path:
    """Say now, before any work is done, whether a picture can be written to `path`.

    Raises:
        OutputError: unknown suffix, missing or read-only folder, or a folder of that name.
    """
    path = Path(path)
    check_writable_file(path)
    if path.suffix.lower() not in WRITE_SUFFIXES:
        raise OutputError(
            f"output {path}: the suffix {path.suffix or '(none)'!r} names no picture format.",
            hint=f"Use one of {', '.join(sorted(WRITE_SUFFIXES))}.",
        )
    return path


def check_writable_file(path: Path) -> None:
    """Raise OutputError unless a file can be created or replaced at `path`."""
    with _refusals(f"output {path}"):
        if path.is_dir():
            raise OutputError(f"output {path}: a folder has this name.", hint="Name a file.")
        if _is_device(path):
            return
        target = path.resolve()
        if target.exists() and not os.access(target, os.W_OK):
            raise OutputError(
                f"output {path}: a file that may not be changed has this name.",
                hint="Choose another name.",
            )
        if not target.parent.is_dir():
            raise OutputError(
                f"output {path}: the folder {path.parent} does not exist.", hint="Make it first."
            )
        _try_folder(target.parent)


def check_writable_folder(path: Path) -> None:
    """Raise OutputError unless files can be written into `path`, which is made later if missing."""
    with _refusals(f"output folder {path}"):
        existing = path.resolve()
        while not existing.exists():
            existing = existing.parent
        if not existing.is_dir():
            raise OutputError(f"output folder {path}: {existing} is a file.", hint="Name a folder.")
        _try_folder(existing)


def make_folder(path: str | os.PathLike[str]) -> Path:
    """Make a folder and those above it, where they are missing.

    Raises:
        OutputError: it cannot be made.
    """
    path = Path(path)
    check_writable_folder(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"output folder {path}: it cannot be made ({error.strerror}).",
            hint="Choose another place.",
        ) from error
    return path


def write_picture(path: str | os.PathLike[str], picture: NDArray[np.uint8]) -> Path:
    """Write a (H, W, 3|4) or (H, W) uint8 array; the file appears whole or not at all.

    Raises:
        OutputError: as `check_writable`, the format does not hold such a size, or the disk
            refused the bytes.
    """
    path = check_writable(path)
    kind = WRITE_SUFFIXES[path.suffix.lower()]
    image = Image.fromarray(picture)
    if kind == "JPEG" and image.mode not in ("RGB", "L"):
        image = image.convert("RGB")
    buffer = io.BytesIO()
    try:
        image.save(buffer, kind, **_SAVE_OPTIONS[kind])
    except (OSError, ValueError) as error:
        raise OutputError(
            f"output {path}: {image.width}x{image.height} pixels cannot be written as {kind} "
            f"({error}).",
            hint="Write a .png.",
        ) from error
    write_bytes(path, buffer.getvalue())
    return path


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` through a temporary neighbour; whole or not at all.

    A link is followed. What is no regular file (a pipe, `/dev/stdout`) is written to as it is.

    Raises:
        OutputError: the disk refused the bytes; nothing is left behind.
    """
    try:
        if _is_device(path):
            path.write_bytes(data)
            return
        target = path.resolve()
        temporary = target.parent / f".mycloset-{secrets.token_hex(8)}.part"
        try:
            with temporary.open("xb") as file:
                file.write(data)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"output {path}: it could not be written ({error.strerror}).") from error


@contextlib.contextmanager
def _refusals(what: str) -> Iterator[None]:
    """Raise as OutputError what the system refuses of a path."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{what}: nothing can be written there ({error.strerror}).",
            hint="Choose another place.",
        ) from error
    except ValueError as error:  # a NUL in the path
        raise OutputError(f"{what}: {error}.", hint="Choose another name.") from error


def _is_device(path: Path) -> bool:
    """Whether what is there is a pipe, a terminal or the like, which cannot be replaced."""
    return path.exists() and not path.is_file()


def _try_folder(folder: Path) -> None:
    """Raise OSError unless a file can be made in `folder`; leaves none."""
    with tempfile.TemporaryFile(dir=folder):
        pass
