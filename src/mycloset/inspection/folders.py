"""A folder of model files: each analysed, on several cores, and what they are to each other."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from pathlib import Path
from typing import Any, TypeVar

from mycloset.checkpoints.contents import Checkpoint, Finding
from mycloset.checkpoints.source import Source, UnreadableError
from mycloset.errors import InputError
from mycloset.inspection.names import is_generic
from mycloset.inspection.results import CheckpointAnalysis
from mycloset.inspection.walking import find

_FEW = 6
"""Files up to which starting further processes costs more than it saves."""
_SAMPLES = 8
_SAMPLE = 4096

Analyse = Callable[[Path], CheckpointAnalysis]
Found = TypeVar("Found")
Progress = Callable[[int, int, CheckpointAnalysis], None]


@dataclass(frozen=True)
class FolderAnalysis:
    """All model files below a folder.

    Attributes:
        root: the folder.
        analyses: one for each model file (or model folder in several files), by path.
        findings: what files are to each other: "duplicate" and "same-name"; details hold the paths.
        skipped: files that do not end like a model's, and are not looked at.
        seconds: how long it took.
    """

    root: Path
    analyses: tuple[CheckpointAnalysis, ...]
    findings: tuple[Finding, ...]
    skipped: tuple[Path, ...]
    seconds: float

    @property
    def summary(self) -> dict[str, Any]:
        """Counts: by step, family, verdict and finding; bytes and parameters in all."""
        steps: Counter[str] = Counter()
        known: Counter[str] = Counter()
        kinds: Counter[str] = Counter()
        for analysis in self.analyses:
            steps.update({step for network in analysis.networks for step in network.steps})
            known.update({network.family for network in analysis.networks if network.family})
            kinds.update({finding.kind for finding in analysis.findings})
        kinds.update(finding.kind for finding in self.findings)
        return {
            "files": len(self.analyses),
            "skipped": len(self.skipped),
            "bytes": sum(analysis.size for analysis in self.analyses),
            "parameters": sum(analysis.parameters for analysis in self.analyses),
            "verdicts": dict(Counter(analysis.verdict for analysis in self.analyses)),
            "safety": dict(Counter(analysis.safety for analysis in self.analyses)),
            "steps": dict(sorted(steps.items())),
            "families": dict(sorted(known.items())),
            "findings": dict(sorted(kinds.items())),
        }

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "root": str(self.root),
            "files": [analysis.to_json() for analysis in self.analyses],
            "findings": [
                {
                    "kind": finding.kind,
                    "severity": finding.severity,
                    "message": finding.message,
                    "details": dict(finding.details),
                }
                for finding in self.findings
            ],
            "skipped": [str(path) for path in self.skipped],
            "summary": self.summary,
            "seconds": self.seconds,
        }


def analyze_tree(
    root: Path, analyse: Analyse, on_progress: Progress | None = None, *, workers: int | None = None
) -> FolderAnalysis:
    """Analyse every model file below `root`.

    Raises:
        InputError: there is no such folder.
    """
    start = time.perf_counter()
    if not root.is_dir():
        raise InputError(f"{root} is no folder.", hint="Give the folder that holds model files.")
    files, skipped = find(root)
    analyses: list[CheckpointAnalysis] = []
    for analysis in each(files, analyse, workers=workers):
        analyses.append(analysis)
        if on_progress is not None:
            on_progress(len(analyses), len(files), analysis)
    analyses.sort(key=lambda analysis: analysis.path)
    findings = tuple(relations(analyses))
    seconds = round(time.perf_counter() - start, 6)
    return FolderAnalysis(root, tuple(analyses), findings, tuple(skipped), seconds)


def each(
    files: Sequence[Path], work: Callable[[Path], Found], *, workers: int | None = None
) -> Iterator[Found]:
    """Do something with each of many files; results come as they are done.

    Args:
        files: model files, and folders that are one model.
        work: does one; a function of a module or a method, so that other processes find it.
        workers: processes; None: one a core, or none where the process runs threads.
    """
    count = _workers(len(files)) if workers is None else workers
    if count < 2:
        yield from map(work, files)
        return
    # Imported here: a single file needs none of it, and starts sooner.
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed

    with ProcessPoolExecutor(count, multiprocessing.get_context("fork")) as pool:
        tasks = [pool.submit(work, path) for path in files]
        for task in as_completed(tasks):
            yield task.result()


def relations(analyses: Iterable[CheckpointAnalysis]) -> Iterator[Finding]:
    """Duplicates by content, and the same name over other contents.

    Args:
        analyses: made with samples; without, files of the same tensors count as the same.
    """
    by_content: dict[tuple[Any, ...], list[CheckpointAnalysis]] = {}
    by_name: dict[str, dict[tuple[Any, ...], list[CheckpointAnalysis]]] = {}
    for analysis in analyses:
        tensors = tuple(sorted(network.digest for network in analysis.networks))
        content = (tensors, analysis.sample) if tensors else (analysis.format, analysis.size)
        if tensors:
            by_content.setdefault(content, []).append(analysis)
        if not is_generic(analysis.path):
            contents = by_name.setdefault(analysis.path.name.lower(), {})
            contents.setdefault(content, []).append(analysis)
    for same in by_content.values():
        if len(same) > 1:
            yield Finding(
                "duplicate",
                "warning",
                f"{len(same)} files hold the same {same[0].title}: "
                + ", ".join(str(analysis.path) for analysis in same),
                {
                    "paths": [str(analysis.path) for analysis in same],
                    "bytes": sum(sorted(analysis.size for analysis in same)[:-1]),
                },
            )
    for contents in by_name.values():
        if len(contents) > 1:
            named = [analysis for same in contents.values() for analysis in same]
            yield Finding(
                "same-name",
                "warning",
                f"{len(named)} files are named {named[0].path.name} and differ: "
                + ", ".join(f"{a.path} ({a.title or a.format})" for a in named),
                {"paths": [str(analysis.path) for analysis in named]},
            )


def sample(checkpoint: Checkpoint) -> str:
    """Hash of a few blocks of the largest tensors: equal for copies, however they were saved.

    Tensors whose bytes cannot be addressed (packed members) give a hash of the path: such files
    are nobody's copies.
    """
    placed = [
        entry
        for group in checkpoint.groups
        for entry in group.table.values()
        if entry.byte_range is not None
    ]
    found = hashlib.sha256()
    largest = nsmallest(_SAMPLES, placed, key=lambda entry: (-entry.nbytes, entry.key))
    try:
        for entry in largest:
            begin, end = entry.byte_range or (0, 0)
            with Source(
                checkpoint.path.parent / (entry.storage.file or checkpoint.path.name)
            ) as file:
                for offset in (begin, (begin + end) // 2):
                    length = min(_SAMPLE, end - offset, max(0, file.size - offset))
                    found.update(file.read(offset, length))
    except UnreadableError:
        largest = []
    if not largest:
        found.update(str(checkpoint.path).encode("utf-8", "surrogateescape"))
    return found.hexdigest()


def _workers(files: int) -> int:
    """Processes to use; one where forking a process with threads could hang it."""
    if files <= _FEW or threading.active_count() > 1:
        return 1
    if not hasattr(os, "fork"):
        return 1
    return min(len(os.sched_getaffinity(0)), 8)
