"""Files that are no weights that we read: each named for what it is."""

from __future__ import annotations

import html
import re

from mycloset.checkpoints.contents import Checkpoint, Finding
from mycloset.checkpoints.sniffing import identify
from mycloset.checkpoints.source import Source

_TOLD = 160
_NAMES = {
    "7z": "a 7z archive: unpack it first",
    "rar": "a RAR archive: unpack it first",
    "gzip": "a gzip archive: unpack it first",
    "xz": "an xz archive: unpack it first",
    "bzip2": "a bzip2 archive: unpack it first",
    "zstd": "a zstd archive: unpack it first",
    "elf": "a program or library for Linux",
    "executable": "a program for Windows",
    "png": "a PNG picture",
    "jpeg": "a JPEG picture",
    "pdf": "a PDF document",
    "riff": "a WebP picture, or sound or video in RIFF",
    "xml": "an XML document",
    "text": "text",
    "unknown": "in no format that is known here",
}


def read(source: Source) -> Checkpoint:
    """Name the file; nothing is looked for in it."""
    format_ = identify(source)
    head = source.head(4096)
    kind = "not-a-model"
    if format_ == "empty":
        what = "is empty (0 bytes): the download did not happen"
        kind = "corrupt"
    elif format_ == "zeros":
        what = "holds only zero bytes, wherever it was looked at: the download was not finished"
        kind = "corrupt"
    elif format_ == "html":
        what = f"is a web page{_title(head)}, not a model: the download was answered by a page"
    elif format_ == "lfs-pointer":
        what = f"is a git-lfs pointer{_promised(head)}: fetch the file itself with `git lfs pull`"
    elif format_ == "json":
        what = f"is JSON, not a model: {_text(head)}"
    elif format_ == "hdf5":
        return Checkpoint(
            source.path,
            format_,
            source.size,
            files=(source.path.name,),
            findings=(
                Finding(
                    "unusual", "info", f"{source.path.name} is HDF5; its tensors are not listed."
                ),
            ),
        )
    else:
        what = f"is {_NAMES.get(format_, format_)}"
        if format_ == "text":
            what += f", not a model: {_text(head)}"
    return Checkpoint(
        source.path,
        format_,
        source.size,
        files=(source.path.name,),
        findings=(Finding(kind, "error", f"{source.path.name} {what}."),),
    )


def _title(head: bytes) -> str:
    found = re.search(rb"<title[^>]*>(.*?)</title>", head, re.I | re.S)
    text = html.unescape(found[1].decode("utf-8", "replace")) if found else ""
    return f" (“{_short(text)}”)" if text.strip() else ""


def _promised(head: bytes) -> str:
    found = re.search(rb"^size (\d{1,18})$", head, re.M)
    return f" to {int(found[1]):,} bytes" if found else ""


def _text(head: bytes) -> str:
    return f"“{_short(head.decode('utf-8', 'replace'))}”"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _TOLD else text[: _TOLD - 1] + "…"
