"""FileTensors: a checkpoint's tensors as views on a mapping of its files; nothing is unpickled."""

from __future__ import annotations

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

_PACKED = 1 << 34
"""Bytes that one packed tensor may have."""


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
        self._swapped = checkpoint.metadata.get("byteorder") == "big"
        self._broken = {
            finding.details["key"]
            for finding in checkpoint.findings
            if finding.kind == "corrupt" and "key" in finding.details
        }

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
        wanted = dtype if dtype is not None and held.is_floating_point else held
        made_here = self._made.setdefault(place_of(entry), {})
        made = made_here.get((wanted, owned))
        if made is None:
            made = made_here[wanted, owned] = self._make(entry, held, wanted, owned)
        return made

    def forget(self, entry: TensorEntry) -> None:
        """Let go of what was made of an entry; asking again makes it anew."""
        self._made.pop(place_of(entry), None)

    def close(self) -> None:
        """Let go of the files; tensors that were made stay."""
        for opened in self._files.values():
            opened.close()
        self._files.clear()
        self._made.clear()

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
        name = self._checkpoint.path.name
        if entry.key in self._broken:
            raise ModelFileError(
                f"{name}: the tensor `{entry.key}` is damaged.",
                hint=f"`mycloset inspect {name}` says how; fetch the file again.",
            )
        plain = entry.dtype in BITS and not entry.dtype.startswith(("q", "float4"))
        dtype = getattr(torch, entry.dtype, None) if plain else None
        if not isinstance(dtype, torch.dtype):
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
        count = entry.elements if entry.stride is None else _reach(entry)
        storage = entry.storage
        opened = self._opened(storage.file)
        if storage.offset is None:
            flat = self._unpacked(opened, entry, count, held).to(wanted, copy=owned)
        else:
            start = storage.offset + entry.offset
            if start < 0 or start + count * held.itemsize > opened.size:
                raise _cut(self._checkpoint, entry)
            # PyTorch's kernels take complex numbers for aligned ones; of others they do not.
            odd = held.is_complex and start % held.itemsize != 0
            if self._mapped and held == wanted and not (owned or odd or self._swapped):
                flat = torch.frombuffer(opened.mapping, dtype=held, offset=start, count=count)
            elif self._mapped and held != wanted and not (odd or self._swapped):
                flat = opened.casts.read(start, count, held, into=wanted)
            else:
                flat = opened.stream.read(start, count, held, into=wanted, swapped=self._swapped)
        if entry.stride is None:
            return flat.view(entry.shape)
        return flat.as_strided(entry.shape, entry.stride)

    def _unpacked(
        self, opened: _File, entry: TensorEntry, count: int, dtype: torch.dtype
    ) -> torch.Tensor:
        unpacked = opened.unpacked(entry.storage.name, entry.key)
        length = count * dtype.itemsize
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


def _reach(entry: TensorEntry) -> int:
    """Elements from a strided tensor's first to its last."""
    steps = zip(entry.shape, entry.stride or (), strict=True)
    return 1 + sum((count - 1) * step for count, step in steps)


def _cut(checkpoint: Checkpoint, entry: TensorEntry) -> ModelFileError:
    return ModelFileError(
        f"{checkpoint.path.name}: the tensor `{entry.key}` reaches beyond the file's end.",
        hint="The file was cut off; fetch it again.",
    )
