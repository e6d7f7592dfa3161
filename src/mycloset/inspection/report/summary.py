"""What many analyses come to: by step, by family, how large, and what is wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from mycloset.checkpoints.contents import Finding
from mycloset.inspection.report.card import MARKS
from mycloset.inspection.report.table import shown_path
from mycloset.inspection.report.text import Line, Span, fit, padded, width_of, wrapped
from mycloset.inspection.report.wording import (
    count_text,
    headline,
    kinds,
    plural,
    size_text,
)
from mycloset.inspection.results import CheckpointAnalysis, plain

_SIZES = tuple(10**power for power in range(6, 12))
_PARAMETERS = tuple(10**power for power in range(5, 11))
_BAR = 28
TOLD = 12
"""Files that are named under one heading on the terminal."""

NOTHING = "no model files: none ends like one (.pth, .safetensors, .onnx, ...)"

TROUBLES: tuple[tuple[str, str, str], ...] = (
    ("dangerous", "would run code when loaded with pickle", "bad"),
    ("corrupt", "damaged", "bad"),
    ("mismatch", "not what the name says", "bad"),
    ("incomplete", "tensors are missing", "warn"),
    ("altered", "tensors differ from the network's", "warn"),
    ("suspicious", "name code of which nothing is known", "warn"),
    ("unreadable", "cannot be read", "warn"),
    ("not-a-model", "no models", "warn"),
    ("unknown", "not recognised", "warn"),
    ("leftover", "hold training state that running needs not", ""),
)
"""Kinds that get a heading of their own, with words and style."""


class Bin(NamedTuple):
    """A bar of a histogram: values from `low` (included) to `high` (not; None: no end)."""

    low: int
    high: int | None
    files: int


@dataclass(frozen=True)
class Summary:
    """What many analyses come to.

    Attributes:
        files: how many were analysed.
        skipped: how many were not looked at.
        bytes: of all of them on disk.
        parameters: of their first networks.
        seconds: how long it took.
        verdicts: files by verdict, the most frequent first; so the others.
        safety: files by safety.
        formats: files by format.
        steps: files by each step that they can serve; a file may count under several.
        without_step: files that serve none.
        families: files by the families of their networks.
        without_family: files with no network that is known.
        sizes: files by size on disk.
        sizes_in_parameters: files with networks by number of parameters.
        findings: files by kind of finding.
        paths: which ones.
        duplicates: paths of equal files, each group together.
        wasted: bytes of the copies.
    """

    files: int
    skipped: int
    bytes: int
    parameters: int
    seconds: float
    verdicts: dict[str, int]
    safety: dict[str, int]
    formats: dict[str, int]
    steps: dict[str, int]
    without_step: int
    families: dict[str, int]
    without_family: int
    sizes: tuple[Bin, ...]
    sizes_in_parameters: tuple[Bin, ...]
    findings: dict[str, int]
    paths: dict[str, tuple[str, ...]]
    duplicates: tuple[tuple[str, ...], ...]
    wasted: int

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        found: dict[str, Any] = plain(self)
        for name in ("sizes", "sizes_in_parameters"):
            found[name] = [item._asdict() for item in getattr(self, name)]
        return found


def summarise(
    analyses: Sequence[CheckpointAnalysis],
    findings: Sequence[Finding] = (),
    *,
    skipped: int = 0,
    seconds: float = 0.0,
) -> Summary:
    """Add up analyses, and findings that concern several files."""
    by_kind: dict[str, list[str]] = {}
    for analysis in analyses:
        for kind in kinds(analysis):
            by_kind.setdefault(kind, []).append(str(analysis.path))
    for finding in findings:
        by_kind.setdefault(finding.kind, []).extend(paths_of(finding))
    paths = {kind: tuple(dict.fromkeys(found)) for kind, found in sorted(by_kind.items())}
    twins = [finding for finding in findings if finding.kind == "duplicate"]
    steps = [steps_of(analysis) for analysis in analyses]
    families = [families_of(analysis) for analysis in analyses]
    return Summary(
        files=len(analyses),
        skipped=skipped,
        bytes=sum(analysis.size for analysis in analyses),
        parameters=sum(analysis.parameters for analysis in analyses),
        seconds=seconds,
        verdicts=_counted(analysis.verdict for analysis in analyses),
        safety=_counted(analysis.safety for analysis in analyses),
        formats=_counted(analysis.format for analysis in analyses),
        steps=_counted(step for found in steps for step in found),
        without_step=sum(not found for found in steps),
        families=_counted(family for found in families for family in found),
        without_family=sum(not found for found in families),
        sizes=histogram([analysis.size for analysis in analyses], _SIZES),
        sizes_in_parameters=histogram(
            [analysis.parameters for analysis in analyses if analysis.networks], _PARAMETERS
        ),
        findings={kind: len(found) for kind, found in paths.items()},
        paths=paths,
        duplicates=tuple(paths_of(finding) for finding in twins),
        wasted=sum(int(finding.details.get("bytes", 0)) for finding in twins),
    )


def steps_of(analysis: CheckpointAnalysis) -> tuple[str, ...]:
    """The steps that any network of the file can serve."""
    return tuple(dict.fromkeys(step for network in analysis.networks for step in network.steps))


def families_of(analysis: CheckpointAnalysis) -> tuple[str, ...]:
    """The families of the file's networks."""
    return tuple(dict.fromkeys(item.family for item in analysis.networks if item.family))


