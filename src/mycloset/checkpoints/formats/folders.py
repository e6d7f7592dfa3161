"""The folder of one model: config.json beside weights, as diffusers and transformers save it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from mycloset.checkpoints.contents import Checkpoint, Finding
from mycloset.checkpoints.formats.sharded import part_of
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

SUFFIXES = (".pth", ".pt", ".ckpt", ".bin", ".safetensors", ".onnx", ".tflite")


def read(path: Path) -> Checkpoint:
    """What the weights of a model's folder hold.

    Raises:
        InputError: the folder is none of one model.
    """
    from mycloset.checkpoints.formats import sharded
    from mycloset.checkpoints.reading import read_file

    for name in INDEXES:
        if (path / name).is_file():
            return sharded.read(path / name)
    for name in WEIGHTS:
        if (path / name).is_file() and (path / "config.json").is_file():
            found = read_file(path / name)
            return replace(found, path=path / name, files=(name, "config.json"))
    if path.name.lower().endswith(SUFFIXES):
        text = f"{path.name} is a folder, though it is named like a file of weights."
        finding = Finding("not-a-model", "error", text)
        return Checkpoint(path, "folder", 0, findings=(finding,))
    raise InputError(
        f"{path} is no folder of one model: it has no config.json beside weights.",
        hint="Inspect it as a folder of model files.",
    )


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
