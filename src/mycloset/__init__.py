"""What model files really are, and try-on from two photos, on an ordinary CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "CheckpointAnalysis",
    "CheckpointAnalyzer",
    "Model",
    "TryOnResult",
    "__version__",
    "inspect",
    "load",
    "try_on",
    "validate_checkpoint",
]

if TYPE_CHECKING:
    from mycloset.hub.loading import load
    from mycloset.hub.model import Model
    from mycloset.inspection import CheckpointAnalysis, CheckpointAnalyzer, validate_checkpoint
    from mycloset.inspection.analysis import inspect
    from mycloset.tryon import TryOnResult, try_on


def __getattr__(name: str) -> Any:
    # The verbs are imported when first used, so that `import mycloset` costs nothing.
    if name in ("try_on", "TryOnResult"):
        from mycloset import tryon

        return getattr(tryon, name)
    if name == "Model":
        from mycloset.hub.model import Model

        return Model
    if name == "load":
        from mycloset.hub.loading import load

        return load
    if name in ("CheckpointAnalysis", "CheckpointAnalyzer", "inspect", "validate_checkpoint"):
        from mycloset import inspection

        return getattr(inspection, name)
    raise AttributeError(f"module 'mycloset' has no attribute {name!r}")
