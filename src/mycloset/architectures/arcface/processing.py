"""Straightened faces into ArcFace, embeddings out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mycloset.architectures.face_recognition import FaceRecognitionProcessing


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> FaceRecognitionProcessing:
    """RGB of the size that the last layer was made for (112 for all published), to -1..1."""
    return FaceRecognitionProcessing(
        space=f"{variant} ({layout})", size=config.get("input_size") or 112
    )
