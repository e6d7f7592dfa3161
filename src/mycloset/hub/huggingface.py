"""Files of Hugging Face repositories, through `huggingface_hub`: its cache, its settings, its ways.

`HF_ENDPOINT`, `HF_HOME`, `HF_TOKEN` and `HF_HUB_OFFLINE` hold. A file that its cache holds already
is linked from there, and not fetched again.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mycloset.errors import DiskFullError, DownloadError
from mycloset.hub.entries import HfSource
from mycloset.hub.https import Patience, Progress
from mycloset.hub.parts import FULL, check_room

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Fetched(NamedTuple):
    """A file that was brought.

    Attributes:
        path: where it lies; it may be moved away.
        sha256: by which the repository names it, or None for small files that have no such name.
        cached: whether it comes from the library's cache, where it may lie damaged.
    """

    path: Path
    sha256: str | None
    cached: bool = False


def fetch(
    source: HfSource, folder: Path, *, report: Progress, patience: Patience, anew: bool = False
) -> Fetched:
    """Bring one file.

    Args:
        source: which.
        folder: where it is put, at its path in the repository; an interrupted download goes on
            there the next time.
        report: told how far it is.
        patience: how often to try.
        anew: do not take it from the library's cache.

    Raises:
        DiskFullError: it does not fit.
        DownloadError: it could not be brought; the message says why.
    """
    hub = _library(source)
    cached = hub.try_to_load_from_cache(source.repo, source.path, revision=source.revision)
    if isinstance(cached, str) and not anew:
        return _linked(Path(cached), folder / source.path)
    failures = 0
    while True:
        try:
            return _download(hub, source, folder, report, anew=anew)
        except _TryAgainError as again:
            failures += 1
            if failures >= patience.attempts:
                raise DownloadError(
                    f"{source} could not be fetched ({again.reason}). What has arrived stays, and "
                    "the next attempt goes on from there.",
                ) from again
            pause = min(patience.longest, patience.pause * 2 ** (failures - 1))
            report(0, None, f"{again.reason}; again in {pause:.0f} s")
            patience.sleep(pause)


def discard(folder: Path) -> None:
    """Remove the folder of a repository, unless a part of another file waits in it."""
    if not any(folder.glob("**/*.incomplete")):
        shutil.rmtree(folder, ignore_errors=True)


class _TryAgainError(Exception):
    """An attempt failed in a way that the next may not."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _library(source: HfSource) -> Any:
    try:
        return importlib.import_module("huggingface_hub")
    except ImportError as error:
        raise DownloadError(
            f"{source} needs the package huggingface_hub.",
            hint="Run: pip install huggingface_hub",
        ) from error


def _download(hub: Any, source: HfSource, folder: Path, report: Progress, *, anew: bool) -> Fetched:
    endpoint = os.environ.get("HF_ENDPOINT") or None
    with _errors_told(source, folder):
        url = hub.hf_hub_url(source.repo, source.path, revision=source.revision, endpoint=endpoint)
        about = hub.get_hf_file_metadata(url, endpoint=endpoint)
        if about.commit_hash is None:
            raise DownloadError(
                f"{source} could not be fetched (the server is no Hugging Face hub).",
                hint="See HF_ENDPOINT.",
            )
        if about.size is not None:
            folder.mkdir(parents=True, exist_ok=True)
            check_room(folder, about.size - _arrived(folder))
        found = hub.hf_hub_download(
            source.repo,
            source.path,
            # The commit that was just seen, even where the newest was asked for.
            revision=about.commit_hash,
            local_dir=folder,
            force_download=anew,
            endpoint=endpoint,
            tqdm_class=_bar(source, report),
        )
    etag = (about.etag or "").strip('"')
    return Fetched(Path(found), etag if _SHA256.fullmatch(etag) else None)


def _arrived(folder: Path) -> int:
    """Bytes of the part that lies here."""
    return max((part.stat().st_size for part in folder.glob("**/*.incomplete")), default=0)


def _linked(cached: Path, target: Path) -> Fetched:
    """The file of Hugging Face's own cache under another name; a copy where no link can be."""
    real = cached.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(real, target)
    except OSError:  # another file system, or one without links
        check_room(target.parent, real.stat().st_size)
        shutil.copyfile(real, target)
    return Fetched(target, real.name if _SHA256.fullmatch(real.name) else None, cached=True)


@contextlib.contextmanager
def _errors_told(source: HfSource, folder: Path) -> Iterator[None]:
    """Within this, what the library and its HTTP client raise becomes errors of this package."""
    problems: Any = importlib.import_module("huggingface_hub.errors")
    try:
        yield
    except DownloadError:
        raise
    # RuntimeError is what its transfers in native code raise.
    except (problems.HTTPError, problems.EntryNotFoundError, OSError, RuntimeError) as error:
        raise _told(error, problems, source, folder) from error


def _told(
    error: Exception, problems: Any, source: HfSource, folder: Path
) -> DownloadError | _TryAgainError:
    """What an error means for the one who fetches."""

    def failed(reason: str, hint: str = "") -> DownloadError:
        return DownloadError(f"{source} could not be fetched ({reason}).", hint=hint)

    status = getattr(getattr(error, "response", None), "status_code", None)
    page = f"https://huggingface.co/{source.repo}"
    if isinstance(error, problems.GatedRepoError) or status == 401:
        return failed(
            "its authors want to know who fetches it, or it is not there",
            f"Accept its terms at {page} and run: hf auth login",
        )
    if status == 404:
        return failed("it is not there any more", f"See {page}.")
    if isinstance(error, problems.OfflineModeIsEnabled):
        return failed(
            "HF_HUB_OFFLINE is set, and the cache of Hugging Face lacks it", "Unset HF_HUB_OFFLINE."
        )
    if isinstance(error, OSError) and error.errno in FULL:
        return DiskFullError(
            f"{folder}: the disk is full, or a limit is reached ({error.strerror}).",
            hint="Make room and run it again: it goes on from what has arrived.",
        )
    if status is not None and status < 500 and status not in (408, 429):
        return failed(f"the server answers {status}")
    return _TryAgainError(" ".join(str(error).split())[:200] or type(error).__name__)


def _bar(source: HfSource, report: Progress) -> type[Any]:
    """A progress bar for the library that draws nothing and reports instead."""
    base: Any = importlib.import_module("tqdm").tqdm
    name = source.path.rsplit("/", 1)[-1]

    class Told(base):  # type: ignore[misc]
        """Reports each step."""

        def __init__(self, *arguments: Any, **settings: Any) -> None:
            settings.pop("name", None)
            settings["disable"] = True
            super().__init__(*arguments, **settings)
            self.done = int(settings.get("initial") or 0)
            self.whole = settings.get("total")

        def update(self, n: float | None = 1) -> bool | None:
            self.done += int(n or 0)
            report(self.done, int(self.whole) if self.whole else None, f"fetching {name}")
            return None

    return Told
