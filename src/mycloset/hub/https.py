"""A file from an address: resumed where it stopped, tried again where that helps, never pretended.

What has arrived lies in `NAME.part`, with `NAME.part.json` beside it: the address, the length, and
the validator (ETag or Last-Modified) by which the server is asked for the rest of the very same
file. A server that has another file by now sends that one whole, and it begins anew.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import io
import json
import os
import shutil
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
from typing import Any, TypeAlias

from mycloset.errors import DiskFullError, DownloadError
from mycloset.hub import addresses

Progress: TypeAlias = Callable[[int, int | None, str], None]
"""Called with bytes so far, bytes in all (None where unknown), and what is going on."""

_CHUNK = 1 << 20
_AGAIN = {408, 425, 429, 500, 502, 503, 504}
"""Answers after which the same question may be answered well."""
FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""Numbers of the errors that say that nothing more can be written."""
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
        before = transfer.arrived()
        try:
            transfer.attempt()
            return transfer.finish()
        except _TryAgainError as again:
            brought = transfer.arrived() - before >= transfer.patience.least
            failures = (0 if brought else failures) + again.weight
            if failures >= transfer.patience.attempts:
                raise transfer.failed(again.reason) from again
            pause = transfer.pause(failures, again)
            transfer.report(
                transfer.arrived(), transfer.total, f"{again.reason}; again in {pause:.0f} s"
            )
            transfer.patience.sleep(pause)


