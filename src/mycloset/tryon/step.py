"""The contract that every step of a pipeline keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from mycloset.errors import StepError
from mycloset.tryon.state import TryOnState


@dataclass(frozen=True)
class StepOutput:
    """What one step brings back.

    Attributes:
        changes: field of TryOnState -> new value; only fields that the step names in `writes`.
        used: which model or embedded way did the work.
        confidence: 0..1, how sure the step is of what it brings.
        notes: findings for the user, in plain language.
    """

    changes: Mapping[str, Any]
    used: str
    confidence: float
    notes: tuple[str, ...] = field(default=())


class Step(Protocol):
    """One step: reads some fields of the state, writes others, touches nothing else.

    Its options are the keyword arguments of its constructor, which only keeps and checks them:
    networks are loaded when it first runs.
    """

    name: ClassVar[str]
    reads: ClassVar[tuple[str, ...]]
    writes: ClassVar[tuple[str, ...]]

    def run(self, state: TryOnState) -> StepOutput:
        """Do the work. Raises MyClosetError where it cannot be done."""
        ...

    def model_info(self) -> Mapping[str, str]:
        """What serves this step: `kind` (embedded or model), `name`, `licence`."""
        ...


def validate_input(step: Step, state: TryOnState) -> None:
    """Raise StepError unless every field that `step` reads is there."""
    missing = [name for name in step.reads if getattr(state, name) is None]
    if missing:
        raise StepError(
            step.name,
            f"nothing before it in the pipeline has written {', '.join(missing)}.",
            hint="Put the steps that write them before it.",
            state=state,
        )
