"""The table of the page: a row a file, with what sorting and filtering need."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from mycloset.checkpoints.contents import Finding
from mycloset.inspection.report.summary import steps_of
from mycloset.inspection.report.table import shown_path
from mycloset.inspection.report.text import printable
from mycloset.inspection.report.wording import (
    confidence_text,
    count_text,
    format_title,
    headline,
    plural,
    severity,
    size_text,
)
from mycloset.inspection.results import CheckpointAnalysis

STATES = {
    "error": ("✗", "trouble"),
    "warning": ("!", "look at it"),
    "unknown": ("?", "not recognised"),
    "nothing": ("–", "no model"),
    "good": ("✓", "fine"),
}
"""Sign and words of what `wording.severity` says, the worst first."""

COLUMNS = (
    ("state", "", "number"),
    ("what", "What it is", "text"),
    ("file", "File", "text"),
    ("family", "Family", "text"),
    ("steps", "Serves", "text"),
    ("size", "Size", "number"),
    ("parameters", "Parameters", "number"),
    ("precision", "Precision", "text"),
    ("confidence", "Sure", "number"),
    ("findings", "Findings", "number"),
)
"""Name, heading and order of each column."""

_QUIET = ("unknown", "not-a-model", "unreadable")
"""Kinds that the state's sign already tells."""


def table(rows: Sequence[str]) -> str:
    """The table of all files, with headings that sort it."""
    heads = "".join(
        f'<th scope="col" class="{name}" data-order="{order}">'
        f'<button type="button">{_text(title) or "<span class=hidden>State</span>"}</button></th>'
        for name, title, order in COLUMNS
    )
    return (
        '<div class="frame"><table id="files"><caption class="hidden">Model files</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        '<p id="nothing" hidden>No file fits these filters.</p></div></main>'
    )


def row(number: int, analysis: CheckpointAnalysis, told: Sequence[str], root: Path | None) -> str:
    """One file's row.

    Args:
        number: its place among the page's data.
        analysis: what was found out.
        told: kinds of findings that are shown, those on several files among them.
        root: the path is told relative to it.
    """
    state = severity(analysis)
    sign, words = STATES[state]
    network = analysis.network
    known = network is not None and network.family is not None
    what = network.title if network is not None else headline(analysis)
    others = len(analysis.networks) - 1
    more = f" <small>and {plural(others, 'network')}</small>" if others > 0 else ""
    path = shown_path(analysis.path, root)
    folder = f"<small>{_broken(str(path.parent))}/</small>" if path.parent != Path() else ""
    severities = {finding.kind: finding.severity for finding in analysis.findings}
    severities.setdefault("dangerous", "error")
    tags = "".join(
        f'<b class="tag {severities.get(kind, "warning")}">{_text(kind)}</b> '
        for kind in told
        if kind not in _QUIET
    )
    rank = list(STATES).index(state)
    worst = sum({"error": 1000, "warning": 30, "info": 1}[f.severity] for f in analysis.findings)
    sure = confidence_text(network.confidence) if network is not None and known else ""
    steps = ", ".join(steps_of(analysis))
    fold = f'<button type="button" class="fold" aria-expanded="false">{_text(what)}</button>'
    parameters = count_text(analysis.parameters) if network is not None else ""
    cells = (
        ("state", str(rank), f'<span class="sign {state}" title="{words}">{sign}</span>'),
        ("what", what, f"{fold}{more}"),
        ("file", str(path), f"{folder}<span>{_broken(path.name or str(path))}</span>"),
        ("family", analysis.family or "", _broken(analysis.family or "")),
        ("steps", steps, _broken(steps)),
        ("size", str(analysis.size), size_text(analysis.size)),
        ("parameters", str(analysis.parameters if network is not None else -1), parameters),
        ("precision", analysis.precision, _text(analysis.precision)),
        ("confidence", f"{analysis.confidence if known else -1}", sure),
        ("findings", str(worst), tags),
    )
    inner = "".join(
        f'<td class="{name}" data-value="{_text(value)}">{shown}</td>'
        for name, value, shown in cells
    )
    return f'<tr data-row="{number}" class="{state}">{inner}</tr>\n'


def searched(analysis: CheckpointAnalysis, related: Sequence[Finding]) -> str:
    """What the text filter looks through, in small letters."""
    parts = [str(analysis.path), headline(analysis), format_title(analysis.format)]
    for network in analysis.networks:
        parts += [network.title, network.family or "", network.variant or "", network.task or ""]
        parts += [network.licence, network.precision, *network.steps, *network.evidence]
    for finding in (*analysis.findings, *related):
        parts += [finding.kind, finding.message]
    return printable(" ".join(parts)).lower()


def _broken(text: str) -> str:
    """The text with places where a line may be broken: after the joints of a name."""
    parts = re.split(r"(?<=[_/.-])(?=[^_/.-])", printable(text))
    return "<wbr>".join(map(escape, parts))


def _text(text: str) -> str:
    return escape(printable(text))
