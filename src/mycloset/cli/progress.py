"""Progress on the terminal: drawn on stderr, and only where somebody is looking."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mycloset.tryon.engine import Observer, StepFinished, StepStarted


@contextmanager
def step_progress() -> Iterator[Observer]:
    """An observer that shows which step is running."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("reading the pictures") as status:

        def observe(event: StepStarted | StepFinished) -> None:
            name = getattr(event, "name", None)
            if name is not None:
                status.update(f"{event.number}/{event.total} {name.replace('_', ' ')}")

        yield observe
