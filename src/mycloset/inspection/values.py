"""Numbers of two tensors held against each other, piece by piece, as they lie in the files."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mycloset.checkpoints.contents import Checkpoint
from mycloset.checkpoints.source import DamagedError, Source, UnreadableError
from mycloset.checkpoints.tensors import BITS, Storage, TensorEntry
from mycloset.checkpoints.zipfiles import Archive
from mycloset.inspection.differences import ValueDifference

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIECE = 1 << 20
"""Elements that are compared at a time."""
LARGEST_SPAN = 1 << 27
"""Bytes up to which a tensor that is packed, or does not lie in one run, is read as a whole."""

_ZIPPED = ("torch-zip", "torchscript")

_SAME_NAME = {
    "float64", "float32", "float16", "complex128", "complex64",
    "int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8",
}  # fmt: skip
"""dtypes that NumPy has under the same name."""

Unread = tuple[str, str]
_Order = Literal["<", ">"]


def compare_values(
    tensors: Iterable[tuple[str, TensorEntry, TensorEntry]], a: Checkpoint, b: Checkpoint
) -> Iterator[ValueDifference | Unread]:
    """Compare tensors of equal shapes; those that are equal give nothing.

    Yields:
        A difference, or key and reason of a tensor that could not be read.
    """
    with ExitStack() as open_files:
        first, second = _Files(a, open_files), _Files(b, open_files)
        for key, one, other in tensors:
            try:
                found = _compare(key, _Reader(first, one), _Reader(second, other))
            except (DamagedError, UnreadableError, _PackedError) as error:
                yield key, str(error)
                continue
            if found is not None:
                yield found


class _PackedError(Exception):
    """A tensor's bytes cannot be read where they lie; the text says why."""


class _Files:
    """The files of a checkpoint, opened when first needed."""

    def __init__(self, checkpoint: Checkpoint, open_files: ExitStack) -> None:
        path = checkpoint.path
        self._path = path
        self._folder = path if path.is_dir() else path.parent
        self._open_files = open_files
        self._sources: dict[str, Source] = {}
        self._zipped = checkpoint.format in _ZIPPED
        self._archive: Archive | None = None
        big = checkpoint.metadata.get("byteorder") == "big"
        self.order: _Order = ">" if big else "<"

    def source(self, name: str) -> Source:
        if name not in self._sources:
            path: Path = self._folder / name if name else self._path
            self._sources[name] = self._open_files.enter_context(Source(path))
        return self._sources[name]

    def unpacked(self, storage: Storage) -> bytes:
        """The bytes of a storage that is a packed member of a zip archive."""
        if not self._zipped or storage.file:
            raise _PackedError("its bytes are packed in the file")
        if self._archive is None:
            self._archive = Archive(self.source(""))
        member = self._archive.by_name.get(storage.name)
        if member is None or member.size != storage.nbytes:
            raise _PackedError("its bytes are not whole in the file")
        return self._archive.read(member, LARGEST_SPAN)


class _Reader:
    """A tensor's elements, from any one to any other, in the order of a contiguous tensor."""

    def __init__(self, files: _Files, entry: TensorEntry) -> None:
        self.entry = entry
        self.order = files.order
        self._whole: bytes | None = None
        storage = entry.storage
        bits = BITS.get(entry.dtype)
        if not entry.elements:
            return
        if bits is None or bits % 8:
            raise _PackedError(f"{entry.dtype} has no whole bytes for an element")
        self.itemsize = bits // 8
        if storage.offset is None:
            data = files.unpacked(storage)
            self._read: Callable[[int, int], bytes] = lambda place, size: _part(data, place, size)
            self._start = entry.offset
        else:
            self._read = files.source(storage.file).read
            self._start = storage.offset + entry.offset
        if entry.stride is not None:
            self._whole = self._gathered(entry.shape, entry.stride)

    def read(self, begin: int, end: int) -> bytes:
        """Bytes of the elements from `begin` up to `end`."""
        if self._whole is not None:
            return self._whole[begin * self.itemsize : end * self.itemsize]
        start = self._start + begin * self.itemsize
        return self._read(start, (end - begin) * self.itemsize)

    def _gathered(self, shape: Sequence[int], stride: Sequence[int]) -> bytes:
        """A strided tensor's bytes in order."""
        import numpy as np

        last = sum((size - 1) * step for size, step in zip(shape, stride, strict=True))
        span = (last + 1) * self.itemsize
        if min(stride, default=0) < 0 or max(span, self.entry.nbytes) > LARGEST_SPAN:
            raise _PackedError("it does not lie in one run, and is too large to be put in order")
        raw = np.frombuffer(self._read(self._start, span), f"V{self.itemsize}")
        steps = [step * self.itemsize for step in stride]
        return np.lib.stride_tricks.as_strided(raw, shape, steps, writeable=False).tobytes()


