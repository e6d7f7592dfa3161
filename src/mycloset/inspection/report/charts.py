"""Bars as inline SVG: counts by name, and counts between edges."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from mycloset.inspection.report.text import fit, printable

Counts = Sequence[tuple[str, int]]

_WIDTH = 460
_ROW = 24
_NAMES = 168
_LONGEST_NAME = 23
_MOST_ROWS = 14
_HEIGHT = 190
_BASE = 150


def bars(title: str, counts: Counts) -> str:
    """A figure with one horizontal bar a name; small ones beyond a dozen are put together."""
    shown = list(counts[:_MOST_ROWS])
    rest = counts[_MOST_ROWS:]
    if rest:
        shown.append((f"{len(rest)} more", sum(count for _, count in rest)))
    most = max((count for _, count in shown), default=1)
    room = _WIDTH - _NAMES - 46
    parts = []
    for place, (name, count) in enumerate(shown):
        y = place * _ROW
        length = max(2.0, room * count / most) if count else 0.0
        parts.append(
            f'<g class="bar"><title>{_text(name)}: {count:,}</title>'
            f'<text class="name" x="{_NAMES - 10}" y="{y + 16}" text-anchor="end">'
            f"{escape(fit(name, _LONGEST_NAME))}</text>"
            f'<rect x="{_NAMES}" y="{y + 4}" width="{length:.1f}" height="16" rx="3"/>'
            f'<text class="count" x="{_NAMES + length + 8:.1f}" y="{y + 16}">{count:,}</text></g>'
        )
    return _figure(title, shown, max(1, len(shown)) * _ROW + 4, parts)


def columns(title: str, counts: Counts) -> str:
    """A figure with one upright bar for each interval."""
    most = max((count for _, count in counts), default=1)
    step = _WIDTH / max(1, len(counts))
    width = min(64.0, step * 0.78)
    parts = [f'<line class="axis" x1="0" x2="{_WIDTH}" y1="{_BASE + 0.5}" y2="{_BASE + 0.5}"/>']
    for place, (name, count) in enumerate(counts):
        middle = step * (place + 0.5)
        height = max(2.0, (_BASE - 24) * count / most) if count else 0.0
        parts.append(
            f'<g class="bar"><title>{_text(name)}: {count:,}</title>'
            f'<rect x="{middle - width / 2:.1f}" y="{_BASE - height:.1f}" width="{width:.1f}"'
            f' height="{height:.1f}" rx="3"/>'
            f'<text class="count" x="{middle:.1f}" y="{_BASE - height - 7:.1f}"'
            f' text-anchor="middle">{count:,}</text>{_edges(name, middle)}</g>'
        )
    return _figure(title, counts, _HEIGHT, parts)


def _edges(name: str, middle: float) -> str:
    """An interval's name in two lines, where it has two edges."""
    first, word, second = name.partition(" to ")
    lines = [first + word.rstrip(), second] if second else [name]
    return "".join(
        f'<text class="edge" x="{middle:.1f}" y="{_BASE + 16 + 15 * place}"'
        f' text-anchor="middle">{_text(line)}</text>'
        for place, line in enumerate(lines)
    )


def _figure(title: str, counts: Counts, height: int, parts: Sequence[str]) -> str:
    told = ", ".join(f"{name}: {count}" for name, count in counts) or "nothing"
    return (
        f'<figure><figcaption>{_text(title)}</figcaption><svg viewBox="0 0 {_WIDTH} {height}"'
        f' role="img" aria-label="{_text(title)}. {_text(told)}">{"".join(parts)}</svg></figure>'
    )


def _text(text: str) -> str:
    return escape(printable(text))
