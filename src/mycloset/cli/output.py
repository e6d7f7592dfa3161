"""Screen: what a command says, in what the terminal can show, with progress beside it."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO

from mycloset.inspection.report.text import Span, fit, json_text, printable, render

_PLAIN = str.maketrans({"✓": "+", "✗": "x", "·": "-", "…": "~", "×": "x", "█": "#", "–": "-"})
"""What stands in for signs where the terminal's encoding lacks them."""

_BAR = 24
_NARROWEST = 48
"""Columns below which lines rather break than hold nothing."""


class Screen:
    """Standard output for data, standard error for progress and notes.

    Attributes:
        width: columns of the terminal on standard output; None where it is none: nothing is cut.
        colour: whether escape codes are wanted there (NO_COLOR and FORCE_COLOR are heeded).
        live: whether somebody is watching standard output.
    """

    def __init__(self) -> None:
        self.live = _is_terminal(sys.stdout)
        self.width = max(_NARROWEST, shutil.get_terminal_size().columns) if self.live else None
        self.colour = _wants_colour(self.live)
        self._bar = _is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb"
        self._drawn = False

    def lines(self, lines: Iterable[Sequence[Span]]) -> None:
        """Write lines to standard output."""
        self._write(render(lines, colour=self.colour))

    def json(self, value: Any, *, indent: int | None = None) -> None:
        """Write a JSON document and a line break to standard output."""
        self._write(json_text(value, indent=indent) + "\n")

    def note(self, text: str) -> None:
        """Write one line to standard error."""
        self.clear()
        _write(sys.stderr, f"{printable(text)}\n")

    @contextlib.contextmanager
    def progress(self) -> Iterator[None]:
        """Within this, `show_progress` draws; nothing of it is left behind."""
        try:
            yield
        finally:
            self.clear()

    def show_progress(self, done: int, total: int, text: str) -> None:
        """Draw how far it is on standard error, where that is a terminal."""
        if not self._bar:
            return
        filled = _BAR * done // max(1, total)
        columns = shutil.get_terminal_size().columns
        said = f"{'█' * filled}{'░' * (_BAR - filled)} {done:,}/{total:,} {text}"
        _write(sys.stderr, f"\r\x1b[K{fit(said, max(20, columns - 1))}")
        self._drawn = True

    def clear(self) -> None:
        """Take the progress off the terminal."""
        if self._drawn:
            _write(sys.stderr, "\r\x1b[K")
            self._drawn = False

    def _write(self, text: str) -> None:
        self.clear()
        _write(sys.stdout, text)


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = stream.encoding
        plain = text.translate(_PLAIN).encode(encoding, "backslashreplace").decode(encoding)
        stream.write(plain)
    stream.flush()


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty()


def _wants_colour(live: bool) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return live and os.environ.get("TERM") != "dumb"
