"""Deep checks: every byte is read, for checksums and for numbers that no weight should have."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mycloset.checkpoints.contents import Checkpoint, Finding
from mycloset.checkpoints.source import DamagedError, Source, UnreadableError
from mycloset.checkpoints.tensors import TensorEntry

if TYPE_CHECKING:
    import numpy as np

BLOCK = 1 << 24
"""Bytes that are held at once."""
_TOLD = 5
_SIDECAR = 4096


def sha256(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def compare_sidecar(path: Path, digest: str) -> list[Finding]:
    """A file's SHA-256 against what lies beside it or in its name.

    `X.sha256`, `X.sha256sum` (the digest, or lines of sha256sum) and names as PyTorch's hub gives
    them (`resnet50-0676ba61.pth`: the first eight digits).
    """
    found = []
    for suffix in (".sha256", ".sha256sum"):
        beside = path.with_name(path.name + suffix)
        if beside.is_file():
            stated = _stated(beside, path.name)
            if stated is None:
                text = f"{beside.name} states no SHA-256 for {path.name}."
                found.append(Finding("corrupt", "warning", text))
            elif stated != digest:
                found.append(_differs(path, beside.name, stated, digest, "error"))
    named = re.search(r"-([0-9a-f]{8})\.\w+$", path.name)
    if named is not None and not named[1].isdecimal() and not digest.startswith(named[1]):
        found.append(_differs(path, "its name", named[1], digest, "warning"))
    return found


def check_archive(source: Source, checkpoint: Checkpoint) -> list[Finding]:
    """The checksum of every member of a zip archive."""
    if checkpoint.format not in ("torch-zip", "torchscript", "zip", "npz"):
        return []
    from mycloset.checkpoints.zipfiles import Archive

    archive = Archive(source)
    found = []
    for member in archive.members:
        try:
            holds = archive.crc_holds(member)
        except DamagedError as error:
            found.append(Finding("corrupt", "error", error.message, {"member": member.name}))
            continue
        if not holds:
            text = f"{member.name!r} does not have the checksum that its archive states."
            found.append(Finding("corrupt", "error", text, {"member": member.name}))
    return found


def check_values(source: Source, checkpoint: Checkpoint) -> list[Finding]:
    """NaN, infinite and all-zero tensors among those whose bytes can be addressed."""
    big = checkpoint.metadata.get("byteorder") == "big"
    bad: dict[str, list[str]] = {"NaN": [], "infinite": [], "zero": []}
    looked = whole = 0
    for group in checkpoint.groups:
        if group.role == "optimizer":
            continue
        for key, entry in group.table.items():
            place = _place(entry, source, checkpoint)
            if place is None:
                continue
            nan, infinite, some = _look(*place, entry, big=big)
            looked += 1
            if nan:
                bad["NaN"].append(key)
            if infinite:
                bad["infinite"].append(key)
            if not some and len(entry.shape) > 1:
                bad["zero"].append(key)
            whole += some
    found = []
    for what in ("NaN", "infinite"):
        if bad[what]:
            text = f"{len(bad[what])} tensors hold {what} numbers: {_told(bad[what])}."
            found.append(Finding("corrupt", "error", text, {"keys": bad[what][:100]}))
    if looked and not whole:
        text = f"All {looked} tensors that were read hold nothing but zeros."
        found.append(Finding("corrupt", "error", text))
    elif bad["zero"]:
        text = f"{len(bad['zero'])} weights hold nothing but zeros: {_told(bad['zero'])}."
        found.append(Finding("unusual", "warning", text, {"keys": bad["zero"][:100]}))
    return found


def _place(
    entry: TensorEntry, source: Source, checkpoint: Checkpoint
) -> tuple[Path, int, int] | None:
    """The file and the run of bytes of a floating tensor; None where there is none to look at."""
    if entry.dtype not in _VIEWS or not entry.nbytes or entry.storage.offset is None:
        return None
    start = entry.storage.offset + (entry.offset if entry.stride is None else 0)
    length = entry.nbytes if entry.stride is None else entry.storage.nbytes
    path = checkpoint.path.parent / entry.storage.file if entry.storage.file else source.path
    return path, start, length


_VIEWS = {"float64": "f8", "float32": "f4", "float16": "f2", "bfloat16": "u2"}


def _look(
    path: Path, start: int, length: int, entry: TensorEntry, *, big: bool
) -> tuple[bool, bool, bool]:
    """Whether there are NaN, infinite, and any other than zero numbers."""
    import numpy as np

    code = np.dtype((">" if big else "<") + _VIEWS[entry.dtype])
    nan = infinite = some = False
    for block in _blocks(path, start, length):
        usable = len(block) // code.itemsize * code.itemsize
        numbers: np.ndarray[Any, Any] = np.frombuffer(block[:usable], code)
        if entry.dtype == "bfloat16":
            exponent = numbers & 0x7F80
            special = exponent == 0x7F80
            mantissa = (numbers & 0x7F) != 0
            nan |= bool((special & mantissa).any())
            infinite |= bool((special & ~mantissa).any())
            some |= bool((numbers & 0x7FFF).any())
            continue
        some |= bool(numbers.any())
        finite = np.isfinite(numbers)
        if not finite.all():
            isnan = bool(np.isnan(numbers).any())
            nan |= isnan
            infinite |= bool(np.isinf(numbers).any())
    return nan, infinite, some


def _blocks(path: Path, start: int, length: int) -> Iterator[bytes]:
    try:
        with Source(path) as source:
            end = min(start + length, source.size)
            while start < end:
                size = min(BLOCK, end - start)
                yield source.read(start, size)
                start += size
    except UnreadableError:
        return  # A missing part is already a finding of the reader.


def _stated(beside: Path, name: str) -> str | None:
    text = beside.read_bytes()[:_SIDECAR].decode("utf-8", "replace")
    for line in text.splitlines():
        digest, _, rest = line.strip().partition(" ")
        if re.fullmatch(r"[0-9a-fA-F]{64}", digest) and rest.strip(" *") in ("", name):
            return digest.lower()
    return None


def _differs(path: Path, where: str, stated: str, digest: str, severity: Any) -> Finding:
    text = f"{path.name} has the SHA-256 {digest[:16]}…, but {where} says {stated[:16]}."
    return Finding("corrupt", severity, text, {"sha256": digest, "stated": stated})


def _told(keys: list[str]) -> str:
    told = ", ".join(f"`{key}`" for key in keys[:_TOLD])
    return f"{told} and {len(keys) - _TOLD} more" if len(keys) > _TOLD else told
