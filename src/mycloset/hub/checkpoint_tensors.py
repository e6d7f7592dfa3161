"""CheckpointTensors: a file's tensors by their own keys, each made when it is asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self

from mycloset.checkpoints.contents import TensorGroup
from mycloset.checkpoints.reading import read_checkpoint
from mycloset.errors import ModelFileError

if TYPE_CHECKING:
    import torch


class CheckpointTensors(Mapping[str, "torch.Tensor"]):
    """A state dict that costs its file's header until tensors are asked for.

    Tensors are views on a mapping of the file that is theirs alone: what is done to them reaches
    neither the file nor any model.

    Args:
        path: a model file.
        group: which of the file's state dicts, by the keys that lead to it ("params_ema"); the
            one with most tensors by default.
        mapped: False reads each tensor's bytes instead (network disks).

    Raises:
        InputError: there is nothing at the path.
        ModelFileError: it holds no weights, or none under that group.
    """

    def __init__(self, path: Path, *, group: str | None = None, mapped: bool = True) -> None:
        from mycloset.runtimes.pytorch.tensors import FileTensors

        self.path = path
        self._checkpoint = read_checkpoint(path)
        self._group = _choose(path, self._checkpoint.groups, group)
        self._tensors = FileTensors(self._checkpoint, mapped=mapped, shared=False)
        self._lock = threading.Lock()

    @property
    def groups(self) -> tuple[str, ...]:
        """The state dicts of the file, by the keys that lead to them."""
        return tuple(_name(group) for group in self._checkpoint.groups)

    def __getitem__(self, key: str) -> torch.Tensor:
        """The tensor, of its file's dtype, on the CPU.

        Raises:
            KeyError: there is none of that key.
            ModelFileError: its bytes are damaged.
        """
        entry = self._group.table[key]
        with self._lock:
            return self._tensors.tensor(entry)

    def __iter__(self) -> Iterator[str]:
        return iter(self._group.table)

    def __len__(self) -> int:
        return len(self._group.table)

    def close(self) -> None:
        """Let go of the file; tensors that were made stay."""
        with self._lock:
            self._tensors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{len(self)} tensors of {self.path.name}>"


def _name(group: TensorGroup) -> str:
    return ".".join(group.wrapper)


def _choose(path: Path, groups: tuple[TensorGroup, ...], name: str | None) -> TensorGroup:
    named = [
        group
        for group in groups
        if (group.role in ("weights", "ema") if name is None else _name(group) == name)
    ]
    if not named:
        there = ", ".join(repr(_name(group)) for group in groups)
        raise ModelFileError(
            f"{path}: it holds no weights{f' under {name!r}' if name is not None else ''}.",
            hint=f"It has {there}." if there else f"`mycloset inspect {path.name}` says more.",
        )
    return max(named, key=lambda group: (group.role == "weights", len(group.table)))
