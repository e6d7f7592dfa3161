"""All that is known of one file as a piece of HTML: what unfolds below its row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from mycloset.architectures.licences import forbids_commerce
from mycloset.checkpoints.contents import Finding, GlobalUse
from mycloset.inspection.report.text import printable
from mycloset.inspection.report.wording import (
    SAFETY,
    channels_text,
    confidence_text,
    count_text,
    format_title,
    headline,
    place_text,
    shape_text,
    size_text,
    structure_text,
    tensor_text,
    value_text,
)
from mycloset.inspection.results import Candidate, CheckpointAnalysis, Network

_KEYS = 40
_CANDIDATES = 8
_VALUES = 40
_GLOBALS = 60
_VALUE = 400
"""Letters of one value that are shown."""


def details(analysis: CheckpointAnalysis, relations: Iterable[Finding] = ()) -> str:
    """Everything about one file.

    Args:
        analysis: what was found out.
        relations: findings on several files that name this one.
    """
    parts = [f'<p class="headline">{_text(headline(analysis))}</p>']
    found = [*analysis.findings, *relations]
    if found:
        parts.append(_list("findings", "Findings", (_finding(finding) for finding in found)))
    fields = [
        ("path", _code(str(analysis.path))),
        ("size", f"{size_text(analysis.size)} <small>({analysis.size:,} bytes)</small>"),
        ("format", _text(format_title(analysis.format))),
        ("safety", _safety(analysis)),
    ]
    if len(analysis.files) > 1:
        fields.append(("files", ", ".join(map(_code, analysis.files))))
    for name, values in (("beside it", analysis.values), ("metadata", analysis.metadata)):
        if values:
            told = list(values.items())[:_VALUES]
            fields.append((name, "<br>".join(_pair(key, value) for key, value in told)))
    parts.append(_fields(fields))
    named = [use for use in analysis.globals if use.grade in ("dangerous", "unknown")]
    if named:
        told_uses = (_use(use) for use in named[:_GLOBALS])
        parts.append(_list("globals", "Code that its pickle names", told_uses))
    for number, network in enumerate(analysis.networks):
        parts.append(_network(network, alone=len(analysis.networks) == 1, open_=number == 0))
    return "".join(parts)


def _network(network: Network, *, alone: bool, open_: bool) -> str:
    title = "Network" if alone else _text(network.title)
    sure = confidence_text(network.confidence) if network.family else "not recognised"
    parts = [
        f"<details{' open' if open_ else ''}><summary>{title} <small>{_text(sure)}, "
        f"{network.tensors:,} tensors, {count_text(network.parameters)} parameters"
        "</small></summary>",
        _fields(_network_fields(network)),
    ]
    for label, texts in (
        ("Evidence", network.evidence),
        ("What tensors cannot tell", network.undecidable),
    ):
        if texts:
            parts.append(_list("", label, (_text(text) for text in texts)))
    if network.neighbours:
        near = (
            f"{_text(item.family)} / {_text(item.variant)}, {confidence_text(item.likeness)} alike"
            f"{': ' if item.differs else ''}{_text(item.differs)}"
            for item in network.neighbours
        )
        parts.append(_list("", "Nearest known networks", near))
    for label, keys in (
        ("Missing", network.missing),
        ("Without a place", network.unused),
        (
            "Of another shape",
            [
                f"{key} {shape_text(shape)}, should be {shape_text(expected)}"
                for key, shape, expected in network.misshapen
            ],
        ),
    ):
        if keys:
            parts.append(_list("keys", f"{label} ({len(keys):,})", _some(keys)))
    close = [item for item in network.candidates if item.verdict != "no" or item.share > 0]
    if close and (len(close) > 1 or network.verdict != "recognised"):
        parts.append(_candidates(close[:_CANDIDATES], len(network.candidates)))
    return f"{''.join(parts)}</details>"


def _network_fields(network: Network) -> Iterator[tuple[str, str]]:
    if network.family is not None:
        yield "family", f"{_text(network.family)} / {_text(network.variant or '')}"
    if network.also:
        yield "also in", _text(", ".join(network.also))
    if network.task:
        yield "task", _text(network.task)
    if network.steps:
        yield "serves", _text(", ".join(network.steps))
    if network.config:
        told = list(network.config.items())[:_VALUES]
        yield "config", "<br>".join(_pair(key, value) for key, value in told)
    if channels := channels_text(network):
        yield "channels", _text(channels)
    if network.layout:
        yield "layout", _text(f"{network.layout} keys")
    if place := place_text(network):
        yield "place", _text(place)
    yield "precision", _text(network.precision)
    if len(network.dtypes) > 1:
        told_types = (f"{dtype}: {count:,}" for dtype, count in network.dtypes.items())
        yield "elements", _text(", ".join(told_types))
    yield "tensors", f"{network.tensors:,}, {size_text(network.bytes)}"
    yield "parameters", f"{network.parameters:,}"
    if built := structure_text(network.structure):
        yield "structure", _text(built)
    if network.structure.channels:
        yield "widths", _text(", ".join(map(str, network.structure.channels)))
    for name, tensor in (
        ("widest", network.structure.widest),
        ("largest", network.structure.largest),
    ):
        if tensor is not None:
            yield name, _code(tensor_text(tensor))
    if network.licence:
        marked = ", no commercial use" if forbids_commerce(network.licence) else ""
        yield (
            "licence",
            f"{_text(network.licence)} <small>(of the published weights{marked})</small>",
        )
    if network.digest:
        yield "layout hash", _code(network.digest[:16])


def _candidates(shown: list[Candidate], asked: int) -> str:
    rows = "".join(
        f"<tr><td>{_text(item.family)}</td><td>{_text(item.verdict)}</td>"
        f"<td>{confidence_text(item.share)}</td><td>{_text(item.reason)}</td></tr>"
        for item in shown
    )
    return (
        f"<h4>What the families say <small>({asked} asked)</small></h4>"
        '<table class="inner"><thead><tr><th>family</th><th>says</th><th>fits</th><th>why</th></tr>'
        f"</thead><tbody>{rows}</tbody></table>"
    )


def _finding(finding: Finding) -> str:
    return (
        f'<b class="tag {escape(finding.severity)}">{_text(finding.kind)}</b> '
        f"{_text(finding.message)}"
    )


def _safety(analysis: CheckpointAnalysis) -> str:
    return f'<span class="safety-{escape(analysis.safety)}">{_text(SAFETY[analysis.safety])}</span>'


def _use(use: GlobalUse) -> str:
    place = f"byte {use.offset:,}" + (f" of {use.member}" if use.member else "")
    severity = "error" if use.grade == "dangerous" else "warning"
    return (
        f'<b class="tag {severity}">{_text(use.grade)}</b> {_code(use.call or use.name)} '
        f"<small>{'called' if use.called else 'named'} at {_text(place)}</small>"
    )


def _fields(fields: Iterable[tuple[str, str]]) -> str:
    rows = "".join(f"<dt>{_text(name)}</dt><dd>{value}</dd>" for name, value in fields)
    return f"<dl>{rows}</dl>"


def _list(style: str, title: str, items: Iterable[str]) -> str:
    rows = "".join(f"<li>{item}</li>" for item in items)
    return f'<h4>{_text(title)}</h4><ul class="{style}">{rows}</ul>'


def _some(keys: Iterable[str]) -> Iterator[str]:
    every = list(keys)
    yield from map(_code, every[:_KEYS])
    if len(every) > _KEYS:
        yield f"and {len(every) - _KEYS:,} more"


def _pair(key: str, value: object) -> str:
    text = value_text(value)
    cut = f"{text[:_VALUE]}…" if len(text) > _VALUE else text
    return f"<span class=key>{_text(str(key))}</span> {_text(cut)}"


def _code(text: str) -> str:
    return f"<code>{_text(text)}</code>"


def _text(text: str) -> str:
    return escape(printable(text))
