"""A path to what lies there: the one entry to all formats."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from mycloset.checkpoints.averages import separated
from mycloset.checkpoints.bounded_json import load_json
from mycloset.checkpoints.contents import Checkpoint, Finding
from mycloset.checkpoints.sniffing import formats_of, starts_as_zip
from mycloset.checkpoints.source import DamagedError, Source, UnreadableError
from mycloset.errors import InputError

CONFIG_LIMIT = 1_000_000
"""Bytes of a config.json up to which it is read."""

Reader = Callable[[Source], Checkpoint]

_READERS = {
    "zip": "torch_zip",
    "torch-legacy": "torch_legacy",
    "tar": "torch_tar",
    "pickle": "plain_pickle",
    "safetensors": "safetensors",
    "onnx": "onnx",
    "tflite": "tflite",
    "gguf": "gguf",
    "npy": "numpy_files",
}
"""Format -> module of `formats` that reads it; the rest is named by `foreign`."""


def read_checkpoint(path: Path | str) -> Checkpoint:
    """What a file, or the folder of one model, holds. Nothing in it is executed.

    Whatever is wrong with the content is a finding of the result, not an error.

    Raises:
        InputError: there is nothing at the path, or it is a folder that is no model's.
    """
    path = Path(path)
    try:
        there, folder = path.exists() or path.is_symlink(), path.is_dir()
    except OSError:
        there, folder = True, False  # Not allowed to look: opening it will say so.
    if not there:
        raise InputError(f"{path} does not exist.", hint="Check the path.")
    if folder:
        from mycloset.checkpoints.formats import folders

        return folders.read(path)
    from mycloset.checkpoints.formats import sharded

    if path.name == "model_index.json":
        from mycloset.checkpoints.formats import folders

        return folders.read(path.parent)
    if sharded.is_index(path.name):
        return sharded.read(path)
    found = read_file(path)
    if found.groups and (part := sharded.part_of(path.name)):
        text = f"{path.name} is shard {part[0]} of {part[1]} of a model, not the whole of it."
        details = {"shard": part[0], "shards": part[1]}
        finding = Finding("incomplete", "warning", text, details)
        found = replace(found, findings=(*found.findings, finding))
    return found


def read_file(path: Path) -> Checkpoint:
    """What one file holds, by its content."""
    try:
        with Source(path) as source:
            return _read(source)
    except UnreadableError as error:
        return _failed(path, "unreadable", 0, Finding("unreadable", "error", error.message))


def _read(source: Source) -> Checkpoint:
    format_ = "unknown"
    others: list[str] = []
    try:
        format_, *others = formats_of(source)
        if format_ == "unknown" and starts_as_zip(source):
            format_ = "zip"
        found = _reader(format_)(source)
        if found.format == "zip":
            found = _plain_archive(found, source)
    except DamagedError as error:
        found = _failed(
            source.path,
            format_,
            source.size,
            Finding("corrupt", "error", error.message, {"place": error.place}),
        )
    except OSError as error:
        text = f"{source.path} could not be read: {error.strerror or error}."
        found = _failed(source.path, "unreadable", 0, Finding("unreadable", "error", text))
    for other in others:
        found = _with_other(found, other, source)
    if source.changed:
        text = f"{source.path.name} was changed while it was read."
        found = replace(found, findings=(*found.findings, Finding("corrupt", "error", text)))
    if found.groups:
        found = replace(found, groups=separated(found.groups))
    return _beside(found)


def _with_other(found: Checkpoint, other: str, source: Source) -> Checkpoint:
    """Add what another reader would see in the same bytes.

    TFLite files carry labels in an archive at their end, which is how they should be.
    """
    usual = found.format == "tflite" and other == "zip"
    text = f"The bytes are {found.format} and {other} at once: readers differ in what they see."
    findings = [] if usual else [Finding("suspicious", "warning", text, {"other": other})]
    uses = found.globals
    if other in _READERS:
        try:
            hidden = _reader(other)(source)
        except (DamagedError, OSError):
            return replace(found, findings=(*found.findings, *findings))
        uses += hidden.globals
        findings += [f for f in hidden.findings if f.kind in ("dangerous", "suspicious")]
    return replace(found, globals=uses, findings=(*found.findings, *findings))


def _plain_archive(found: Checkpoint, source: Source) -> Checkpoint:
    """An archive without PyTorch's pickle: NumPy's or Keras', by what its members are."""
    from mycloset.checkpoints.formats import foreign, numpy_files
    from mycloset.checkpoints.zipfiles import Archive

    archive = Archive(source)
    names = set(archive.by_name)
    if any(name.endswith(".npy") for name in names):
        return numpy_files.read_archive(archive, found)
    if "config.json" in names and names & {"model.weights.h5", "metadata.json"}:
        return foreign.named(source, "keras")
    return found


def _reader(format_: str) -> Reader:
    module = importlib.import_module(
        f"mycloset.checkpoints.formats.{_READERS.get(format_, 'foreign')}"
    )
    read: Reader = module.read
    return read


def _failed(path: Path, format_: str, size: int, finding: Finding) -> Checkpoint:
    return Checkpoint(path, format_, size, files=(path.name,), findings=(finding,))


def _beside(found: Checkpoint) -> Checkpoint:
    """Add the config.json that lies beside a file of weights, if it is that file's."""
    if not found.groups:
        return found
    from mycloset.checkpoints.formats import folders

    name = "adapter_config.json" if found.path.name.startswith("adapter_") else "config.json"
    config = found.path.with_name(name)
    if not config.is_file() or not folders.is_alone(found.path):
        return found
    settings, findings = read_config(config)
    return replace(
        found,
        metadata={**found.metadata, **({"config": settings} if settings else {})},
        findings=(*found.findings, *findings),
    )


def read_config(path: Path) -> tuple[dict[str, Any], tuple[Finding, ...]]:
    """A model's config.json; a bad one is a finding."""
    try:
        with Source(path) as source:
            settings = load_json(source, 0, source.size, "text", CONFIG_LIMIT)
    except UnreadableError as error:
        return {}, (Finding("unreadable", "warning", error.message),)
    except DamagedError as error:
        return {}, (Finding("corrupt", "warning", error.message),)
    except OSError as error:
        text = f"{path} could not be read: {error.strerror or error}."
        return {}, (Finding("unreadable", "warning", text),)
    if not isinstance(settings, dict):
        return {}, (Finding("corrupt", "warning", f"{path} is no JSON object."),)
    return settings, ()
