"""TensorTable: each tensor's name, dtype, shape and place in its file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from math import prod
from typing import NamedTuple

Shape = tuple[int, ...]

BITS: dict[str, int] = {
    "float64": 64,
    "float32": 32,
    "float16": 16,
    "bfloat16": 16,
    "float8_e4m3fn": 8,
    "float8_e5m2": 8,
    "float8_e4m3fnuz": 8,
    "float8_e5m2fnuz": 8,
    "float8_e8m0fnu": 8,
    "float4_e2m1fn_x2": 8,
    "complex128": 128,
    "complex64": 64,
    "complex32": 32,
    "int64": 64,
    "int32": 32,
    "int16": 16,
    "int8": 8,
    "uint64": 64,
    "uint32": 32,
    "uint16": 16,
    "uint8": 8,
    "bool": 8,
    "qint8": 8,
    "quint8": 8,
    "qint32": 32,
    "quint4x2": 4,
    "quint2x4": 2,
}
"""Bits of one element, by PyTorch's name of the dtype. Block-quantised types (GGUF) and strings
have none: their tensors' bytes come from the file."""

FLOATING = frozenset(name for name in BITS if name.startswith(("float", "bfloat", "complex")))

RUNNING = (".running_mean", ".running_var")
"""Ends of the keys of running statistics, which are no parameters."""


class Storage(NamedTuple):
    """A run of bytes in which tensors lie.

    Attributes:
        name: what the file calls it (a member's name, a storage key, a tensor's own key).
        nbytes: how many bytes it takes when unpacked.
        offset: first byte in the file; None where the bytes cannot be addressed (packed member).
        file: the file's name relative to the checkpoint's folder, where it is another file than
            the one that was read (a shard, external data); "" for the file itself.
    """

    name: str
    nbytes: int
    offset: int | None
    file: str = ""


class TensorEntry(NamedTuple):
    """One tensor as its file describes it.

    Attributes:
        key: dotted name.
        dtype: PyTorch's name ("float32"), or the format's own for what PyTorch lacks ("q4_k").
        shape: sizes, outermost first.
        storage: where its bytes lie; tensors may share one.
        offset: bytes from the storage's start to the first element.
        stride: in elements; None for a C-contiguous tensor.
        nbytes: bytes that its elements take (packed formats: as the file states).
        trainable: the file calls it a parameter (True), a buffer (False), or does not say (None).
    """

    key: str
    dtype: str
    shape: Shape
    storage: Storage
    offset: int
    stride: Shape | None
    nbytes: int
    trainable: bool | None = None

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)

    @property
    def byte_range(self) -> tuple[int, int] | None:
        """First byte and the one after the last, in the file; None where not addressable, or
        where the elements do not lie in one run."""
        if self.storage.offset is None or self.stride is not None:
            return None
        start = self.storage.offset + self.offset
        return start, start + self.nbytes


class TensorTable(Mapping[str, TensorEntry]):
    """The tensors of one state dict by key, in the file's order."""

    def __init__(self, entries: Iterable[TensorEntry]) -> None:
        self._entries = {entry.key: entry for entry in entries}

    def __getitem__(self, key: str) -> TensorEntry:
        return self._entries[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """Shape by key, in the file's order."""
        return {key: entry.shape for key, entry in self._entries.items()}

    @cached_property
    def elements(self) -> int:
        """Numbers in all tensors; those that share the very same place count once."""
        return sum(elements for _, elements in self._distinct)

    @cached_property
    def parameters(self) -> int:
        """Numbers in the floating tensors that are not running statistics; shared ones once."""
        return sum(
            elements
            for entry, elements in self._distinct
            if entry.trainable is not False
            and (entry.dtype in FLOATING or entry.dtype not in BITS)
            and not entry.key.endswith(RUNNING)
        )

    @cached_property
    def nbytes(self) -> int:
        """Bytes of all tensors' elements; shared ones once."""
        return sum(entry.nbytes for entry, _ in self._distinct)

    @cached_property
    def dtypes(self) -> dict[str, int]:
        """Number of elements by dtype, the most frequent first."""
        counts: dict[str, int] = {}
        for _, dtype, shape, *_ in self._entries.values():
            counts[dtype] = counts.get(dtype, 0) + prod(shape)
        return dict(sorted(counts.items(), key=lambda item: -item[1]))

    @cached_property
    def digest(self) -> str:
        """Hash of keys, dtypes and shapes, whatever their order: equal for two files that hold
        tensors of the same names and kinds."""
        texts = {shape: f"{shape}" for shape in set(self.shapes.values())}
        lines = sorted(f"{e[0]}\0{e[1]}\0{texts[e[2]]}" for e in self._entries.values())
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()

    def below(self, prefix: str) -> TensorTable:
        """The tensors whose keys begin with `prefix`, which is taken off."""
        cut = len(prefix)
        return TensorTable(
            TensorEntry(key[cut:], *entry[1:])
            for key, entry in self._entries.items()
            if key.startswith(prefix)
        )

    @cached_property
    def _distinct(self) -> list[tuple[TensorEntry, int]]:
        """Each tensor with its number of elements; of those at the very same place, the first."""
        # Mostly every tensor has a storage to itself.
        entries = self._entries.values()
        if len({entry[3][0] for entry in entries}) == len(entries):
            return [(entry, prod(entry[2])) for entry in entries]
        seen = set()
        found = []
        for entry in entries:
            storage, shape = entry.storage, entry.shape
            place = (storage.file, storage.name, storage.offset, entry.offset, shape)
            if place not in seen:
                seen.add(place)
                found.append((entry, prod(shape)))
        return found
