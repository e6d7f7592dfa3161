"""NumPy's .npy and .npz: headers are read, and the pickles that arrays of objects are, walked.

Source: NumPy, `numpy.lib.format`, versions 1.0 to 3.0.
"""

from __future__ import annotations

import re
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

from mycloset.checkpoints.contents import Checkpoint, Finding, GlobalUse, TensorGroup, limited
from mycloset.checkpoints.source import DamagedError, Source
from mycloset.checkpoints.tensors import BITS, Storage, TensorEntry, TensorTable
from mycloset.checkpoints.zipfiles import STORED, Archive, Member

if TYPE_CHECKING:
    from mycloset.checkpoints.pickles.scanning import Scan

MAGIC = b"\x93NUMPY"
HEADER_LIMIT = 1_000_000
DIMENSIONS = 64
PICKLE = 64 << 20
"""Bytes of an array of objects that are walked."""

DTYPES = {
    "f8": "float64",
    "f4": "float32",
    "f2": "float16",
    "c16": "complex128",
    "c8": "complex64",
    "i8": "int64",
    "i4": "int32",
    "i2": "int16",
    "i1": "int8",
    "u8": "uint64",
    "u4": "uint32",
    "u2": "uint16",
    "u1": "uint8",
    "b1": "bool",
}
"""NumPy's type codes by PyTorch's names."""

_DESCR = re.compile(r"'descr'\s*:\s*'([<>|=]?)([a-zA-Z]\d*)'")
_ORDER = re.compile(r"'fortran_order'\s*:\s*(True|False)")
_SHAPE = re.compile(r"'shape'\s*:\s*\(([\d\s,L]*)\)")


def read(source: Source) -> Checkpoint:
    """List the one array of a .npy file.

    Raises:
        DamagedError: its header cannot be read.
    """
    entry, big, findings = read_array(source, source.path.stem, 0, source.size)
    uses: tuple[GlobalUse, ...] = ()
    if any(finding.kind == "suspicious" for finding in findings):
        from mycloset.checkpoints.pickles.nodes import Tape
        from mycloset.checkpoints.pickles.scanning import scan

        scanned = scan(Tape.over(source, entry.storage.offset or 0), source.path.name)
        uses, findings = scanned.globals, (*findings, *scanned.findings)
    return Checkpoint(
        source.path,
        "npy",
        source.size,
        (TensorGroup((), TensorTable([entry]), "other", "arrays"),),
        (source.path.name,),
        metadata={"byteorder": "big"} if big else {},
        globals=uses,
        findings=findings,
    )


def read_array(
    source: Source, key: str, start: int, length: int
) -> tuple[TensorEntry, bool, tuple[Finding, ...]]:
    """One array that lies at a place of a file: its entry, whether it is big-endian, findings.

    Raises:
        DamagedError: its header cannot be read.
    """
    header, data = array_header(source.read(start, min(length, 12 + HEADER_LIMIT)), key)
    return array_entry(header, key, start + data, length - data)


def read_archive(archive: Archive, found: Checkpoint) -> Checkpoint:
    """List the arrays of a .npz file.

    Args:
        archive: its members.
        found: what the reader of PyTorch's archives saw: the globals of pickles among them.
    """
    entries: list[TensorEntry] = []
    findings = [finding for finding in found.findings if finding.kind != "not-a-model"]
    uses = list(found.globals)
    metadata: dict[str, str] = {}
    for member in archive.members:
        if not member.name.endswith(".npy"):
            continue
        key = member.name.removesuffix(".npy")
        try:
            header, data = array_header(_start(archive, member), key)
            stored = member.method == STORED
            offset = archive.place(member) + data if stored else None
            entry, big, wrong = array_entry(header, key, offset, member.size - data)
            if any(finding.kind == "suspicious" for finding in wrong):
                scanned = _scan(archive, member, data)
                uses += scanned.globals
                findings += scanned.findings
        except DamagedError as error:
            findings.append(Finding("corrupt", "error", error.message, {"member": member.name}))
            continue
        entries.append(entry)
        findings += wrong
        if big:
            metadata["byteorder"] = "big"
    group = TensorGroup((), TensorTable(entries), "weights", "arrays")
    return replace(
        found,
        format="npz",
        groups=(group,) if entries else (),
        metadata=metadata,
        globals=tuple(uses),
        findings=tuple(limited(findings)),
    )


def _start(archive: Archive, member: Member) -> bytes:
    """As many of a member's first bytes as its header takes."""
    head = archive.head(member, 4096)
    if head[6:7] >= b"\2" and int.from_bytes(head[8:12], "little") > 4084:
        head = archive.head(member, 12 + HEADER_LIMIT)
    return head


def _scan(archive: Archive, member: Member, start: int) -> Scan:
    from mycloset.checkpoints.pickles.nodes import Tape
    from mycloset.checkpoints.pickles.scanning import scan

    data = archive.read(member, PICKLE)[start:]
    return scan(Tape.of(data), member.name, member=member.name)


def array_header(head: bytes, key: str) -> tuple[str, int]:
    """The header's text, and how many bytes lie before the data.

    Raises:
        DamagedError: it is no .npy header.
    """
    if not head.startswith(MAGIC) or len(head) < 12:
        raise DamagedError(f"`{key}` is no .npy array.")
    wide = head[6] >= 2
    length = int.from_bytes(head[8:12] if wide else head[8:10], "little")
    start = 12 if wide else 10
    if length > HEADER_LIMIT or start + length > len(head):
        raise DamagedError(f"`{key}` states a header of {length} bytes, which it does not have.")
    return head[start : start + length].decode("utf-8", "replace"), start + length


def array_entry(
    header: str, key: str, offset: int | None, room: int
) -> tuple[TensorEntry, bool, tuple[Finding, ...]]:
    """What a header says of an array.

    Raises:
        DamagedError: it does not say type, order and shape.
    """
    descr, order, dims = _DESCR.search(header), _ORDER.search(header), _SHAPE.search(header)
    if order is None or dims is None:
        raise DamagedError(f"`{key}` has a header that does not say its shape.")
    sizes = re.findall(r"\d+", dims[1])
    if len(sizes) > DIMENSIONS or any(len(size) > 18 for size in sizes):
        raise DamagedError(f"`{key}` has the impossible shape ({dims[1][:60]}).")
    shape = tuple(map(int, sizes))
    findings: tuple[Finding, ...] = ()
    code = descr[2] if descr is not None else "V"
    dtype = DTYPES.get(code, f"numpy:{code}")
    nbytes = prod(shape) * BITS[dtype] // 8 if dtype in BITS else max(0, room)
    if code == "O":
        text = f"`{key}` holds Python objects: a pickle, which is not run."
        findings = (Finding("suspicious", "warning", text, {"key": key}),)
    elif nbytes > room:
        text = f"`{key}` has {max(0, room)} bytes; {list(shape)} of {dtype} take {nbytes}."
        findings = (Finding("corrupt", "error", text, {"key": key}),)
    stride = None
    if order[1] == "True" and len(shape) > 1:
        steps = [1]
        for size in shape[:-1]:
            steps.append(steps[-1] * size)
        stride = tuple(steps)
    big = descr is not None and descr[1] == ">"
    storage = Storage(key, nbytes, offset)
    return TensorEntry(key, dtype, shape, storage, 0, stride, nbytes), big, findings
