"""FileTensors: a checkpoint's tensors as views on a mapping of its files; nothing is unpickled."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch

from mycloset.checkpoints.contents import Checkpoint
from mycloset.checkpoints.source import Source
from mycloset.checkpoints.tensors import BITS, TensorEntry
from mycloset.checkpoints.zipfiles import Archive
from mycloset.errors import ModelFileError
from mycloset.runtimes.pytorch.mappings import FileMapping, mapping_of

_PACKED = 1 << 34
"""Bytes that one packed tensor may have."""


class FileTensors:
    """The tensors that a checkpoint's parse describes, made from its bytes.

    Tensors are views on a private mapping of the file (copy on write: nothing that is done to them
    reaches the file, and processes that load the same file share its pages). Those that cannot be
    mapped (packed, big-endian) are read. Tensors that lie at the same place are one tensor.

    Args:
        checkpoint: what the file was found to hold.
        mapped: False reads each tensor's bytes instead (network disks); nothing is mapped then.

    Raises:
        ModelFileError: the file is gone, or cannot be read.
    """

    def __init__(self, checkpoint: Checkpoint, *, mapped: bool = True) -> None:
        self._checkpoint = checkpoint
        self._mapped = mapped
        self._files: dict[str, _File] = {}
        self._made: dict[tuple[Any, ...], torch.Tensor] = {}
        self._swapped = checkpoint.metadata.get("byteorder") == "big"
        self._broken = {
            finding.details["key"]
            for finding in checkpoint.findings
            if finding.kind == "corrupt" and "key" in finding.details
        }

    def tensor(self, entry: TensorEntry) -> torch.Tensor:
        """One tensor, of its file's dtype, on the CPU.

        Raises:
            ModelFileError: its bytes are damaged, missing, or of a kind that cannot be loaded.
        """
        storage = entry.storage
        place = (storage.file, storage.name, storage.offset, *entry[1:3], *entry[4:6])
        made = self._made.get(place)
        if made is None:
            made = self._make(entry)
            self._made[place] = made
        return made

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

    def _make(self, entry: TensorEntry) -> torch.Tensor:
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
        if not entry.elements:
            return torch.empty(entry.shape, dtype=dtype)
        reach = entry.elements if entry.stride is None else _reach(entry)
        buffer, start = self._bytes(entry, reach * dtype.itemsize)
        if dtype.is_complex and not self._swapped and start % dtype.itemsize:
            # PyTorch's kernels take complex numbers for aligned ones; of others they do not.
            raw = torch.frombuffer(buffer, dtype=torch.uint8, offset=start,
                                   count=reach * dtype.itemsize)  # fmt: skip
            flat = raw.clone().view(dtype)
        elif self._swapped:
            flat = torch.frombuffer(buffer, dtype=torch.uint8, offset=start,
                                    count=reach * dtype.itemsize)  # fmt: skip
            parts = 2 if dtype.is_complex else 1
            size = dtype.itemsize // parts
            flat = flat.view(-1, size).flip(1).contiguous().view(-1).view(dtype)
        else:
            flat = torch.frombuffer(buffer, dtype=dtype, offset=start, count=reach)
        if entry.stride is None:
            return flat.view(entry.shape)
        return flat.as_strided(entry.shape, entry.stride)

    def _bytes(self, entry: TensorEntry, length: int) -> tuple[Any, int]:
        """A writable buffer, and where in it the tensor begins."""
        storage = entry.storage
        opened = self._opened(storage.file)
        if storage.offset is None:
            unpacked = opened.unpacked(storage.name, entry.key)
            if entry.offset + length > len(unpacked):
                raise _cut(self._checkpoint, entry)
            return unpacked, entry.offset
        start = storage.offset + entry.offset
        if start < 0 or start + length > opened.size:
            raise _cut(self._checkpoint, entry)
        if self._mapped:
            return opened.mapping, start
        return bytearray(opened.source.read(start, length)), 0

    def _opened(self, name: str) -> _File:
        opened = self._files.get(name)
        if opened is None:
            path = self._checkpoint.path
            opened = _File(path.parent / name if name else path)
            self._files[name] = opened
        return opened


class _File:
    """One file of a checkpoint, mapped and unpacked as far as it is asked for."""

    def __init__(self, path: Path) -> None:
        self.source = Source(path)
        self.size = self.source.size
        self._map: FileMapping | None = None
        self._archive: Archive | None = None
        self._unpacked: dict[str, bytearray] = {}

    @property
    def mapping(self) -> FileMapping:
        if self._map is None:
            self._map = mapping_of(self.source)
        return self._map

    def unpacked(self, member: str, key: str) -> bytearray:
        """The bytes of an archive's packed member."""
        found = self._unpacked.get(member)
        if found is None:
            name = self.source.path.name
            with_head = self.source.head(2)
            if with_head != b"PK":
                raise ModelFileError(
                    f"{name}: the bytes of the tensor `{key}` cannot be addressed.",
                    hint="Save the model's state dict anew.",
                )
            if self._archive is None:
                self._archive = Archive(self.source)
            place = self._archive.by_name.get(member)
            if place is None:
                raise ModelFileError(f"{name}: `{key}` lies in {member!r}, which is missing.")
            found = bytearray(self._archive.read(place, _PACKED))
            self._unpacked[member] = found
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
