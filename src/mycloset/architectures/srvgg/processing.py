"""Pictures into SRVGGNetCompact and the enlarged ones out, as Real-ESRGAN publishes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mycloset.architectures.restoration import Restoration


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> Restoration:
    """RGB of 0..1, of any size."""
    return Restoration(scale=config["upscale"], channels=config["num_in_ch"], name=variant)
