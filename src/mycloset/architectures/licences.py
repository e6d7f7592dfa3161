"""What a licence's words say of commercial use."""

from __future__ import annotations

_WORDS = ("non-commercial", "noncommercial", "by-nc", "research only", "academic")


def forbids_commerce(licence: str) -> bool:
    """Whether a licence, as a family states it, forbids commercial use of the weights."""
    return any(word in licence.lower() for word in _WORDS)
