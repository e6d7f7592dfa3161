"""Many threads and one model, several models at once, and a thousand loads one after another."""

from __future__ import annotations

import os
import shutil
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from closet_report import Row, against, megabytes, milliseconds, percent, section, tell
from fresh_process import fresh, memory

THREADS = 8
PARALLEL_AIM = 1.6
KEPT_AIM = 0.05
CYCLES = 1000

SHARED = ("shared", "torchvision/resnet50", "zip")
FOUR = (
    ("one", "schp/lip", "zip"),
    ("two", "schp/atr", "zip"),
    ("three", "torchvision/resnet152", "legacy"),
    ("four", "u2net/u2net", "zip"),
)
"""Networks of many small tensors: a good part of a load is Python's, which two threads share."""
FOUR_LARGE = (
    ("one", "torchvision/vgg16", "zip"),
    ("two", "torchvision/vgg19", "legacy"),
    ("three", "torchvision/alexnet", "zip"),
    ("four", "sam/sam_vit_b_01ec64", "zip"),
)
"""Networks of few large tensors."""
FOUR_QUICK = tuple((place, "torchvision/resnet50", "zip") for place, _, _ in FOUR)
CYCLED = ("cycled", "rrdb/RealESRGAN_x4plus", "zip")


def threads(folder: Path) -> None:
    """Print what eight threads that want one model take, against one thread."""
    section(f"{THREADS} threads against one model")
    folder.mkdir(exist_ok=True)
    fresh("closet_files:make_filled", str(folder), [SHARED])
    found = fresh("closet_sharing:many_threads", str(folder))
    rows: list[Row] = [
        (
            "load (pread, to fp16)",
            milliseconds(found["load_one"]),
            milliseconds(found["load_many"]),
            f"{found['load_many'] / found['load_one']:.2f}",
            against("loads = 1", found["loads"] == 1),
        ),
        (
            f"{THREADS} calls",
            milliseconds(found["calls_one"]),
            milliseconds(found["calls_many"]),
            f"{found['calls_many'] / found['calls_one']:.2f}",
            "",
        ),
    ]
    tell(("", "one thread ms", f"{THREADS} threads ms", "ratio", "aim"), rows)


def many_threads(folder: str) -> dict[str, Any]:
    """Load and call one model from one thread, then from eight; in a process of its own."""
    import numpy as np

    from mycloset.hub.loader import ModelLoader

    picture = np.zeros((224, 224, 3), np.uint8)

    def loading(count: int) -> tuple[float, int]:
        with ModelLoader(
            [folder], index=False, device="cpu", precision="float16", mapped=False
        ) as loader:
            loader.list_available_models()
            gate = threading.Barrier(count + 1)

            def ask() -> None:
                gate.wait()
                loader.load_model("shared")

            asking = [threading.Thread(target=ask) for _ in range(count)]
            for thread in asking:
                thread.start()
            gate.wait()
            began = time.perf_counter()
            for thread in asking:
                thread.join()
            return time.perf_counter() - began, loader.statistics.loads

    loading(1)
    one = [loading(1) for _ in range(5)]
    many = [loading(THREADS) for _ in range(5)]
    with ModelLoader([folder], index=False, device="cpu") as loader:
        model = loader.load_model("shared")
        model(picture)
        calls: dict[int, list[float]] = {1: [], THREADS: []}
        for _ in range(3):
            for count, taken in calls.items():
                with ThreadPoolExecutor(count) as pool:
                    began = time.perf_counter()
                    list(pool.map(model, [picture] * THREADS))
                    taken.append(time.perf_counter() - began)
    return {
        "load_one": min(seconds for seconds, _ in one),
        "load_many": min(seconds for seconds, _ in many),
        "loads": max(loads for _, loads in many),
        "calls_one": min(calls[1]),
        "calls_many": min(calls[THREADS]),
    }


def parallel(folder: Path, *, quick: bool) -> None:
    """Print what loading four models side by side saves."""
    section(f"Four models at once: load_models against one after another, {_cores()} cores")
    rounds = 3 if quick else 7
    control = fresh("closet_sharing:casts", rounds)
    gained = statistics.median(
        one / many for one, many in zip(control["serial"], control["parallel"], strict=True)
    )
    rows: list[Row] = []
    sets = (("small tensors", FOUR_QUICK if quick else FOUR), ("large tensors", FOUR_LARGE))
    for what, asked in sets[: 1 if quick else 2]:
        place = folder / what.partition(" ")[0]
        place.mkdir(parents=True, exist_ok=True)
        fresh("closet_files:make_filled", str(place), asked)
        for way, options in (
            ("mapped, to fp16", {"precision": "float16"}),
            ("pread", {"mapped": False}),
            ("pread, to fp16", {"mapped": False, "precision": "float16"}),
        ):
            found = fresh("closet_sharing:four", str(place), options, rounds)
            ratio = statistics.median(
                one / many for one, many in zip(found["serial"], found["parallel"], strict=True)
            )
            rows.append(
                (
                    f"{what}, {way}",
                    milliseconds(min(found["serial"])),
                    milliseconds(min(found["parallel"])),
                    f"{ratio:.2f} x",
                    f"{min(found['serial']) / min(found['parallel']):.2f} x",
                    against(f">= {PARALLEL_AIM} x", ratio >= PARALLEL_AIM),
                )
            )
        shutil.rmtree(place)
    head = ("", "one by one ms", "at once ms", "median ratio", "of the least", "aim")
    told = (
        f"casts alone of tensors in memory gained {gained:.2f} x by two threads just before;"
        f" {_load():.1f} processes wanted a core"
    )
    tell(head, rows, note=told)


