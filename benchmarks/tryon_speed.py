"""How long a try-on takes, beside the time that its bare networks take.

Measured in fresh processes, on one core (the process bound to it, OpenCV and LiteRT with one
thread each) and on all: from the start of the process to the picture in hand with the operating
system's file cache warm (cold), the median of more runs in the same process (warm) with every
step, and peak memory. The bare networks' time is the sum of the LiteRT forwards in those same
runs; "everything else" is the rest, and its ratio to the networks' time says what is added. "CPU"
is the processor's time of the warm runs: on one core of a machine that has nothing else to do it
equals the wall time, on a busy one it is the figure to trust. "Command" is `mycloset try-on` with
reading and writing of files, from start to end.

Run from the repository, with the networks in the cache (`mycloset pull embedded`):

    python benchmarks/tryon_speed.py
    python benchmarks/tryon_speed.py --runs 9 --garment striped_tee dotted_dress --json speed.json

The person is a drawn figure unless --person names a photo; the picture is scaled and padded to
--size (768x1024 by default). Aim: everything but the networks takes less than 0.7 s warm on one
core, and `mycloset --help` answers in less than 0.3 s.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from plain_table import number, table

CHILD = "--child"
"""Marks the process that measures; an inner matter of this script."""
HELP_RUNS = 5


@dataclass(frozen=True)
class Run:
    """One try-on.

    Attributes:
        seconds: wall time of the whole.
        processor: time that the processor spent on it, all cores together.
        networks: of the wall time, in the networks' forwards.
        steps: step -> seconds.
    """

    seconds: float
    processor: float
    networks: float
    steps: Mapping[str, float]

    @property
    def rest(self) -> float:
        """Seconds outside of the networks."""
        return self.seconds - self.networks


@dataclass(frozen=True)
class Measured:
    """What one fresh process measured.

    Attributes:
        cores: how many the process may use.
        garment: which garment was tried on.
        command: seconds that the command `mycloset try-on` takes.
        cold: seconds from the start of the process to the picture in hand.
        first: the try-on of which `cold` is the end.
        warm: the runs after it.
        peak_mib: largest resident size of the process.
    """

    cores: int
    garment: str
    command: float
    cold: float
    first: Run
    warm: tuple[Run, ...]
    peak_mib: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    asked = _parser().parse_args(arguments)
    if asked.child is not None:
        print(json.dumps(measure_here(json.loads(asked.child))))
        return 0
    width, height = asked.size
    with tempfile.TemporaryDirectory() as folder:
        person = prepare_person(asked.person, (height, width), Path(folder) / "person.png")
        garments = {
            name: prepare_garment(name, Path(folder) / f"{name}.png") for name in asked.garment
        }
        # Libraries and networks are brought into the system's file cache before anything counts.
        measure(person, "", next(iter(garments.values())), cores=1, runs=1)
        measured = [
            measure(person, name, path, cores=cores, runs=asked.runs)
            for cores in sorted({1, len(os.sched_getaffinity(0))})
            for name, path in garments.items()
        ]
    helps = [timed(lambda: command_line("--help")) for _ in range(HELP_RUNS)]
    print(report(measured, helps, (width, height)))
    if asked.json is not None:
        found = {"help_seconds": helps, "measured": [asdict(entry) for entry in measured]}
        asked.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    return 0


def prepare_person(source: Path | None, size: tuple[int, int], path: Path) -> Path:
    """Write the person's picture, scaled and padded to (H, W) = `size`."""
    import cv2
    import numpy as np

    from mycloset.images import read_picture, write_picture
    from mycloset.wardrobe import paired_cases

    if source is None:
        rgb = paired_cases()[0].draw(size).person.rgb
    else:
        rgb = read_picture(source).rgb
        scale = min(size[0] / rgb.shape[0], size[1] / rgb.shape[1])
        fitted = (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))
        rgb = np.asarray(cv2.resize(rgb, fitted, interpolation=cv2.INTER_AREA), np.uint8)
        pad = (size[0] - rgb.shape[0], size[1] - rgb.shape[1])
        # The ground goes on above and beside; the body's cut edge stays at the picture's bottom.
        margins = ((pad[0], 0), (pad[1] // 2, pad[1] - pad[1] // 2), (0, 0))
        rgb = np.pad(rgb, margins, mode="edge")
    return write_picture(path, rgb)


def prepare_garment(name: str, path: Path) -> Path:
    """Write a garment of the wardrobe, 768x1024."""
    from mycloset.images import write_picture
    from mycloset.wardrobe import demo_garment, draw_garment

    return write_picture(path, draw_garment(demo_garment(name)).rgb)


def measure(person: Path, name: str, garment: Path, *, cores: int, runs: int) -> Measured:
    """Measure in fresh processes; the pictures have just been written, so they are in memory."""
    order = {"person": str(person), "garment": str(garment), "cores": cores, "runs": runs}
    out = person.with_name("out.png")
    command = timed(lambda: command_line("try-on", person, garment, "-o", out, cores=cores))
    found = _child(order)
    first, *warm = (Run(**entry) for entry in found["runs"])
    return Measured(cores, name, command, found["cold"], first, tuple(warm), found["peak_mib"])


def measure_here(order: Mapping[str, Any]) -> dict[str, Any]:
    """What the fresh process does; nothing heavy is imported before it counts."""
    if order["cores"] == 1:
        _bind()
    import cv2

    if order["cores"] == 1:
        cv2.setNumThreads(1)
    from mycloset.tryon import InferenceEngine, people

    if order["cores"] == 1:
        one = people.BodyModel(threads=1)
        people.body_model = lambda: one
    model = people.body_model()
    engine = InferenceEngine()
    runs = []
    cold = 0.0
    for number_ in range(1 + order["runs"]):
        before, busy = model.forward_seconds, time.process_time()
        result = engine.run_virtual_try_on(order["person"], order["garment"])
        if number_ == 0:
            cold = time.time() - order["began"]
        runs.append(
            {
                "seconds": result.seconds,
                "processor": time.process_time() - busy,
                "networks": model.forward_seconds - before,
                "steps": {step.name: step.seconds for step in result.steps},
            }
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cold": cold, "runs": runs, "peak_mib": peak}


def command_line(*arguments: object, cores: int | None = None) -> str:
    """Run `mycloset` with arguments in a fresh process; what it prints."""
    command = [sys.executable, "-c", "from mycloset.cli.main import run; run()"]
    done = subprocess.run(
        [*command, *map(str, arguments)],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=_environment(cores),
        preexec_fn=_bind if cores == 1 else None,
    )
    return done.stdout


def timed(action: Callable[[], object]) -> float:
    """Wall time of an action."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def report(measured: Sequence[Measured], helps: Sequence[float], size: tuple[int, int]) -> str:
    """The tables: totals, and the steps of the warm runs."""
    head = (
        "try-on", "cores", "command s", "cold s", "warm s", "warm CPU s", "networks s",
        "everything else s", "else / networks", "peak MiB",
    )  # fmt: skip
    rows, step_rows = [], []
    for entry in measured:
        seconds, processor, networks, rest = (
            statistics.median(getattr(run, field) for run in entry.warm)
            for field in ("seconds", "processor", "networks", "rest")
        )
        rows.append(
            (
                entry.garment,
                str(entry.cores),
                number(entry.command, 2),
                number(entry.cold, 2),
                number(seconds, 3),
                number(processor, 3),
                number(networks, 3),
                number(rest, 3),
                number(rest / networks, 1),
                number(entry.peak_mib, 0),
            )
        )
        for name in entry.first.steps:
            warm = statistics.median(run.steps[name] for run in entry.warm)
            first = name == next(iter(entry.first.steps))
            step_rows.append(
                (
                    entry.garment if first else "",
                    str(entry.cores) if first else "",
                    name,
                    number(entry.first.steps[name], 3),
                    number(warm, 3),
                )
            )
    runs = len(measured[0].warm) if measured else 0
    return "\n\n".join(
        (
            f"A photo of {size[0]}x{size[1]}; cold: process start to picture in hand; "
            f"warm: median of {runs}.",
            table(head, rows),
            table(("try-on", "cores", "step", "first s", "warm s"), step_rows),
            f"mycloset --help: {statistics.median(helps):.3f} s (median of {len(helps)})",
        )
    )


def _child(order: Mapping[str, Any]) -> dict[str, Any]:
    began = time.time()
    command = [sys.executable, __file__, CHILD, json.dumps(dict(order) | {"began": began})]
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, env=_environment(order["cores"])
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _environment(cores: int | None) -> dict[str, str]:
    one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"} if cores == 1 else {}
    return dict(os.environ) | one


def _bind() -> None:
    """Keep this process on one core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="warm runs each")
    parser.add_argument("--person", type=Path, metavar="FILE", help="a photo of a person")
    parser.add_argument(
        "--size", type=_size, default=(768, 1024), metavar="WxH", help="of the person's picture"
    )
    parser.add_argument(
        "--garment",
        nargs="+",
        default=["striped_tee", "lumber_shirt", "blue_jeans", "dotted_dress"],
        metavar="NAME",
        help="garments of the wardrobe",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument(CHILD, default=None, help=argparse.SUPPRESS)
    return parser


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    return int(width), int(height)


if __name__ == "__main__":
    raise SystemExit(main())
