"""One analysis as a card for the terminal: what the file is, then everything that was found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mycloset.architectures.licences import forbids_commerce
from mycloset.checkpoints.contents import Finding, GlobalUse
from mycloset.inspection.report.text import Line, Span, fit, padded, wrapped
from mycloset.inspection.report.wording import (
    SAFETY,
    channels_text,
    confidence_text,
    count_text,
    format_title,
    headline,
    place_text,
    plural,
    severity,
    shape_text,
    size_text,
    structure_text,
    tensor_text,
    value_text,
)
from mycloset.inspection.results import CheckpointAnalysis, Network

MARKS: dict[str, tuple[str, str]] = {
    "good": ("✓", "good bold"),
    "warning": ("!", "warn bold"),
    "error": ("✗", "bad bold"),
    "unknown": ("?", "warn bold"),
    "nothing": ("–", "dim"),
    "info": ("·", "dim"),
}
"""Sign and style of what `wording.severity`, or a finding, says."""

_LABEL = 15
"""Columns of the labels at the left."""
_KEYS = 6
"""Keys that are named of a long list."""
_REASONS = 5
"""Families whose reasons are given for an unknown network."""
_VALUES = 12
"""Values beside the tensors that are shown."""
_USUAL = (
    ("byteorder", "little"),
    ("version", "3"),
    ("format_version", "1"),
    ("storage_alignment", "64"),
)
"""What every torch zip file states."""
_CALLS = 8
"""Dangerous or unknown globals that are shown one by one."""
_VALUE = 60
"""Columns of one value of a config; JSON has all of it."""
_SURE = 0.9
"""Confidence below which the headline is no plain yes."""


def card_lines(analysis: CheckpointAnalysis, *, width: int | None = None) -> list[Line]:
    """The card of one file.

    Args:
        analysis: what was found out.
        width: columns of the terminal; None breaks no line.
    """
    lines: list[Line] = _head(analysis, width)
    for label, field in _fields(analysis):
        start: Line = [Span(padded(f"  {label}", _LABEL), "dim")]
        lines += wrapped([*start, *field], width, indent=_LABEL)
    lines += _networks(analysis, width)
    return lines


def finding_line(finding: Finding) -> Line:
    """A finding with its mark and kind."""
    mark, style = MARKS[finding.severity if finding.severity != "info" else "info"]
    return [Span(f"{mark} ", style), Span(finding.kind, style), Span(f"  {finding.message}")]


def _head(analysis: CheckpointAnalysis, width: int | None) -> list[Line]:
    worst = severity(analysis)
    mark, style = MARKS[worst]
    line = [Span(f"{mark} ", style), Span(headline(analysis), style)]
    told = {finding.kind for finding in analysis.findings}
    if analysis.safety == "dangerous":
        line.append(Span(" · DANGEROUS", "bad bold"))
    if "corrupt" in told and analysis.networks:
        line.append(Span(" · damaged", "bad bold"))
    if "mismatch" in told:
        line.append(Span(" · not what its name says", "bad bold"))
    return wrapped(line, width, indent=2)


def _fields(analysis: CheckpointAnalysis) -> Iterator[tuple[str, Line]]:
    network = analysis.network
    yield "file", [Span(str(analysis.path)), Span(f"  {size_text(analysis.size)}", "dim")]
    if len(analysis.files) > 1:
        yield "files", [Span(f"{len(analysis.files)}: {_some(analysis.files)}")]
    yield "format", [Span(format_title(analysis.format))]
    if network is not None:
        yield from _network_fields(network)
    beside = {**analysis.values, **_short_metadata(analysis)}
    if beside:
        told = _pairs(dict(list(beside.items())[:_VALUES]))
        more = len(beside) - _VALUES
        yield "beside it", [Span(told), Span(f" and {more} more" if more > 0 else "", "dim")]
    yield from _safety(analysis)
    for number, finding in enumerate(analysis.findings):
        yield "" if number else "findings", finding_line(finding)
    if network is not None and network.verdict != "recognised":
        yield from _resemblances(network)


def _network_fields(network: Network) -> Iterator[tuple[str, Line]]:
    yield (
        "tensors",
        [
            Span(f"{network.tensors:,}, {count_text(network.parameters)} parameters"),
            Span(f" ({network.parameters:,}), {size_text(network.bytes)}", "dim"),
        ],
    )
    yield "precision", [Span(network.precision)]
    if network.config:
        yield "config", [Span(_pairs(network.config))]
    if channels := channels_text(network):
        yield "channels", [Span(channels)]
    if network.task:
        yield "task", [Span(network.task)]
    if network.steps:
        yield "serves", [Span(", ".join(network.steps))]
    if network.family is not None:
        yield "family", [Span(network.family), Span(f" / {network.variant}", "dim")]
    if network.also:
        yield "also in", [Span(", ".join(network.also))]
    if network.licence:
        spans = [Span(network.licence), Span(" (of the published weights)", "dim")]
        if forbids_commerce(network.licence):
            spans.append(Span(", no commercial use", "warn"))
        yield "licence", spans
    told = [
        text for text in (network.layout and f"{network.layout} keys", place_text(network)) if text
    ]
    if told:
        yield "layout", [Span(", ".join(told))]
    if built := structure_text(network.structure):
        yield "structure", [Span(built)]
    for number, text in enumerate(network.evidence):
        yield "" if number else "evidence", [Span(text)]
    for number, text in enumerate(network.undecidable):
        yield "" if number else "undecidable", [Span(text)]
    yield from _key_lists(network)


def _key_lists(network: Network) -> Iterator[tuple[str, Line]]:
    misshapen = [
        f"{key} {shape_text(found)} (should be {shape_text(expected)})"
        for key, found, expected in network.misshapen
    ]
    for label, keys in (
        ("missing", network.missing),
        ("unused", network.unused),
        ("misshapen", misshapen),
    ):
        if keys:
            yield label, [Span(f"{len(keys):,}: ", "warn"), Span(_some(keys))]


def _safety(analysis: CheckpointAnalysis) -> Iterator[tuple[str, Line]]:
    style = {"safe": "good", "no-code": "good", "unknown": "warn", "dangerous": "bad bold"}
    yield "safety", [Span(SAFETY[analysis.safety], style[analysis.safety])]
    told = [use for use in analysis.globals if use.grade in ("dangerous", "unknown")]
    told.sort(key=lambda use: use.grade != "dangerous")
    for use in told[:_CALLS]:
        yield "", _global_line(use)
    if len(told) > _CALLS:
        yield "", [Span(f"and {len(told) - _CALLS} more", "dim")]


def _global_line(use: GlobalUse) -> Line:
    place = f", named at byte {use.offset}" + (f" of {use.member}" if use.member else "")
    verb = "calls" if use.called else "names"
    return [
        Span(f"{verb} ", "dim"),
        Span(use.call or use.name, "bad" if use.grade == "dangerous" else "warn"),
        Span(place, "dim"),
    ]


def _resemblances(network: Network) -> Iterator[tuple[str, Line]]:
    for number, near in enumerate(network.neighbours):
        yield (
            "" if number else "resembles",
            [
                Span(f"{near.family} / {near.variant}"),
                Span(f"  {confidence_text(near.likeness)} of its tensors alike", "dim"),
                Span(f"; {near.differs}" if near.differs else ""),
            ],
        )
    largest, widest = network.structure.largest, network.structure.widest
    if largest is not None and network.verdict == "unknown":
        yield "largest", [Span(tensor_text(largest))]
    if widest is not None and widest != largest and network.verdict == "unknown":
        yield "widest", [Span(tensor_text(widest))]
    close = [candidate for candidate in network.candidates if 0 < candidate.share < 1]
    for number, candidate in enumerate(close[:_REASONS]):
        yield (
            "" if number else "why not",
            [Span(f"{candidate.family}: ", "dim"), Span(candidate.reason)],
        )


def _networks(analysis: CheckpointAnalysis, width: int | None) -> list[Line]:
    others = analysis.networks[1:]
    if not others:
        return []
    lines: list[Line] = [[], [Span(f"  also in it: {plural(len(others), 'network')}", "bold")]]
    for network in others:
        place = place_text(network)
        sure = confidence_text(network.confidence) if network.family else "not recognised"
        lines += wrapped(
            [
                Span("  · ", "dim"),
                Span(network.title),
                Span(f"  {sure}", "dim" if network.confidence >= _SURE else "warn"),
                Span(f"  {plural(network.tensors, 'tensor')}, "),
                Span(f"{count_text(network.parameters)} parameters, {network.precision}"),
                Span(f"  {place}" if place else "", "dim"),
            ],
            width,
            indent=4,
        )
    return lines


def _short_metadata(analysis: CheckpointAnalysis) -> dict[str, object]:
    """What the format states, as far as it is short and not the format's own book-keeping."""
    return {
        key: value
        for key, value in analysis.metadata.items()
        if (key, value) not in _USUAL
        and (isinstance(value, int | float | bool) or (isinstance(value, str) and len(value) <= 60))
    }


def _pairs(values: Mapping[str, object]) -> str:
    return ", ".join(f"{key}={fit(value_text(value), _VALUE)}" for key, value in values.items())


def _some(texts: Iterable[str]) -> str:
    every = list(texts)
    more = f" and {len(every) - _KEYS:,} more" if len(every) > _KEYS else ""
    return ", ".join(every[:_KEYS]) + more
