"""Pictures into a VGG, and its features and classes out; as torchvision publishes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mycloset.architectures.classification import ImageNetProcessing


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> ImageNetProcessing:
    """ImageNet's way: shorter side to 256, the middle 224 pixels, normalised."""
    return ImageNetProcessing(space=variant)
