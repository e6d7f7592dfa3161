"""One step of a run: the ways that its line of the pipeline names, tried until one serves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from mycloset.errors import (
    InputError,
    ModelFileError,
    MyClosetError,
    StepError,
    StepInputError,
    StoppedError,
)
from mycloset.hub.shelved import NoModelError
from mycloset.tryon.learned import OtherWayError, UnsuitedError
from mycloset.tryon.outlook import told, ways_of
from mycloset.tryon.pipeline import StepPlan
from mycloset.tryon.result import Hindrance, PassedOver, StepRecord
from mycloset.tryon.state import TryOnState
from mycloset.tryon.step import Step, StepOutput, validate_input


def run_step(
    plan: StepPlan, make: Callable[[str], Step], state: TryOnState, *, folders: bool
) -> tuple[TryOnState, StepRecord]:
    """The state after a step, and how it went.

    Args:
        plan: the step's line of the pipeline.
        make: gives the step that a way serves.
        state: what is known so far.
        folders: whether the user has given folders of models.

    Raises:
        StepError: the step failed, or none of its ways could serve.
        StoppedError: somebody asked for an end.
    """
    began = time.perf_counter()
    passed: list[PassedOver] = []
    for way in plan.models:
        step = None
        try:
            step = make(way)
            validate_input(step, state)
            output = step.run(state)
        except StoppedError:
            raise
        except ModelFileError as error:
            if way == plan.models[-1]:
                raise _as_step_error(plan.step, error, state) from error
            passed.append(_passed(way, step, error))
            continue
        except StepError as error:
            if error.state is None:
                error.state = state
            raise
        except Exception as error:
            raise _as_step_error(plan.step, error, state) from error
        passed.extend(_within(way, step))
        seconds = time.perf_counter() - began
        return _apply(step, state, output), _record(
            plan, way, step, output, passed, seconds, folders
        )
    raise StepError(plan.step, "the pipeline names no model for it.", state=state)


def _passed(way: str, step: Step | None, error: ModelFileError) -> PassedOver:
    """Why a way did not serve, from the error that said so."""
    asked = ways_of(step) if step is not None else ()
    if isinstance(error, NoModelError):
        kind: Hindrance = "other way" if isinstance(error, OtherWayError) else "absent"
        return PassedOver(way, "", kind, str(error))
    model = next((told(model) for each in asked for model in each.candidates()), "")
    if isinstance(error, UnsuitedError):
        return PassedOver(way, model, "unsuited", str(error))
    kinds = {each.hindrance() for each in asked if each.failed} or {"failed"}
    return PassedOver(way, model, "failed" if len(kinds) > 1 else kinds.pop(), str(error))


def _within(way: str, step: Step) -> Iterator[PassedOver]:
    """The models of the serving family for which others of it stand in."""
    for asked in ways_of(step):
        fell = asked.fallback()
        if fell is not None:
            yield PassedOver(way, fell.wanted, asked.hindrance(), fell.reason)


def _record(
    plan: StepPlan,
    way: str,
    step: Step,
    output: StepOutput,
    passed: list[PassedOver],
    seconds: float,
    folders: bool,
) -> StepRecord:
    refused = [
        f"{p.model if p.way == way else p.way} could not be used: {p.reason}"
        for p in passed
        if p.kind not in ("absent", "other way")
    ]
    absent = [p.way for p in passed if p.kind == "absent"]
    if absent and folders:
        refused.append(f"The model folders hold none of {', '.join(absent)}.")
    named = next((p.model or p.way for p in passed if p.kind not in ("absent", "other way")), "")
    return StepRecord(
        plan.step,
        way,
        output.used,
        seconds,
        float(output.confidence),
        (*refused, *output.notes),
        dict(step.model_info()),
        named or (passed[0].way if passed else output.used),
        tuple(passed),
    )


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
