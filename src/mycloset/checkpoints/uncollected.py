"""Without garbage collection, while descriptions and networks are made: all of it is in use."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_blocks = 0
_collected = False


@contextmanager
def uncollected() -> Iterator[None]:
    """A block during which Python does not look for garbage.

    Many small objects are made that are in use until the end: looking for garbage among them, and
    among all that other libraries hold, finds none and takes longer than the work. Blocks may
    overlap on several threads; the last to end lets collection go on, if it was on before.
    """
    global _blocks, _collected
    with _lock:
        if not _blocks:
            _collected = gc.isenabled()
            gc.disable()
        _blocks += 1
    try:
        yield
    finally:
        with _lock:
            _blocks -= 1
            if not _blocks and _collected:
                gc.enable()
