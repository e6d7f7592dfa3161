"""Faces into a GFPGAN and restored ones out, alone or put back into their picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mycloset.architectures.face_restoration import FaceRestoration


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> FaceRestoration:
    """RGB of -1..1, faces where those of FFHQ are."""
    return FaceRestoration(side=config["out_size"], name=variant)
