"""One model's load: ours beside `torch.load`, safetensors and spandrel, each in fresh processes."""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from closet_files import size_of, write_holes
from closet_report import Row, against, megabytes, milliseconds, percent, section, tell
from fresh_process import FailedError, Watch, fresh

if TYPE_CHECKING:
    import torch

FASTER_AIM = 30.0
MEMORY_AIM = 0.05
HALF_TIME_AIM = 0.6
HALF_MEMORY_AIM = 0.5

LOADS = 5
"""Loads in one process, of which the least time counts."""


class Case(NamedTuple):
    """A file to be loaded.

    Attributes:
        golden: whose layout it has.
        kind: its format.
        rivals: what it is loaded with beside ours; the first is what ours is held against.
    """

    golden: str
    kind: str
    rivals: tuple[str, ...]


CASES = (
    Case("torchvision/vgg16", "zip", ("torch.load", "torch.load, half")),
    Case("torchvision/vgg16", "legacy", ("torch.load", "torch.load, half")),
    Case("torchvision/vgg16", "safetensors", ("load_file", "load_file, half")),
    Case("rrdb/RealESRGAN_x4plus", "zip", ("torch.load", "spandrel")),
)
QUICK = (
    Case("torchvision/resnet50", "zip", ("torch.load",)),
    Case("torchvision/resnet50", "legacy", ("torch.load",)),
    Case("torchvision/resnet50", "safetensors", ("load_file",)),
)
HEAD = ("", "ms", "ratio", "CPU ms", "anon MB", "of its size", "peak MB", "first pass ms", "aim")
OURS = ("ours mapped", "ours pread", "ours to fp16", "ours pread to fp16")


def loads(folder: Path, *, quick: bool) -> None:
    """Print time and memory of loads, beside what a user would take instead."""
    section("Loads: warm page cache, fresh processes, libraries imported before the clock starts")
    for case in QUICK if quick else CASES:
        place = f"{case.golden.rpartition('/')[2]}-{case.kind}"
        paths = fresh(
            "closet_files:make_filled", str(folder), [(place, case.golden, case.kind)], threads=2
        )
        path = Path(paths[place])
        warming = write_holes(folder / "holes" / place, case.golden, "zip")
        rows = _rows(case, path, warming, repeats=1 if quick else 2)
        print(f"\n{path.name}, {path.stat().st_size / 1e6:,.0f} MB, {case.kind}")
        tell(HEAD, rows)
        path.unlink()
    print(
        "  ms: least of all loads; rivals load into a network that is there, ours builds one."
        "\n  CPU: the processor's time, which a busy machine lengthens less. anon, peak: how far"
        "\n  a process's first load raised its RssAnon and RSS (median)."
        "\n  first pass: reading all weights once after that load."
    )


def _rows(case: Case, path: Path, warming: Path, *, repeats: int) -> list[Row]:
    found: dict[str, dict[str, float] | str] = {}
    # In turn, so that whatever else the machine does falls on each of them.
    runs: dict[str, list[dict[str, float]]] = {}
    for _ in range(repeats):
        for reader in (*case.rivals, *OURS):
            if isinstance(found.get(reader), str):
                continue
            try:
                run = fresh("closet_loads:measure", reader, str(path), str(warming))
            except FailedError as error:
                found[reader] = str(error)[:70]
                continue
            runs.setdefault(reader, []).append(run)
    for reader, taken in runs.items():
        found[reader] = {
            # Whatever else the machine does only adds to a time.
            key: min(run[key] for run in taken)
            if key in ("seconds", "processor", "pass")
            else statistics.median(run[key] for run in taken)
            for key in taken[0]
        }
    rival = found[case.rivals[0]]
    rows: list[Row] = []
    for reader, told in found.items():
        if isinstance(told, str) or isinstance(rival, str):
            rows.append((reader, str(told)))
            rows[-1] += ("",) * 7
            continue
        share = told["anonymous"] / max(rival["anonymous"], float(size_of(case.golden)))
        ratio = rival["seconds"] / told["seconds"]
        rows.append(
            (
                reader,
                milliseconds(told["seconds"]),
                f"{ratio:.1f} x",
                milliseconds(told["processor"]),
                megabytes(told["anonymous"]),
                percent(share),
                megabytes(told["resident"]),
                milliseconds(told["pass"]),
                _aim(reader, ratio, share),
            )
        )
    return rows


def _aim(reader: str, ratio: float, share: float) -> str:
    if reader == "ours mapped":
        reached = ratio >= FASTER_AIM and share < MEMORY_AIM
        return against(f">= {FASTER_AIM:.0f} x, < {percent(MEMORY_AIM)}:", reached)
    if reader == "ours to fp16":
        reached = 1 / ratio <= HALF_TIME_AIM and share <= 1.02 * HALF_MEMORY_AIM
        return against(f">= {1 / HALF_TIME_AIM:.1f} x, {percent(HALF_MEMORY_AIM)}:", reached)
    return ""


def measure(reader: str, path: str, warming: str) -> dict[str, float]:
    """Load a file some times in this process, after another file of its kind was loaded."""
    load = _readers(warming)[reader]
    with Path(path).open("rb") as file:
        while file.read(1 << 24):
            pass
    seconds, processor = [], []
    with Watch(sampled=True) as watch:
        network = load(path)
    with Watch(sampled=False) as reading:
        sum(float(tensor.float().sum()) for tensor in network.state_dict().values())
    del network
    for _ in range(LOADS):
        with Watch(sampled=False) as timed:
            kept = load(path)
        seconds.append(timed.seconds)
        processor.append(timed.processor)
        del kept
    return {
        "seconds": min(seconds),
        "processor": min(processor),
        "anonymous": float(watch.anonymous),
        "resident": float(watch.resident),
        "pass": reading.seconds,
    }


def _readers(warming: str) -> dict[str, Callable[[str], torch.nn.Module]]:
    """Readers by name; all that they import is imported."""
    import safetensors.torch
    import spandrel
    import torch

    import mycloset

    # What rivals load into: the same network in ordinary memory, its pages all there.
    ready = copy.deepcopy(mycloset.load(warming).network)

    def ours(**options: Any) -> Callable[[str], torch.nn.Module]:
        return lambda path: mycloset.load(path, **options).network

    def into(state: Any) -> torch.nn.Module:
        while not all(isinstance(value, torch.Tensor) for value in state.values()):
            state = next(iter(state.values()))
        ready.load_state_dict(state)
        return ready

    def by_torch(path: str) -> torch.nn.Module:
        return into(torch.load(path, weights_only=True))

    def by_safetensors(path: str) -> torch.nn.Module:
        return into(safetensors.torch.load_file(path))

    def by_spandrel(path: str) -> torch.nn.Module:
        network: torch.nn.Module = spandrel.ModelLoader("cpu").load_from_file(path).model
        return network

    def half(load: Callable[[str], torch.nn.Module]) -> Callable[[str], torch.nn.Module]:
        def halved(path: str) -> torch.nn.Module:
            ready.float()
            return load(path).half()

        return halved

    return {
        "torch.load": by_torch,
        "torch.load, half": half(by_torch),
        "load_file": by_safetensors,
        "load_file, half": half(by_safetensors),
        "spandrel": by_spandrel,
        "ours mapped": ours(),
        "ours pread": ours(mapped=False),
        "ours to fp16": ours(precision="float16"),
        "ours pread to fp16": ours(precision="float16", mapped=False),
    }
