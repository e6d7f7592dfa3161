"""A file from an address: resumed where it stopped, tried again where that helps, never pretended.

What has arrived waits in a `Part`, and the server is asked for the rest of the very same file. One
that has another file by now sends that one whole, and it begins anew.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TypeAlias

from mycloset.errors import DownloadError
from mycloset.hub import addresses
from mycloset.hub.parts import Note, Part, check_room

Progress: TypeAlias = Callable[[int, int | None, str], None]
"""Called with bytes so far, bytes in all (None where unknown), and what is going on."""

_CHUNK = 1 << 20
_AGAIN = {408, 425, 429, 500, 502, 503, 504}
"""Answers after which the same question may be answered well."""
_PAGES = ("text/html", "application/xhtml+xml")


@dataclass(frozen=True)
class Patience:
    """How long a transfer is waited for.

    Attributes:
        seconds: without an answer or a byte, after which a connection is given up.
        attempts: in a row that brought fewer than `least` bytes each, after which the transfer is
            given up.
        pause: seconds before the second attempt; they double with each further one.
        longest: seconds above which no pause grows, and that a server may ask for.
        window, least: a connection that brings fewer than `least` bytes in `window` seconds stalls.
        sleep: how to wait.
    """

    seconds: float = 30.0
    attempts: int = 5
    pause: float = 1.0
    longest: float = 60.0
    window: float = 60.0
    least: int = 1 << 14
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)


def fetch(
    url: str,
    target: Path,
    *,
    size: int | None = None,
    report: Progress | None = None,
    patience: Patience | None = None,
) -> Path:
    """Bring the file at an address.

    Args:
        url: https; plain http is only for this machine, or where `MYCLOSET_PLAIN_HTTP` allows it.
        target: where it goes when it is whole; until then it is `target.part`, and an attempt of
            another day goes on from there.
        size: bytes that it must have, where known.
        report: told how far it is.
        patience: how long to wait.

    Returns:
        `target`. Its length is right where a length was known; what is in it was not looked at.

    Raises:
        DiskFullError: it does not fit; what has arrived stays, for when there is room.
        DownloadError: it could not be brought; the message says why and whether a part stays.
    """
    transfer = _Transfer(url, target, size, report or _silent, patience or Patience())
    addresses.check(url)
    target.parent.mkdir(parents=True, exist_ok=True)
    failures = 0
    while True:
        before = transfer.part.size
        try:
            transfer.attempt()
            return transfer.finish()
        except _TryAgainError as again:
            brought = transfer.part.size - before >= transfer.patience.least
            failures = (0 if brought else failures) + again.weight
            if failures >= transfer.patience.attempts:
                raise transfer.failed(again.reason) from again
            pause = transfer.pause(failures, again)
            transfer.report(
                transfer.part.size, transfer.total, f"{again.reason}; again in {pause:.0f} s"
            )
            transfer.patience.sleep(pause)


class _TryAgainError(Exception):
    """An attempt failed in a way that the next may not."""

    def __init__(self, reason: str, wait: float | None = None, *, weight: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait
        self.weight = weight


@dataclass
class _Transfer:
    """One file on its way, over several attempts."""

    url: str
    target: Path
    size: int | None
    report: Progress
    patience: Patience
    total: int | None = None

    def __post_init__(self) -> None:
        self.total = self.size
        self.part = Part(self.target, self.url)

    def attempt(self) -> None:
        """Ask once, for the rest of what is there or for the whole, and write what comes."""
        note = self.part.note()
        start = self.part.size if note else 0
        if note and start and start == note.total:
            self.total = start  # All of it came the last time; it was not checked any more.
            return
        headers = {"User-Agent": "mycloset", "Accept-Encoding": "identity"}
        if start and note:
            headers |= {"Range": f"bytes={start}-", "If-Range": note.validator}
        with self._asked(headers) as answer:
            start = self._begin(answer, start, note)
            self._write(answer, start)

    def finish(self) -> Path:
        """Give the whole file its name."""
        found = self.part.size
        if self.size not in (None, found):
            self.part.discard()
            raise DownloadError(
                f"{self.url} sent {found} bytes; the file has {self.size}.",
                hint="Nothing was kept. Try again, or from another place.",
            )
        path = self.part.finish()
        self.report(found, self.total, f"fetched {self.target.name}")
        return path

    def pause(self, failures: int, again: _TryAgainError) -> float:
        """Seconds before the next attempt: what the server asked for, or longer each time."""
        if again.wait is None:
            return float(min(self.patience.longest, self.patience.pause * 2 ** (failures - 1)))
        if again.wait > self.patience.longest:
            raise self.failed(f"{again.reason}, and asks to wait {again.wait:.0f} s")
        return again.wait

    def failed(self, reason: str) -> DownloadError:
        """The error that ends the transfer."""
        kept = self.part.size if self.part.note() else 0
        what = f" {kept:,} bytes stay, and the next attempt goes on from there." if kept else ""
        return DownloadError(f"{self.url} could not be fetched ({reason}).{what}")

    @contextlib.contextmanager
    def _asked(self, headers: Mapping[str, str]) -> Iterator[http.client.HTTPResponse]:
        request = urllib.request.Request(self.url, headers=dict(headers))
        try:
            with addresses.opener().open(request, timeout=self.patience.seconds) as answer:
                yield answer
        except urllib.error.HTTPError as error:
            with error:
                self._refused(error)
        except DownloadError:
            raise
        except http.client.HTTPException as error:
            raise _TryAgainError(f"the connection broke ({type(error).__name__})") from error
        except OSError as error:
            inner = getattr(error, "reason", error)
            if isinstance(inner, ssl.SSLCertVerificationError):
                raise DownloadError(
                    f"{self.url}: the server's certificate does not hold ({inner.verify_message}).",
                    hint="Mend the clock or the certificates of this machine; nothing was fetched.",
                ) from error
            # Where not even the name is known there is no network: that is told soon.
            weight = 3 if isinstance(inner, socket.gaierror) else 1
            raise _TryAgainError(_reason(error), weight=weight) from error

    def _refused(self, error: urllib.error.HTTPError) -> None:
        if error.code == 416:
            self.part.discard()
            raise _TryAgainError("the server has no such part of it") from error
        reason = f"the server answers {error.code} {error.reason}"
        if error.code in _AGAIN:
            raise _TryAgainError(reason, _asked_wait(error.headers.get("Retry-After"))) from error
        raise DownloadError(
            f"{self.url} could not be fetched ({reason}).",
            hint="It is not there any more, or not for everybody; see the entry's homepage.",
        ) from error

    def _begin(self, answer: http.client.HTTPResponse, start: int, note: Note | None) -> int:
        """Check an answer's headers, note what it is, and say at which byte it begins."""
        kind = (answer.headers.get_content_type() or "").lower()
        if answer.headers.get("Content-Type") and kind in _PAGES:
            raise self._page()
        coding = answer.headers.get("Content-Encoding", "").lower().strip()
        if coding not in ("", "identity"):
            raise DownloadError(f"{self.url} comes packed ({coding}), though it must not.")
        length = _number(answer.headers.get("Content-Length"))
        if answer.status == 206:
            first, total = _range(answer.headers.get("Content-Range", ""))
            same = note is not None and _validator(answer.headers) in ("", note.validator)
            if first != start or not same or (note and note.total not in (None, total)):
                self.part.discard()
                raise _TryAgainError("the server sent another part than it was asked for")
        else:
            start, total = 0, length
            self.part.discard()
        if self.size is not None and total is not None and total != self.size:
            self.part.discard()
            raise DownloadError(
                f"{self.url} has {total} bytes; the file has {self.size}.",
                hint="It is another file than the catalogue knows. Nothing was kept.",
            )
        self.total = total if total is not None else self.size
        check_room(self.target.parent, (self.total or 0) - start)
        validator = _validator(answer.headers) or (note.validator if note else "")
        self.part.keep_note(Note(validator, self.total))
        return start

    def _write(self, answer: http.client.HTTPResponse, start: int) -> None:
        done = start
        seen, since = start, time.monotonic()
        with self.part.opened(start) as out:
            while chunk := answer.read1(_CHUNK):
                if done == 0 and _is_page(chunk):
                    raise self._page()
                if self.total is not None and done + len(chunk) > self.total:
                    raise self._more()
                self.part.write(out, chunk)
                done += len(chunk)
                self.report(done, self.total, f"fetching {self.target.name}")
                now = time.monotonic()
                if now - since > self.patience.window:
                    if done - seen < self.patience.least:
                        raise _TryAgainError("the server all but stopped sending")
                    seen, since = done, now
        if self.total is not None and done < self.total:
            raise _TryAgainError(f"the connection ended after {done} of {self.total} bytes")

    def _page(self) -> DownloadError:
        self.part.discard()
        return DownloadError(
            f"{self.url} sent a web page, not a file: a login, a licence to accept, or an error.",
            hint="Open the entry's homepage in a browser. Nothing was kept.",
        )

    def _more(self) -> DownloadError:
        self.part.discard()
        return DownloadError(
            f"{self.url} sends more than the {self.total} bytes expected.",
            hint="Nothing was kept.",
        )


