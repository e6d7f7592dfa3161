"""A function of a benchmark in a process of its own, and what a process takes of memory."""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple, Self

ROOT = Path(__file__).resolve().parents[1]


class FailedError(Exception):
    """The process ended without an answer; the message is its last line."""


def fresh(function: str, *arguments: Any, threads: int = 1) -> Any:
    """What a function answers in a fresh process.

    Args:
        function: "module:name", of this folder.
        arguments: what JSON can say; so must be the answer.
        threads: of PyTorch's and BLAS's pools.

    Raises:
        FailedError: it raised, or was ended.
    """
    environment = {
        **{k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
        "PYTHONPATH": str(ROOT / "src"),
        "OMP_NUM_THREADS": str(threads),
        "PYTHONWARNINGS": "ignore",
    }
    done = subprocess.run(
        [sys.executable, __file__, function, json.dumps(arguments)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
        raise FailedError(f"{function}: {last}")
    return json.loads(done.stdout.splitlines()[-1])


class Memory(NamedTuple):
    """Bytes of this process: all that is in memory, and what of it is no file's."""

    resident: int
    anonymous: int


def memory() -> Memory:
    """What this process takes now."""
    return Memory(_status("VmRSS"), _status("RssAnon"))


def peak() -> int:
    """The largest that this process has been, in bytes of resident memory.

    Not `getrusage`: what that tells begins with the process that started this one.
    """
    return _status("VmHWM")


class Watch:
    """How long a block took, and how far the process rose while it lasted.

    Resident memory's peak is the system's own; that of anonymous memory is looked at every
    millisecond by another thread, and once at the end.

    Attributes:
        seconds: wall time.
        processor: the processor's time, of all threads.
        resident, anonymous: bytes that the process rose above its size before the block.
    """

    def __init__(self, *, sampled: bool) -> None:
        self._sampled = sampled
        self._over = threading.Event()
        self.seconds = 0.0
        self.processor = 0.0
        self.resident = 0
        self.anonymous = 0

    def __enter__(self) -> Self:
        _trim()
        _forget_peak()
        self._before = memory()
        self._highest = self._before.anonymous
        self._thread = threading.Thread(target=self._look)
        if self._sampled:
            self._thread.start()
        self._busy = time.process_time()
        self._began = time.perf_counter()
        return self

    def __exit__(self, *error: object) -> None:
        self.seconds = time.perf_counter() - self._began
        self.processor = time.process_time() - self._busy
        if self._sampled:
            self._over.set()
            self._thread.join()
        self._highest = max(self._highest, memory().anonymous)
        self.resident = max(0, peak() - self._before.resident)
        self.anonymous = max(0, self._highest - self._before.anonymous)

    def _look(self) -> None:
        while not self._over.wait(0.001):
            self._highest = max(self._highest, memory().anonymous)


def _trim() -> None:
    """Give back what was freed before, else the block could grow into that unseen."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _forget_peak() -> None:
    """Let the system's peak begin at what the process takes now (Linux only)."""
    Path("/proc/self/clear_refs").write_text("5", "ascii")


def _status(field: str) -> int:
    """Bytes that the system tells of this process."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise FailedError(f"the system does not tell {field}")


def main() -> None:
    """Call the function that the command line names, and print its answer as JSON."""
    module, _, name = sys.argv[1].partition(":")
    answer = getattr(importlib.import_module(module), name)(*json.loads(sys.argv[2]))
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
