"""Small files of parsing networks, with values from their keys, and pictures of odd sizes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import golden_weights
from mycloset.architectures.deeplabv3 import layout as deeplabv3
from mycloset.architectures.deeplabv3plus import layout as deeplabv3plus
from mycloset.architectures.face_parsing_bisenet import layout as bisenet
from mycloset.architectures.family import Shapes
from mycloset.architectures.keymapper import COUNTER
from mycloset.architectures.resnet.trunk import Stage, Trunk
from mycloset.architectures.schp import layout as schp
from mycloset.architectures.segformer.tensors import OLDER
from mycloset.architectures.segformer.tensors import Sizes as SegFormerSizes
from mycloset.architectures.segformer.tensors import Stage as SegFormerStage
from mycloset.architectures.segformer.tensors import tensors as segformer_tensors
from mycloset.architectures.u2net import layout as u2net
from mycloset.images import RGB

ODD = [(1, 50), (50, 1), (3, 2), (31, 77)]
"""Heights and widths that no network was made for."""


def saved(path: Path, shapes: Shapes) -> Path:
    """A file of tensors with these shapes."""
    torch.save({key: _value(key, tuple(shape)) for key, shape in shapes.items()}, path)
    return path


def picture(height: int, width: int) -> RGB:
    """A picture of noise, always the same."""
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def _value(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    counts = key.rpartition(".")[2] == COUNTER
    return torch.zeros((), dtype=torch.long) if counts else golden_weights.fill(key, shape)


def _trunk(*, deep: bool, inputs: int = 3, stem: int = 8) -> Trunk:
    wide = 4 if deep else 1
    stages = tuple(Stage(1 + (n == 0), 4 << n, (4 << n) * wide) for n in range(4))
    return Trunk(inputs, stem, 7, deep, stages)


def _segformer() -> Shapes:
    stages = tuple(SegFormerStage(1, 8 << n, 7 if n == 0 else 3, 16 << n, 8 >> n) for n in range(4))
    return segformer_tensors(SegFormerSizes(3, stages, 12, 5, False), OLDER, "segformer.")


def _schp() -> Shapes:
    trunk = _trunk(deep=True, inputs=6, stem=8)._replace(kernel=3)
    sizes = schp._PUBLISHED._replace(
        trunk=trunk, stem=(6, 6), pools=3, pool=4, context=8, edge=4, wide=8, low=4, joined=8,
        parsing=8, fused=8, classes=5,
    )  # fmt: skip
    return schp._tensors(sizes)


def _u2net() -> Shapes:
    sizes = u2net._SMALL._replace(
        down=tuple(stage._replace(mid=4, out=6) for stage in u2net._SMALL.down),
        up=tuple(stage._replace(mid=4, out=6) for stage in u2net._SMALL.up),
        classes=5,
    )
    return u2net._tensors(sizes)


def _deeplabv3() -> Shapes:
    sizes = deeplabv3._published((1, 1, 1, 1))._replace(
        trunk=_trunk(deep=True), dilated=2, width=4, joined=6, hidden=6, auxiliary=4, classes=5
    )
    return deeplabv3._tensors(sizes)


def _deeplabv3plus() -> Shapes:
    sizes = deeplabv3plus._PUBLISHED._replace(
        trunk=_trunk(deep=True), branches=3, width=4, joined=6, low=3, decoder=(6, 5), classes=5
    )
    return deeplabv3plus._tensors(sizes)


def _bisenet() -> Shapes:
    sizes = bisenet._PUBLISHED._replace(
        trunk=_trunk(deep=False), context=6, fused=8, squeezed=4, heads=(6, 5, 4), classes=5
    )
    return bisenet._tensors(sizes)


SMALL: dict[str, tuple[Callable[[], Shapes], str]] = {
    "segformer": (_segformer, "size"),
    "schp": (_schp, "input_size"),
    "u2net": (_u2net, "size"),
    "deeplabv3": (_deeplabv3, "size"),
    "deeplabv3plus": (_deeplabv3plus, "size"),
    "face_parsing_bisenet": (_bisenet, "size"),
}
"""Family -> shapes of a tiny network of five classes that nobody published, and what its config
calls the side of the picture that it takes."""