def paths_of(finding: Finding) -> tuple[str, ...]:
    """The paths that a finding on several files names."""
    return tuple(map(str, finding.details.get("paths", ())))


def histogram(values: Sequence[int], edges: tuple[int, ...]) -> tuple[Bin, ...]:
    """Values counted between edges; empty bins at either end are left out."""
    bounds = [0, *edges]
    bins = [
        Bin(low, high, sum(low <= value and (high is None or value < high) for value in values))
        for low, high in zip(bounds, [*edges, None], strict=True)
    ]
    filled = [place for place, item in enumerate(bins) if item.files]
    return tuple(bins[filled[0] : filled[-1] + 1]) if filled else ()


def bin_text(item: Bin, write: Callable[[int], str]) -> str:
    """ "10 to 100 MB" for people."""
    low, high = (write(edge or 0).replace(".00", "").replace(".0", "") for edge in item[:2])
    if item.high is None:
        return f"from {low}"
    return f"{low} to {high}" if item.low else f"to {high}"


def summary_lines(
    summary: Summary,
    analyses: Sequence[CheckpointAnalysis],
    findings: Iterable[Finding] = (),
    *,
    root: Path | None = None,
    width: int | None = None,
) -> list[Line]:
    """The summary for the terminal; paths are told relative to the root."""
    heads = {str(analysis.path): headline(analysis) for analysis in analyses}

    def named(path: str) -> list[Line]:
        said = [Span(f"  {shown_path(Path(path), root)}"), Span(f"  {heads.get(path, '')}", "dim")]
        return wrapped(said, width, indent=4)

    lines: list[Line] = [
        [
            Span(plural(summary.files, "file"), "bold"),
            Span(f", {size_text(summary.bytes)}, {count_text(summary.parameters)} parameters"),
            Span(f", analysed in {summary.seconds:.2f} s" if summary.seconds else "", "dim"),
        ],
        [Span(", ".join(f"{n} {name}" for name, n in summary.verdicts.items()) or NOTHING)],
    ]
    lines += _bars("by step", [*summary.steps.items(), ("(none)", summary.without_step)])
    lines += _bars(
        "by family", [*summary.families.items(), ("(not recognised)", summary.without_family)]
    )
    lines += _bars("by size", [(bin_text(item, size_text), item.files) for item in summary.sizes])
    lines += _bars(
        "by parameters",
        [(bin_text(item, count_text), item.files) for item in summary.sizes_in_parameters],
    )
    for kind, words, style in TROUBLES:
        paths = summary.paths.get(kind, ())
        if paths:
            lines += [[], _trouble_head(kind, words, len(paths), style)]
            for path in paths[:TOLD]:
                lines += named(path)
            lines += _more(len(paths))
    for finding in findings:
        mark, style = MARKS[finding.severity]
        lines += [[], [Span(f"{mark} {finding.kind}", style), *_wasted(finding)]]
        for path in paths_of(finding):
            lines += named(path)
    return lines


def _trouble_head(kind: str, words: str, count: int, style: str) -> Line:
    return [Span(kind, f"{style} bold".strip()), Span(f"  {plural(count, 'file')}: {words}")]


def _wasted(finding: Finding) -> Line:
    wasted = int(finding.details.get("bytes", 0))
    return [Span(f"  {size_text(wasted)} in copies", "dim")] if wasted else []


def _more(count: int) -> list[Line]:
    return [[Span(f"  and {count - TOLD:,} more", "dim")]] if count > TOLD else []


def _bars(title: str, counts: Sequence[tuple[str, int]]) -> list[Line]:
    counts = [(name, count) for name, count in counts if count]
    if not counts:
        return []
    names = [fit(name, 40) for name, _ in counts]
    wide = max(map(width_of, names))
    most = max(count for _, count in counts)
    figures = len(str(most))
    lines: list[Line] = [[], [Span(title, "bold")]]
    for name, (_, count) in zip(names, counts, strict=True):
        bar = "█" * max(1, round(count / most * _BAR))
        lines.append([Span(f"  {padded(name, wide)}  {count:{figures}} "), Span(bar, "title")])
    return lines


def _counted(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])))
