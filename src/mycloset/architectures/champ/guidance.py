"""The tensors of Champ's guidance encoder: convolutions and transformers over a guidance picture.

Source: `models/guidance_encoder.py` and `models/transformer_3d.py` of Champ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

from mycloset.architectures.family import Shape, Shapes, require
from mycloset.architectures.latent_diffusion.blocks import (
    Pair,
    attention,
    feed_forward,
    layer,
    norm_pairs,
)
from mycloset.architectures.reading import common_size, counted

_STEPS = 16
_PICTURE = 3


class Guidance(NamedTuple):
    """Sizes of one guidance encoder.

    Attributes:
        inp: channels of the guidance picture.
        widths: channels by resolution.
        out: channels of what is added to the UNet's features.
    """

    inp: int
    widths: tuple[int, ...]
    out: int


@lru_cache(maxsize=16)
def tensors(sizes: Guidance) -> Mapping[str, Shape]:
    """Every tensor in the file's order."""
    return MappingProxyType(dict(_all(sizes)))


def read(shapes: Shapes, start: str = "") -> Guidance:
    """A guidance encoder's sizes.

    Raises:
        NotThisError: the table holds none there.
    """
    blocks = counted(shapes, f"{start}blocks.", ".weight", ".bias", most=_STEPS)
    require(blocks > 0, f"no `{start}blocks.0.weight`")
    require(blocks % 2 == 0, f"{blocks} blocks below `{start}`, not two a resolution")
    first_key = f"{start}conv_in.weight"
    first = common_size(
        shapes,
        (first_key, 0),
        (f"{start}blocks.0.weight", 0),
        (f"{start}blocks.0.weight", 1),
    )
    widths = [
        common_size(
            shapes, (f"{start}blocks.{number}.weight", 0), (f"{start}blocks.{number}.bias", 0)
        )
        for number in range(1, blocks, 2)
    ]
    return Guidance(
        inp=_PICTURE if first_key not in shapes else common_size(shapes, (first_key, 1)),
        widths=(first, *widths),
        out=common_size(shapes, (f"{start}conv_out.weight", 0), (f"{start}conv_out.bias", 0)),
    )


def _all(sizes: Guidance) -> Iterator[Pair]:
    widths = sizes.widths
    steps = [
        pair for before, after in pairwise(widths) for pair in ((before, before), (before, after))
    ]
    yield from layer("conv_in", widths[0], sizes.inp, 3, 3)
    for number, (inp, out) in enumerate(steps):
        yield from layer(f"blocks.{number}", out, inp, 3, 3)
    for number, (_, out) in enumerate(steps):
        yield from _transformer(f"attentions.{number}", out)
    yield from _transformer("guidance_attention", widths[-1])
    yield from layer("conv_out", sizes.out, widths[-1], 3, 3)


def _transformer(name: str, width: int) -> Iterator[Pair]:
    """A transformer of one block that looks at its own features only."""
    yield from norm_pairs(f"{name}.norm", width)
    yield from layer(f"{name}.proj_in", width, width, 1, 1)
    start = f"{name}.transformer_blocks.0."
    inner = [*attention("attn1", width, width), *norm_pairs("norm1", width)]
    inner += [*feed_forward(width), *norm_pairs("norm3", width)]
    for key, shape in inner:
        yield start + key, shape
    yield from layer(f"{name}.proj_out", width, width, 1, 1)
