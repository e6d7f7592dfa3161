"""Straightened faces into MobileFaceNet, embeddings out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mycloset.architectures.face_recognition import FaceRecognitionProcessing


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> FaceRecognitionProcessing:
    """RGB of 112 pixels (16 for each that the last convolution covers), to -1..1."""
    return FaceRecognitionProcessing(
        space=f"mobilefacenet {variant} ({layout})", size=16 * config["kernel"]
    )
