"""Text for a terminal: pieces with a style, in which nothing that came out of a file can act."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

_CODES = {
    "bold": "1",
    "dim": "2",
    "good": "32",
    "warn": "33",
    "bad": "31",
    "title": "1;36",
    "good bold": "1;32",
    "warn bold": "1;33",
    "bad bold": "1;31",
}
"""Escape codes of the styles; the terminal's own palette decides how they look."""


class Span(NamedTuple):
    """A piece of a line.

    Attributes:
        text: what it says; may come from a file, and is made printable when it is written.
        style: one of the styles above, or "".
    """

    text: str
    style: str = ""


Line = list[Span]


def printable(text: str) -> str:
    r"""The text with everything that is no visible sign spelt out (`\x1b`, `\u202e`).

    Names and keys may hold escape sequences, line breaks, signs that turn the direction of
    writing, or bytes that are no text at all; none of it must reach a terminal.
    """
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else _spelt(sign) for sign in text)


def json_text(value: Any, *, indent: int | None = None) -> str:
    """JSON of JSON values, in which no sign can act on a terminal either.

    What JSON has no way to write becomes text: "nan", "inf", and integers of thousands of digits.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    except ValueError:
        text = json.dumps(_writable(value), ensure_ascii=False, indent=indent)
    # Outside ASCII there are only strings, and there an escape means the same sign.
    return _HIDDEN.sub(_json_escape, text)


def width_of(text: str) -> int:
    """Columns that a printable text takes; East Asian wide signs take two."""
    if text.isascii():
        return len(text)
    return sum(_columns(sign) for sign in text)


def fit(text: str, width: int, *, keep_end: bool = False) -> str:
    """The printable text in at most `width` columns; an ellipsis stands where it was cut.

    Args:
        text: any text; it is made printable.
        width: columns, at least 1.
        keep_end: cut the beginning instead of the end (a path's end tells more).
    """
    text = printable(text)
    if width_of(text) <= width:
        return text
    kept: list[str] = []
    room = width - 1
    for sign in reversed(text) if keep_end else text:
        room -= _columns(sign)
        if room < 0:
            break
        kept.append(sign)
    return f"…{''.join(reversed(kept))}" if keep_end else f"{''.join(kept)}…"


def padded(text: str, width: int, *, right: bool = False) -> str:
    """The printable text with blanks up to `width` columns; in front where `right`."""
    blanks = " " * max(0, width - width_of(text))
    return blanks + text if right else text + blanks


def wrapped(line: Sequence[Span], width: int | None, *, indent: int = 0) -> list[Line]:
    """The line broken at blanks so that each part takes at most `width` columns.

    Args:
        line: pieces.
        width: columns; None does not break.
        indent: blanks before every part but the first.
    """
    spans = [Span(printable(text), style) for text, style in line]
    if width is None or sum(width_of(text) for text, _ in spans) <= width:
        return [spans]
    lines: list[Line] = [[]]
    used = 0
    for text, style in spans:
        for word in re.findall(r" +|[^ ]+", text):
            for part in _pieces(word, max(8, width - indent)):
                columns = width_of(part)
                if used + columns > width and used > indent:
                    lines.append([Span(" " * indent)])
                    used = indent
                    if part.isspace():
                        continue
                lines[-1].append(Span(part, style))
                used += columns
    return lines


def render(lines: Iterable[Sequence[Span]], *, colour: bool) -> str:
    """The lines as one text, each ended; escape codes only where `colour`."""
    return "".join(f"{_rendered(line, colour)}\n" for line in lines)


def _rendered(line: Sequence[Span], colour: bool) -> str:
    parts = []
    for text, style in line:
        shown = printable(text)
        parts.append(f"\x1b[{_CODES[style]}m{shown}\x1b[0m" if colour and style else shown)
    return "".join(parts).rstrip(" ")


_HIDDEN = re.compile(r"[^\x20-\x7e\n]")
_DIGITS = 4000
"""Digits of an integer that Python writes without being told to."""


def _json_escape(match: re.Match[str]) -> str:
    sign = match[0]
    return sign if sign.isprintable() else json.dumps(sign)[1:-1].replace("\x7f", "\\u007f")


def _writable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _writable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and value.bit_length() > 3 * _DIGITS:
        return hex(value)
    return value


def _spelt(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")


def _columns(sign: str) -> int:
    if unicodedata.combining(sign):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1


def _pieces(word: str, width: int) -> Iterable[str]:
    """A word cut where it is wider than a whole line (a long key)."""
    if width_of(word) <= width:
        return [word]
    # Wide signs take two columns; half the signs surely fit.
    step = width if word.isascii() else width // 2
    return [word[start : start + step] for start in range(0, len(word), step)]
