"""Step 8, quality assessment: how good the result is, measured on its own pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mycloset.tryon.embedded.measurements import measure_body
from mycloset.tryon.embedded.quality import assess
from mycloset.tryon.state import BodyFigures, TryOnState
from mycloset.tryon.step import StepOutput


class QualityAssessmentStep:
    """Embedded way: measured parts, a grade, recommendations.

    Where the user told a figure of the person, also the body's other measurements.
    """

    name: ClassVar[str] = "quality_assessment"
    reads: ClassVar[tuple[str, ...]] = (
        "person_picture", "garment_picture", "person", "parsing", "pose", "cloth_mask",
        "matching", "warped", "fitted", "final",
    )  # fmt: skip
    writes: ClassVar[tuple[str, ...]] = ("quality", "measurements")

    def run(self, state: TryOnState) -> StepOutput:
        """Assess the result; measure the body if a figure of it is known."""
        report = assess(state)
        changes: dict[str, Any] = {"quality": report}
        if state.figures != BodyFigures():
            assert state.person
            changes["measurements"] = measure_body(state.person, state.figures)
        return StepOutput(changes, "measures on the pictures", 1.0, report.recommendations)

    def model_info(self) -> Mapping[str, str]:
        """No network serves this way."""
        return {"kind": "embedded", "name": "pixel measures", "licence": "Apache-2.0"}
