"""What a model file holds, from its headers alone; nothing that is read is ever executed."""

from __future__ import annotations

from mycloset.checkpoints.contents import Checkpoint, Finding, GlobalUse, TensorGroup
from mycloset.checkpoints.tensors import Storage, TensorEntry, TensorTable

__all__ = [
    "Checkpoint",
    "Finding",
    "GlobalUse",
    "Storage",
    "TensorEntry",
    "TensorGroup",
    "TensorTable",
]
