"""ShelvedModel: a network in a file of the user's folders, as far as choosing one needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from mycloset.architectures.steps import TRY_ON_STEPS
from mycloset.errors import ModelFileError

if TYPE_CHECKING:
    from mycloset.inspection.results import CheckpointAnalysis, Network

GENERIC = frozenset(
    {
        "diffusion_pytorch_model",
        "model",
        "pytorch_model",
        "adapter_model",
        "open_clip_pytorch_model",
    }
)
"""Names that hubs give every file; the folder tells them apart."""


class NoModelError(ModelFileError):
    """The user's folders hold no model of the kind that was asked for."""


class Stamp(NamedTuple):
    """What changes when a file does.

    Attributes:
        name: relative to the model's folder; "" for the file or folder itself.
        size: bytes.
        changed: nanoseconds of its last change.
        number: its inode.
    """

    name: str
    size: int
    changed: int
    number: int

    @classmethod
    def of(cls, path: Path, name: str = "") -> Self:
        """The stamp of a file; OSError where there is none."""
        status = (path / name if name else path).stat()
        return cls(name, status.st_size, status.st_mtime_ns, status.st_ino)


@dataclass(frozen=True)
class ShelvedNetwork:
    """What choosing and loading a network need of its analysis; see `inspection.Network`."""

    family: str | None
    variant: str | None
    title: str
    verdict: str
    layout: str | None
    task: str | None
    steps: tuple[str, ...]
    confidence: float
    parameters: int
    bytes: int
    precision: str
    dtypes: Mapping[str, int]
    wrapper: str
    prefix: str
    role: str
    licence: str
    digest: str

    @classmethod
    def of(cls, network: Network) -> Self:
        """The same of an analysed network."""
        return cls(*(getattr(network, name) for name in cls.__dataclass_fields__))

    def to_json(self) -> list[Any]:
        """JSON values, in the order of the fields."""
        return [
            dict(value) if isinstance(value, Mapping) else value
            for value in (getattr(self, name) for name in self.__dataclass_fields__)
        ]

    @classmethod
    def from_json(cls, values: list[Any]) -> Self:
        """What `to_json` gave; TypeError or ValueError where it is nothing of the kind."""
        if len(values) != len(cls.__dataclass_fields__):
            raise ValueError(f"{len(values)} values")
        made = cls(*values)
        return cls(**{**vars(made), "steps": tuple(made.steps)})


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
        stamps: of its files, when they were looked at.
    """

    path: Path
    root: Path
    network: ShelvedNetwork
    runnable: bool
    reason: str = ""
    damaged: bool = False
    stamps: tuple[Stamp, ...] = ()

    @property
    def name(self) -> str:
        """The file's name without its suffix; below a folder that says more, with the folder."""
        stem = _stem(self.path.name)
        return f"{self.path.parent.name}/{stem}" if stem in GENERIC else stem

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(stamp.size for stamp in self.stamps)

    @property
    def folder_step(self) -> str | None:
        """The step whose folder it lies in, by name or number."""
        for part in self.path.relative_to(self.root).parts[:-1]:
            for number, step in enumerate(TRY_ON_STEPS, start=1):
                if part in (step, f"step_{number:02}") or part == f"step_{number:02}_{step}":
                    return step
        return None

    @property
    def names(self) -> frozenset[str]:
        """What it may be called: its path and every end of it, with and without the suffix; where
        the name is one that every file has, the folder alone."""
        parts = self.path.parts
        ends = [str(Path(*parts[start:])) for start in range(len(parts))]
        found = {*ends, *(str(Path(end).parent / _stem(end)) for end in ends), self.name}
        if _stem(self.path.name) in GENERIC:
            folder = parts[:-1]
            found.update(str(Path(*folder[start:])) for start in range(len(folder)))
        return frozenset(found)


def shelved(
    analysis: CheckpointAnalysis, root: Path, stamps: tuple[Stamp, ...]
) -> Iterable[ShelvedModel]:
    """The networks of an analysed file, and whether each can be run."""
    from mycloset.architectures.plans import has_network

    damage = [finding.message for finding in analysis.findings if finding.kind == "corrupt"]
    for network in analysis.networks:
        reason = ""
        runs = network.family is not None and has_network(network.family)
        if network.family is None:
            reason = f"it holds an {network.title}."
        elif not runs:
            reason = f"{network.title} is recognised, but cannot be run yet."
        elif damage:
            reason = damage[0]
        elif network.verdict != "recognised":
            reason = f"{network.title} is {network.verdict}."
        elif network.layout == "renamed":
            reason = f"its keys are none that {network.title} is known by."
        what = ShelvedNetwork.of(network)
        damaged = bool(reason) and runs
        yield ShelvedModel(analysis.path, root, what, not reason, reason, damaged, stamps)


def _stem(name: str) -> str:
    last = Path(name).name.removesuffix(".index.json").removesuffix(".tar")
    return last.rpartition(".")[0] or last
