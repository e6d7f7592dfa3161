"""Wanted: exactly which model is asked for, and how it is brought into memory."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from mycloset.errors import ModelFileError, MyClosetError
from mycloset.hub.ledger import Piece
from mycloset.hub.loading import SPREAD, load
from mycloset.hub.memory import MemoryShortError
from mycloset.hub.model import Model
from mycloset.hub.records import FileStamp
from mycloset.hub.shelved import ShelvedModel

_BYTES = {"float16": 2, "bfloat16": 2}


@dataclass(frozen=True)
class Wanted:
    """What a load asks for; models of equal asking are one.

    Attributes:
        path, stamps: the file, and what it was when it was looked at.
        family, wrapper, prefix, role: which of the networks in it.
        device, precision, mapped, options: as for `mycloset.load`.
        size: bytes that it will take, as far as can be said before.
        room: bytes by device that there are for models, where it is spread over several.
    """

    path: Path
    stamps: tuple[FileStamp, ...]
    family: str
    wrapper: str
    prefix: str
    role: str
    device: str
    precision: str
    mapped: bool
    options: tuple[tuple[str, Any], ...]
    size: int = field(compare=False)
    room: tuple[tuple[str, int], ...] = field(compare=False, default=())

    @classmethod
    def of(
        cls,
        shelved: ShelvedModel,
        *,
        device: str,
        precision: str,
        mapped: bool,
        options: Mapping[str, Any],
        room: Mapping[str, int],
    ) -> Self:
        """What asks for a shelved model.

        One that is larger than the card that it should go to is spread over what there is.
        """
        network = shelved.network
        size = network.bytes
        if precision != "file":
            size = max(sum(network.dtypes.values()) * _BYTES.get(precision, 4), 1)
        backbone = options.get("backbone")
        if backbone is not None:
            size += Path(backbone).stat().st_size
        if device.startswith("cuda") and size > room.get(device, size):
            device = SPREAD
        return cls(
            shelved.path,
            shelved.stamps,
            network.family or "",
            network.wrapper,
            network.prefix,
            network.role,
            device,
            precision,
            mapped,
            tuple(sorted((name, _frozen(value)) for name, value in options.items())),
            size,
            tuple(sorted(room.items(), key=lambda item: item[0] == "cpu")),
        )

    @property
    def pieces(self) -> Mapping[Piece, int]:
        """What is set aside for it until it is there."""
        if self.device != SPREAD:
            return {Piece(self.device, ("set aside", self)): self.size}
        found = {}
        left = self.size
        for device, most in self.room:
            found[Piece(device, ("set aside", self))] = min(left, most)
            left -= min(left, most)
        return found

    def __str__(self) -> str:
        return self.path.name

    def load(self, *, ahead: bool) -> Model:
        """Load it.

        Args:
            ahead: whether nobody waits for it: then its bytes are read from the disk as well, not
                only when the network first looks at them.

        Raises:
            MyClosetError: it cannot be loaded.
            MemoryShortError: the system gives no more memory.
        """
        try:
            if ahead and self.mapped and self.device == "cpu":
                _read_ahead(self.path)
            return load(
                self.path,
                family=self.family,
                part=self.prefix or self.wrapper or None,
                role=self.role,
                device=self.device,
                precision=self.precision,
                mapped=self.mapped,
                max_memory=dict(self.room) if self.device == SPREAD else None,
                **{name: _thawed(value) for name, value in self.options},
            )
        except MyClosetError:
            raise
        except Exception as error:
            if _short_of_memory(error):
                raise MemoryShortError(
                    f"{self.path.name}: the system has no memory left for it ({error}).",
                    hint="Give models less memory than the limit of the process, or other"
                    " programs less.",
                ) from error
            raise ModelFileError(
                f"{self.path}: loading failed unexpectedly ({type(error).__name__}: {error}).",
                hint="This is a fault of MyCloset; please report it with the file's keys.",
            ) from error


def _read_ahead(path: Path) -> None:
    """Ask the system to read a file, or a folder's files, into its cache."""
    if not hasattr(os, "posix_fadvise"):
        return
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        if file.is_file():
            opened = os.open(file, os.O_RDONLY)
            try:
                os.posix_fadvise(opened, 0, 0, os.POSIX_FADV_WILLNEED)
            finally:
                os.close(opened)


def _short_of_memory(error: Exception) -> bool:
    """Whether an error says that there is no memory; PyTorch has no class of its own for it."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    told = str(error)
    return isinstance(error, RuntimeError) and (
        "can't allocate memory" in told or "out of memory" in told
    )


def _frozen(value: Any) -> Any:
    """A value that can be part of a key."""
    if isinstance(value, Mapping):
        return _Frozen("mapping", tuple(sorted((k, _frozen(v)) for k, v in value.items())))
    if isinstance(value, set | frozenset | list):
        return _Frozen("list", tuple(sorted(map(str, value))))
    return value


@dataclass(frozen=True)
class _Frozen:
    kind: str
    items: tuple[Any, ...]


def _thawed(value: Any) -> Any:
    if not isinstance(value, _Frozen):
        return value
    if value.kind == "mapping":
        return {name: _thawed(item) for name, item in value.items}
    return list(value.items)
