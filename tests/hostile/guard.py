"""Reads the whole hostile corpus in a process that may do nothing but read; prints what it saw.

    python guard.py FOLDER

Every case is read under an audit hook that ends the process when anything is run, compiled,
imported from elsewhere, sent, or written. Prints one JSON object a line: name, verdict, seconds.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

SECONDS = 5
NOBODY = 65534
"""A user who owns nothing, as whom root reads what must not be readable."""
MEMORY = 600_000_000
"""Address space beyond what the imports take, above which an allocation fails."""

_FORBIDDEN = (
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.symlink",
    "os.link",
    "os.putenv",
    "os.kill",
    "subprocess.Popen",
    "socket.",
    "pickle.find_class",
    "marshal.loads",
    "exec",
    "compile",
    "ctypes.",
    "urllib.",
    "shutil.",
    "tempfile.",
    "webbrowser.open",
    "code.__new__",
    "function.__new__",
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Watch:
    """An audit hook that can be switched on and off."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        written = event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING
        if written or event.startswith(_FORBIDDEN):
            self.seen.append(f"{event} {arguments!r}"[:200])


def main(folder: Path) -> None:
    """Read every case; one line of JSON for each."""
    here = Path(__file__).resolve().parent
    sys.path[:0] = [str(here), str(here.parent)]
    from cases import cases
    from corpus import verdict_of

    from mycloset.checkpoints.reading import read_checkpoint
    from mycloset.inspection.analysis import analyse

    every = list(cases())
    warm_up(folder, every, read_checkpoint, analyse)
    watch = Watch()
    sys.addaudithook(watch)
    signal.signal(signal.SIGALRM, _too_long)
    soft = _address_space() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (soft, soft))
    for number, case in enumerate(every):
        place = folder / str(number)
        place.mkdir()
        marker = folder / f"marker-{number}"
        path = case.make(place, marker)
        watch.seen.clear()
        start = time.perf_counter()
        signal.alarm(SECONDS)
        with surroundings(case, path, watch) as path:
            watch.on = True
            try:
                analysis = analyse(read_checkpoint(path))
                verdict, error = verdict_of({finding.kind for finding in analysis.findings}), ""
            except BaseException as problem:  # noqa: BLE001 - whatever escapes is looked for
                verdict, error = "crash", f"{type(problem).__name__}: {problem}"[:300]
            finally:
                watch.on = False
                signal.alarm(0)
        line = {
            "name": case.name,
            "verdict": verdict,
            "error": error,
            "seconds": time.perf_counter() - start,
            "executed": marker.exists() or bool(watch.seen),
            "events": watch.seen[:3],
        }
        print(json.dumps(line))
        for inner in place.iterdir():
            if inner.is_dir() and not inner.is_symlink():
                inner.chmod(0o700)
        shutil.rmtree(place)
    print(json.dumps({"name": "", "peak": _peak()}))


def warm_up(folder: Path, every: list[Any], read: Any, analyse: Any) -> None:
    """Import every module of the readers, and read a whole file of each format."""
    import mycloset.checkpoints

    for module in pkgutil.walk_packages(mycloset.checkpoints.__path__, "mycloset.checkpoints."):
        importlib.import_module(module.name)
    for number, case in enumerate(every):
        if case.group in ("harmless", "places"):
            place = folder / f"warm-{number}"
            place.mkdir()
            analyse(read(case.make(place, folder / "unused")))


@contextmanager
def surroundings(case: Any, path: Path, watch: Watch) -> Iterator[Path]:
    """What a case wants to go on around its reading; gives the path to read it by."""
    if case.unprivileged and os.geteuid() == 0:
        # From within its folder: the way there may be closed to anybody else.
        before = Path.cwd()
        place = path.parent if path.parent.stat().st_mode & 0o111 else path.parent.parent
        place.chmod(0o755)
        os.chdir(place)
        os.seteuid(NOBODY)
        try:
            yield path.relative_to(place)
        finally:
            os.seteuid(0)
            os.chdir(before)
    elif case.meanwhile is not None:
        reads = Reads(case, path, watch)
        with reads.counted():
            yield path
    else:
        yield path


class Reads:
    """Counts the parts of a file that are read, and changes it after some of them."""

    def __init__(self, case: Any, path: Path, watch: Watch) -> None:
        self.case, self.path, self.watch = case, path, watch
        self.done = 0
        self.until = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Put our own read in place of the system's, once to count and once to change."""
        from mycloset.checkpoints.reading import read_checkpoint

        read = os.pread

        def counting(handle: int, length: int, offset: int) -> bytes:
            found = read(handle, length, offset)
            self.done += 1
            if self.done == self.until:
                self.watch.on = False
                self.case.meanwhile(self.path)
                self.watch.on = True
            return found

        os.pread = counting
        try:
            read_checkpoint(self.path)
            self.until = max(1, round(self.case.progress * self.done))
            self.done = 0
            yield
        finally:
            os.pread = read


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"longer than {SECONDS} s")


def _peak() -> int:
    """Most memory that this process had; getrusage would tell its parent's as well."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
