"""How much memory there is: of the machine, of the container that limits it, of a device."""

from __future__ import annotations

import ctypes
import gc
import os
import re
from collections.abc import Mapping
from pathlib import Path

from mycloset.errors import ModelFileError, OptionError

AUTO_SHARE = 0.6
"""How much of what is free the hub takes for models where the caller names no budget."""

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12,
          "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}  # fmt: skip
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?)b?\s*", re.IGNORECASE)


class MemoryShortError(ModelFileError):
    """The system gives a load no more memory."""


def budget(value: int | str) -> int:
    """Bytes that models may take: a number, "6 GB", "512 MiB", or "auto".

    Raises:
        OptionError: it is none of these, or not positive.
    """
    if value == "auto":
        return max(1, int(AUTO_SHARE * free_memory()))
    if isinstance(value, str):
        match = _SIZE.fullmatch(value)
        if match is None:
            raise OptionError(
                f"memory: {value!r} is no size.", hint="Give bytes, or like 6GB, 512MiB, auto."
            )
        value = int(float(match[1]) * _UNITS[match[2].lower()])
    if value <= 0:
        raise OptionError(f"memory: {value} bytes are none.", hint="Give more than 0, or auto.")
    return value


def budgets(memory: int | str | Mapping[str, int | str], device: str) -> dict[str, int]:
    """Bytes by device.

    Args:
        memory: as for `budget`, for the device that models run on; or by device.
        device: where models run by default.

    Raises:
        OptionError: see `budget`.
    """
    where = "cpu" if device == "spread" else device
    given = memory if isinstance(memory, Mapping) else {where: memory}
    found = {"cpu": budget(given.get("cpu", "auto"))}
    for name, value in given.items():
        if name != "cpu":
            found[name] = int(AUTO_SHARE * _free_on(name)) if value == "auto" else budget(value)
    return found


def _free_on(device: str) -> int:
    """Free bytes of a device; of one that shares the machine's memory, the machine's."""
    if not device.startswith("cuda"):
        return free_memory()
    import torch

    free: int = torch.cuda.mem_get_info(torch.device(device))[0]
    return free


def free_memory() -> int:
    """Bytes that this process could still take without swapping: the machine's and the
    container's, whichever is less."""
    found = [_machine(), *_containers()]
    return min(value for value in found if value is not None)


def collect() -> None:
    """Free what only refers to itself."""
    gc.collect()


def trim() -> None:
    """Give freed memory back to the system; the C library keeps it otherwise."""
    found = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if found is not None:
        found(0)


def told(size: float) -> str:
    """A number of bytes as people read it."""
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"


def _machine() -> int:
    """Bytes that are free, or could be at once (the page cache)."""
    for line in Path("/proc/meminfo").read_text("ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")


def _containers() -> list[int]:
    """What the limits of control groups leave (version 2, then version 1)."""
    root = Path("/sys/fs/cgroup")
    places = [
        (root, "memory.max", "memory.current"),
        (root / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ]
    try:
        own = Path("/proc/self/cgroup").read_text("utf-8").splitlines()
    except OSError:
        own = []
    for line in own:
        path = line.rpartition(":")[2].lstrip("/")
        if path:
            places.append((root / path, "memory.max", "memory.current"))
    found = []
    for folder, limit, used in places:
        most, taken = _number(folder / limit), _number(folder / used)
        if most is not None and taken is not None and most < 1 << 60:
            cached = _cached(folder / "memory.stat")
            found.append(max(0, most - taken + cached))
    return found


def _number(path: Path) -> int | None:
    """The number in a file; None where there is no such file, or it says "max"."""
    try:
        text = path.read_text("ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None


def _cached(path: Path) -> int:
    """Bytes of page cache that count as used but can be had at once."""
    try:
        lines = path.read_text("ascii").splitlines()
    except OSError:
        return 0
    named = dict(line.split()[:2] for line in lines if len(line.split()) >= 2)
    return int(named.get("inactive_file", 0))
