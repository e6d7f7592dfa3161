"""A closet of 185 model files, 60 GB apparent, in the memory there is: every figure of the hub.

    python benchmarks/closet.py
    python benchmarks/closet.py --quick             # small models, few rounds
    python benchmarks/closet.py --only index loads
    python benchmarks/closet.py --folder /fast/disk

Ours stands beside what a user would take instead; each aim stands beside its figure. What is
measured runs in fresh processes, with files in the page cache and one thread of PyTorch's. Files
are made for the run in the layouts of tests/goldens: the closet's are holes, those that are loaded
are filled (at most 5 GB at a time), and all are removed at the end.

Sections: index (cold, warm), loads (torch.load, safetensors, spandrel), first (the models of a
first try-on), pipeline (LRU, foresight, prefetch), threads, parallel, cycles.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import closet_index
import closet_loads
import closet_pipeline
import closet_sharing
from closet_report import section
from fresh_process import fresh

SECTIONS = ("index", "loads", "first", "pipeline", "threads", "parallel", "cycles")


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    asked = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="closet-", dir=asked.folder) as name:
        run(Path(name), asked.only or SECTIONS, quick=asked.quick)
    return 0


def run(folder: Path, only: Sequence[str], *, quick: bool) -> None:
    """Print the sections asked for; each one's files are gone when the next begins."""
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}")
    actions: dict[str, Callable[[Path], None]] = {
        "index": lambda place: closet_index.index(place, quick=quick),
        "loads": lambda place: closet_loads.loads(place, quick=quick),
        "threads": closet_sharing.threads,
        "parallel": lambda place: closet_sharing.parallel(place, quick=quick),
        "cycles": lambda place: closet_sharing.cycles(place, quick=quick),
    }
    models = folder / "models"
    for name in SECTIONS:
        if name not in only:
            continue
        if name in ("first", "pipeline"):
            if not models.exists():
                made = fresh("closet_pipeline:make_models", str(models), quick)
                section(f"Models of the pipeline: {made / 1e9:.2f} GB written")
            if name == "first":
                closet_index.first_request(models, quick=quick)
            else:
                closet_pipeline.pipeline(models, quick=quick)
            if name == "pipeline" or "pipeline" not in only:
                shutil.rmtree(models)
            continue
        place = folder / name
        place.mkdir()
        actions[name](place)
        shutil.rmtree(place)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="small models, few rounds")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, metavar="SECTION", help="of these")
    parser.add_argument(
        "--folder", type=Path, metavar="FOLDER", help="where files are made; a temporary one else"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
