"""The modules that a LoRA may change: weights of the known bases under flat names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from mycloset.architectures.family import Shape
from mycloset.architectures.latent_diffusion import unet
from mycloset.architectures.latent_diffusion.kinds import PUBLISHED
from mycloset.architectures.latent_diffusion.text_encoders import CLIP_L, TextTower
from mycloset.architectures.latent_diffusion.text_encoders import tensors as tower_tensors

_TOWER_H = TextTower("transformers", 49408, 77, 1024, 4096, 23, None)
_TOWER_BIGG = TextTower("transformers", 49408, 77, 1280, 5120, 32, 1280)


class Base(NamedTuple):
    """A base that LoRAs are trained for.

    Attributes:
        name: "sd15", "sd21", "sdxl".
        towers: its text towers by the prefixes that trainers give them.
    """

    name: str
    towers: tuple[tuple[str, TextTower], ...]

    @property
    def title(self) -> str:
        """The name for people."""
        return PUBLISHED[self.name][0]

    @property
    def modules(self) -> Mapping[str, Shape]:
        """Shape of the weight by flat name: "unet_…" in both namings, "te_…", "te1_…", "te2_…"."""
        return _table(self)


BASES = (
    Base("sd15", (("te", CLIP_L),)),
    Base("sd21", (("te", _TOWER_H),)),
    Base("sdxl", (("te", CLIP_L), ("te1", CLIP_L), ("te2", _TOWER_BIGG))),
)


@cache
def _table(base: Base) -> Mapping[str, Shape]:
    return dict(_modules(base))


def _modules(base: Base) -> Iterator[tuple[str, Shape]]:
    net = PUBLISHED[base.name][1]
    for naming in ("diffusers", "ldm"):
        for key, shape in unet.tensors(net, "ldm" if naming == "ldm" else "diffusers").items():
            if key.endswith(".weight") and len(shape) > 1:
                yield "unet_" + key[:-7].replace(".", "_"), shape
    for start, tower in base.towers:
        for key, shape in tower_tensors(tower).items():
            if key.endswith(".weight") and len(shape) > 1:
                yield f"{start}_{key[:-7].replace('.', '_')}", shape


def _marked() -> Iterator[str]:
    """Transformers of SD's and SDXL's UNets, in diffusers' and LDM's names."""
    for way, levels, blocks in (("down", "0123", "01"), ("up", "0123", "012")):
        for level in levels:
            for block in blocks:
                yield f"{way}_blocks.{level}.attentions.{block}"
    yield "mid_block.attentions.0"
    for number in (1, 2, 4, 5, 7, 8):
        yield f"input_blocks.{number}.1"
    yield "middle_block.1"
    for number in range(12):
        yield f"output_blocks.{number}.1"


MARKED: tuple[str, ...] = tuple(
    f"{name}.transformer_blocks.0.{attention}"
    for name in _marked()
    for attention in ("attn1.to_q", "attn2.to_k")
)
"""Attentions of which a LoRA of a UNet nearly always changes some."""
