"""What a model file holds, from its headers alone; nothing that is read is ever executed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mycloset.checkpoints.contents import Checkpoint, Finding, GlobalUse, TensorGroup
from mycloset.checkpoints.tensors import Storage, TensorEntry, TensorTable

__all__ = [
    "Checkpoint",
    "CheckpointAnalyzer",
    "Finding",
    "GlobalUse",
    "Storage",
    "TensorEntry",
    "TensorGroup",
    "TensorTable",
    "validate_checkpoint",
]

# The names that the design papers give them; they belong to a floor above.
if TYPE_CHECKING:
    from mycloset.inspection import CheckpointAnalyzer, validate_checkpoint


def __getattr__(name: str) -> Any:
    if name in ("CheckpointAnalyzer", "validate_checkpoint"):
        from mycloset import inspection

        return getattr(inspection, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
