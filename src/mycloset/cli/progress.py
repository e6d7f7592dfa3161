"""A progress bar on the terminal for files that are on their way; nothing where nobody looks."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def bar() -> Iterator[Callable[[int, int | None, str], None]]:
    """A callback for `hub.download`; the bar appears with its first call, on standard error."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TaskID,
        TextColumn,
        TransferSpeedColumn,
    )

    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task: TaskID | None = None

    def show(done: int, total: int | None, text: str) -> None:
        nonlocal task
        if task is None:
            progress.start()
            task = progress.add_task(text, total=total)
        progress.update(task, completed=done, total=total, description=text)

    try:
        yield show
    finally:
        if task is not None:
            progress.stop()
