"""Virtual try-on: a photo of a person and of a garment in, that person wearing that garment out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["InferenceEngine", "ResultCache", "Step", "TryOnResult", "load_pipeline", "try_on"]

if TYPE_CHECKING:
    from mycloset.tryon.engine import InferenceEngine, try_on
    from mycloset.tryon.pipeline import load_pipeline
    from mycloset.tryon.result import TryOnResult
    from mycloset.tryon.result_cache import ResultCache
    from mycloset.tryon.step import Step


def __getattr__(name: str) -> Any:
    # Imported when first used, so that reading a pipeline does not import what runs it.
    if name in ("InferenceEngine", "try_on"):
        from mycloset.tryon import engine

        return getattr(engine, name)
    if name == "load_pipeline":
        from mycloset.tryon.pipeline import load_pipeline

        return load_pipeline
    if name == "TryOnResult":
        from mycloset.tryon.result import TryOnResult

        return TryOnResult
    if name == "ResultCache":
        from mycloset.tryon.result_cache import ResultCache

        return ResultCache
    if name == "Step":
        from mycloset.tryon.step import Step

        return Step
    raise AttributeError(f"module 'mycloset.tryon' has no attribute {name!r}")
