"""Numbers that no weight should be: each tensor's bytes, looked at in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mycloset.checkpoints.contents import Checkpoint, Finding
from mycloset.checkpoints.source import Source, UnreadableError
from mycloset.checkpoints.tensors import BITS, TensorEntry

if TYPE_CHECKING:
    import numpy as np

BLOCK = 1 << 22
"""Bytes that are held at once."""

TOLD = 5
"""Keys that a message names."""

_REACH = 1 << 26
"""Bytes up to which a tensor with gaps is looked at apart from what lies in the gaps."""

_KEYS = 100


class _Kind(NamedTuple):
    """How a dtype's bits are read: as unsigned numbers without their sign, of which those above
    `largest` are not finite, and `infinite` is the one that is infinite (-1 for none)."""

    code: str
    sign: int
    largest: int
    infinite: int


_KINDS = {
    "float64": _Kind("u8", 1 << 63, 0x7FEF_FFFF_FFFF_FFFF, 0x7FF0_0000_0000_0000),
    "float32": _Kind("u4", 1 << 31, 0x7F7F_FFFF, 0x7F80_0000),
    "float16": _Kind("u2", 1 << 15, 0x7BFF, 0x7C00),
    "bfloat16": _Kind("u2", 1 << 15, 0x7F7F, 0x7F80),
    "float8_e5m2": _Kind("u1", 1 << 7, 0x7B, 0x7C),
    "float8_e4m3fn": _Kind("u1", 1 << 7, 0x7E, -1),
    "complex64": _Kind("u4", 1 << 31, 0x7F7F_FFFF, 0x7F80_0000),
    "complex128": _Kind("u8", 1 << 63, 0x7FEF_FFFF_FFFF_FFFF, 0x7FF0_0000_0000_0000),
}
"""Floating dtypes whose numbers are looked at."""


class Look(NamedTuple):
    """What a tensor's numbers are: whether any is NaN or infinite, all are zero, all are equal,
    and any finite one is beyond float16."""

    nan: bool
    infinite: bool
    zero: bool
    constant: bool
    large: bool


def check_values(source: Source, checkpoint: Checkpoint) -> list[Finding]:
    """NaN and infinite numbers, weights that are all zero or all equal, numbers beyond float16.

    Tensors whose bytes cannot be addressed are counted in a finding; an optimizer's are left out.
    """
    big = checkpoint.metadata.get("byteorder") == "big"
    keys: dict[str, list[str]] = {name: [] for name in Look._fields}
    packed: list[str] = []
    seen: dict[tuple[Any, ...], Look | None] = {}
    looked = 0
    for group in checkpoint.groups:
        if group.role == "optimizer":
            continue
        for key, entry in group.table.items():
            if entry.dtype not in _KINDS or not entry.elements:
                continue
            place = (entry.storage, entry.offset, entry.shape, entry.stride)
            if entry.storage.offset is None:
                packed.append(key)
                continue
            if place not in seen:
                seen[place] = _look(_file(entry, source, checkpoint), entry, big=big)
            look = seen[place]
            if look is None:
                continue  # A missing part is already a finding of the reader.
            looked += 1
            for name, holds in zip(Look._fields, look, strict=True):
                if holds:
                    keys[name].append(key)
    return list(_findings(keys, looked, packed, checkpoint))


def told(keys: list[str]) -> str:
    """The first keys, for a message."""
    names = ", ".join(f"`{key[:200]}`" for key in keys[:TOLD])
    return f"{names} and {len(keys) - TOLD} more" if len(keys) > TOLD else names


def _findings(
    keys: dict[str, list[str]], looked: int, packed: list[str], checkpoint: Checkpoint
) -> Iterator[Finding]:
    for name, what in (("nan", "NaN"), ("infinite", "infinite")):
        if keys[name]:
            text = f"{len(keys[name])} tensors hold {what} numbers: {told(keys[name])}."
            yield Finding("corrupt", "error", text, {"keys": keys[name][:_KEYS]})
    shapes = {
        key: shape for group in checkpoint.groups for key, shape in group.table.shapes.items()
    }
    # Biases and the like begin as zeros or ones, and may stay so.
    zero = [key for key in keys["zero"] if len(shapes[key]) > 1]
    constant = [
        key for key in keys["constant"] if len(shapes[key]) > 1 and key not in set(keys["zero"])
    ]
    if looked and len(keys["zero"]) == looked:
        text = f"All {looked} tensors that were read hold nothing but zeros."
        yield Finding("corrupt", "error", text)
    elif zero:
        text = f"{len(zero)} weights hold nothing but zeros: {told(zero)}."
        yield Finding("unusual", "warning", text, {"keys": zero[:_KEYS]})
    if constant:
        text = f"{len(constant)} weights hold one number throughout: {told(constant)}."
        yield Finding("unusual", "warning", text, {"keys": constant[:_KEYS]})
    if keys["large"]:
        large = keys["large"]
        text = f"{len(large)} tensors hold numbers that float16 cannot: {told(large)}."
        yield Finding("unusual", "info", text, {"keys": large[:_KEYS]})
    if packed:
        text = (
            f"{len(packed)} tensors are packed, or written number by number: theirs were not"
            f" looked at ({told(packed)})."
        )
        yield Finding("unusual", "info", text)


def _file(entry: TensorEntry, source: Source, checkpoint: Checkpoint) -> Path:
    return checkpoint.path.parent / entry.storage.file if entry.storage.file else source.path


def _look(path: Path, entry: TensorEntry, *, big: bool) -> Look | None:
    """What a tensor's numbers are; None where its bytes are not there."""
    import numpy as np

    kind = _KINDS[entry.dtype]
    code = np.dtype((">" if big else "<") + kind.code)
    # Neighbours of equal bits make a constant, zeros of either sign zero.
    first: int | None = None
    nan = infinite = large = False
    zero = constant = True
    for block in _blocks(path, entry):
        bits: np.ndarray[Any, Any] = np.frombuffer(block, code)
        if _has_gaps(entry):
            bits = _viewed(bits, entry)
        if first is None:
            first = int(bits.flat[0])
        if constant:
            constant = bool((bits == first).all())
        size = bits & code.type(kind.sign - 1)
        largest = int(size.max())
        zero = zero and not largest
        if largest > kind.largest:
            infinite = infinite or bool((size == kind.infinite).any())
            nan = nan or bool(((size > kind.largest) & (size != kind.infinite)).any())
        if entry.dtype in _WIDE and not large:
            large = bool(((size >= _WIDE[entry.dtype]) & (size <= kind.largest)).any())
    if first is None:
        return None
    return Look(nan, infinite, zero, constant and entry.elements > 1, large)


