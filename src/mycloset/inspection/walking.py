"""Which files below a folder are model files, by their names alone; nothing is opened."""

from __future__ import annotations

import os
from pathlib import Path

SUFFIXES = frozenset(
    {
        ".pth",
        ".pt",
        ".ckpt",
        ".bin",
        ".safetensors",
        ".sft",
        ".onnx",
        ".tflite",
        ".gguf",
        ".npz",
        ".h5",
        ".hdf5",
        ".keras",
        ".pkl",
        ".pickle",
        ".t7",
        ".pt2",
    }
)
"""What a file must end in to be looked at in a folder; also `.pth.tar`."""

_TELLING = frozenset({".pth", ".pt", ".ckpt", ".safetensors", ".onnx", ".tflite"})
"""Suffixes with which a folder pretends to be a model file."""


_UNSEEN = frozenset({".git", ".mycloset"})
"""Folders that are not looked into: history, and what is still on its way from somewhere."""


def find(root: Path) -> tuple[list[Path], list[Path]]:
    """Model files below a folder, and the files that are none by their suffix.

    A model in several files is found once, by its index. Links to files are followed, links to
    folders are not. A folder that cannot be listed is among the models: its analysis says so.
    """
    models: list[Path] = []
    skipped: list[Path] = []

    def locked(error: OSError) -> None:
        if error.filename is not None:
            models.append(Path(error.filename))

    for place, folders, names in os.walk(root, onerror=locked):
        folders[:] = sorted(name for name in folders if name not in _UNSEEN)
        folder = Path(place)
        sharded = {
            name for name in names if name.endswith((".safetensors.index.json", ".bin.index.json"))
        }
        shards = {shard for index in sharded for shard in names if _is_shard(shard, index)}
        # A folder that is named like a model is worth a word.
        models.extend(folder / name for name in folders if Path(name).suffix in _TELLING)
        for name in sorted(names):
            if name in sharded or (_is_model(name) and name not in shards):
                models.append(folder / name)
            elif name not in shards:
                skipped.append(folder / name)
    return models, skipped


def _is_model(name: str) -> bool:
    lower = name.lower()
    return lower.endswith(".pth.tar") or Path(lower).suffix in SUFFIXES


def _is_shard(name: str, index: str) -> bool:
    stem = index.removesuffix(".index.json")
    base, _, suffix = stem.rpartition(".")
    return name.startswith(f"{base}-") and name.endswith(f".{suffix}") and "-of-" in name
