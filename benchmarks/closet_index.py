"""What a closet costs before its first model runs: the index, and the first request's models."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from typing import Any

from closet_files import make_closet
from closet_report import Row, against, megabytes, milliseconds, section, tell
from fresh_process import fresh, memory, peak

FILES = 185
APPARENT = 60e9
REPEATS = 5
WARM_AIM = 0.1


def index(folder: Path, *, quick: bool) -> None:
    """Print how long it takes to know what every file is, cold and from the index on disk."""
    closet = folder / "closet"
    files = 24 if quick else FILES
    total = make_closet(closet, files=files, apparent=APPARENT * files / FILES)
    stored = folder / "closet.index"
    # What changed this moment is rightly read again.
    for path in closet.rglob("*.*"):
        _aged(path, 7200)
    section(f"Index of {files} files, {total / 1e9:.0f} GB apparent")
    rows: list[Row] = []
    repeats = 2 if quick else REPEATS
    cold = []
    for _ in range(repeats):
        for left in folder.glob("closet.index*"):
            left.unlink()
        cold.append(fresh("closet_index:shelve", str(closet), str(stored)))
    warm = [fresh("closet_index:shelve", str(closet), str(stored)) for _ in range(repeats)]
    changed = []
    some = sorted(path for path in closet.rglob("*") if path.is_file())[:: max(1, files // 5)]
    for turn in range(repeats):
        for path in some:
            _aged(path, 3600 - turn)
        changed.append(fresh("closet_index:shelve", str(closet), str(stored)))
    for title, runs, aim in (
        ("cold: no index yet", cold, ""),
        ("warm: nothing has changed", warm, f"< {1000 * WARM_AIM:.0f} ms"),
        (f"warm, {len(some)} files touched", changed, ""),
    ):
        seconds = statistics.median(run["seconds"] for run in runs)
        rows.append(
            (
                title,
                milliseconds(seconds),
                milliseconds(min(run["seconds"] for run in runs)),
                milliseconds(statistics.median(run["imports"] for run in runs)),
                megabytes(statistics.median(run["peak"] for run in runs)),
                str(runs[-1]["models"]),
                against(aim, seconds < WARM_AIM) if aim else "",
            )
        )
    tell(("", "ms", "least ms", "imports ms", "peak RSS MB", "models", "aim"), rows)


def _aged(path: Path, seconds: float) -> None:
    """Let a file's last change be so long ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))


def shelve(folder: str, stored: str) -> dict[str, Any]:
    """Ask a loader over a folder what there is; in a process of its own."""
    began = time.perf_counter()
    from mycloset.hub.loader import ModelLoader

    imports = time.perf_counter() - began
    began = time.perf_counter()
    with ModelLoader([folder], index=stored, device="cpu") as loader:
        models = len(loader.list_available_models())
        seconds = time.perf_counter() - began
    return {"imports": imports, "seconds": seconds, "models": models, "peak": peak()}


def first_request(models: Path, *, quick: bool) -> None:
    """Print how long the hub takes until the models of all eight steps are there."""
    section("First try-on: from ModelLoader(...) to a model for each of the eight steps")
    stored = models.with_name("models.index")
    for left in models.parent.glob("models.index*"):
        left.unlink()
    rows: list[Row] = []
    runs = [fresh("closet_index:request", str(models), str(stored), "float32") for _ in range(3)]
    half = [fresh("closet_index:request", str(models), str(stored), "float16") for _ in range(2)]
    theirs = [fresh("closet_index:request_by_torch", runs[0]["files"]) for _ in range(2)]
    size = sum(Path(path).stat().st_size for path in runs[0]["files"])
    rival = min(run["imported"] for run in theirs)
    for title, found in (
        ("ours, no index yet, mapped", runs[0]),
        ("ours, index there, mapped", min(runs[1:], key=lambda run: run["seconds"])),
        ("ours, index there, cast to fp16", min(half, key=lambda run: run["seconds"])),
        ("torch.load alone of the same files", min(theirs, key=lambda run: run["seconds"])),
    ):
        rows.append(
            (
                title,
                milliseconds(found["seconds"]),
                milliseconds(found["shelf"]),
                milliseconds(found["imported"]),
                f"{rival / found['imported']:.1f} x",
                milliseconds(found["imports"]),
                megabytes(found["anonymous"]),
            )
        )
    head = ("", "first ms", "of it shelf", "again ms", "ratio", "torch import ms", "RssAnon MB")
    told = (
        f"models of {size / 1e6:,.0f} MB. First: in a process that has imported torch, no more;"
        "\n  again: by a new loader there, when the networks' libraries are imported as well"
    )
    tell(head, rows, note=told)


def request(folder: str, stored: str, precision: str) -> dict[str, Any]:
    """Load the best model for each step; in a process of its own."""
    began = time.perf_counter()
    import torch

    assert torch.get_num_threads()
    imports = time.perf_counter() - began
    from mycloset.architectures.steps import TRY_ON_STEPS
    from mycloset.hub.loader import ModelLoader

    before = memory().anonymous
    seconds, shelf = [], []
    for _ in range(3):
        began = time.perf_counter()
        with ModelLoader(
            [folder], index=stored, device="cpu", precision=precision, memory="8GB"
        ) as loader:
            loader.list_available_models()
            shelf.append(time.perf_counter() - began)
            models = [loader.load_model_for_step(step) for step in TRY_ON_STEPS]
            seconds.append(time.perf_counter() - began)
            anonymous = memory().anonymous - before
    return {
        "seconds": seconds[0],
        "shelf": shelf[0],
        "imported": min(seconds[1:]),
        "imports": imports,
        "anonymous": anonymous,
        "files": [str(model.info.path) for model in models],
    }


def request_by_torch(files: list[str]) -> dict[str, Any]:
    """`torch.load` each file; in a process of its own."""
    began = time.perf_counter()
    import torch

    imports = time.perf_counter() - began
    before = memory().anonymous
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        loaded = [torch.load(path, weights_only=True) for path in files]
        seconds.append(time.perf_counter() - began)
        anonymous = memory().anonymous - before
        loaded.clear()
    return {
        "seconds": seconds[0],
        "shelf": 0.0,
        "imported": min(seconds),
        "imports": imports,
        "anonymous": anonymous,
    }
