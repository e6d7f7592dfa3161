"""FileTensors: a checkpoint's tensors as views on a mapping of its files; nothing is unpickled."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from weakref import WeakValueDictionary

import torch

from mycloset.checkpoints.contents import Checkpoint
from mycloset.checkpoints.source import Source
from mycloset.checkpoints.tensors import BITS, TensorEntry
from mycloset.checkpoints.zipfiles import Archive
from mycloset.errors import ModelFileError
from mycloset.runtimes.pytorch.mappings import FileMapping, mapping_of
from mycloset.runtimes.pytorch.streams import MappedCasts, Stream, turned
from mycloset.runtimes.pytorch.together import Numbers, Pool, Run, joined

_PACKED = 1 << 34
"""Bytes that one packed tensor may have."""
_DTYPES: dict[str, torch.dtype] = {
    name: getattr(torch, name)
    for name in BITS
    if not name.startswith(("q", "float4")) and hasattr(torch, name)
}
"""What can be loaded, by the names of `TensorEntry.dtype`."""
_LITTLE = 1 << 20
"""Bytes from which tensors are put into one piece of memory."""


class FileTensors:
    """The tensors that a checkpoint's parse describes, made from its bytes.

    Tensors are views on a private mapping of the file (copy on write: nothing that is done to them
    reaches the file, and processes that load the same file share its pages), which every load of
    the unchanged file looks at: nobody may write to them. Those that cannot be mapped (packed,
    big-endian), or are wanted in another dtype, are read. Tensors that lie at the same place are
    one tensor.

    Args:
        checkpoint: what the file was found to hold.
        mapped: False reads each tensor's bytes instead (network disks); nothing is mapped then.
        shared: False gives it a mapping of its own, so that tensors may be written to.

    Raises:
        ModelFileError: the file is gone, or cannot be read.
    """

    def __init__(self, checkpoint: Checkpoint, *, mapped: bool = True, shared: bool = True) -> None:
        self._checkpoint = checkpoint
        self._mapped = mapped
        self._shared = shared
        self._files: dict[str, _File] = {}
        self._made: dict[tuple[Any, ...], dict[tuple[torch.dtype, bool], torch.Tensor]] = {}
        self._runs: dict[tuple[str, Numbers], Run] = {}
        self._swapped = checkpoint.metadata.get("byteorder") == "big"
        self._broken = {
            finding.details["key"]
            for finding in checkpoint.findings
            if finding.kind == "corrupt" and "key" in finding.details
        }

    def together(
        self, wanted: Iterable[tuple[TensorEntry, torch.dtype | None]], *, owned: bool = False
    ) -> None:
        """Say which tensors will be asked for, and held for equally long.

        Those of them that are read lie in one piece of memory then, and what lies together in the
        file is read together.

        Args:
            wanted: entries, each with its dtype as for `tensor`.
            owned: as for `tensor`.

        Raises:
            ModelFileError: the file is gone, or a tensor is of a kind that cannot be loaded.
            OSError: the system has no memory for them.
        """
        found: dict[str, list[Numbers]] = {}
        for entry, dtype in wanted:
            held = self._dtype(entry)
            into = _wanted(held, dtype)
            if held == into and not owned and self._mapped:
                continue  # a view, as nearly all of a mapped load: no more is asked of it
            numbers = _numbers(entry, held, into)
            if numbers is None:
                continue
            if numbers.start >= 0 and numbers.end <= self._opened(entry.storage.file).size:
                found.setdefault(entry.storage.file, []).append(numbers)
        runs = [(name, *run) for name, numbers in found.items() for run in joined(numbers)]
        size = sum(Pool.room(run.length, run.into) for _, run, _ in runs)
        if size < _LITTLE:
            return
        pool = Pool(size)
        for name, run, inside in runs:
            made = Run(run, pool.take(run.length, run.into))
            self._runs.update(((name, numbers), made) for numbers in inside)

    def tensor(
        self, entry: TensorEntry, dtype: torch.dtype | None = None, *, owned: bool = False
    ) -> torch.Tensor:
        """One tensor, on the CPU.

        Args:
            entry: the tensor's.
            dtype: what a floating tensor is cast to while it is read; the file's by default.
            owned: whether it must have memory of its own, to be written to or soon let go.

        Raises:
            ModelFileError: its bytes are damaged, missing, or of a kind that cannot be loaded.
        """
        held = self._dtype(entry)
        wanted = _wanted(held, dtype)
        made_here = self._made.setdefault(place_of(entry), {})
        made = made_here.get((wanted, owned))
        if made is None:
            made = made_here[wanted, owned] = self._make(entry, held, wanted, owned)
        return made

    def fresh(
        self, entry: TensorEntry, dtype: torch.dtype | None = None, *, owned: bool = False
    ) -> torch.Tensor:
        """A tensor of which only this caller knows; else as `tensor`."""
        held = self._dtype(entry)
        return self._make(entry, held, _wanted(held, dtype), owned)

    def forget(self, entry: TensorEntry) -> None:
        """Let go of what was made of an entry; asking again makes it anew."""
        self._made.pop(place_of(entry), None)

    def close(self) -> None:
        """Let go of the files; tensors that were made stay."""
        for opened in self._files.values():
            opened.close()
        self._files.clear()
        self._made.clear()
        self._runs.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _dtype(self, entry: TensorEntry) -> torch.dtype:
        if entry.key in self._broken:
            name = self._checkpoint.path.name
            raise ModelFileError(
                f"{name}: the tensor `{entry.key}` is damaged.",
                hint=f"`mycloset inspect {name}` says how; fetch the file again.",
            )
        dtype = _DTYPES.get(entry.dtype)
        if dtype is None:
            name = self._checkpoint.path.name
            raise ModelFileError(
                f"{name}: the tensor `{entry.key}` is of type {entry.dtype}, which is not loaded.",
                hint="Convert it to float32, float16 or bfloat16.",
            )
        return dtype

    def _make(
        self, entry: TensorEntry, held: torch.dtype, wanted: torch.dtype, owned: bool
    ) -> torch.Tensor:
        if not entry.elements:
            return torch.empty(entry.shape, dtype=wanted)
        opened = self._opened(entry.storage.file)
        numbers = _numbers(entry, held, wanted)
        if numbers is None:
            flat = self._unpacked(opened, entry, held).to(wanted, copy=owned)
        elif numbers.start < 0 or numbers.end > opened.size:
            raise _cut(self._checkpoint, entry)
        elif (run := self._runs.pop((entry.storage.file, numbers), None)) is not None:
            if not run.filled:
                self._read(opened, run.numbers, run.whole)
                run.filled = True
            flat = run.part(numbers)
        elif self._is_view(numbers, owned=owned):
            flat = torch.frombuffer(
                opened.mapping, dtype=held, offset=numbers.start, count=numbers.length
            )
        else:
            flat = self._read(opened, numbers)
        if entry.stride is None:
            return flat.view(entry.shape)
        return flat.as_strided(entry.shape, entry.stride)

    def _is_view(self, numbers: Numbers, *, owned: bool) -> bool:
        """Whether a tensor of these numbers looks at the mapped file; else they are read."""
        return numbers.held == numbers.into and not owned and self._is_plain(numbers)

    def _is_plain(self, numbers: Numbers) -> bool:
        """Whether PyTorch can work on these numbers where they are mapped."""
        # Its kernels take complex numbers for aligned ones; of others they do not.
        odd = numbers.held.is_complex and numbers.start % numbers.held.itemsize != 0
        return self._mapped and not odd and not self._swapped

    def _read(
        self, opened: _File, numbers: Numbers, out: torch.Tensor | None = None
    ) -> torch.Tensor:
        """(length,) numbers in memory of their own, or in `out`."""
        start, length, held, into = numbers
        if held != into and self._is_plain(numbers):
            return opened.casts.read(start, length, held, into=into, out=out)
        return opened.stream.read(start, length, held, into=into, swapped=self._swapped, out=out)

    def _unpacked(self, opened: _File, entry: TensorEntry, dtype: torch.dtype) -> torch.Tensor:
        unpacked = opened.unpacked(entry.storage.name, entry.key)
        length = _reach(entry) * dtype.itemsize
        if entry.offset + length > len(unpacked):
            raise _cut(self._checkpoint, entry)
        raw = torch.frombuffer(unpacked, dtype=torch.uint8, offset=entry.offset, count=length)
        if self._swapped:
            return turned(raw, dtype)
        # What starts at an odd place is moved to one where numbers may begin.
        odd = entry.offset % dtype.itemsize != 0
        return (raw.clone() if odd else raw).view(dtype)

    def _opened(self, name: str) -> _File:
        opened = self._files.get(name)
        if opened is None:
            path = self._checkpoint.path
            opened = _File(path.parent / name if name else path, shared=self._shared)
            self._files[name] = opened
        return opened


def place_of(entry: TensorEntry) -> tuple[Any, ...]:
    """What tensors that are one have in common."""
    storage = entry.storage
    return (storage.file, storage.name, storage.offset, *entry[1:3], *entry[4:6])


class _Unpacked(bytearray):
    """Bytes of which others may know as long as somebody holds them."""


class _File:
    """One file of a checkpoint, mapped, read and unpacked as far as it is asked for."""

    def __init__(self, path: Path, *, shared: bool) -> None:
        self.source = Source(path)
        self._shared = shared
        self.size = self.source.size
        self._map: FileMapping | None = None
        self._stream: Stream | None = None
        self._casts: MappedCasts | None = None
        self._archive: Archive | None = None
        # Those that tensors still look at, and the last one.
        self._unpacked: WeakValueDictionary[str, _Unpacked] = WeakValueDictionary()
        self._last: _Unpacked | None = None

    @property
    def mapping(self) -> FileMapping:
        if self._map is None:
            self._map = mapping_of(self.source, shared=self._shared)
        return self._map

    @property
    def casts(self) -> MappedCasts:
        if self._casts is None:
            self._casts = MappedCasts(self.source)
        return self._casts

    @property
    def stream(self) -> Stream:
        if self._stream is None:
            self._stream = Stream(self.source)
        return self._stream

    def unpacked(self, member: str, key: str) -> _Unpacked:
        """The bytes of an archive's packed member."""
        found = self._unpacked.get(member)
        if found is None:
            name = self.source.path.name
            if self.source.head(2) != b"PK":
                raise ModelFileError(
                    f"{name}: the bytes of the tensor `{key}` cannot be addressed.",
                    hint="Save the model's state dict anew.",
                )
            if self._archive is None:
                self._archive = Archive(self.source)
            place = self._archive.by_name.get(member)
            if place is None:
                raise ModelFileError(f"{name}: `{key}` lies in {member!r}, which is missing.")
            self._last = None
            found = _Unpacked(self._archive.read(place, _PACKED))
            self._unpacked[member] = found
        self._last = found
        return found

    def close(self) -> None:
        # The mapping itself lives as long as tensors look at it.
        self.source.close()


def _wanted(held: torch.dtype, dtype: torch.dtype | None) -> torch.dtype:
    """The dtype of a tensor that is asked for in some floating dtype, or in its own."""
    return dtype if dtype is not None and held.is_floating_point else held


def _numbers(entry: TensorEntry, held: torch.dtype, wanted: torch.dtype) -> Numbers | None:
    """The numbers that an entry needs of its file; None where it has none, or they are packed."""
    if entry.storage.offset is None or not entry.elements:
        return None
    return Numbers(entry.storage.offset + entry.offset, _reach(entry), held, wanted)


def _reach(entry: TensorEntry) -> int:
    """Elements from a tensor's first to its last, in the order of memory."""
    if entry.stride is None:
        return entry.elements
    steps = zip(entry.shape, entry.stride, strict=True)
    return 1 + sum((count - 1) * step for count, step in steps)


def _cut(checkpoint: Checkpoint, entry: TensorEntry) -> ModelFileError:
    return ModelFileError(
        f"{checkpoint.path.name}: the tensor `{entry.key}` reaches beyond the file's end.",
        hint="The file was cut off; fetch it again.",
    )
