"""Why a model gets no memory, in words."""

from __future__ import annotations

from mycloset.errors import ModelFileError
from mycloset.hub.memory import told


class BudgetError(ModelFileError):
    """A model is larger than the memory that models may take, or than what is free of it."""


def too_large(what: object, size: int, room: int, device: str) -> BudgetError:
    """It takes more than there is in all."""
    return BudgetError(
        f"{what}: it takes {told(size)}, more than the {told(room)} for models on {device}.",
        hint="Give more memory, or a lower precision.",
    )


def no_room(
    what: object, size: int, room: int, device: str, *, staying: int, lingering: int
) -> BudgetError:
    """It takes more than can be had now: `staying` bytes may not leave, `lingering` have left but
    are still held by the program."""
    reasons = []
    if staying or not lingering:
        reasons.append(f"{told(staying)} are pinned or in use")
    if lingering:
        reasons.append(f"{told(lingering)} were let go of, but your program still holds them")
    return BudgetError(
        f"{what}: it takes {told(size)}; of the {told(room)} for models on {device},"
        f" {' and '.join(reasons)}.",
        hint="Give more memory, or wait until less is in use.",
    )