def _silent(_done: int, _total: int | None, _text: str) -> None:
    """Nobody listens."""


def _is_page(chunk: bytes) -> bool:
    head = chunk[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml"))


def _validator(headers: Message) -> str:
    """What `If-Range` may name: a strong ETag, or the date of the last change."""
    tag = (headers.get("ETag") or "").strip()
    if tag.startswith('"'):
        return tag
    return (headers.get("Last-Modified") or "").strip()


def _range(text: str) -> tuple[int | None, int | None]:
    """First byte and whole length of `bytes 5-9/10`; None for what is not said."""
    span, _, total = text.removeprefix("bytes ").partition("/")
    return _number(span.partition("-")[0]), _number(total)


def _number(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _asked_wait(text: str | None) -> float | None:
    """Seconds of a `Retry-After`, in either of its two forms."""
    seconds = _number(text)
    if seconds is not None:
        return float(seconds)
    try:
        return max(0.0, parsedate_to_datetime(text or "").timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def _reason(error: OSError) -> str:
    inner = getattr(error, "reason", error)
    if isinstance(inner, socket.gaierror):
        return "there is no network, or the name is not known"
    if isinstance(inner, TimeoutError):
        return "the server does not answer in time"
    if isinstance(inner, ConnectionError):
        return f"the connection broke ({os.strerror(inner.errno) if inner.errno else inner})"
    return str(inner)
