"""Progress on the terminal: drawn on standard error, and only where somebody is looking."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mycloset.tryon.engine import Observer, StepFinished, StepStarted


_TEXT_WIDTH = 32
"""Letters of a bar's text; with the figures beside it, it fits a terminal of 80."""


@contextlib.contextmanager
def bar() -> Iterator[Callable[[int, int | None, str], None]]:
    """A callback for `hub.download`; the bar appears with its first call, on standard error.

    Nothing is shown where standard error is no terminal, so that a log holds nothing but errors.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TaskID,
        TextColumn,
        TransferSpeedColumn,
    )

    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=console,
        transient=True,
    )
    task: TaskID | None = None

    def show(done: int, total: int | None, text: str) -> None:
        nonlocal task
        if not console.is_terminal:
            return
        text = text if len(text) <= _TEXT_WIDTH else f"{text[: _TEXT_WIDTH - 1]}…"
        if task is None:
            progress.start()
            task = progress.add_task(text, total=total)
        progress.update(task, completed=done, total=total, description=text)

    try:
        yield show
    finally:
        if task is not None:
            progress.stop()


@contextlib.contextmanager
def step_progress() -> Iterator[Observer]:
    """An observer for a pipeline, that shows which step is running."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("reading the pictures") as status:

        def observe(event: StepStarted | StepFinished) -> None:
            name = getattr(event, "name", None)
            if name is not None:
                status.update(f"{event.number}/{event.total} {name.replace('_', ' ')}")

        yield observe


def fetch_embedded() -> None:
    """Bring the embedded networks into the cache if they are not there, with a progress bar."""
    from mycloset.hub import download

    with bar() as on_progress:
        download.pull("embedded", on_progress=on_progress)
