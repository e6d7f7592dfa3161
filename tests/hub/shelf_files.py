"""Small model files of real layouts: networks that are recognised at any width."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from model_files import Tensor, write_torch_zip

Shape = tuple[int, ...]


def write_vgg(path: Path, *, classes: int = 5, fill: int = 1, tail: int | None = None) -> Path:
    """A narrow VGG-11 with batch norms; every byte of its tensors is `fill`, and of the last
    classifier's bias `tail`."""
    tensors = {
        key: Tensor("float32", shape, data=bytes([fill]) * (4 * _size(shape)))
        for key, shape in _vgg(classes).items()
    }
    last = "classifier.6.bias"
    if tail is not None:
        tensors[last] = Tensor("float32", (classes,), data=bytes([tail]) * (4 * classes))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_torch_zip(path, tensors)
    return path


def _vgg(classes: int) -> dict[str, Shape]:
    """torchvision's layout (models/vgg.py) of 4, M, 4, M, 8, 8, M, 8, 8, M, 8, 8, M."""
    found: dict[str, Shape] = {}
    place, before = 0, 3
    for width in (4, "M", 4, "M", 8, 8, "M", 8, 8, "M", 8, 8, "M"):
        if isinstance(width, str):
            place += 1
            continue
        found[f"features.{place}.weight"] = (width, before, 3, 3)
        found[f"features.{place}.bias"] = (width,)
        for name in ("weight", "bias", "running_mean", "running_var"):
            found[f"features.{place + 1}.{name}"] = (width,)
        place, before = place + 3, width
    widths = (8 * 49, 16, 16, classes)
    for number, (taken, given) in enumerate(pairwise(widths)):
        found[f"classifier.{number * 3}.weight"] = (given, taken)
        found[f"classifier.{number * 3}.bias"] = (given,)
    return found


def _size(shape: Shape) -> int:
    size = 1
    for length in shape:
        size *= length
    return size
