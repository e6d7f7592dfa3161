"""How good a try-on came out: parts that were measured, a grade, and what to do better."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Grade = Literal["A", "B", "C", "D", "E", "F"]

GRADE_FLOORS: tuple[tuple[Grade, float], ...] = (
    ("A", 0.90), ("B", 0.80), ("C", 0.65), ("D", 0.50), ("E", 0.35), ("F", 0.0),
)  # fmt: skip
"""Lowest score of each grade, best first."""

VITAL_MARGIN = 0.15
"""How far the whole may lie above its worst vital part: about one grade."""


@dataclass(frozen=True)
class QualityPart:
    """One measured aspect of a result.

    Attributes:
        name: `identity`, `coverage`, `colour`, ...
        value: what was measured, in `unit`; None where it could not be measured.
        unit: `%`, `ΔE00`, `SSIM`, ...
        score: 0 (unusable) .. 1 (nothing to see); None where value is None.
        weight: share of the whole, 0..1; the weights of all parts sum to 1. The weight of a part
            that could not be measured is shared out among the others.
        meaning: what the value says, or why there is none, in plain language.
        vital: whether the whole can be no better than this part allows.
    """

    name: str
    value: float | None
    unit: str
    score: float | None
    weight: float
    meaning: str
    vital: bool = False


@dataclass(frozen=True)
class QualityReport:
    """The judgement of a result.

    Attributes:
        score: 0..1, the weighted sum of the measured parts, capped by the worst vital one.
        grade: the letter for `score`, by GRADE_FLOORS.
        parts: what was measured, in a fixed order.
        recommendations: what to do for a better result, most important first.
    """

    score: float
    grade: Grade
    parts: tuple[QualityPart, ...]
    recommendations: tuple[str, ...]

    def part(self, name: str) -> QualityPart:
        """A part by name; KeyError where the report has none of that name."""
        for part in self.parts:
            if part.name == name:
                return part
        raise KeyError(f"the quality report has no part {name!r}")

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, strings, floats and None, ready for JSON."""
        found = asdict(self)
        found["parts"] = list(found["parts"])
        found["recommendations"] = list(found["recommendations"])
        return found


def grade_of(score: float) -> Grade:
    """The letter for a score of 0..1."""
    for letter, floor in GRADE_FLOORS:
        if score >= floor:
            return letter
    return "F"


def weigh(parts: Iterable[QualityPart], recommendations: Iterable[str] = ()) -> QualityReport:
    """Sum up parts to a report.

    The score is the mean of the measured parts' scores by weight, and at most VITAL_MARGIN above
    the worst vital part: a picture of the wrong colour is not saved by its fine seams.

    Raises:
        ValueError: not one part was measured.
    """
    parts = tuple(parts)
    measured = [(part.score, part.weight) for part in parts if part.score is not None]
    total = sum(weight for _, weight in measured)
    if total <= 0:
        raise ValueError("a quality report needs at least one measured part with a weight")
    score = sum(score * weight for score, weight in measured) / total
    vital = [part.score for part in parts if part.vital and part.score is not None]
    if vital:
        score = min(score, min(vital) + VITAL_MARGIN)
    return QualityReport(score, grade_of(score), parts, tuple(recommendations))
