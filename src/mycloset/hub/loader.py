"""ModelLoader: "the best model for this step that the user's folders hold", within a budget."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, overload
from weakref import WeakValueDictionary

from mycloset.errors import ModelFileError, MyClosetError
from mycloset.hub.checkpoint_tensors import CheckpointTensors
from mycloset.hub.events import (
    Event,
    FellBack,
    LoadFailed,
    ModelAsked,
    ModelLeft,
    ModelLoaded,
    Observer,
)
from mycloset.hub.held import Held
from mycloset.hub.memory import MemoryShortError, budgets
from mycloset.hub.model import Model, ShelvedHandle
from mycloset.hub.refusals import BudgetError
from mycloset.hub.residency import Reason, Residency
from mycloset.hub.shelf import Shelf
from mycloset.hub.shelved import NoModelError, ShelvedModel
from mycloset.hub.state import ModelState, state_of
from mycloset.hub.statistics import Counting, HubStatistics
from mycloset.hub.stopping import Stop
from mycloset.hub.wanted import Wanted
from mycloset.inspection.integrity import Validation, validate_checkpoint
from mycloset.runtimes.devices import best_device


class ModelLoader:
    """Finds models by what they are, loads them once, and keeps them within a budget.

    Nothing is read before it is asked for: the first question reads the headers of all files.
    Threads may share a loader; processes make their own over the same folders.

    Args:
        roots: folders with model files.
        memory: bytes for models: a number, "6GB", or "auto" (a share of what is free); or by
            device: {"cpu": "6GB", "cuda:0": "10GB"}.
        models: the user's own names: of a step or model to a file; see `hub.aliases`.
        device: "auto" (the fastest that there is), "cpu", "cuda", "cuda:1", "mps"; "spread" (over
            all that have a budget; what none has room for stays in its file).
        precision: as for `load`.
        most: how many models may be in memory at once; None for any number.
        mapped: False reads files instead of mapping them (network disks).
        workers: how many models may be loaded at once ahead of being asked for.
        index: whether what the files are is kept on disk, so that the next start reads only what
            has changed; or in which file.
        observer: called with every `hub.events.Event`, on the thread where it happens.
    """

    def __init__(
        self,
        roots: Iterable[str | os.PathLike[str]],
        *,
        memory: int | str | Mapping[str, int | str] = "auto",
        models: Mapping[str, Any] | None = None,
        device: str = "auto",
        precision: str = "float32",
        most: int | None = None,
        mapped: bool = True,
        workers: int = 2,
        index: bool | str | os.PathLike[str] = True,
        observer: Observer | None = None,
    ) -> None:
        self.shelf = Shelf(roots, models=models, index=index)
        self.device = best_device() if device == "auto" else device
        self.precision = precision
        self.mapped = mapped
        self._observers = [observer] if observer is not None else []
        self._counting = Counting()
        self._residency: Residency[Wanted, Held] = Residency(
            budgets(memory, self.device),
            most=most,
            measure=lambda held: held.pieces,
            cores=lambda held: held.cores,
            on_leaving=self._left,
        )
        self._workers = workers
        self._pool: ThreadPoolExecutor | None = None
        self._handles: WeakValueDictionary[Wanted, ShelvedHandle] = WeakValueDictionary()
        self._loaded_before: set[Wanted] = set()
        self._lock = threading.Lock()

    @property
    def memory(self) -> Mapping[str, int]:
        """Bytes that models may take, by device."""
        return dict(self._residency.budgets)

    @property
    def statistics(self) -> HubStatistics:
        """What was asked for, loaded and waited for so far."""
        return self._counting.now

    def subscribe(self, observer: Observer) -> Callable[[], None]:
        """Call one more observer with every event; what is given back ends it.

        One that is called already is not called twice.
        """
        if observer in self._observers:
            return lambda: None
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    def list_available_models(self) -> tuple[ShelvedModel, ...]:
        """Every network in the folders' files, by path."""
        return self.shelf.models()

    def candidates(
        self,
        step_name: str | None = None,
        model_type: str | None = None,
        variants: Collection[str] = (),
    ) -> tuple[ShelvedModel, ...]:
        """Models that can run, the best first; see `Shelf.candidates`."""
        return self.shelf.candidates(step_name, model_type, variants)

    def find(
        self,
        model_name: str | os.PathLike[str],
        step_name: str | None = None,
        model_type: str | None = None,
    ) -> ShelvedModel:
        """The model of a path or name; see `Shelf.find`."""
        return self.shelf.find(model_name, step_name, model_type)

    def list_loaded_models(self) -> tuple[Path, ...]:
        """The files of what is in memory, the least recently used first."""
        return tuple(wanted.path for wanted in self._residency.held())

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
        self,
        step_name: str,
        model_type: str | None = None,
        variants: Collection[str] = (),
        *,
        stop: Stop | None = None,
    ) -> Model:
        """The best model for a step that the folders hold; arguments as for `candidates`.

        A file that turns out to be unusable, or does not fit into the memory, gives way to the
        next one: `Model.info.fallback` says which was wanted and why it is not the one.

        Raises:
            NoModelError: there is none.
            ModelFileError: none of those that there are can be loaded.
            StoppedError: `stop` was set.
        """
        found = self.shelf.candidates(step_name, model_type, variants, damaged=True)
        if not found:
            what = " or ".join(f"{model_type} {name}" for name in variants) or model_type or "model"
            where = ", ".join(map(str, self.shelf.roots)) or "no folder"
            raise NoModelError(f"no {what} for {step_name} is in {where}.")
        tried: list[str] = []
        for shelved in found:
            if shelved.damaged:
                tried.append(f"{shelved.path}: {shelved.reason}")
                continue
            try:
                model = self.load_shelved(shelved, stop=stop)
            except ModelFileError as error:
                tried.append(error.message)
                continue
            if not tried:
                return model
            fell = _fell(step_name, model_type, found[0], shelved, tried)
            self._tell(fell)
            assert isinstance(model, ShelvedHandle)
            return model.instead(fell)
        self._tell(_fell(step_name, model_type, found[0], None, tried))
        raise ModelFileError(f"{step_name}: {' '.join(tried)}")

    def load_models(
        self, names: Sequence[str | os.PathLike[str] | ShelvedModel]
    ) -> tuple[Model, ...]:
        """Several models, loaded side by side; in the order of their names.

        Raises:
            ModelFileError: one cannot be loaded; the others stay loaded.
        """
        shelved = [self._shelved(name) for name in names]
        futures = self.prefetch(*shelved)
        wait(futures)
        for future in futures:
            error = future.exception()
            # What there was no room for ahead gets it when it is asked for.
            if error is not None and not isinstance(error, BudgetError):
                raise error
        return tuple(self.load_shelved(each) for each in shelved)

    def prefetch(self, *names: str | os.PathLike[str] | ShelvedModel) -> tuple[Future[None], ...]:
        """Begin to load models that will be asked for soon; returns at once.

        Nothing that is in use, was just asked for, or is needed sooner leaves for them; a model
        that does not fit then is not fetched (its future has the `BudgetError`).
        """
        shelved = [self._shelved(name) for name in names]
        return tuple(self._executor().submit(self._fetch, each) for each in shelved)

    def expect(
        self,
        names: Sequence[str | os.PathLike[str] | ShelvedModel],
        *,
        repeat: bool = False,
        ahead: int = 0,
    ) -> None:
        """Say which models will be asked for, in order; then what is needed last leaves first.

        Args:
            names: paths, names or models; empty to forget the plan.
            repeat: whether the same is asked for again and again.
            ahead: how many of those that come next will be fetched ahead.
        """
        plan = [self.wanted(self._shelved(name)) for name in names]
        sizes = {wanted: wanted.size for wanted in plan}
        self._residency.expect(plan, repeat=repeat, sizes=sizes, ahead=ahead)

    def load_shelved(
        self,
        shelved: ShelvedModel,
        *,
        device: str | None = None,
        stop: Stop | None = None,
        **options: Any,
    ) -> Model:
        """Load one of `list_available_models`, or give it from memory.

        Args:
            shelved: which.
            device: where to; the loader's by default.
            stop: ends the waiting when it is set.
            options: of `mycloset.load`.

        Raises:
            ModelFileError: it cannot be loaded.
            BudgetError: it does not fit into the memory for models.
            StoppedError: `stop` was set.
        """
        wanted = self.wanted(self.shelf.check(shelved), device, options)
        began = time.perf_counter()
        there = True

        def loaded() -> Held:
            nonlocal there
            there = False
            return self._load(wanted)

        model = self._residency.get(wanted, wanted.pieces, loaded, stop=stop).model
        self._tell(ModelAsked(wanted.path, time.perf_counter() - began, there))
        with self._lock:
            handle = self._handles.get(wanted)
            if handle is None:
                handle = ShelvedHandle(model.info, lambda: self._lease(wanted))
                self._handles[wanted] = handle
        return handle

    def get_model_path(self, name: str | os.PathLike[str], step_name: str | None = None) -> Path:
        """The file of a model by its name; see `load_model`.

        Raises:
            NoModelError: the folders hold none of that name.
        """
        return self.shelf.path(name, step_name)

    def load_checkpoint(self, name: str | os.PathLike[str]) -> CheckpointTensors:
        """The tensors of a file by their own keys; each is made when it is asked for.

        Raises:
            NoModelError: the folders hold no file of that name.
            ModelFileError: it holds no weights.
        """
        return CheckpointTensors(self.get_model_path(name), mapped=self.mapped)

    @overload
    def get_model_info(self) -> tuple[ModelState, ...]: ...

    @overload
    def get_model_info(self, name: str | os.PathLike[str]) -> ModelState: ...

    def get_model_info(
        self, name: str | os.PathLike[str] | None = None
    ) -> ModelState | tuple[ModelState, ...]:
        """What a model is, and what of it is in memory now; of all without a name.

        Raises:
            NoModelError: the folders hold none of that name.
        """
        if name is None:
            every = self.list_available_models()
            return tuple(state_of(each, self._residency) for each in every)
        return state_of(self._shelved(name), self._residency)

    def validate_checkpoint(
        self, path: str | os.PathLike[str], expected_architecture: str | None = None
    ) -> Validation:
        """Check a file, by its path or name; see `mycloset.inspection.validate_checkpoint`."""
        there = Path(path)
        return validate_checkpoint(
            there if there.exists() else self.get_model_path(path), expected_architecture
        )

    def pin(self, name: str | os.PathLike[str], pinned: bool = True) -> None:
        """Keep a model that is in memory there whatever comes; or no longer.

        Raises:
            NoModelError: it is not in memory.
        """
        held = self._held(name)
        if not held:
            raise NoModelError(f"{name} is not in memory.", hint="Load it first.")
        for wanted in held:
            self._residency.pin(wanted, pinned)

    def unload_model(self, model_name: str | os.PathLike[str]) -> bool:
        """Let go of a model by its file's path or name; whether it was in memory."""
        dropped = [self._residency.drop(wanted) for wanted in self._held(model_name)]
        return any(dropped)

    def close(self) -> None:
        """Stop fetching ahead, and let go of all that is not in use."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
        self._residency.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _held(self, name: str | os.PathLike[str]) -> list[Wanted]:
        """What is in memory of a file, by its path or name."""
        asked = os.fspath(name)
        return [
            wanted
            for wanted in self._residency.held()
            if asked in (str(wanted.path), wanted.path.name, wanted.path.stem)
        ]

    def _shelved(self, name: str | os.PathLike[str] | ShelvedModel) -> ShelvedModel:
        return name if isinstance(name, ShelvedModel) else self.find(name)

    def wanted(
        self,
        shelved: ShelvedModel,
        device: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Wanted:
        """What a load of a model would ask for, and what it would take."""
        return Wanted.of(
            shelved,
            device=device or self.device,
            precision=self.precision,
            mapped=self.mapped,
            options=options or {},
            room=self._residency.budgets,
        )

    @contextmanager
    def _lease(self, wanted: Wanted) -> Iterator[Model]:
        with self._residency.using(wanted, wanted.pieces, lambda: self._load(wanted)) as held:
            yield held.model

    def _fetch(self, shelved: ShelvedModel) -> None:
        """Load ahead of being asked: on a thread of the pool."""
        wanted = self.wanted(self.shelf.check(shelved))
        self._residency.get(
            wanted, wanted.pieces, lambda: self._load(wanted, ahead=True), ahead=True
        )

    def _load(self, wanted: Wanted, *, ahead: bool = False) -> Held:
        """Load, and tell of it."""
        began = time.perf_counter()
        try:
            try:
                held = Held.of(wanted.load(ahead=ahead))
            except MemoryShortError:
                # Others may have taken what the budget counts on: what may leave does, once.
                self._residency.relieve()
                held = Held.of(wanted.load(ahead=ahead))
        except MyClosetError as error:
            self._tell(LoadFailed(wanted.path, error.message, time.perf_counter() - began))
            raise
        seconds = time.perf_counter() - began
        again = wanted in self._loaded_before
        self._loaded_before.add(wanted)
        told = held.model.info
        self._tell(
            ModelLoaded(
                wanted.path,
                told.title,
                told.device,
                told.precision,
                held.size,
                seconds,
                ahead,
                again,
            )
        )
        return held

    def _left(self, wanted: Wanted, size: int, reason: Reason) -> None:
        self._tell(ModelLeft(wanted.path, wanted.device, size, reason))

    def _tell(self, event: Event) -> None:
        self._counting(event)
        for observer in tuple(self._observers):
            observer(event)

    def _executor(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._workers, "mycloset-hub")
            return self._pool


def _fell(
    step: str,
    family: str | None,
    wanted: ShelvedModel,
    used: ShelvedModel | None,
    reasons: Sequence[str],
) -> FellBack:
    role = f"{step} by {family}" if family else step
    return FellBack(role, _told(wanted), _told(used) if used else "", " ".join(reasons))


def _told(shelved: ShelvedModel) -> str:
    return f"{shelved.network.title} ({shelved.path.name})"
