"""Files that are no weights that we read: each named for what it is."""

from __future__ import annotations

import html
import re

from mycloset.checkpoints.contents import Checkpoint, Finding
from mycloset.checkpoints.sniffing import identify
from mycloset.checkpoints.source import Source

_TOLD = 160
_OBJECT = re.compile(rb"^oid sha256:([0-9a-f]{64})$", re.M)
_LISTED_NOT = {
    "hdf5": "HDF5, as Keras writes its weights",
    "keras": "a Keras model",
    "tensorflow": "TensorFlow's (a saved model, a frozen graph or a checkpoint's index)",
    "coreml": "a Core ML model",
    "openvino": "an OpenVINO graph, whose weights lie in the .bin file beside it",
    "executorch": "an ExecuTorch program",
    "ncnn": "an ncnn graph",
}
"""Formats of models of which no more than the name is told."""

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
    "lz4": "an LZ4 archive: unpack it first",
    "gif": "a GIF picture",
    "tiff": "a TIFF picture",
    "mp4": "a video or sound (MP4)",
    "sqlite": "an SQLite database",
    "parquet": "a Parquet table",
    "arrow": "an Arrow table",
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
    elif format_ in _LISTED_NOT:
        return named(source, format_)
    else:
        what = f"is {_NAMES.get(format_, format_)}"
        if format_ == "text":
            what += f", not a model: {_text(head)}"
    details = {}
    if format_ == "lfs-pointer" and (found := _OBJECT.search(head)):
        details = {"sha256": found[1].decode()}
    return Checkpoint(
        source.path,
        format_,
        source.size,
        files=(source.path.name,),
        findings=(Finding(kind, "error", f"{source.path.name} {what}.", details),),
    )


def named(source: Source, format_: str) -> Checkpoint:
    """A model in a format of which no more than the name is told."""
    text = f"{source.path.name} is {_LISTED_NOT[format_]}; its tensors are not listed."
    finding = Finding("unusual", "info", text)
    return Checkpoint(
        source.path, format_, source.size, files=(source.path.name,), findings=(finding,)
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
