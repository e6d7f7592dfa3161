"""The report as one page for the browser: it needs no network, and nothing in it can act."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from importlib import resources
from pathlib import Path

from mycloset.checkpoints.contents import Finding
from mycloset.inspection.report import charts
from mycloset.inspection.report.details import details
from mycloset.inspection.report.rows import row, searched, table
from mycloset.inspection.report.summary import (
    Summary,
    bin_text,
    families_of,
    paths_of,
    steps_of,
)
from mycloset.inspection.report.table import shown_path
from mycloset.inspection.report.text import json_text, printable
from mycloset.inspection.report.wording import (
    count_text,
    kinds,
    plural,
    size_text,
)
from mycloset.inspection.results import CheckpointAnalysis


def page(
    analyses: Sequence[CheckpointAnalysis],
    findings: Sequence[Finding],
    summary: Summary,
    *,
    root: Path | None = None,
    when: str = "",
) -> str:
    """The whole page.

    Args:
        analyses: the files.
        findings: what they are to each other.
        summary: all of them added up.
        root: the folder they lie in; paths are told relative to it.
        when: the time of the report, for its head.
    """
    relations: dict[str, list[Finding]] = {}
    for finding in findings:
        for path in paths_of(finding):
            relations.setdefault(path, []).append(finding)
    rows = []
    data = []
    for number, analysis in enumerate(analyses):
        related = relations.get(str(analysis.path), [])
        told = list(dict.fromkeys([*kinds(analysis), *(finding.kind for finding in related)]))
        rows.append(row(number, analysis, told, root))
        data.append(
            {
                "steps": steps_of(analysis),
                "kinds": told,
                "families": families_of(analysis),
                "text": searched(analysis, related),
                "details": details(analysis, related),
            }
        )
    style, script = _part("page.css"), _part("page.js")
    title = f"Models in {root}" if root is not None else plural(len(analyses), "model file")
    every_kind = sorted({kind for item in data for kind in item["kinds"]})
    body = "".join(
        (
            _head(title, summary, when),
            _tiles(summary),
            _charts(summary),
            _relations(findings, root),
            _toolbar(summary, every_kind),
            table(rows),
        )
    )
    # In JSON, `<` and `&` occur in strings only; escaped, no text can end the script element.
    embedded = json_text(data).replace("&", "\\u0026").replace("<", "\\u003c")
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{_text(title)}</title><style>{style}</style></head>\n<body>{body}"
        f'<script type="application/json" id="data">{embedded}</script>'
        f"<script>{script}</script></body></html>\n"
    )


def _head(title: str, summary: Summary, when: str) -> str:
    seconds = f" · analysed in {summary.seconds:.2f} s" if summary.seconds else ""
    skipped = f" · {plural(summary.skipped, 'other file')} not looked at" if summary.skipped else ""
    return (
        f"<header><h1>{_text(title)}</h1><p>{_text(when)}{' · ' if when else ''}"
        f"{plural(summary.files, 'file')}{seconds}{skipped}"
        " · by content, not by name; nothing was executed</p></header><main>"
    )


def _tiles(summary: Summary) -> str:
    known = summary.files - summary.without_family
    figures = [
        ("on disk", size_text(summary.bytes), "", ""),
        ("parameters", count_text(summary.parameters), "", ""),
        ("recognised", f"{known:,} of {summary.files:,}", "", ""),
    ]
    for kind, words, style in (
        ("dangerous", "would run code", "error"),
        ("corrupt", "damaged", "error"),
        ("mismatch", "not what the name says", "error"),
        ("incomplete", "incomplete", "warning"),
        ("unknown", "not recognised", "warning"),
        ("not-a-model", "no models", "warning"),
    ):
        if count := summary.findings.get(kind):
            figures.append((words, f"{count:,}", kind, style))
    if summary.wasted:
        figures.append(("in duplicates", size_text(summary.wasted), "duplicate", "warning"))
    return f'<section class="tiles" aria-label="Summary">{"".join(map(_tile, figures))}</section>'


def _tile(figure: tuple[str, str, str, str]) -> str:
    words, value, kind, style = figure
    inner = f"<b>{_text(value)}</b><span>{_text(words)}</span>"
    if not kind:
        return f'<div class="tile">{inner}</div>'
    return (
        f'<button type="button" class="tile {style}" data-kind="{escape(kind)}"'
        f' title="Show only these">{inner}</button>'
    )


def _charts(summary: Summary) -> str:
    steps = [*summary.steps.items(), ("none", summary.without_step)]
    families = [*summary.families.items(), ("not recognised", summary.without_family)]
    sizes = [(bin_text(item, size_text), item.files) for item in summary.sizes]
    parameters = [(bin_text(item, count_text), item.files) for item in summary.sizes_in_parameters]
    return (
        '<section class="charts" aria-label="Charts"><div>'
        f"{charts.columns('Size on disk', sizes)}{charts.columns('Parameters', parameters)}</div>"
        f"{charts.bars('By step', [item for item in steps if item[1]])}"
        f"{charts.bars('By family', [item for item in families if item[1]])}</section>"
    )


def _relations(findings: Sequence[Finding], root: Path | None) -> str:
    if not findings:
        return ""
    items = []
    for finding in findings:
        paths = "".join(
            f"<li><code>{_text(str(shown_path(Path(path), root)))}</code></li>"
            for path in paths_of(finding)
        )
        wasted = int(finding.details.get("bytes", 0))
        note = f" <small>{size_text(wasted)} in copies</small>" if wasted else ""
        items.append(
            f'<li><b class="tag {escape(finding.severity)}">{_text(finding.kind)}</b>{note}'
            f"<ul>{paths or f'<li>{_text(finding.message)}</li>'}</ul></li>"
        )
    return (
        f'<details class="relations"><summary>Duplicates and equal names '
        f"<small>({len(findings):,})</small></summary><ul>{''.join(items)}</ul></details>"
    )


def _toolbar(summary: Summary, every_kind: Sequence[str]) -> str:
    def choice(name: str, label: str, values: Sequence[str], none: str) -> str:
        options = "".join(f'<option value="={_text(v)}">{_text(v)}</option>' for v in values)
        return (
            f'<label>{label} <select id="{name}"><option value="">all</option>{options}'
            f'<option value="-">{none}</option></select></label>'
        )

    return (
        '<form class="toolbar" role="search" aria-label="Filter the files">'
        '<label class="search">Search <input id="text" type="search" autocomplete="off"'
        ' spellcheck="false" placeholder="name, network, finding …"></label>'
        f"{choice('step', 'Step', sorted(summary.steps), 'none')}"
        f"{choice('kind', 'Finding', every_kind, 'none')}"
        f"{choice('family', 'Family', sorted(summary.families), 'not recognised')}"
        '<button type="button" id="unfold">Unfold all</button>'
        '<button type="reset" id="clear">Clear</button>'
        '<output id="shown" aria-live="polite"></output></form>'
        "<noscript><p>Sorting, filters and details need JavaScript, which is part of this page."
        "</p></noscript>"
    )


def _part(name: str) -> str:
    return resources.files("mycloset.inspection.report").joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _text(text: str) -> str:
    return escape(printable(text))
