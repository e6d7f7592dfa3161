"""Small files with real layouts, as servers of the tests publish them, and entries for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import golden_files
from model_files import Call, Global, Tensor, write_torch_zip
from mycloset.hub.entries import Entry, HttpsSource, Source


def lpips_file(folder: Path, name: str = "alex.pth") -> bytes:
    """What LPIPS publishes for AlexNet, with zeros for weights: 5 tensors, a few kilobytes."""
    path = folder / name
    keys = {
        key: Tensor(dtype, shape)
        for key, dtype, shape in golden_files.tensors("lpips/lpips_alex_lin")
    }
    write_torch_zip(path, keys, sparse=False)
    return path.read_bytes()


def unsafe_file(folder: Path) -> bytes:
    """A file that would run a command where a pickle is loaded."""
    path = folder / "unsafe.pth"
    write_torch_zip(path, Call(Global("posix", "system"), ("true",)), sparse=False)
    return path.read_bytes()


def entry(source: Source | str, **changes: object) -> Entry:
    """An entry that wants LPIPS for AlexNet."""
    settings: dict[str, object] = {
        "name": "net", "title": "a network", "file": "lpips/alex.pth",
        "steps": ("quality_assessment",), "licence": "MIT", "credit": "Nobody",
        "homepage": "https://example.org/net", "family": "lpips", "variant": "alex",
        "source": HttpsSource(source) if isinstance(source, str) else source,
        **changes,
    }  # fmt: skip
    return Entry(**settings)  # type: ignore[arg-type]


def golden_file(name: str, path: Path) -> Path:
    """A golden as it is published, in a torch zip file, with holes for weights."""
    manifest = golden_files.manifest(name)
    prefix = manifest.get("prefix", "")
    nested: Any = {
        prefix + key: Tensor(dtype, shape) for key, dtype, shape in golden_files.tensors(name)
    }
    for wrapper in reversed(manifest.get("wrapper", [])):
        nested = {wrapper: nested}
    write_torch_zip(path, nested)
    return path
