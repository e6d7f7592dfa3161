"""Pictures into a SwinIR and the restored ones out, as its authors' main_test_swinir.py does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mycloset.architectures.reading import ratio
from mycloset.architectures.restoration import Restoration

TILE = 384
"""Attention takes more memory a pixel than convolutions do."""


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> Restoration:
    """RGB of 0..1, or luma for networks of one channel; mirrored to whole windows, beyond the size
    also where it has them."""
    folding = config.get("start_unshuffle", 1)
    return Restoration(
        scale=ratio(config["upscale"], folding),
        channels=config["in_chans"],
        multiple=config["window_size"] * folding,
        mirror="symmetric",
        beyond=not config.get("ape", False),
        tile=TILE,
        name=variant,
    )
