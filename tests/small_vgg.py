"""Small VGG files of a layout that MyCloset knows, for tests of the hub."""

from __future__ import annotations

from pathlib import Path

import torch

from mycloset.architectures.vgg.network import Vgg

CFG: list[int | str] = [4, "M", 4, "M", 8, 8, "M", 8, 8, "M", 8, 8, "M"]
STEP = "quality_assessment"


def save_vgg(path: Path, *, classes: int = 5, width: int = 16, seed: int = 0) -> Path:
    """A file of a small VGG; `width` of its hidden layers sets its size."""
    torch.manual_seed(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    made = Vgg(
        cfg=CFG,
        batch_norm=True,
        input_channels=3,
        widths=(8 * 49, width, width, classes),
        pooled=7,
    )
    torch.save(made.state_dict(), path)
    return path


def vgg_bytes(path: Path) -> int:
    """Bytes of a file's tensors."""
    held = torch.load(path, weights_only=True)
    return sum(tensor.nbytes for tensor in held.values())