def casts(rounds: int) -> dict[str, list[float]]:
    """Cast four large tensors one by one and by two threads: what the machine has to give."""
    import torch

    tensors = [torch.ones(40_000_000) for _ in range(4)]
    taken: dict[str, list[float]] = {"serial": [], "parallel": []}
    with ThreadPoolExecutor(2) as pool:
        for _ in range(rounds):
            began = time.perf_counter()
            for tensor in tensors:
                tensor.half()
            taken["serial"].append(time.perf_counter() - began)
            began = time.perf_counter()
            list(pool.map(torch.Tensor.half, tensors))
            taken["parallel"].append(time.perf_counter() - began)
    return taken


def four(folder: str, options: dict[str, Any], rounds: int) -> dict[str, list[float]]:
    """Load four models one by one and at once, in turn; in a process of its own."""
    from mycloset.hub.loader import ModelLoader

    names = ("one", "two", "three", "four")
    taken: dict[str, list[float]] = {"serial": [], "parallel": []}
    with ModelLoader([folder], index=False, device="cpu", memory="8GB", **options) as loader:
        for turn in range(rounds + 1):
            for way, seconds in taken.items():
                began = time.perf_counter()
                if way == "serial":
                    for name in names:
                        loader.load_model(name)
                else:
                    loader.load_models(names)
                if turn:  # the first round imports
                    seconds.append(time.perf_counter() - began)
                for name in names:
                    assert loader.unload_model(name)
    return taken


def cycles(folder: Path, *, quick: bool) -> None:
    """Print what a process keeps of many loads."""
    count = 100 if quick else CYCLES
    section(f"{count:,} cycles of load, one pass over the weights, and unload")
    folder.mkdir(exist_ok=True)
    fresh("closet_files:make_filled", str(folder), [CYCLED])
    rows: list[Row] = []
    for title, options in (("fp32, mapped", {}), ("cast to fp16", {"precision": "float16"})):
        found = fresh("closet_sharing:many_cycles", str(folder), options, count)
        start, end = found["start"], found["end"]
        grown = {key: end[key] / start[key] - 1 for key in ("resident", "anonymous")}
        kept = max(grown.values())
        rows.append(
            (
                title,
                f"{megabytes(start['resident'])} -> {megabytes(end['resident'])}",
                f"{100 * grown['resident']:+.1f} %",
                f"{megabytes(start['anonymous'])} -> {megabytes(end['anonymous'])}",
                f"{100 * grown['anonymous']:+.1f} %",
                megabytes(found["loaded"] - found["before"]),
                f"{start['mappings']} -> {end['mappings']}",
                f"{start['files']} -> {end['files']}",
                f"{start['threads']} -> {end['threads']}",
                milliseconds(found["seconds"] / count),
                against(f"< {percent(KEPT_AIM)}", kept < KEPT_AIM),
            )
        )
    head = ("", "RSS MB", "", "RssAnon MB", "", "while loaded +MB", "mappings", "open files",
            "threads", "ms a cycle", "aim")  # fmt: skip
    tell(head, rows, note="start: after the first cycle")


def many_cycles(folder: str, options: dict[str, Any], count: int) -> dict[str, Any]:
    """Load and unload a model so many times; in a process of its own."""
    from mycloset.hub.loader import ModelLoader

    with ModelLoader([folder], index=False, device="cpu", **options) as loader:

        def cycle() -> int:
            model = loader.load_model("cycled")
            for tensor in model.network.state_dict().values():
                tensor.float().sum()
            while_loaded = memory().resident
            assert loader.unload_model("cycled")
            return while_loaded

        cycle()
        start, before = _taken(), memory().resident
        began = time.perf_counter()
        for _ in range(count):
            loaded = cycle()
        seconds = time.perf_counter() - began
        end = _taken()
    return {"start": start, "end": end, "before": before, "loaded": loaded, "seconds": seconds}


def _taken() -> dict[str, int]:
    now = memory()
    return {
        "resident": now.resident,
        "anonymous": now.anonymous,
        "mappings": len(Path("/proc/self/maps").read_text("utf-8").splitlines()),
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "threads": threading.active_count(),
    }


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _load() -> float:
    return os.getloadavg()[0]
