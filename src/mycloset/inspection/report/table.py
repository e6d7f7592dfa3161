"""Many analyses as a table, one line a file; lines can be written as the files come."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mycloset.inspection.report.card import MARKS
from mycloset.inspection.report.text import Line, Span, fit, padded
from mycloset.inspection.report.wording import (
    confidence_text,
    count_text,
    headline,
    kinds,
    severity,
    size_text,
)
from mycloset.inspection.results import CheckpointAnalysis

_SIZE = 7
_PARAMETERS = 7
_SURE = 5
_FIXED = 2 + _SIZE + 2 + _PARAMETERS + 2 + _SURE + 2
"""Columns of mark and figures, with what stands between."""
_WHAT = 44
"""Columns for what a file is, where nothing needs to be cut."""
_NARROWEST = 8


def head_line(*, width: int | None = None) -> Line:
    """The table's heading."""
    what, _ = _flexible(width)
    return [
        Span(
            f"  {'size':>{_SIZE}}  {'params':>{_PARAMETERS}}  {'sure':>{_SURE}}"
            f"  {'what it is':{what}}  file",
            "dim",
        )
    ]


def row_line(
    analysis: CheckpointAnalysis, *, root: Path | None = None, width: int | None = None
) -> Line:
    """One file in one line.

    Args:
        analysis: what was found out.
        root: paths are told relative to it, where they lie below.
        width: columns of the terminal; None cuts nothing.
    """
    mark, style = MARKS[severity(analysis)]
    what_width, path_width = _flexible(width)
    network = analysis.network
    known = network is not None and network.family is not None
    what = network.title if network is not None else headline(analysis)
    told = [kind for kind in kinds(analysis) if kind not in ("unknown", "not-a-model", "extra")]
    path = str(shown_path(analysis.path, root))
    flags = f"  {', '.join(told)}" if told else ""
    if width is not None:
        what = fit(what, what_width)
        # The findings matter more than a long path's beginning.
        flags = fit(flags, max(1, path_width // 2)) if flags else ""
        path = fit(path, max(8, path_width - len(flags)), keep_end=True)
    figures = (
        (size_text(analysis.size), _SIZE),
        (count_text(network.parameters) if network is not None else "", _PARAMETERS),
        (confidence_text(network.confidence) if network is not None and known else "", _SURE),
    )
    return [
        Span(f"{mark} ", style),
        Span("  ".join(padded(text, columns, right=True) for text, columns in figures)),
        Span("  "),
        Span(padded(what, what_width), "" if known else "dim"),
        Span(f"  {path}"),
        Span(flags, style if style != "good bold" else "dim"),
    ]


def table_lines(
    analyses: Sequence[CheckpointAnalysis], *, root: Path | None = None, width: int | None = None
) -> list[Line]:
    """The whole table."""
    rows = [row_line(analysis, root=root, width=width) for analysis in analyses]
    return [head_line(width=width), *rows]


def shown_path(path: Path, root: Path | None) -> Path:
    """The path relative to the root where it lies below, else as it is."""
    if root is not None and path.is_relative_to(root) and path != root:
        return path.relative_to(root)
    return path


def _flexible(width: int | None) -> tuple[int, int]:
    """Columns for what a file is, and for its path with what was found."""
    if width is None:
        return _WHAT, 0
    room = max(2 * _NARROWEST, width - _FIXED - 2)
    what = max(_NARROWEST, min(_WHAT, room // 2))
    return what, room - what
