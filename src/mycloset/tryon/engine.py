"""InferenceEngine runs a pipeline of steps over a person's and a garment's picture."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mycloset.errors import (
    InputError,
    ModelFileError,
    MyClosetError,
    OptionError,
    StepError,
    StepInputError,
)
from mycloset.hub.loader import ModelLoader
from mycloset.hub.shelf import NoModelError
from mycloset.images import ImageSource, read_picture
from mycloset.tasks.garments import Category
from mycloset.tryon.embedded.measurements import check_figures
from mycloset.tryon.learned import OtherWayError
from mycloset.tryon.pipeline import (
    LEARNED_PIPELINE,
    Pipeline,
    StepPlan,
    build_step,
    load_pipeline,
)
from mycloset.tryon.result import StepRecord, TryOnResult
from mycloset.tryon.state import BodyFigures, TryOnState
from mycloset.tryon.step import Step, StepOutput, validate_input


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


class InferenceEngine:
    """Runs try-ons; keeps its steps, and the networks in them, between runs.

    Args:
        pipeline: a Pipeline, the name of a built-in one, or the path of a YAML file.
            By default "embedded", or "learned" where there are folders of models.
        models: folders of model files, of which each step takes the best that it can use; or a
            ModelLoader over them.
        observer: called when a step starts and when it ends.
    """

    def __init__(
        self,
        pipeline: Pipeline | str | os.PathLike[str] | None = None,
        *,
        models: ModelLoader | Sequence[str | os.PathLike[str]] | None = None,
        observer: Observer | None = None,
    ) -> None:
        if pipeline is None and models:
            pipeline = LEARNED_PIPELINE
        self.pipeline = pipeline if isinstance(pipeline, Pipeline) else load_pipeline(pipeline)
        self._models = _loader(models)
        self._observer = observer
        self._steps: dict[tuple[int, str], Step] = {}

    def run_virtual_try_on(
        self,
        person_image: ImageSource,
        clothing_image: ImageSource,
        *,
        category: Category | str | None = None,
        figures: BodyFigures | None = None,
    ) -> TryOnResult:
        """Dress the person in the garment.

        Args:
            person_image: photo of a person: path, bytes, PIL image, numpy array or tensor.
            clothing_image: photo of a garment, likewise; its alpha channel is used if it has one.
            category: `upper`, `lower` or `dress`; None reads it from the garment's shape.
            figures: what is known of the person's body; gives measurements in cm.

        Raises:
            ImageError, OptionError: what was given cannot be used.
            StepError: a step failed; `partial` holds what the steps before it found.
        """
        began = time.perf_counter()
        check_figures(figures or BodyFigures())
        state = TryOnState(
            person_picture=read_picture(person_image, role="person picture"),
            garment_picture=read_picture(clothing_image, role="garment picture"),
            category=read_category(category),
            figures=figures or BodyFigures(),
        )
        records: list[StepRecord] = []
        total = len(self.pipeline.steps)
        for number, plan in enumerate(self.pipeline.steps, start=1):
            self._tell(StepStarted(plan.step, number, total))
            state, record = self._run_step(number, plan, state)
            records.append(record)
            self._tell(StepFinished(record, number, total))
        if state.final is None:
            raise StepError(
                plan.step,
                f"the pipeline {self.pipeline.name} ended without a final picture.",
                hint="End it with post_processing.",
                state=state,
            )
        seconds = time.perf_counter() - began
        return TryOnResult(state.final, state, tuple(records), self.pipeline.name, seconds)

    def _run_step(
        self, number: int, plan: StepPlan, state: TryOnState
    ) -> tuple[TryOnState, StepRecord]:
        began = time.perf_counter()
        refused: list[str] = []
        absent: list[str] = []
        for model in plan.models:
            try:
                step = self._step(number, plan, model)
                validate_input(step, state)
                output = step.run(state)
            except NoModelError as error:
                if model == plan.models[-1]:
                    raise _as_step_error(plan.step, error, state) from error
                if not isinstance(error, OtherWayError):
                    absent.append(model)
                continue
            except ModelFileError as error:
                if model == plan.models[-1]:
                    raise _as_step_error(plan.step, error, state) from error
                refused.append(f"{model} could not be used: {error}")
                continue
            except StepError as error:
                if error.state is None:
                    error.state = state
                raise
            except Exception as error:
                raise _as_step_error(plan.step, error, state) from error
            if absent and self._models is not None:
                refused.append(f"The model folders hold none of {', '.join(absent)}.")
            seconds = time.perf_counter() - began
            record = StepRecord(
                plan.step,
                model,
                output.used,
                seconds,
                float(output.confidence),
                (*refused, *output.notes),
                dict(step.model_info()),
            )
            return _apply(step, state, output), record
        raise StepError(plan.step, "the pipeline names no model for it.", state=state)

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
) -> TryOnResult:
    """Dress `person` in `garment`; see InferenceEngine.run_virtual_try_on.

    To run many, keep one InferenceEngine: it keeps its networks between runs.
    """
    engine = InferenceEngine(pipeline, models=models, observer=observer)
    figures = BodyFigures(height_cm, chest_cm, waist_cm, hip_cm, weight_kg)
    return engine.run_virtual_try_on(person, garment, category=category, figures=figures)


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


def _apply(step: Step, state: TryOnState, output: StepOutput) -> TryOnState:
    undeclared = set(output.changes) - set(step.writes)
    if undeclared:
        raise StepError(
            step.name,
            f"it writes {', '.join(sorted(undeclared))}, which it does not name.",
            state=state,
        )
    changes: dict[str, Any] = dict(output.changes)
    return replace(state, **changes)


def _as_step_error(step: str, error: Exception, state: TryOnState) -> StepError:
    if isinstance(error, MyClosetError):
        kind = StepInputError if isinstance(error, InputError) else StepError
        return kind(step, error.message, hint=error.hint, state=state)
    return StepError(
        step,
        f"it failed unexpectedly ({type(error).__name__}: {error}).",
        hint="This is a fault of MyCloset; please report it with the pictures.",
        state=state,
    )
