"""Which format a file's bytes are, whatever its name says."""

from __future__ import annotations

import re

from mycloset.checkpoints.source import Source

HEAD = 4096
TAIL = 65_557
"""Bytes in which the end record of a zip archive lies, the longest comment included."""

WALKED = 1 << 16
"""Bytes of a text that are tried as a pickle of protocol 0."""

TORCH_LEGACY = bytes.fromhex("80028a0a6cfc9c46f9206aa85019")
"""PyTorch before 1.6: protocol 2, then the magic number 0x1950a86a20f9469cfc6c."""

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (TORCH_LEGACY, "torch-legacy"),
    (b"GGUF", "gguf"),
    (b"\x93NUMPY", "npy"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"version https://git-lfs.github.com/spec/", "lfs-pointer"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x7fELF", "elf"),
    (b"MZ", "executable"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"%PDF-", "pdf"),
    (b"RIFF", "riff"),
)
_MARKUP = re.compile(
    rb"^\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|script|title)", re.I | re.S
)
_PICKLE_STARTS = frozenset(b"(]}c\x80lItd)I\x8cVSKMJX.NFGU")


def identify(source: Source) -> str:
    """The format's name, as in `Checkpoint.format`; "unknown" where nothing fits."""
    return formats_of(source)[0]


def formats_of(source: Source) -> tuple[str, ...]:
    """Every format that a reader could take the bytes for, the one that counts first.

    A zip archive is one by its end record, whatever stands before it, so that a file may be both
    an archive and what its beginning says. What can be read as a model counts before what cannot.
    """
    if source.size == 0:
        return ("empty",)
    start = _by_beginning(source)
    if not _has_archive(source):
        return (start,)
    if start in ("zip", "unknown"):
        return ("zip",)
    return (start, "zip") if start in _READ else ("zip", start)


_READ = frozenset({"torch-legacy", "pickle", "safetensors", "onnx", "tflite", "gguf", "npy", "tar"})


def _by_beginning(source: Source) -> str:
    head = source.head(HEAD)
    if head[4:8] == b"TFL3":
        return "tflite"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip" if _has_archive(source) else "unknown"
    for start, name in _BEGINNINGS:
        if head.startswith(start):
            return name
    if _is_safetensors(head, source.size):
        return "safetensors"
    if _is_tar(head):
        return "tar"
    if not head.strip(b"\0"):
        empty = not any(source.read(place, 64).strip(b"\0") for place in _spots(source))
        return "zeros" if empty else "unknown"
    if _MARKUP.match(head):
        return "html"
    if (text := _text(head)) is not None:
        return "pickle" if _is_pickle(source) else text
    if head[0] == 0x80 and len(head) > 1 and head[1] <= 5:
        return "pickle"
    if _is_onnx(head):
        return "onnx"
    if head[0] in _PICKLE_STARTS and (source.tail(1) == b"." or _is_pickle(source)):
        return "pickle"
    return "unknown"


def _is_pickle(source: Source) -> bool:
    """Whether a walk from the beginning comes to an end and names or holds something."""
    from mycloset.checkpoints.pickles.machine import read_pickle
    from mycloset.checkpoints.pickles.nodes import Tape

    if source.head(1)[0] not in _PICKLE_STARTS:
        return False
    found = read_pickle(Tape.of(source.head(WALKED)), 0)
    return found.whole and (bool(found.globals) or found.end >= min(source.size, WALKED) - 1)


def _has_archive(source: Source) -> bool:
    """Whether the end record of a zip archive lies near the end."""
    tail = source.tail(TAIL)
    place = tail.rfind(b"PK\x05\x06")
    return place >= 0 and len(tail) - place >= 22


def starts_as_zip(source: Source) -> bool:
    """Whether a file begins like a zip archive, though its end may be gone."""
    return source.head(4) == b"PK\x03\x04"


def _is_safetensors(head: bytes, size: int) -> bool:
    if len(head) < 9 or head[8:9] != b"{":
        return False
    length = int.from_bytes(head[:8], "little")
    # A header that is too long for the file is a damaged one rather than another format.
    return length + 8 <= size or head[9:10] in b'"} '


def _is_tar(head: bytes) -> bool:
    if len(head) < 512:
        return False
    block = head[:512]
    try:
        stated = int(block[148:156].strip(b" \0") or b"-1", 8)
    except ValueError:
        return False
    return sum(block[:148]) + sum(block[156:]) + 8 * 32 == stated


def _spots(source: Source) -> list[int]:
    """A few places all over the file, 64 bytes each."""
    last = max(0, source.size - 64)
    return [last * i // 16 for i in range(17)] if source.size >= 64 else []


def _text(head: bytes) -> str | None:
    """ "json", "xml" or "text" for what a person could read; None for anything else."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:
            return None
        text = head[: error.start].decode("utf-8")
    if any(character < " " and character not in "\t\n\r\f" for character in text):
        return None
    stripped = text.lstrip("\ufeff \t\r\n")
    if stripped.startswith(("{", "[")):
        return "json"
    if stripped.startswith("<"):
        return "xml"
    return "text"


def _is_onnx(head: bytes) -> bool:
    """A ModelProto begins with ir_version, then mostly the producer's name or the opset."""
    if len(head) < 4 or head[0] != 0x08 or head[1] == 0 or head[1] > 0x40:
        return False
    return head[2] in (0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42, 0x72)
