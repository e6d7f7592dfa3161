"""The hub: "give me that model, now", from the user's folders, within a budget of memory."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mycloset.hub.loader import ModelLoader as ModelLoader
    from mycloset.hub.model import Model as Model
    from mycloset.hub.residency import Residency as Residency
    from mycloset.hub.shelf import Shelf as Shelf

# Imported on first use: a shelf needs none of what a loader does.
_PLACES = {"ModelLoader": "loader", "Model": "model", "Residency": "residency", "Shelf": "shelf"}


def __getattr__(name: str) -> object:
    if name in _PLACES:
        return getattr(importlib.import_module(f"mycloset.hub.{_PLACES[name]}"), name)
    raise AttributeError(f"module 'mycloset.hub' has no attribute {name!r}")
