"""Pictures and prompts into MobileSAM, masks out; as Segment Anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mycloset.architectures.sam.processing import SamProcessing


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> SamProcessing:
    """How a MobileSAM is used."""
    return SamProcessing()
