"""InferenceEngine runs a pipeline of steps over a person's and a garment's picture."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from mycloset.errors import OptionError, StepError, StoppedError
from mycloset.hub.loader import ModelLoader
from mycloset.hub.stopping import Stop
from mycloset.images import ImageSource, read_picture
from mycloset.tasks.garments import Category
from mycloset.tryon.ahead import Ahead
from mycloset.tryon.attempts import run_step
from mycloset.tryon.embedded.measurements import check_figures
from mycloset.tryon.learned import Running, running
from mycloset.tryon.outlook import StepOutlook, look_ahead
from mycloset.tryon.pipeline import (
    LEARNED_PIPELINE,
    Pipeline,
    StepPlan,
    build_step,
    load_pipeline,
)
from mycloset.tryon.result import StepRecord, TryOnResult
from mycloset.tryon.result_cache import ResultCache
from mycloset.tryon.result_keys import result_key
from mycloset.tryon.state import BodyFigures, TryOnState
from mycloset.tryon.step import Step

if TYPE_CHECKING:
    from mycloset.monitor import Measuring, PerformanceMonitor

MEASURED = "try-on"
"""The name under which a monitor finds the engine's measurements."""


@dataclass(frozen=True)
class StepStarted:
    """A step is about to run (`number` of `total`, from 1)."""

    name: str
    number: int
    total: int


@dataclass(frozen=True)
class StepFinished:
    """A step has run."""

    record: StepRecord
    number: int
    total: int


Observer = Callable[[StepStarted | StepFinished], None]

Cancel: TypeAlias = Stop | Callable[[], bool]
"""What says that somebody wants a run to end: a `threading.Event`, or a function to ask."""


class InferenceEngine:
    """Runs try-ons; keeps its steps, and the networks in them, between runs.

    Args:
        pipeline: a Pipeline, the name of a built-in one, or the path of a YAML file.
            By default "embedded", or "learned" where there are folders of models.
        models: folders of model files, of which each step takes the best that it can use; or a
            ModelLoader over them.
        observer: called when a step starts and when it ends.
        cache: keeps finished try-ons, so that the very same one is not made again; its result is
            `cached`, and no step runs. None, the default, makes every one anew. Several engines
            may share a cache.
        monitor: measures each step as ("try-on", its name) and each run as ("try-on", "run"), the
            quality's score as its accuracy; what the cache gives as ("try-on", "cached"); and what
            the hub tells as ("hub", "load") and ("hub", "ask").
    """

    def __init__(
        self,
        pipeline: Pipeline | str | os.PathLike[str] | None = None,
        *,
        models: ModelLoader | Sequence[str | os.PathLike[str]] | None = None,
        observer: Observer | None = None,
        cache: ResultCache | None = None,
        monitor: PerformanceMonitor | None = None,
    ) -> None:
        if pipeline is None and models:
            pipeline = LEARNED_PIPELINE
        self.pipeline = pipeline if isinstance(pipeline, Pipeline) else load_pipeline(pipeline)
        self._models = _loader(models)
        self._observer = observer
        self._cache = cache
        self._monitor = monitor
        if monitor is not None and self._models is not None:
            self._models.subscribe(monitor.watch_hub)
        self._steps: dict[tuple[int, str], Step] = {}

    def run_virtual_try_on(
        self,
        person_image: ImageSource,
        clothing_image: ImageSource,
        *,
        category: Category | str | None = None,
        figures: BodyFigures | None = None,
        cancel: Cancel | None = None,
    ) -> TryOnResult:
        """Dress the person in the garment.

        Args:
            person_image: photo of a person: path, bytes, PIL image, numpy array or tensor.
            clothing_image: photo of a garment, likewise; its alpha channel is used if it has one.
            category: `upper`, `lower` or `dress`; None reads it from the garment's shape.
            figures: what is known of the person's body; gives measurements in cm.
            cancel: asked before every step, and while a model is waited for, whether to go on.

        Raises:
            ImageError, OptionError: what was given cannot be used.
            StepError: a step failed; `partial` holds what the steps before it found.
            StoppedError: `cancel` said so; the engine and its models can go on with other runs.
        """
        began = time.perf_counter()
        check_figures(figures or BodyFigures())
        state = TryOnState(
            person_picture=read_picture(person_image, role="person picture"),
            garment_picture=read_picture(clothing_image, role="garment picture"),
            category=read_category(category),
            figures=figures or BodyFigures(),
        )
        stop = _as_stop(cancel)
        if self._cache is None:
            result = self._run(state, stop)
        else:
            result = self._from_cache(self._cache, state, stop)
        seconds = time.perf_counter() - began
        if result.cached and self._monitor is not None:
            self._monitor.record(MEASURED, "cached", seconds=seconds)
        return replace(result, seconds=seconds)

    def outlook(self) -> tuple[StepOutlook, ...]:
        """What each step would use if it ran now, and what would be passed over."""
        return look_ahead(self.pipeline, self._step)

    def _from_cache(self, cache: ResultCache, given: TryOnState, stop: Stop | None) -> TryOnResult:
        """The result that the cache holds; made, and kept there, where it holds none."""

        def key() -> str:
            return result_key(given, self.pipeline, self.outlook(), self._models)

        now = key()
        return cache.get_or_make(
            now, given, lambda: self._run(given, stop), still=lambda: key() == now, stop=stop
        )

    def _run(self, state: TryOnState, stop: Stop | None) -> TryOnResult:
        """Every step in order, while the models of the next one are fetched."""
        began = time.perf_counter()
        ahead = Ahead(self._models, self.outlook()) if self._models is not None else None
        records: list[StepRecord] = []
        with (
            self._measuring("run") as whole,
            running(Running(stop, ahead.model_is_there if ahead is not None else None)),
            ahead or nullcontext(),
        ):
            for number, plan in enumerate(self.pipeline.steps, start=1):
                state, record = self._run_step(number, plan, state, stop, ahead)
                records.append(record)
            if state.final is None:
                raise StepError(
                    plan.step,
                    f"the pipeline {self.pipeline.name} ended without a final picture.",
                    hint="End it with post_processing.",
                    state=state,
                )
            if whole is not None and state.quality is not None:
                whole.note(accuracy=state.quality.score)
        seconds = time.perf_counter() - began
        return TryOnResult(state.final, state, tuple(records), self.pipeline.name, seconds)

    def _run_step(
        self, number: int, plan: StepPlan, state: TryOnState, stop: Stop | None, ahead: Ahead | None
    ) -> tuple[TryOnState, StepRecord]:
        total = len(self.pipeline.steps)
        if stop is not None and stop.is_set():
            raise StoppedError(f"stopped before {plan.step} (step {number} of {total}).")
        if ahead is not None:
            ahead.step_begins(number)
        self._tell(StepStarted(plan.step, number, total))
        make = partial(self._step, number, plan)
        with self._measuring(plan.step):
            state, record = run_step(plan, make, state, folders=ahead is not None)
        self._tell(StepFinished(record, number, total))
        return state, record

    def _measuring(self, operation: str) -> AbstractContextManager[Measuring | None]:
        if self._monitor is None:
            return nullcontext()
        return self._monitor.measuring(MEASURED, operation)

    def _step(self, number: int, plan: StepPlan, model: str) -> Step:
        key = (number, model)
        if key not in self._steps:
            self._steps[key] = build_step(plan.step, model, plan.options, self._models)
        return self._steps[key]

    def _tell(self, event: StepStarted | StepFinished) -> None:
        if self._observer is not None:
            self._observer(event)


