"""Measurements of a body in centimetres, each with where it comes from and how uncertain it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Origin(StrEnum):
    """Where a measurement comes from."""

    GIVEN = "given"
    ESTIMATED = "estimated"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Measurement:
    """One measurement.

    Attributes:
        name: `height`, `shoulder_breadth`, `arm_length`, `torso_length`, `inseam`, `chest`,
            `waist` or `hip` (the last three are circumferences).
        cm: centimetres; None where it is unknown.
        plus_minus_cm: one standard deviation of the error; 0 for what the user gave; None with cm.
        origin: given by the user, estimated from the picture, or unknown.
        note: how it was estimated, or why it could not be.
    """

    name: str
    cm: float | None
    plus_minus_cm: float | None
    origin: Origin
    note: str


@dataclass(frozen=True)
class BodyMeasurements:
    """What is known of a body's size.

    Attributes:
        items: the measurements, in a fixed order.
        cm_per_pixel: size of a pixel at the body's distance; None where no scale is known.
        scale_error: relative standard deviation of `cm_per_pixel`; None with it.
        scale_from: what the scale was taken from.
        bmi: kilograms per square metre, where height and weight are given.
        notes: what does not fit together, and assumptions, in plain language.
    """

    items: tuple[Measurement, ...]
    cm_per_pixel: float | None
    scale_error: float | None
    scale_from: str
    bmi: float | None
    notes: tuple[str, ...]

    def item(self, name: str) -> Measurement:
        """A measurement by name; KeyError where there is none of that name."""
        for found in self.items:
            if found.name == name:
                return found
        raise KeyError(f"there is no measurement {name!r}")

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, strings, floats and None, ready for JSON."""
        found = asdict(self)
        found["items"] = [{**item, "origin": str(item["origin"])} for item in found["items"]]
        found["notes"] = list(found["notes"])
        return found
