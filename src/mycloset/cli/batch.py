"""Batch: the files that a command line names, analysed one after the other, folders at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mycloset.checkpoints.contents import Finding
from mycloset.errors import InputError
from mycloset.inspection.analysis import CheckpointAnalyzer
from mycloset.inspection.results import CheckpointAnalysis

if TYPE_CHECKING:
    from mycloset.inspection.folders import FolderAnalysis
    from mycloset.inspection.report.summary import Summary

OnAnalysis = Callable[[int, int, CheckpointAnalysis], None]
"""Called with how many are done, how many there are as far as known, and the latest."""


@dataclass(frozen=True)
class Batch:
    """What became of the paths of a command line.

    Attributes:
        analyses: one for each file.
        named: the files among them that the command line itself names.
        findings: what the files are to each other.
        skipped: files in folders that do not end like a model's.
        root: the folder, where the command line names one folder and nothing else.
        single: whether it names one file (or one model's folder) and nothing else.
        seconds: wall time.
    """

    analyses: tuple[CheckpointAnalysis, ...]
    named: tuple[CheckpointAnalysis, ...]
    findings: tuple[Finding, ...]
    skipped: tuple[Path, ...]
    root: Path | None
    single: bool
    seconds: float

    def summary(self) -> Summary:
        """All of them added up."""
        from mycloset.inspection.report.summary import summarise

        return summarise(
            self.analyses, self.findings, skipped=len(self.skipped), seconds=self.seconds
        )


def analyse_paths(
    paths: Iterable[Path], *, deep: bool = False, on_analysis: OnAnalysis | None = None
) -> Batch:
    """Analyse files, folders of one model, and folders of many.

    Raises:
        InputError: there is nothing at a path.
    """
    start = time.perf_counter()
    paths = list(paths)
    analyzer = CheckpointAnalyzer(deep=deep, sample=len(paths) > 1)
    analyses: list[CheckpointAnalysis] = []
    named: list[CheckpointAnalysis] = []
    folders: list[FolderAnalysis] = []
    for number, path in enumerate(paths, start=1):
        analysis = _one(analyzer, path)
        if analysis is not None:
            analyses.append(analysis)
            named.append(analysis)
            if on_analysis is not None:
                on_analysis(number, len(paths), analysis)
        else:
            folders.append(analyzer.analyze_folder(path, on_analysis))
            analyses.extend(folders[-1].analyses)
    alone = len(paths) == 1
    findings: tuple[Finding, ...] = folders[0].findings if alone and folders else ()
    if len(paths) > 1:
        from mycloset.inspection.folders import relations

        findings = tuple(relations(analyses))
    return Batch(
        analyses=tuple(analyses),
        named=tuple(named),
        findings=findings,
        skipped=tuple(path for folder in folders for path in folder.skipped),
        root=folders[0].root if alone and folders else None,
        single=alone and not folders,
        seconds=round(time.perf_counter() - start, 6),
    )


def _one(analyzer: CheckpointAnalyzer, path: Path) -> CheckpointAnalysis | None:
    """The analysis of a file or of one model's folder; None for a folder of many."""
    if not path.is_dir():
        return analyzer.analyze_checkpoint(path)
    try:
        return analyzer.analyze_checkpoint(path)
    except InputError:
        return None