def discard(target: Path) -> None:
    """Forget what has arrived of a file, so that the next attempt begins anew."""
    for path in (target, _part(target), _note(target)):
        path.unlink(missing_ok=True)


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

    def arrived(self) -> int:
        """Bytes of it that lie here."""
        part = _part(self.target)
        return part.stat().st_size if part.is_file() else 0

    def attempt(self) -> None:
        """Ask once, for the rest of what is there or for the whole, and write what comes."""
        note = self._noted()
        start = self.arrived() if note else 0
        if note and start and start == note.get("total"):
            self.total = start  # All of it came the last time; it was not checked any more.
            return
        headers = {"User-Agent": "mycloset", "Accept-Encoding": "identity"}
        if start and note:
            headers |= {"Range": f"bytes={start}-", "If-Range": note["validator"]}
        with self._asked(headers) as answer:
            start = self._begin(answer, start, note)
            self._write(answer, start)

    def finish(self) -> Path:
        """Give the whole file its name."""
        part = _part(self.target)
        if self.size is not None and part.stat().st_size != self.size:
            found = part.stat().st_size
            discard(self.target)
            raise DownloadError(
                f"{self.url} sent {found} bytes; the file has {self.size}.",
                hint="Nothing was kept. Try again, or from another place.",
            )
        _note(self.target).unlink(missing_ok=True)
        part.replace(self.target)
        self.report(self.target.stat().st_size, self.total, f"fetched {self.target.name}")
        return self.target

    def pause(self, failures: int, again: _TryAgainError) -> float:
        """Seconds before the next attempt: what the server asked for, or longer each time."""
        if again.wait is None:
            return float(min(self.patience.longest, self.patience.pause * 2 ** (failures - 1)))
        if again.wait > self.patience.longest:
            raise self.failed(f"{again.reason}, and asks to wait {again.wait:.0f} s")
        return again.wait

    def failed(self, reason: str) -> DownloadError:
        """The error that ends the transfer."""
        kept = self.arrived() if self._noted() else 0
        what = f" {kept:,} bytes stay, and the next attempt goes on from there." if kept else ""
        return DownloadError(f"{self.url} could not be fetched ({reason}).{what}")

    def _noted(self) -> dict[str, Any] | None:
        """What is known of the part that lies here; None where it cannot be gone on with."""
        try:
            note = json.loads(_note(self.target).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        if not isinstance(note, dict) or note.get("url") != self.url:
            return None
        return note if isinstance(note.get("validator"), str) and note["validator"] else None

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
            discard(self.target)
            raise _TryAgainError("the server has no such part of it") from error
        reason = f"the server answers {error.code} {error.reason}"
        if error.code in _AGAIN:
            raise _TryAgainError(reason, _asked_wait(error.headers.get("Retry-After"))) from error
        raise DownloadError(
            f"{self.url} could not be fetched ({reason}).",
            hint="It is not there any more, or not for everybody; see the entry's homepage.",
        ) from error

    def _begin(
        self, answer: http.client.HTTPResponse, start: int, note: dict[str, Any] | None
    ) -> int:
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
            same = note is not None and _validator(answer.headers) in ("", note["validator"])
            if first != start or not same or (note and note.get("total") not in (None, total)):
                discard(self.target)
                raise _TryAgainError("the server sent another part than it was asked for")
        else:
            start, total = 0, length
            discard(self.target)
        if self.size is not None and total is not None and total != self.size:
            discard(self.target)
            raise DownloadError(
                f"{self.url} has {total} bytes; the file has {self.size}.",
                hint="It is another file than the catalogue knows. Nothing was kept.",
            )
        self.total = total if total is not None else self.size
        check_room(self.target, (self.total or 0) - start)
        self._keep_note(_validator(answer.headers) or (note or {}).get("validator", ""))
        return start

    def _keep_note(self, validator: str) -> None:
        note = {"url": self.url, "validator": validator, "total": self.total}
        with _writing(self.target):
            _note(self.target).write_text(json.dumps(note), "utf-8")

    def _write(self, answer: http.client.HTTPResponse, start: int) -> None:
        done = start
        seen, since = start, time.monotonic()
        with _opened(_part(self.target), start) as out:
            while chunk := answer.read1(_CHUNK):
                if done == 0 and _is_page(chunk):
                    raise self._page()
                if self.total is not None and done + len(chunk) > self.total:
                    raise self._more()
                _write_all(out, chunk)
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
        discard(self.target)
        return DownloadError(
            f"{self.url} sent a web page, not a file: a login, a licence to accept, or an error.",
            hint="Open the entry's homepage in a browser. Nothing was kept.",
        )

    def _more(self) -> DownloadError:
        discard(self.target)
        return DownloadError(
            f"{self.url} sends more than the {self.total} bytes expected.",
            hint="Nothing was kept.",
        )


def _silent(_done: int, _total: int | None, _text: str) -> None:
    """Nobody listens."""


def _part(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def _note(target: Path) -> Path:
    return target.with_name(f"{target.name}.part.json")


@contextlib.contextmanager
def _opened(part: Path, start: int) -> Iterator[io.FileIO]:
    """The part, to be written from a byte on; unbuffered, so that a full disk is told at once."""
    with _writing(part):
        out = io.FileIO(part, "r+" if start else "w")
    with out:
        out.truncate(start)
        out.seek(start)
        yield out


@contextlib.contextmanager
def _writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise DiskFullError(
                f"{target.parent}: the disk is full, or a limit is reached ({error.strerror}).",
                hint="Make room and run it again: it goes on from what has arrived.",
            ) from error
        raise DownloadError(
            f"{target.parent} cannot be written ({error.strerror}).",
            hint="Choose a folder that can.",
        ) from error


def _write_all(out: io.FileIO, chunk: bytes) -> None:
    """Write every byte: near its end a disk takes a part of them before it says that it is full."""
    rest = memoryview(chunk)
    with _writing(Path(str(out.name))):
        while rest:
            rest = rest[out.write(rest) :]


def check_room(target: Path, needed: int) -> None:
    """Refuse what would not fit beside a file.

    Raises:
        DiskFullError: fewer bytes than `needed` are free.
    """
    free = shutil.disk_usage(target.parent).free
    if needed > free:
        raise DiskFullError(
            f"{target.parent}: {needed:,} bytes more are needed, and {free:,} are free.",
            hint="Make room, or choose another folder.",
        )


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
    if isinstance(inner, TimeoutError):
        return "the server does not answer in time"
    if isinstance(inner, ConnectionError):
        return f"the connection broke ({os.strerror(inner.errno) if inner.errno else inner})"
    return str(inner)
