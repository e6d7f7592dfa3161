"""Which manifests parity is tried on."""

from __future__ import annotations

import gzip
import json
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import golden_files

LIGHT = 20_000_000
"""Numbers that a network of the default run has at most."""

HEAVY = 375_000_000
"""Numbers (1.5 GB) beyond which a manifest is for the slow tests, also where it was asked for."""


def manifests_of(folder: str | None) -> list[Path]:
    """Every manifest with outputs below a folder; by default the tests' own."""
    root = Path(folder) if folder else golden_files.FOLDER
    return [path for path in sorted(root.rglob("*.json.gz")) if _runs(read(path))]


@cache
def read(path: Path) -> dict[str, Any]:
    """One manifest; do not change what it returns."""
    found: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return found


def heavy(manifest: dict[str, Any], *, explicit: bool) -> bool:
    """Whether a manifest is left to the slow tests."""
    numbers = sum(prod(shape) for _, _, shape in manifest["tensors"])
    return numbers > (HEAVY if explicit else LIGHT)


def _runs(manifest: dict[str, Any]) -> bool:
    return bool(manifest.get("tensors")) and bool(manifest.get("outputs"))
