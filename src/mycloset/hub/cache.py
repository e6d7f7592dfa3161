"""Where fetched files live on this machine, and whether they are still what they were."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """The cache folder: `MYCLOSET_HOME`, or the platform's place for caches."""
    chosen = os.environ.get("MYCLOSET_HOME")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("mycloset"))


def models() -> Path:
    """The folder of model files; one folder in it a published collection."""
    return home() / "models"


def embedded_file(name: str) -> Path:
    """The file of an embedded network by its name."""
    return models() / "mediapipe-0.10.21" / f"{name}.tflite"
