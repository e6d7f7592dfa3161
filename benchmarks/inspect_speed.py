"""How long it takes to say what is in a model file: ours beside what a user would take instead.

    python benchmarks/inspect.py
    python benchmarks/inspect.py --quick            # small files only
    python benchmarks/inspect.py --folder           # 185 files of real layouts, 60 GB apparent

Every figure comes from a process of its own. `warm` is the median of repeated calls in a process
that has made the call once; `fresh` is the whole process from its start to the answer; `peak` is
how far the process rose above what it took after its imports. Ratios are rival : `inspect`, which
includes recognition and the grading of every global; `list` only lists keys, dtypes and shapes.

The files are made for the run in the layout of published ones; their tensors are holes, so that
7 GB cost nothing on disk. Rivals that are not installed (torch, safetensors, onnx, picklescan,
fickling, spandrel) are left out, and it is said.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# What only the parent needs is imported where it is used: the child's start is measured.

ROOT = Path(__file__).resolve().parents[1]
CHILD = "--child"
"""Marks the process that measures; an inner matter of this script."""
FULL_LOAD_LIMIT = 4_000_000_000
"""Bytes above which a reader that loads everything is not tried."""


def ours_list(path: Path) -> int:
    from mycloset.checkpoints.reading import read_checkpoint

    return read_checkpoint(path).tensors


def ours_inspect(path: Path) -> int:
    from mycloset import inspect

    return sum(network.tensors for network in inspect(path).networks[:1])


def _flat(value: Any) -> int:
    if hasattr(value, "shape"):
        return 1
    if isinstance(value, dict):
        return sum(_flat(item) for item in value.values())
    return 0


def torch_mapped(path: Path) -> int:
    import torch

    return _flat(torch.load(path, mmap=True, weights_only=True))


def torch_meta(path: Path) -> int:
    import torch

    return _flat(torch.load(path, map_location="meta", weights_only=True))


def torch_full(path: Path) -> int:
    import torch

    return _flat(torch.load(path, weights_only=True))


def safetensors_open(path: Path) -> int:
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        return len([file.get_slice(key).get_shape() for key in file.keys()])  # noqa: SIM118


def onnx_load(path: Path) -> int:
    import onnx

    return len(onnx.load(str(path), load_external_data=False).graph.initializer)


def picklescan_scan(path: Path) -> int:
    from picklescan.scanner import scan_file_path

    return int(scan_file_path(str(path)).scanned_files)


def fickling_scan(path: Path) -> int:
    import zipfile

    from fickling.fickle import StackedPickle

    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
        from fickling.analysis import check_safety

        for pickled in StackedPickle.load(archive.read(name)):
            check_safety(pickled)
    return 1


def spandrel_load(path: Path) -> int:
    from spandrel import ModelLoader

    return len(ModelLoader("cpu").load_from_file(path).model.state_dict())


READERS: dict[str, tuple[Callable[[Path], int], str]] = {
    "mycloset list": (ours_list, ""),
    "mycloset inspect": (ours_inspect, ""),
    "torch.load mmap": (torch_mapped, "torch"),
    "torch.load meta": (torch_meta, "torch"),
    "torch.load": (torch_full, "torch"),
    "safe_open": (safetensors_open, "safetensors"),
    "onnx.load": (onnx_load, "onnx"),
    "picklescan": (picklescan_scan, "picklescan"),
    "fickling": (fickling_scan, "fickling"),
    "spandrel": (spandrel_load, "spandrel"),
}
"""Name -> what is measured, and the package that it takes."""

LOADING = frozenset({"torch.load", "onnx.load", "spandrel"})
"""Readers that read the whole file."""

FOR_FORMAT: dict[str, tuple[str, ...]] = {
    "zip": ("torch.load mmap", "torch.load meta", "torch.load", "picklescan", "fickling"),
    "legacy": ("torch.load meta", "torch.load", "picklescan"),
    "safetensors": ("safe_open",),
    "onnx": ("onnx.load",),
    "restoration": ("torch.load mmap", "torch.load", "picklescan", "fickling", "spandrel"),
}


def convolutional(tensors: int, gigabytes: float) -> list[tuple[str, str, tuple[int, ...]]]:
    """A network of conv + batch norm blocks and wide linears, so many tensors and bytes."""
    found: list[tuple[str, str, tuple[int, ...]]] = []
    blocks = (tensors - 9) // 6
    for number in range(blocks):
        width = (64, 128, 256, 512)[number * 4 // blocks]
        found.append((f"layers.{number}.conv.weight", "float32", (width, width, 3, 3)))
        for name in ("weight", "bias", "running_mean", "running_var"):
            found.append((f"layers.{number}.bn.{name}", "float32", (width,)))
        found.append((f"layers.{number}.bn.num_batches_tracked", "int64", ()))
    taken = sum(4 * _size(shape) for _, _, shape in found)
    rest = max(1, int((gigabytes * 1e9 - taken) / 4 / 9 / 2048))
    found += [(f"head.{i}.weight", "float32", (rest, 2048)) for i in range(9)]
    return found


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def make_files(folder: Path, *, quick: bool) -> list[tuple[str, str, Path]]:
    """Title, kind of format and path of each file."""
    sys.path.insert(0, str(ROOT / "tests"))
    import golden_files
    from foreign_files import write_onnx, write_safetensors
    from model_files import Tensor, write_torch_legacy, write_torch_zip

    def nested(layout: list[tuple[str, str, tuple[int, ...]]]) -> dict[str, Any]:
        return {key: Tensor(dtype, shape) for key, dtype, shape in layout}

    found: list[tuple[str, str, Path]] = []
    sizes = {"50 MB": (300, 0.05)}
    if not quick:
        sizes |= {"1.25 GB": (700, 1.25), "7 GB": (700, 7.0)}
    for title, (tensors, gigabytes) in sizes.items():
        layout = convolutional(tensors, gigabytes)
        name = title.replace(" ", "")
        write_torch_zip(folder / f"{name}.pth", nested(layout))
        found.append((f"torch zip, {title}", "zip", folder / f"{name}.pth"))
        write_torch_legacy(folder / f"{name}-legacy.pth", nested(layout))
        found.append((f"torch legacy, {title}", "legacy", folder / f"{name}-legacy.pth"))
        write_safetensors(folder / f"{name}.safetensors", layout)
        found.append((f"safetensors, {title}", "safetensors", folder / f"{name}.safetensors"))
    layout = convolutional(1956, 0.05 if quick else 0.31)
    write_onnx(folder / "graph.onnx", layout)
    found.append(("ONNX, 1,956 initialisers", "onnx", folder / "graph.onnx"))
    published = {"params_ema": nested(golden_files.tensors("rrdb/RealESRGAN_x4plus"))}
    write_torch_zip(folder / "RealESRGAN_x4plus.pth", published)
    found.append(("RealESRGAN_x4plus.pth", "restoration", folder / "RealESRGAN_x4plus.pth"))
    return found


def child(reader: str, path: Path, runs: int) -> None:
    """Measure in this process, and print what was found as JSON."""
    function, package = READERS[reader]
    if package:
        importlib.import_module(package)
    elif runs > 1:
        ours_inspect(path)
    before = _peak()
    times = []
    count = 0
    for _ in range(runs):
        start = time.perf_counter()
        count = function(path)
        times.append(time.perf_counter() - start)
    later = sorted(times[1:] or times)
    warm = later[len(later) // 2]
    print(json.dumps({"warm": warm, "peak": _peak() - before, "count": count}))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(reader: str, path: Path, *, runs: int, repeats: int) -> dict[str, float] | str:
    """Warm and fresh seconds and the peak's rise in bytes; a word where it cannot."""
    import importlib.util
    import statistics
    import subprocess

    package = READERS[reader][1]
    if package and importlib.util.find_spec(package) is None:
        return "not installed"
    if reader in LOADING and path.stat().st_size > FULL_LOAD_LIMIT:
        return "too large"
    environment = {
        **{k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
        "PYTHONPATH": str(ROOT / "src"),
        "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, __file__, CHILD, reader, str(path)]
    done = subprocess.run(
        [*command, str(runs)], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or ["failed"])[-1][:60]
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    fresh = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run([*command, "1"], capture_output=True, env=environment, check=True)
        fresh.append(time.perf_counter() - start)
    return {**found, "fresh": statistics.median(fresh)}


def compare(title: str, kind: str, path: Path, *, runs: int, repeats: int) -> None:
    """Print the table of one file."""
    print(f"\n{title}: {path.stat().st_size / 1e6:,.0f} MB")
    print(f"  {'reader':18}{'warm ms':>10}{'ratio':>8}{'fresh ms':>10}{'ratio':>8}{'peak MB':>9}")
    own: dict[str, float] = {}
    for reader in ("mycloset inspect", "mycloset list", *FOR_FORMAT[kind]):
        found = measure(reader, path, runs=runs, repeats=repeats)
        if isinstance(found, str):
            print(f"  {reader:18}{found}")
            continue
        own = own or found
        print(
            f"  {reader:18}{1000 * found['warm']:10.1f}{found['warm'] / own['warm']:8.1f}"
            f"{1000 * found['fresh']:10.0f}{found['fresh'] / own['fresh']:8.1f}"
            f"{found['peak'] / 1e6:9.1f}"
        )


def folder_of_many(folder: Path, files: int = 185) -> None:
    """Time `mycloset inspect FOLDER --json` on real layouts, in a process of its own."""
    import statistics
    import subprocess

    from closet_files import make_closet

    total = make_closet(folder, files=files)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "mycloset", "inspect", str(folder), "--json"],
            env={
                **{k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
                "PYTHONPATH": str(ROOT / "src"),
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        times.append(time.perf_counter() - start)
    print(
        f"\nfolder: {files} files, {total / 1e9:.0f} GB apparent:"
        f" {statistics.median(times):.2f} s (runs: {', '.join(f'{t:.2f}' for t in times)})"
    )


def main() -> None:
    """Read the options, make the files, print the tables."""
    if sys.argv[1:2] == [CHILD]:
        child(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
        return
    import argparse
    import tempfile

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small files only")
    parser.add_argument("--folder", action="store_true", help="only the folder of many files")
    parser.add_argument("--runs", type=int, default=7, help="calls in one process")
    parser.add_argument("--repeats", type=int, default=3, help="fresh processes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if not options.folder:
            for title, kind, path in make_files(Path(name), quick=options.quick):
                compare(title, kind, path, runs=options.runs, repeats=options.repeats)
        if options.folder or not options.quick:
            many = Path(name) / "many"
            many.mkdir()
            folder_of_many(many)


if __name__ == "__main__":
    main()
