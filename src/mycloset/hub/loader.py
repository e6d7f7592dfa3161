"""ModelLoader: "the best model for this step that the user's folders hold", within a budget."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mycloset.architectures.plans import has_network
from mycloset.architectures.steps import TRY_ON_STEPS
from mycloset.errors import InputError, ModelFileError
from mycloset.hub.loading import load
from mycloset.hub.memory import budget
from mycloset.hub.model import Model
from mycloset.hub.residency import Residency
from mycloset.inspection.analysis import CheckpointAnalyzer
from mycloset.inspection.results import CheckpointAnalysis, Network

_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}


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
    """

    path: Path
    root: Path
    network: Network
    runnable: bool
    reason: str = ""

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


class ModelLoader:
    """Finds models by what they are, loads them once, and keeps them within a budget.

    Nothing is read before it is asked for: the first question reads the headers of all files.

    Args:
        roots: folders with model files.
        memory: bytes for models: a number, "6GB", or "auto" (a share of what is free).
        device: "cpu", "cuda", "cuda:1", "mps".
        precision: as for `load`.
        most: how many models may be in memory at once; None for any number.
    """

    def __init__(
        self,
        roots: Iterable[str | os.PathLike[str]],
        *,
        memory: int | str = "auto",
        device: str = "cpu",
        precision: str = "float32",
        most: int | None = None,
    ) -> None:
        self.roots = tuple(Path(root) for root in roots)
        for root in self.roots:
            if not root.is_dir():
                raise InputError(f"{root} is no folder.", hint="Give a folder of model files.")
        self.device = device
        self.precision = precision
        self._residency: Residency[_Wanted, Model] = Residency(budget(memory), most=most)
        self._lock = threading.Lock()
        self._shelf: tuple[ShelvedModel, ...] | None = None

    @property
    def memory(self) -> int:
        """Bytes that models may take."""
        return self._residency.budget

    def list_available_models(self) -> tuple[ShelvedModel, ...]:
        """Every network in the folders' files, by path."""
        with self._lock:
            if self._shelf is None:
                self._shelf = tuple(self._look())
            return self._shelf

    def list_loaded_models(self) -> tuple[Path, ...]:
        """The files of what is in memory, the least recently used first."""
        return tuple(wanted.path for wanted in self._residency.held())

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
            for model in self.list_available_models()
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

    def load_model(
        self,
        model_name: str | os.PathLike[str],
        step_name: str | None = None,
        device: str | None = None,
        model_type: str | None = None,
        **options: Any,
    ) -> Model:
        """A model by its file's path, its name, or the name of its family or variant.

        Raises:
            NoModelError: the folders hold none of that name.
            ModelFileError: it cannot be loaded.
            BudgetError: it does not fit into the memory for models.
        """
        shelved = self.find(model_name, step_name, model_type)
        return self.load_shelved(shelved, device=device, **options)

    def load_model_for_step(
        self, step_name: str, model_type: str | None = None, variants: Collection[str] = ()
    ) -> Model:
        """The best model for a step that the folders hold; arguments as for `candidates`.

        A file that turns out to be unusable gives way to the next one; what was tried is in
        the error where none is left.

        Raises:
            NoModelError: there is none.
            ModelFileError: none of those that there are can be loaded.
        """
        found = self.candidates(step_name, model_type, variants)
        if not found:
            what = " or ".join(f"{model_type} {name}" for name in variants) or model_type or "model"
            raise NoModelError(
                f"no {what} for {step_name} is in {', '.join(map(str, self.roots)) or 'no folder'}."
            )
        tried = []
        for shelved in found:
            try:
                return self.load_shelved(shelved)
            except ModelFileError as error:
                tried.append(error.message)
        raise ModelFileError(f"{step_name}: {' '.join(tried)}")

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
        unusable = [m for m in self.list_available_models() if name in (m.name, m.path.name)]
        if unusable:
            raise ModelFileError(f"{unusable[0].path}: {unusable[0].reason}")
        near = ", ".join(sorted({model.name for model in every})[:8]) or "nothing that can run"
        raise NoModelError(f"there is no model {name!r}.", hint=f"The folders hold {near}.")

    def load_shelved(
        self, shelved: ShelvedModel, *, device: str | None = None, **options: Any
    ) -> Model:
        """Load one of `list_available_models`, or give it from memory."""
        network = shelved.network
        where = device or self.device
        wanted = _Wanted(
            shelved.path,
            network.wrapper,
            network.prefix,
            where,
            self.precision,
            tuple(sorted(options.items())),
        )
        size = network.bytes
        if self.precision in _BYTES:
            size = sum(network.dtypes.values()) * _BYTES[self.precision]
        return self._residency.get(
            wanted,
            size,
            lambda: load(
                shelved.path,
                family=network.family,
                part=network.prefix or network.wrapper or None,
                role=network.role,
                device=where,
                precision=self.precision,
                **options,
            ),
        )

    def unload_model(self, model_name: str | os.PathLike[str]) -> bool:
        """Let go of a model by its file's path or name; whether it was in memory."""
        name = os.fspath(model_name)
        held = [
            wanted
            for wanted in self._residency.held()
            if name in (str(wanted.path), wanted.path.name, wanted.path.stem)
        ]
        dropped = [self._residency.drop(wanted) for wanted in held]
        return any(dropped)

    def _look(self) -> Iterable[ShelvedModel]:
        """Every network in every file of the roots."""
        for root in self.roots:
            for analysis in CheckpointAnalyzer().analyze_folder(root).analyses:
                yield from _shelved(analysis, root)


@dataclass(frozen=True)
class _Wanted:
    """What a load asks for; models of equal asking are one."""

    path: Path
    wrapper: str
    prefix: str
    device: str
    precision: str
    options: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        return self.path.name


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
