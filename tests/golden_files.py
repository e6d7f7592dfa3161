"""Golden manifests: what published networks' files were seen to hold (tests/goldens/README.md)."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "goldens"

Shape = tuple[int, ...]


def names() -> list[str]:
    """Every manifest that describes tensors, as "family/name"."""
    found = sorted(FOLDER.glob("*/*.json.gz"))
    every = [f"{path.parent.name}/{path.name.removesuffix('.json.gz')}" for path in found]
    return [name for name in every if manifest(name)["tensors"]]


@cache
def manifest(name: str) -> dict[str, Any]:
    """One manifest; do not change what it returns."""
    read: dict[str, Any] = json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))
    return read


def tensors(name: str) -> list[tuple[str, str, Shape]]:
    """Key, dtype and shape of each tensor in the file's order, without wrapper and prefix."""
    return [(key, dtype, tuple(shape)) for key, dtype, shape in manifest(name)["tensors"]]


def shapes(name: str) -> dict[str, Shape]:
    """Shape by key."""
    return {key: shape for key, _, shape in tensors(name)}
