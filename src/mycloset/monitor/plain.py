"""Values that cross the border: checked when they come in, plain when they go out."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mycloset.errors import OptionError


def plain(value: Any) -> Any:
    """Dataclasses, mappings and sequences as what `json.dumps` takes."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: plain(getattr(value, field.name)) for field in fields}
    if isinstance(value, Mapping):
        return {str(key): plain(held) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(held) for held in value]
    return str(value) if isinstance(value, Path) else value


def finite(what: str, value: float) -> float:
    """`value` as a float.

    Raises:
        OptionError: it is no number, NaN or infinite.
    """
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise OptionError(f"{what}: {value!r} is no number.", hint="Give a number.") from error
    if not math.isfinite(number):
        raise OptionError(f"{what}: {number} is not finite.", hint="Give a finite number.")
    return number


def not_negative(what: str, value: float) -> float:
    """`value` as a float.

    Raises:
        OptionError: it is not finite, or below 0.
    """
    number = finite(what, value)
    if number < 0:
        raise OptionError(f"{what}: {value} is below 0.", hint="Give 0 or more.")
    return number


def positive(what: str, value: float) -> float:
    """`value` as a float.

    Raises:
        OptionError: it is not finite, or not above 0.
    """
    number = finite(what, value)
    if number <= 0:
        raise OptionError(f"{what}: {value} is not above 0.", hint="Give more than 0.")
    return number


def whole(what: str, value: int) -> int:
    """`value`, a count.

    Raises:
        OptionError: it is no whole number, or not above 0.
    """
    if not isinstance(value, int) or value < 1:
        raise OptionError(f"{what}: {value!r} is no count.", hint="Give 1 or more.")
    return value


def checked_values(values: Mapping[str, float]) -> dict[str, float]:
    """Recorded values by name.

    Raises:
        OptionError: one is not finite, or an accuracy is outside 0 to 1.
    """
    checked = {name: finite(name, value) for name, value in values.items()}
    accuracy = checked.get("accuracy", 0.0)
    if not 0 <= accuracy <= 1:
        raise OptionError(f"accuracy: {accuracy} is outside 0 to 1.", hint="Give a share.")
    return checked