_WIDE = {
    "float64": 0x40EF_FE00_0000_0000,
    "float32": 0x477F_F000,
    "bfloat16": 0x4780,
}
"""Bits of the smallest number that float16 rounds to infinity."""


def _viewed(bits: np.ndarray[Any, Any], entry: TensorEntry) -> np.ndarray[Any, Any]:
    """A strided tensor's own numbers among those of its storage."""
    from numpy.lib.stride_tricks import as_strided

    parts = 2 if entry.dtype.startswith("complex") else 1
    strides = [step * bits.itemsize * parts for step in entry.stride or ()]
    shape = list(entry.shape)
    if parts == 2:
        shape, strides = [*shape, 2], [*strides, bits.itemsize]
    return as_strided(bits, shape, strides, writeable=False)


def _reach(entry: TensorEntry) -> int:
    """Bytes from a tensor's first to its last number, which are more than its own if it has gaps,
    and fewer if it repeats itself."""
    if entry.stride is None:
        return entry.nbytes
    steps = zip(entry.shape, entry.stride, strict=True)
    return BITS[entry.dtype] // 8 * (1 + sum((count - 1) * step for count, step in steps))


def _has_gaps(entry: TensorEntry) -> bool:
    return entry.stride is not None and entry.nbytes < _reach(entry) <= _REACH


def _blocks(path: Path, entry: TensorEntry) -> Iterator[bytes]:
    """The bytes over which a tensor reaches, in blocks; at once where it has gaps."""
    start = (entry.storage.offset or 0) + entry.offset
    length = _reach(entry)
    size = BITS[entry.dtype] // 8
    if length < size or min(entry.stride or (0,)) < 0:
        return
    block = length if _has_gaps(entry) else BLOCK
    try:
        with Source(path) as source:
            if start + length > source.size:
                return
            for place in range(start, start + length, block):
                part = min(block, start + length - place)
                yield source.read(place, part - part % size)
    except UnreadableError:
        return
