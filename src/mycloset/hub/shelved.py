"""ShelvedModel: a network in a file of the user's folders, as far as choosing one needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mycloset.errors import ModelFileError
from mycloset.hub.named_models import step_named
from mycloset.hub.records import FileRecord, FileStamp, ShelvedNetwork

PARTS = {"reference_unet": "animation.reference", "denoising_unet": "animation.denoising"}
"""Folders of animation systems -> what the network in them does there."""


class NoModelError(ModelFileError):
    """The user's folders hold no model of the kind that was asked for."""


@dataclass(frozen=True)
class ShelvedModel:
    """A network in a file of the user's folders.

    Attributes:
        path: the file, or the folder of a model in several files.
        root: the folder below which it was found.
        network: what it is.
        runnable: whether it can be loaded and run.
        reason: why not, where it cannot.
        damaged: whether it could, if its file were whole.
        stamps: name, and size, time of change and number, of each of its files when it was read.
        note: where its name tells another thing than its content, what it really is; else "".
        copy: equal for files of the same content; "" for a file that has no copy.
        record: what else is known of its file.
    """

    path: Path
    root: Path
    network: ShelvedNetwork
    runnable: bool
    reason: str = ""
    damaged: bool = False
    stamps: tuple[FileStamp, ...] = ()
    note: str = ""
    copy: str = ""
    record: FileRecord | None = field(default=None, compare=False, repr=False)

    @property
    def name(self) -> str:
        """The file's name without its suffix; the folder's, where the file's says nothing."""
        if self.record is not None and self.record.generic and self.path.parent != self.root:
            return self.path.parent.name
        return self.path.name.removesuffix(".tar").rpartition(".")[0] or self.path.name

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return self.record.size if self.record is not None else self.network.bytes

    @property
    def folder_step(self) -> str | None:
        """The step whose folder it lies in, by name or number."""
        below = self.path.parts[len(self.root.parts) : -1] if self._below else ()
        return next((step for part in (*below, self.root.name) if (step := step_named(part))), None)

    @property
    def folder_part(self) -> str | None:
        """The part of an animation system in whose folder it lies: "animation.reference" below
        `reference_unet`, "animation.denoising" below `denoising_unet`; else None."""
        return next((PARTS[part] for part in self.path.parts[:-1] if part in PARTS), None)

    @property
    def steps(self) -> tuple[str, ...]:
        """What it can serve: as its network says; where two parts of a system are of one network,
        the folder says which of them this is."""
        part = self.folder_part
        others = [step for step in self.network.steps if step not in PARTS.values()]
        if part is None or part not in self.network.steps:
            return self.network.steps
        return (part, *others)

    @property
    def _below(self) -> bool:
        return self.path.parts[: len(self.root.parts)] == self.root.parts
