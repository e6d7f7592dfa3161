"""The tensors of a ControlNet: half a UNet with taps, and a small net that reads the hint.

Sources: `cldm/cldm.py` of lllyasviel/ControlNet ("ldm"), `ControlNetModel` of diffusers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NamedTuple

from mycloset.architectures.family import Shape, Shapes
from mycloset.architectures.latent_diffusion import kinds, unet_reading
from mycloset.architectures.latent_diffusion.blocks import Naming, Pair, layer
from mycloset.architectures.latent_diffusion.unet import (
    UNet,
    diffusers_head,
    diffusers_level,
    diffusers_middle,
    down_blocks,
    ldm_down,
    ldm_head,
    ldm_middle,
)
from mycloset.architectures.reading import common_size, counted

_STEPS = 8


class ControlNet(NamedTuple):
    """Sizes of one ControlNet.

    Attributes:
        net: the half UNet; its way up is empty.
        hint: channels of the hint picture.
        widths: channels of the hint's net, by resolution.
    """

    net: UNet
    hint: int
    widths: tuple[int, ...]


@lru_cache(maxsize=16)
def tensors(control: ControlNet, naming: Naming) -> Mapping[str, Shape]:
    """Every tensor in the file's order."""
    pairs = _diffusers(control) if naming == "diffusers" else _ldm(control)
    return MappingProxyType(dict(pairs))


def read(shapes: Shapes, naming: Naming, start: str = "") -> ControlNet:
    """A ControlNet's sizes.

    Raises:
        NotThisError: the table holds none there.
    """
    net = unet_reading.read(shapes, naming, start, halved=True)
    if naming == "diffusers":
        name = f"{start}controlnet_cond_embedding."
        first, second = f"{name}conv_in.weight", f"{name}blocks.0.weight"
        number = counted(shapes, f"{name}blocks.", ".weight", ".bias", most=2 * _STEPS)
        wide = [f"{name}blocks.{place}." for place in range(1, number, 2)]
    else:
        name = f"{start}input_hint_block."
        first, second = f"{name}0.weight", f"{name}2.weight"
        places = range(4, 4 * _STEPS, 4)
        known = [place for place in places if f"{name}{place}.bias" in shapes]
        wide = [f"{name}{place}." for place in range(4, max(known, default=0) + 1, 4)]
    widths = [common_size(shapes, (f"{key}weight", 0), (f"{key}bias", 0)) for key in wide]
    hint = common_size(shapes, (first, 1)) if first in shapes else 3
    return ControlNet(
        net, hint, (common_size(shapes, (first, 0), (second, 1), (second, 0)), *widths)
    )


def config(control: ControlNet) -> dict[str, Any]:
    """Arguments of diffusers' `ControlNetModel`."""
    found = kinds.config(control.net)
    for name in ("out_channels", "up_block_types"):
        del found[name]
    found["conditioning_channels"] = control.hint
    found["conditioning_embedding_out_channels"] = list(control.widths)
    return found


def _hint_widths(control: ControlNet) -> list[tuple[int, int]]:
    """Channels in and out of the hint's convolutions between the first and the last."""
    widths = control.widths
    found = []
    for before, after in pairwise(widths):
        found += [(before, before), (before, after)]
    return found


def _taps(net: UNet) -> list[int]:
    """Channels at each tap: the first convolution, each block, each sampler."""
    last = len(net.widths) - 1
    found = [net.widths[0]]
    for level, blocks in enumerate(down_blocks(net)):
        found += [block.out for block in blocks]
        if level < last:
            found.append(net.widths[level])
    return found


def _diffusers(control: ControlNet) -> Iterator[Pair]:
    net = control.net
    yield from diffusers_head(net)
    start = "controlnet_cond_embedding."
    yield from layer(f"{start}conv_in", control.widths[0], control.hint, 3, 3)
    for number, (inp, out) in enumerate(_hint_widths(control)):
        yield from layer(f"{start}blocks.{number}", out, inp, 3, 3)
    yield from layer(f"{start}conv_out", net.widths[0], control.widths[-1], 3, 3)
    last = len(net.widths) - 1
    for level, blocks in enumerate(down_blocks(net)):
        sampler = "downsamplers" if level < last else ""
        yield from diffusers_level(net, f"down_blocks.{level}", blocks, sampler, looks=False)
    for number, width in enumerate(_taps(net)):
        yield from layer(f"controlnet_down_blocks.{number}", width, width, 1, 1)
    yield from layer("controlnet_mid_block", net.widths[-1], net.widths[-1], 1, 1)
    yield from diffusers_middle(net)


def _ldm(control: ControlNet) -> Iterator[Pair]:
    net = control.net
    yield from ldm_head(net)
    yield from ldm_down(net)
    for number, width in enumerate(_taps(net)):
        yield from layer(f"zero_convs.{number}.0", width, width, 1, 1)
    yield from layer("input_hint_block.0", control.widths[0], control.hint, 3, 3)
    place = 2
    for inp, out in _hint_widths(control):
        yield from layer(f"input_hint_block.{place}", out, inp, 3, 3)
        place += 2
    yield from layer(f"input_hint_block.{place}", net.widths[0], control.widths[-1], 3, 3)
    yield from ldm_middle(net)
    yield from layer("middle_block_out.0", net.widths[-1], net.widths[-1], 1, 1)