def _part(data: bytes, place: int, size: int) -> bytes:
    if place + size > len(data):
        raise _PackedError("it reaches beyond its storage")
    return data[place : place + size]


def _compare(key: str, one: _Reader, other: _Reader) -> ValueDifference | None:
    entry = one.entry
    total = entry.elements
    alike = entry.dtype == other.entry.dtype and one.order == other.order
    differing = 0
    largest = relative = 0.0
    blind = False
    for begin in range(0, total, PIECE):
        end = min(total, begin + PIECE)
        raw_a, raw_b = one.read(begin, end), other.read(begin, end)
        if alike and raw_a == raw_b:
            continue
        numbers_a = _numbers(raw_a, entry.dtype, one.order)
        numbers_b = _numbers(raw_b, other.entry.dtype, other.order)
        if numbers_a is None or numbers_b is None:
            blind = True
            break
        count, most, share = _held_against(numbers_a, numbers_b)
        differing += count
        largest, relative = max(largest, most), max(relative, share)
    if blind:
        return ValueDifference(key, entry.shape, total, None, None, None)
    if not differing:
        return None
    return ValueDifference(key, entry.shape, total, differing, largest, relative)


def _held_against(a: NDArray[Any], b: NDArray[Any]) -> tuple[int, float, float]:
    """How many numbers differ, and by how much at most, absolutely and relatively."""
    import numpy as np

    unequal = (a != b) & ~(np.isnan(a) & np.isnan(b))
    count = int(np.count_nonzero(unequal))
    if not count:
        return 0, 0.0, 0.0
    a, b = a[unequal], b[unequal]
    with np.errstate(all="ignore"):
        apart = np.abs(a - b)
        share = apart / np.maximum(np.abs(a), np.abs(b))
    if not np.isfinite(apart).all():
        return count, math.inf, 2.0
    return count, float(apart.max()), float(share.max())


def _numbers(raw: bytes, dtype: str, order: _Order) -> NDArray[Any] | None:
    """The elements as float64 or complex128; None for a dtype that has no plain numbers."""
    import numpy as np

    numbers: NDArray[Any]
    if dtype in _SAME_NAME:
        stored = np.frombuffer(raw, np.dtype(dtype).newbyteorder(order))
        numbers = stored.astype(np.complex128 if "complex" in dtype else np.float64)
    elif dtype == "bool":
        numbers = (np.frombuffer(raw, np.uint8) != 0).astype(np.float64)
    elif dtype == "bfloat16":
        upper = np.frombuffer(raw, np.dtype(np.uint16).newbyteorder(order)).astype(np.uint32)
        numbers = (upper << 16).view(np.float32).astype(np.float64)
    elif dtype == "float8_e5m2":
        numbers = (np.frombuffer(raw, np.uint8).astype(np.uint16) << 8).view(np.float16)
        numbers = numbers.astype(np.float64)
    elif dtype == "float8_e4m3fn":
        decoded = np.array([_e4m3fn(code) for code in range(256)], np.float64)
        numbers = decoded[np.frombuffer(raw, np.uint8)]
    else:
        return None
    return numbers


def _e4m3fn(code: int) -> float:
    """A float8_e4m3fn by its code: 4 bits of exponent with bias 7, no Inf, NaN at all ones.

    Source: Micikevicius et al., FP8 Formats for Deep Learning, 2022, section 3.
    """
    sign = -1.0 if code & 0x80 else 1.0
    exponent, fraction = (code >> 3) & 0xF, code & 7
    if exponent == 15 and fraction == 7:
        return math.nan
    if exponent == 0:
        return sign * math.ldexp(fraction, -9)
    return sign * math.ldexp(8 + fraction, exponent - 10)
