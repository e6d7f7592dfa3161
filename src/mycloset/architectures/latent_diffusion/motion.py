"""The tensors of AnimateDiff's motion modules: temporal transformers between a UNet's blocks.

Source: `motion_module.py` of guoyww/AnimateDiff.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from mycloset.architectures.family import Shape

Pair = tuple[str, Shape]

POSITIONS = "temporal_transformer.transformer_blocks.0.attention_blocks.0.pos_encoder.pe"
"""Key of the first table of positions within a module; [1, frames, channels]."""


class Motion(NamedTuple):
    """Sizes of the motion modules of one UNet.

    Attributes:
        frames: how many positions its tables have; None where the file has no tables.
        middle: whether one stands in the UNet's middle.
        blocks: transformer blocks in a module.
        attentions: temporal attentions in a block.
    """

    frames: int | None
    middle: bool
    blocks: int = 1
    attentions: int = 2


@lru_cache(maxsize=64)
def module(motion: Motion, width: int) -> tuple[Pair, ...]:
    """Tensors of one motion module on feature maps of that many channels."""
    pairs: list[Pair] = [
        ("norm.weight", (width,)),
        ("norm.bias", (width,)),
        ("proj_in.weight", (width, width)),
        ("proj_in.bias", (width,)),
    ]
    for block in range(motion.blocks):
        start = f"transformer_blocks.{block}."
        for number in range(motion.attentions):
            name = f"{start}attention_blocks.{number}"
            pairs += [(f"{name}.to_{part}.weight", (width, width)) for part in "qkv"]
            pairs += [
                (f"{name}.to_out.0.weight", (width, width)),
                (f"{name}.to_out.0.bias", (width,)),
            ]
            if motion.frames is not None:
                pairs.append((f"{name}.pos_encoder.pe", (1, motion.frames, width)))
        for number in range(motion.attentions):
            name = f"{start}norms.{number}"
            pairs += [(f"{name}.weight", (width,)), (f"{name}.bias", (width,))]
        pairs += [
            (f"{start}ff.net.0.proj.weight", (8 * width, width)),
            (f"{start}ff.net.0.proj.bias", (8 * width,)),
            (f"{start}ff.net.2.weight", (width, 4 * width)),
            (f"{start}ff.net.2.bias", (width,)),
            (f"{start}ff_norm.weight", (width,)),
            (f"{start}ff_norm.bias", (width,)),
        ]
    pairs += [("proj_out.weight", (width, width)), ("proj_out.bias", (width,))]
    return tuple((f".temporal_transformer.{key}", shape) for key, shape in pairs)


@lru_cache(maxsize=16)
def tensors(
    motion: Motion, widths: tuple[int, ...], down: tuple[int, ...], up: tuple[int, ...]
) -> Mapping[str, Shape]:
    """Every motion module of a UNet, as a file of them holds it.

    Args:
        motion: sizes of the modules.
        widths: the UNet's channels by level, finest first.
        down: modules by level on the way down.
        up: modules by level on the way up, coarsest level first.
    """
    return MappingProxyType(dict(_all(motion, widths, down, up)))


def _all(
    motion: Motion, widths: tuple[int, ...], down: tuple[int, ...], up: tuple[int, ...]
) -> Iterator[Pair]:
    for way, levels, counts in (("down", widths, down), ("up", widths[::-1], up)):
        for level, (width, number) in enumerate(zip(levels, counts, strict=True)):
            for place in range(number):
                start = f"{way}_blocks.{level}.motion_modules.{place}"
                for key, shape in module(motion, width):
                    yield start + key, shape
    if motion.middle:
        for key, shape in module(motion, widths[-1]):
            yield "mid_block.motion_modules.0" + key, shape
