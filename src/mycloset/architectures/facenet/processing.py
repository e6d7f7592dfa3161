"""Faces into FaceNet, embeddings out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mycloset.architectures.face_recognition import FaceRecognitionProcessing


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> FaceRecognitionProcessing:
    """RGB of 160 pixels, (x - 127.5) / 128.

    It was trained on faces cut out by their box alone (`box=`, as MTCNN gives it), not
    straightened; `landmarks=` straightens them by ArcFace's template all the same.
    """
    return FaceRecognitionProcessing(space=f"facenet {variant}", size=160, scale=128.0)
