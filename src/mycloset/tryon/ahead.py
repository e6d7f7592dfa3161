"""Models on their way before the step that needs them: the plan told, the next ones fetched."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Self

from mycloset.hub.loader import ModelLoader
from mycloset.hub.shelved import ShelvedModel
from mycloset.tryon.outlook import StepOutlook


class Ahead:
    """Fetches the models of the next step that needs any, while the step before it runs.

    They are begun when the step's own models are there, so that they do not keep those waiting.

    Args:
        models: the user's folders; their loader is told the plan, for what leaves memory first.
        outlook: what each step of the pipeline would use.
    """

    def __init__(self, models: ModelLoader, outlook: Sequence[StepOutlook]) -> None:
        self._models = models
        self._outlook = outlook
        self._awaited = 0
        self._next: tuple[ShelvedModel, ...] = ()
        self._begun: list[Future[None]] = []
        plan = [model for step in outlook for model in step.models]
        most = max((len(step.models) for step in outlook), default=0)
        models.expect(plan, repeat=True, ahead=most)

    def step_begins(self, number: int) -> None:
        """Step `number`, from 1, is about to run."""
        self._awaited = len(self._outlook[number - 1].models)
        coming = (step.models for step in self._outlook[number:] if step.models)
        self._next = next(coming, ())
        if not self._awaited:
            self._fetch()

    def model_is_there(self) -> None:
        """The running step has one of its models."""
        self._awaited -= 1
        if self._awaited == 0:
            self._fetch()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """The run is over: what has not begun to be fetched is not."""
        for future in self._begun:
            future.cancel()

    def _fetch(self) -> None:
        if self._next:
            self._begun.extend(self._models.prefetch(*self._next))
            self._next = ()
