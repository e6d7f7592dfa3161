"""The truth about model files: what each holds, which network it is, whether it is whole."""

from __future__ import annotations

from mycloset.inspection.analysis import CheckpointAnalyzer, inspect
from mycloset.inspection.folders import FolderAnalysis
from mycloset.inspection.integrity import Validation, validate_checkpoint
from mycloset.inspection.results import CheckpointAnalysis, Network

__all__ = [
    "CheckpointAnalysis",
    "CheckpointAnalyzer",
    "FolderAnalysis",
    "Network",
    "Validation",
    "inspect",
    "validate_checkpoint",
]
