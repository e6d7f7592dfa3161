"""The folder of one model, or of a pipeline of several, as diffusers and transformers save it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from mycloset.checkpoints.contents import Checkpoint, Finding, GlobalUse, TensorGroup, limited
from mycloset.checkpoints.formats.sharded import part_of
from mycloset.checkpoints.tensors import TensorEntry, TensorTable
from mycloset.errors import InputError

INDEXES = (
    "model.safetensors.index.json",
    "diffusion_pytorch_model.safetensors.index.json",
    "pytorch_model.bin.index.json",
    "diffusion_pytorch_model.bin.index.json",
)
WEIGHTS = (
    "model.safetensors",
    "diffusion_pytorch_model.safetensors",
    "diffusion_pytorch_model.fp16.safetensors",
    "model.fp16.safetensors",
    "adapter_model.safetensors",
    "pytorch_model.bin",
    "diffusion_pytorch_model.bin",
    "diffusion_pytorch_model.fp16.bin",
    "adapter_model.bin",
)
"""Names of weights in the order in which the libraries prefer them."""

PIPELINE = "model_index.json"
_COMPONENTS = 100

SUFFIXES = (".pth", ".pt", ".ckpt", ".bin", ".safetensors", ".onnx", ".tflite")


def read(path: Path) -> Checkpoint:
    """What the weights of a model's folder hold.

    A pipeline of diffusers (model_index.json) is all its components: each a group below its name,
    `metadata["components"]` has their configs.

    Raises:
        InputError: the folder is none of one model.
    """
    try:
        pipeline = (path / PIPELINE).is_file()
    except OSError:
        pipeline = False  # Not allowed to look into it, which listing it will say.
    if pipeline:
        return _pipeline(path)
    found = _model(path)
    if found is not None:
        return found
    if path.name.lower().endswith(SUFFIXES):
        text = f"{path.name} is a folder, though it is named like a file of weights."
        finding = Finding("not-a-model", "error", text)
        return Checkpoint(path, "folder", 0, findings=(finding,))
    raise InputError(
        f"{path} is no folder of one model: it has no config.json beside weights.",
        hint="Inspect it as a folder of model files (analyze_folder).",
    )


def _model(path: Path) -> Checkpoint | None:
    from mycloset.checkpoints.formats import sharded
    from mycloset.checkpoints.reading import read_file

    try:
        names = sorted(entry.name for entry in path.iterdir())
    except OSError as error:
        text = f"{path} cannot be listed: {error.strerror or error}."
        return Checkpoint(path, "unreadable", 0, findings=(Finding("unreadable", "error", text),))
    configured = "config.json" in names or "adapter_config.json" in names
    indexes = [name for name in names if sharded.is_index(name)]
    for name in (*(name for name in INDEXES if name in indexes), *indexes[:1]):
        if configured or name in INDEXES:
            return sharded.read(path / name)
    weights = [name for name in names if name.lower().endswith(SUFFIXES)]
    known = [name for name in WEIGHTS if name in weights] or (weights if len(weights) == 1 else [])
    if not configured or not known:
        return None
    found = read_file(path / known[0])
    config = "adapter_config.json" if known[0].startswith("adapter_") else "config.json"
    return replace(found, files=(known[0], config))


def _pipeline(path: Path) -> Checkpoint:
    from mycloset.checkpoints.reading import read_config

    index, problems = read_config(path / PIPELINE)
    findings = list(problems)
    groups: list[TensorGroup] = []
    uses: list[GlobalUse] = []
    files = [PIPELINE]
    components: dict[str, Any] = {}
    size = (path / PIPELINE).stat().st_size
    for name, made_by in list(index.items())[:_COMPONENTS]:
        # A component is [library, class]; others are settings, absent ones [null, null].
        if not isinstance(made_by, list) or len(made_by) != 2 or not isinstance(made_by[1], str):
            continue
        folder = path / name
        components[name] = {"library": made_by[0], "class": made_by[1]}
        if "/" in name or "\\" in name or name in (".", "..") or not folder.is_dir():
            text = f"The component {name!r} ({made_by[1][:100]}) has no folder."
            findings.append(Finding("incomplete", "warning", text, {"component": name}))
            continue
        part = _model(folder)
        if part is None:
            continue  # A tokenizer or scheduler has no weights.
        size += part.size
        files.extend(f"{name}/{file}" for file in part.files)
        findings.extend(part.findings)
        uses.extend(part.globals)
        components[name]["config"] = part.metadata.get("config", {})
        for group in part.groups:
            table = TensorTable(_moved(entry, name, part) for entry in group.table.values())
            groups.append(replace(group, wrapper=(name, *group.wrapper), table=table))
    return Checkpoint(
        path / PIPELINE,
        "diffusers",
        size,
        tuple(groups),
        tuple(files),
        metadata={"pipeline": index.get("_class_name", ""), "components": components},
        globals=tuple(uses),
        findings=tuple(limited(findings)),
    )


def _moved(entry: TensorEntry, folder: str, part: Checkpoint) -> TensorEntry:
    """A component's tensor, its file named from the pipeline's folder."""
    file = f"{folder}/{entry.storage.file or part.path.name}"
    return entry._replace(storage=entry.storage._replace(file=file))


def is_alone(path: Path) -> bool:
    """Whether a config.json beside a file can only be meant for it: it has a name that the
    libraries give, or is the folder's only file of weights."""
    if path.name in WEIGHTS or part_of(path.name):
        return True
    try:
        with os.scandir(path.parent) as listed:
            others = (entry.name for entry in listed if entry.name != path.name)
            return not any(name.lower().endswith(SUFFIXES) for name in others)
    except OSError:
        return False
