"""Pictures into an RRDB network and the enlarged ones out, as Real-ESRGAN publishes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mycloset.architectures.restoration import Restoration


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> Restoration:
    """RGB of 0..1, mirrored at the right and below to whole squares that are folded."""
    folding = int(config.get("pixel_unshuffle", 1))
    channels = config["num_in_ch"] if "num_in_ch" in config else config["in_nc"] // folding**2
    return Restoration(scale=config["scale"], channels=channels, multiple=folding, name=variant)