def try_on(
    person: ImageSource,
    garment: ImageSource,
    *,
    category: Category | str | None = None,
    pipeline: Pipeline | str | os.PathLike[str] | None = None,
    height_cm: float | None = None,
    chest_cm: float | None = None,
    waist_cm: float | None = None,
    hip_cm: float | None = None,
    weight_kg: float | None = None,
    models: ModelLoader | Sequence[str | os.PathLike[str]] | None = None,
    observer: Observer | None = None,
    cache: ResultCache | None = None,
    cancel: Cancel | None = None,
    monitor: PerformanceMonitor | None = None,
) -> TryOnResult:
    """Dress `person` in `garment`; see InferenceEngine.run_virtual_try_on.

    To run many, keep one InferenceEngine: it keeps its networks between runs.
    """
    engine = InferenceEngine(
        pipeline, models=models, observer=observer, cache=cache, monitor=monitor
    )
    figures = BodyFigures(height_cm, chest_cm, waist_cm, hip_cm, weight_kg)
    return engine.run_virtual_try_on(
        person, garment, category=category, figures=figures, cancel=cancel
    )


@dataclass(frozen=True)
class _Asked:
    """A function that says whether to stop, as a Stop."""

    ask: Callable[[], bool]

    def is_set(self) -> bool:
        return self.ask()


def _as_stop(cancel: Cancel | None) -> Stop | None:
    if cancel is None or hasattr(cancel, "is_set"):
        return cancel
    return _Asked(cancel)


def _loader(
    models: ModelLoader | Sequence[str | os.PathLike[str]] | None,
) -> ModelLoader | None:
    """The loader over the user's folders; None where there are none."""
    if models is None or isinstance(models, ModelLoader):
        return models
    return ModelLoader(models) if models else None


def read_category(value: Category | str | None) -> Category | None:
    """Raises OptionError where `value` names no category."""
    if value is None:
        return None
    try:
        return Category(str(value))
    except ValueError as error:
        raise OptionError(
            f"category: {str(value)!r} is not a category.",
            hint=f"Use {', '.join(Category)}, or leave it out.",
        ) from error
