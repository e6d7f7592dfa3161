"""Step 5 watched by a feature extractor: the embedded warp, and how much it keeps of a look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mycloset.hub.loader import ModelLoader
from mycloset.tryon.learned import LearnedWay
from mycloset.tryon.likeness import likeness, shown
from mycloset.tryon.state import TryOnState
from mycloset.tryon.step import StepOutput
from mycloset.tryon.steps.cloth_warping import ClothWarpingStep


class ExtractorClothWarpingStep:
    """Thin-plate splines as in the embedded way; its confidence is what a network's features say.

    Args:
        family: whose networks serve.
        models: the user's folders.
    """

    name: ClassVar[str] = "cloth_warping"
    reads: ClassVar[tuple[str, ...]] = ClothWarpingStep.reads
    writes: ClassVar[tuple[str, ...]] = ClothWarpingStep.writes
    learned: ClassVar[bool] = True

    def __init__(self, *, family: str, models: ModelLoader | None = None) -> None:
        self._way = LearnedWay(self.name, family, models)
        self.ways = (self._way,)
        self._splines = ClothWarpingStep()

    def run(self, state: TryOnState) -> StepOutput:
        """Raises PersonError as the embedded way; ModelFileError where no model can be used."""
        assert state.matching
        model = self._way.model()
        output = self._splines.run(state)
        warped = output.changes["warped"]
        flat = shown(state.garment_picture.rgb, state.matching.front)
        worn = shown(warped.rgb, warped.alpha)
        notes = (*output.notes, *self._way.notes())
        used = f"thin-plate splines, judged by {self._way.used()}"
        if flat is None or worn is None:
            return StepOutput(output.changes, used, output.confidence, notes)
        alike = max(0.0, likeness(model, flat, worn))
        told = f"The warped garment keeps {alike:.0%} of its look (cosine of features)."
        return StepOutput(output.changes, used, alike * output.confidence, (*notes, told))

    def model_info(self) -> Mapping[str, str]:
        """The feature extractor."""
        return self._way.info()
