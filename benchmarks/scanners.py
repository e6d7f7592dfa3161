"""Which attacks a scanner notices: MyCloset beside picklescan and fickling on the hostile corpus.

    python benchmarks/scanners.py [--list]

The corpus is that of tests/hostile: no payload is real, each would make a marker file. For each
group it is counted how many of the files that hold a danger are caught, missed, or make the scanner
fail with an error of its own; how many harmless ones give a false alarm; and how long it took.
Scanners that are not installed are left out, and it is said. `--list` names what was missed.

"Caught" means an alarm: picklescan's dangerous or suspicious globals, fickling's any verdict above
likely safe, our findings "dangerous" or "suspicious".
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import shutil
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from plain_table import table

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
ALARMS = frozenset({"dangerous", "suspicious"})


def ours(path: Path) -> bool:
    """Whether our reader raises an alarm."""
    from mycloset.checkpoints.reading import read_checkpoint

    return any(finding.kind in ALARMS for finding in read_checkpoint(path).findings)


def picklescan(path: Path) -> bool:
    """Whether picklescan raises an alarm."""
    from picklescan.scanner import SafetyLevel, scan_file_path

    found = scan_file_path(str(path))
    if found.scan_err:
        raise RuntimeError("picklescan says that it failed")
    harmless = {SafetyLevel.Innocuous}
    return found.infected_files > 0 or any(use.safety not in harmless for use in found.globals)


def fickling(path: Path) -> bool:
    """Whether fickling raises an alarm, on the pickle itself or on an archive's data.pkl."""
    from fickling.analysis import Severity, check_safety
    from fickling.fickle import StackedPickle

    pickles = [path.read_bytes()]
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith((".pkl", ".pickle"))]
            pickles = [archive.read(name) for name in names]
    for data in pickles:
        for pickled in StackedPickle.load(data):
            if check_safety(pickled).severity > Severity.LIKELY_SAFE:
                return True
    return False


SCANNERS: tuple[tuple[str, Callable[[Path], bool], str], ...] = (
    ("mycloset", ours, ""),
    ("picklescan", picklescan, "picklescan"),
    ("fickling", fickling, "fickling"),
)


def main() -> None:
    """Read the options, run every scanner over the corpus, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--list", action="store_true", help="name what was missed")
    options = parser.parse_args()
    sys.path[:0] = [str(ROOT / "src"), str(TESTS), str(TESTS / "hostile")]
    from cases import cases

    logging.disable(logging.CRITICAL)
    every = [case for case in cases() if case.group in ("calls", "containers", "harmless")]
    rows = []
    for name, scan, package in SCANNERS:
        if package and importlib.util.find_spec(package) is None:
            print(f"{name} is not installed")
            continue
        counts: Counter[str] = Counter()
        missed = []
        seconds = 0.0
        for case in every:
            dangerous = case.group != "harmless"
            folder = Path(tempfile.mkdtemp())
            path = case.make(folder, folder / "MARKER")
            start = time.perf_counter()
            try:
                alarm: bool | None = scan(path)
            except Exception:  # noqa: BLE001 - whatever a scanner fails with is counted
                alarm = None
            seconds += time.perf_counter() - start
            executed = (folder / "MARKER").exists()
            shutil.rmtree(folder)
            outcome = _outcome(dangerous=dangerous, alarm=alarm)
            counts[outcome] += 1
            counts["executed"] += executed
            if outcome in ("missed", "false alarm", "failed"):
                missed.append(f"{outcome}: {case.name}")
        order = ("caught", "missed", "failed", "false alarm", "quiet", "failed on harmless")
        rows.append([name, *(str(counts[key]) for key in order), f"{seconds:.1f} s"])
        if options.list:
            print(f"\n{name}", *missed, sep="\n  ")
    print(f"\n{len(every)} files")
    heads = [
        "",
        "caught",
        "missed",
        "failed",
        "false alarms",
        "quiet",
        "failed on harmless",
        "time",
    ]
    print(table(heads, rows))


def _outcome(*, dangerous: bool, alarm: bool | None) -> str:
    if alarm is None:
        return "failed" if dangerous else "failed on harmless"
    if dangerous:
        return "caught" if alarm else "missed"
    return "false alarm" if alarm else "quiet"


if __name__ == "__main__":
    main()
