"""The differences of two files for the terminal, repeated layers on one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mycloset.inspection.differences import Change, CheckpointDifference, ValueDifference
from mycloset.inspection.report.key_tree import fold
from mycloset.inspection.report.text import Line, Span, padded, printable, width_of
from mycloset.inspection.report.wording import plural, shape_text

_WIDEST_KEY = 64
_TOLD = 8
_MOST_ROWS = 24
"""Rows of one change of dtype above which only their number is told."""


def difference_lines(difference: CheckpointDifference) -> list[Line]:
    """What differs, by kind; nothing but the verdict where nothing does."""
    lines: list[Line] = [
        [Span("A  ", "bad"), Span(str(difference.a)), _tensors(difference.tensors_a)],
        [Span("B  ", "good"), Span(str(difference.b)), _tensors(difference.tensors_b)],
        *([Span(f"   {note}", "dim")] for note in difference.notes),
    ]
    for title, sign, style, entries in (
        ("only in A", "-", "bad", difference.only_a),
        ("only in B", "+", "good", difference.only_b),
    ):
        labels = {entry.key: f"{shape_text(entry.shape)}  {entry.dtype}" for entry in entries}
        lines += _section(title, len(entries), sign, style, labels.items())
    lines += _section(
        "shape differs",
        len(difference.shapes),
        "~",
        "warn",
        [
            (key, f"{shape_text(a.shape)} → {shape_text(b.shape)}")
            for key, a, b in difference.shapes
        ],
    )
    lines += _dtypes(difference.dtypes)
    lines += _values(difference.values)
    if difference.unread:
        lines += [[], [Span("values not read", "warn bold"), _tensors(len(difference.unread))]]
        lines += [[Span(f"  {key}: {why}")] for key, why in difference.unread[:_TOLD]]
        if len(difference.unread) > _TOLD:
            lines.append([Span(f"  and {len(difference.unread) - _TOLD:,} more", "dim")])
    return [*lines, [], _verdict(difference)]


def _verdict(difference: CheckpointDifference) -> Line:
    what = "names, shapes, dtypes and values" if difference.deep else "names, shapes and dtypes"
    rest = "" if difference.deep else " (--deep compares values, too)"
    if difference.same:
        return [
            Span("Same", "good bold"),
            Span(f": {plural(difference.equal, 'tensor')} with equal {what}"),
            Span(rest, "dim"),
        ]
    if not difference.differs:
        return [Span("No difference found", "warn bold"), Span(", but not every value was read")]
    return [
        Span("Different", "bad bold"),
        Span(f"; {plural(difference.equal, 'tensor')} with equal {what}"),
        Span(rest, "dim"),
    ]


def _tensors(count: int) -> Span:
    return Span(f"  {plural(count, 'tensor')}", "dim")


def _section(
    title: str, count: int, sign: str, style: str, labels: Iterable[tuple[str, str]]
) -> list[Line]:
    if not count:
        return []
    rows = [(item.pattern, item.label, len(item.keys)) for item in fold(dict(labels))]
    return [[], [Span(title, f"{style} bold"), _tensors(count)], *_rows(sign, style, rows)]


def _dtypes(changes: Sequence[Change]) -> list[Line]:
    """Tensors of other dtypes; a file that was converted as a whole is one line."""
    if not changes:
        return []
    by_label: dict[str, list[str]] = {}
    for key, a, b in changes:
        by_label.setdefault(f"{a.dtype} → {b.dtype}", []).append(key)
    lines: list[Line] = [[], [Span("dtype differs", "warn bold"), _tensors(len(changes))]]
    for label, keys in by_label.items():
        rows = [(item.pattern, label, len(item.keys)) for item in fold(dict.fromkeys(keys, label))]
        if len(rows) > _MOST_ROWS:
            rows = [(f"{plural(len(keys), 'tensor')}, such as {rows[0][0]}", label, 1)]
        lines += _rows("~", "warn", rows)
    return lines


def _rows(sign: str, style: str, rows: Sequence[tuple[str, str, int]]) -> list[Line]:
    shown = [printable(pattern) for pattern, _, _ in rows]
    width = min(_WIDEST_KEY, max(map(width_of, shown), default=0))
    return [
        [
            Span(f"  {sign} ", style),
            Span(f"{padded(pattern, width)}  {label}"),
            Span(f"  ×{count}" if count > 1 else "", "dim"),
        ]
        for pattern, (_, label, count) in zip(shown, rows, strict=True)
    ]


def _values(values: Sequence[ValueDifference]) -> list[Line]:
    """Tensors with other numbers; of repeated layers the largest differences."""
    if not values:
        return []
    by_key = {value.key: value for value in values}
    rows = []
    for item in fold({value.key: value.shape for value in values}):
        members = [by_key[key] for key in item.keys]
        rows.append((item.pattern, _how_much(members), len(members)))
    return [
        [],
        [Span("values differ", "warn bold"), _tensors(len(values))],
        *_rows("~", "warn", rows),
    ]


def _how_much(members: Sequence[ValueDifference]) -> str:
    counts = [value.differing for value in members if value.differing is not None]
    if len(counts) < len(members):
        return "bytes differ"
    every = sum(value.elements for value in members)
    largest = max(value.largest or 0.0 for value in members)
    relative = max(value.relative or 0.0 for value in members)
    return f"{sum(counts):,} of {every:,}, by {largest:.3g} at most, relative {relative:.3g}"
