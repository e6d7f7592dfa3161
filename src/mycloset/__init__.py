"""MyCloset dresses the person of one photo in the garment of another, and says how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["TryOnResult", "__version__", "try_on"]

if TYPE_CHECKING:
    from mycloset.tryon import TryOnResult, try_on


def __getattr__(name: str) -> Any:
    # The verbs are imported when first used, so that `import mycloset` costs nothing.
    if name in ("try_on", "TryOnResult"):
        from mycloset import tryon

        return getattr(tryon, name)
    raise AttributeError(f"module 'mycloset' has no attribute {name!r}")
