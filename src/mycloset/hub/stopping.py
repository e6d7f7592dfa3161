"""Waiting for a load, unless somebody asks for an end before."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Protocol, TypeVar

from mycloset.errors import StoppedError

Value = TypeVar("Value")

PULSE = 0.05
"""Seconds between looks at whether somebody asked for an end."""


class Stop(Protocol):
    """Says whether somebody asked for an end; `threading.Event` is one."""

    def is_set(self) -> bool:
        """Whether it is time to end."""
        ...


def check(stop: Stop | None) -> None:
    """Raise StoppedError where somebody asked for an end."""
    if stop is not None and stop.is_set():
        raise StoppedError("stopped while a model was waited for.")


def result(future: Future[Value], stop: Stop | None) -> Value:
    """What a future brings.

    Raises:
        StoppedError: somebody asked for an end before.
    """
    if stop is None:
        return future.result()
    while True:
        check(stop)
        try:
            return future.result(PULSE)
        except TimeoutError:
            if future.done():
                raise
