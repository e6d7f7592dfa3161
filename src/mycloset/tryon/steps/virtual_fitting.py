"""Step 6, virtual fitting: the old garment goes, the new one comes, in the light of the photo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mycloset.tryon.embedded.fitting import FittingInput, fit
from mycloset.tryon.state import TryOnState
from mycloset.tryon.step import StepOutput


class VirtualFittingStep:
    """Embedded way: layers, inpainting, and the old garment's light and folds."""

    name: ClassVar[str] = "virtual_fitting"
    reads: ClassVar[tuple[str, ...]] = (
        "person_picture", "person", "parsing", "figure", "category", "warped",
    )  # fmt: skip
    writes: ClassVar[tuple[str, ...]] = ("fitted",)

    def run(self, state: TryOnState) -> StepOutput:
        """Compose the picture."""
        assert state.person
        assert state.parsing
        assert state.figure
        assert state.category
        assert state.warped
        given = FittingInput(
            state.person_picture.rgb,
            state.person.mask.alpha,
            state.parsing,
            state.figure,
            state.warped,
            state.category,
        )
        fitted, light = fit(given)
        notes = []
        if not state.figure.tone_seen:
            notes.append("No skin is seen in the photo; uncovered skin has a typical colour.")
        sure = 0.5 + 0.5 * light.broad
        return StepOutput({"fitted": fitted}, "layers in Lab", sure, tuple(notes))

    def model_info(self) -> Mapping[str, str]:
        """No network serves this way."""
        return {"kind": "embedded", "name": "layered composition", "licence": "Apache-2.0"}
