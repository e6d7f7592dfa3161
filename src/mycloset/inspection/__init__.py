"""The truth about model files: what each holds, which network it is, whether it is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = [
    "CheckpointAnalysis",
    "CheckpointAnalyzer",
    "FolderAnalysis",
    "Network",
    "Validation",
    "inspect",
    "validate_checkpoint",
]

if TYPE_CHECKING:
    from mycloset.inspection.analysis import CheckpointAnalyzer, inspect
    from mycloset.inspection.folders import FolderAnalysis
    from mycloset.inspection.integrity import Validation, validate_checkpoint
    from mycloset.inspection.results import CheckpointAnalysis, Network

_PLACES = {
    "CheckpointAnalysis": "results",
    "CheckpointAnalyzer": "analysis",
    "FolderAnalysis": "folders",
    "Network": "results",
    "Validation": "integrity",
    "inspect": "analysis",
    "validate_checkpoint": "integrity",
}


def __getattr__(name: str) -> Any:
    # One file is inspected without what only folders and checks need.
    if name in _PLACES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
