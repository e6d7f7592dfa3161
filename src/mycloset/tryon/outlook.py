"""What each step of a pipeline would use, told before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mycloset.hub.shelved import ShelvedModel
from mycloset.tryon.learned import LearnedWay
from mycloset.tryon.pipeline import Pipeline, StepPlan
from mycloset.tryon.result import PassedOver
from mycloset.tryon.step import Step

MakeStep = Callable[[int, StepPlan, str], Step]
"""Number of a step (from 1), its line of the pipeline, the name of a way -> the step."""


@dataclass(frozen=True)
class StepOutlook:
    """What one step would use.

    Attributes:
        step: its name.
        way: "embedded", the family that would serve, or "" where none could.
        models: the models that it would load, in the order in which it asks for them; empty for
            the embedded way, and where it goes on with what the step `after` made.
        after: the step whose way it follows; "" for none.
        passed_over: the ways before it, and why they cannot serve.
        reachable: the best models of every way that the pipeline names, whether they would serve or
            not: what the step's result can depend on.
    """

    step: str
    way: str
    models: tuple[ShelvedModel, ...]
    after: str
    passed_over: tuple[PassedOver, ...]
    reachable: tuple[ShelvedModel, ...]


def look_ahead(pipeline: Pipeline, make: MakeStep) -> tuple[StepOutlook, ...]:
    """The outlook of every step, in order; reads the headers of the user's folders at most."""
    found: list[StepOutlook] = []
    for number, plan in enumerate(pipeline.steps, start=1):
        found.append(_look(number, plan, make, found))
    return tuple(found)


def ways_of(step: Step) -> tuple[LearnedWay, ...]:
    """The networks that a step asks for, in order; none for an embedded one."""
    ways: tuple[LearnedWay, ...] = getattr(step, "ways", ())
    return ways


def told(model: ShelvedModel) -> str:
    """Title and file, as in a step's record."""
    return f"{model.network.title} ({model.path.name})"


def _look(number: int, plan: StepPlan, make: MakeStep, before: list[StepOutlook]) -> StepOutlook:
    steps = [(way, make(number, plan, way)) for way in plan.models]
    reachable = tuple(
        model for _, step in steps for asked in ways_of(step) for model in _in_reach(asked)
    )
    passed: list[PassedOver] = []
    for way, step in steps:
        after: str = getattr(step, "after", "")
        if after and not any(other.step == after and other.way == way for other in before):
            passed.append(PassedOver(way, "", "other way", f"{after} goes another way."))
        elif not all(asked.candidates() for asked in ways_of(step)):
            passed.append(PassedOver(way, "", "absent", "The model folders hold none."))
        else:
            models = [_serving(way, asked, passed) for asked in ways_of(step)]
            there = tuple(model for model in models if model is not None)
            if len(there) == len(models):
                return StepOutlook(plan.step, way, there, after, tuple(passed), reachable)
    return StepOutlook(plan.step, "", (), "", tuple(passed), reachable)


def _serving(way: str, asked: LearnedWay, passed: list[PassedOver]) -> ShelvedModel | None:
    """The first candidate that is whole and fits; those before it go to `passed`."""
    for model in asked.candidates():
        if model.damaged:
            passed.append(PassedOver(way, told(model), "damaged", model.reason))
        elif reason := asked.too_large(model):
            passed.append(PassedOver(way, told(model), "too large", reason))
        else:
            return model
    return None


def _in_reach(asked: LearnedWay) -> Iterator[ShelvedModel]:
    """The candidates up to the first that is whole."""
    for model in asked.candidates():
        yield model
        if not model.damaged:
            return
