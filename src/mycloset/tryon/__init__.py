"""Virtual try-on: a photo of a person and of a garment in, that person wearing that garment out."""

from mycloset.tryon.engine import InferenceEngine, try_on
from mycloset.tryon.pipeline import load_pipeline
from mycloset.tryon.result import TryOnResult
from mycloset.tryon.result_cache import ResultCache
from mycloset.tryon.step import Step

__all__ = ["InferenceEngine", "ResultCache", "Step", "TryOnResult", "load_pipeline", "try_on"]
