"""Shelf: what the user's folders hold, and which of it is meant by a step, a family or a name."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from mycloset.architectures.plans import has_network
from mycloset.architectures.steps import TRY_ON_STEPS
from mycloset.errors import InputError, ModelFileError
from mycloset.inspection.analysis import CheckpointAnalyzer
from mycloset.inspection.results import CheckpointAnalysis, Network


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
        stamp: size, time of change and number of the file when it was looked at.
    """

    path: Path
    root: Path
    network: Network
    runnable: bool
    reason: str = ""
    stamp: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return self.path.name.removesuffix(".tar").rpartition(".")[0] or self.path.name

    @property
    def folder_step(self) -> str | None:
        """The step whose folder it lies in, by name or number."""
        for part in self.path.relative_to(self.root).parts[:-1]:
            for number, step in enumerate(TRY_ON_STEPS, start=1):
                if part in (step, f"step_{number:02}") or part == f"step_{number:02}_{step}":
                    return step
        return None


class Shelf:
    """What the user's folders hold.

    Args:
        roots: folders with model files.
    """

    def __init__(self, roots: Iterable[str | os.PathLike[str]]) -> None:
        self.roots = tuple(Path(root) for root in roots)
        for root in self.roots:
            if not root.is_dir():
                raise InputError(f"{root} is no folder.", hint="Give a folder of model files.")
        self._lock = threading.Lock()
        self._models: tuple[ShelvedModel, ...] | None = None

    def models(self) -> tuple[ShelvedModel, ...]:
        """Every network in the folders' files, by path."""
        with self._lock:
            if self._models is None:
                self._models = tuple(self._look())
            return self._models

    def candidates(
        self,
        step_name: str | None = None,
        model_type: str | None = None,
        variants: Collection[str] = (),
    ) -> tuple[ShelvedModel, ...]:
        """Models that can run, the best first: those in the step's own folder, then the surest,
        then the largest.

        Args:
            step_name: one of the eight steps; None for any.
            model_type: a family; None for any.
            variants: of the family, whatever steps they are said to serve; empty for any.
        """
        found = [
            model
            for model in self.models()
            if model.runnable
            and (model_type is None or model.network.family == model_type)
            and (not variants or model.network.variant in variants)
            and (step_name is None or variants or step_name in model.network.steps)
        ]
        return tuple(
            sorted(
                found,
                key=lambda model: (
                    model.folder_step != step_name,
                    model.network.role == "ema",
                    -model.network.confidence,
                    -model.network.parameters,
                    str(model.path),
                ),
            )
        )

    def find(
        self,
        model_name: str | os.PathLike[str],
        step_name: str | None = None,
        model_type: str | None = None,
    ) -> ShelvedModel:
        """The model of a path or name; see `load_model`."""
        name = os.fspath(model_name)
        every = self.candidates(step_name, model_type)
        for names in (_paths, _stems, _kinds):
            for model in every:
                if name in names(model):
                    return model
        unusable = [m for m in self.models() if name in (m.name, m.path.name)]
        if unusable:
            raise ModelFileError(f"{unusable[0].path}: {unusable[0].reason}")
        near = ", ".join(sorted({model.name for model in every})[:8]) or "nothing that can run"
        raise NoModelError(f"there is no model {name!r}.", hint=f"The folders hold {near}.")

    def _look(self) -> Iterable[ShelvedModel]:
        """Every network in every file of the roots."""
        for root in self.roots:
            for analysis in CheckpointAnalyzer().analyze_folder(root).analyses:
                yield from _shelved(analysis, root)


def _paths(model: ShelvedModel) -> tuple[str, ...]:
    """The path, and every end of it."""
    parts = model.path.parts
    return (str(model.path), *(str(Path(*parts[start:])) for start in range(1, len(parts))))


def _stems(model: ShelvedModel) -> tuple[str, ...]:
    return (model.name,)


def _kinds(model: ShelvedModel) -> tuple[str, ...]:
    return (model.network.variant or "", model.network.family or "")


def _shelved(analysis: CheckpointAnalysis, root: Path) -> Iterable[ShelvedModel]:
    damage = [f.message for f in analysis.findings if f.kind == "corrupt"]
    for network in analysis.networks:
        reason = ""
        if network.family is None:
            reason = f"it holds an {network.title}."
        elif damage:
            reason = damage[0]
        elif network.verdict != "recognised":
            reason = f"{network.title} is {network.verdict}."
        elif network.layout == "renamed":
            reason = f"its keys are none that {network.title} is known by."
        elif not has_network(network.family):
            reason = f"{network.title} is recognised, but cannot be run yet."
        yield ShelvedModel(analysis.path, root, network, not reason, reason)
