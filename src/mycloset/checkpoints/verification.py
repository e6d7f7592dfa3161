"""Deep checks of a file: checksums, byte ranges, and numbers that no weight should have."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from mycloset.checkpoints.contents import Checkpoint, Finding, Severity, limited
from mycloset.checkpoints.source import DamagedError, Source, UnreadableError
from mycloset.checkpoints.tensors import BITS, TensorEntry
from mycloset.checkpoints.values import check_values

__all__ = ["check_archive", "check_ranges", "check_values", "compare_sidecar", "sha256"]

_SIDECAR = 1 << 20
_LISTS = ("SHA256SUMS", "SHA256SUMS.txt", "sha256sums.txt", "sha256sum.txt", "checksums.txt")


def sha256(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def compare_sidecar(path: Path, digest: str) -> list[Finding]:
    """A file's SHA-256 against what lies beside it or in its name.

    Beside it: `X.sha256` or `X.sha256sum` (the digest, or lines of sha256sum), a folder's
    `SHA256SUMS` and the like, a git-lfs pointer `X.lfs` or `X.pointer`, what the Hugging Face hub's
    client notes of a download (`.cache/huggingface/download/X.metadata`; names of its blobs). In
    its name: the first eight digits, as PyTorch's hub has them (`resnet50-0676ba61.pth`).
    """
    found = []
    own = [path.with_name(path.name + end) for end in (".sha256", ".sha256sum", ".lfs", ".pointer")]
    lists = [path.with_name(name) for name in _LISTS]
    notes = path.parent / ".cache" / "huggingface" / "download" / f"{path.name}.metadata"
    for beside in (*own, *lists, notes):
        if not beside.is_file():
            continue
        stated = _stated(beside, path.name)
        if stated is None and beside in own:
            text = f"{beside.name} states no SHA-256 for {path.name}."
            found.append(Finding("corrupt", "warning", text))
        elif stated is not None and stated != digest:
            found.append(_differs(path, beside.name, stated, digest, "error"))
    named = re.search(r"-([0-9a-f]{8})\.\w+$", path.name)
    # Eight decimals are a date more often than a hash.
    if named is not None and not named[1].isdecimal() and not digest.startswith(named[1]):
        found.append(_differs(path, "its name", named[1], digest, "warning"))
    if path.is_symlink():
        blob = Path(path.resolve()).name
        if re.fullmatch("[0-9a-f]{64}", blob) and blob != digest:
            found.append(_differs(path, "the name of its blob", blob, digest, "error"))
    return found


def check_ranges(checkpoint: Checkpoint) -> list[Finding]:
    """Tensors against their storages, storages against the file and one another.

    Tensors may share a storage; two storages that share some bytes, but not all, are damage.
    """
    found: list[Finding] = []
    storages: dict[str, dict[tuple[int, int], str]] = {}
    for group in checkpoint.groups:
        for key, entry in group.table.items():
            wrong = _beyond(entry)
            if wrong:
                text = f"`{key[:200]}` {wrong}."
                found.append(Finding("corrupt", "error", text, {"key": key[:200]}))
            storage = entry.storage
            if storage.offset is not None and storage.nbytes:
                span = (storage.offset, storage.offset + storage.nbytes)
                storages.setdefault(storage.file, {}).setdefault(span, key)
    for file, spans in storages.items():
        path = checkpoint.path.parent / file if file else checkpoint.path
        found.extend(_clashes(spans, path))
    return limited(found)


def _beyond(entry: TensorEntry) -> str:
    """How a tensor does not fit into its storage; "" where it does."""
    bits = BITS.get(entry.dtype)
    if bits is None or not entry.elements:
        return ""
    if entry.stride is None:
        reach = (entry.elements * bits + 7) // 8
    else:
        steps = zip(entry.shape, entry.stride, strict=True)
        reach = (1 + sum((size - 1) * step for size, step in steps)) * bits // 8
    if entry.offset < 0 or entry.offset + reach > entry.storage.nbytes:
        return (
            f"takes bytes {entry.offset} to {entry.offset + reach} of a storage that has"
            f" {entry.storage.nbytes}"
        )
    return ""


def _clashes(spans: dict[tuple[int, int], str], path: Path) -> Iterator[Finding]:
    try:
        size = path.stat().st_size
    except OSError:
        return  # A missing part is already a finding of the reader.
    last, last_key = 0, ""
    for (start, end), key in sorted(spans.items()):
        details = {"key": key[:200]}
        if end > size:
            text = f"`{key[:200]}` ends at byte {end} of {path.name}, which has {size}."
            yield Finding("corrupt", "error", text, details)
        if start < last:
            text = f"`{key[:200]}` lies partly on the bytes of `{last_key[:200]}`."
            yield Finding("corrupt", "error", text, details)
        if end > last:
            last, last_key = end, key


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


def _stated(beside: Path, name: str) -> str | None:
    """The SHA-256 that a file beside states for a name."""
    try:
        with Source(beside) as source:
            text = source.head(_SIDECAR).decode("utf-8", "replace")
    except (DamagedError, UnreadableError):
        return None
    if pointer := re.search(r"^oid sha256:([0-9a-f]{64})\s*$", text, re.M):
        return pointer[1]
    for line in text.splitlines():
        if tagged := re.fullmatch(r"SHA256 \((.*)\) = ([0-9a-fA-F]{64})", line.strip()):
            file, digest = tagged[1], tagged[2]
        else:
            digest, _, file = line.strip().partition(" ")
        file = file.strip(" *").replace("\\", "/").rpartition("/")[2]
        if re.fullmatch(r"[0-9a-fA-F]{64}", digest) and file in ("", name):
            return digest.lower()
    return None


def _differs(path: Path, where: str, stated: str, digest: str, severity: Severity) -> Finding:
    text = f"{path.name} has the SHA-256 {digest[:16]}…, but {where} says {stated[:16]}."
    return Finding("corrupt", severity, text, {"sha256": digest, "stated": stated})
