"""Which network it is: one folder a family, and what they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["KeyMapper", "ModelFactory"]

if TYPE_CHECKING:
    from mycloset.architectures.factory import ModelFactory
    from mycloset.architectures.keymapper import KeyMapper


def __getattr__(name: str) -> Any:
    # Imported when first used: recognition needs neither.
    if name == "KeyMapper":
        from mycloset.architectures.keymapper import KeyMapper

        return KeyMapper
    if name == "ModelFactory":
        from mycloset.architectures.factory import ModelFactory

        return ModelFactory
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
