"""Step 8 with a perceptual network: the embedded measures, and what it says beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from mycloset.hub.loader import ModelLoader
from mycloset.hub.model import Model
from mycloset.tasks.distances import Distance
from mycloset.tasks.quality import QualityPart
from mycloset.tryon.learned import LearnedWay
from mycloset.tryon.likeness import likeness, shown
from mycloset.tryon.state import TryOnState
from mycloset.tryon.step import StepOutput
from mycloset.tryon.steps.quality_assessment import QualityAssessmentStep

FAR = 0.7
"""LPIPS of pictures that have little in common."""


class LearnedQualityAssessmentStep:
    """How alike the garment's picture and the garment in the result look to a network.

    The grade stays the embedded measures': the network's part has no weight in it.

    Args:
        family: whose networks serve.
        models: the user's folders.
    """

    name: ClassVar[str] = "quality_assessment"
    reads: ClassVar[tuple[str, ...]] = QualityAssessmentStep.reads
    writes: ClassVar[tuple[str, ...]] = QualityAssessmentStep.writes
    learned: ClassVar[bool] = True

    def __init__(self, *, family: str, models: ModelLoader | None = None) -> None:
        self._way = LearnedWay(self.name, family, models)
        self.ways = (self._way,)
        self._measures = QualityAssessmentStep()

    def run(self, state: TryOnState) -> StepOutput:
        """Raises ModelFileError where no model can be used."""
        model = self._way.model()
        output = self._measures.run(state)
        report = output.changes["quality"]
        part = garment_part(model, state)
        changes = {**output.changes, "quality": replace(report, parts=(*report.parts, part))}
        used = f"{output.used}, and {self._way.used()}"
        return StepOutput(changes, used, output.confidence, (*output.notes, *self._way.notes()))

    def model_info(self) -> Mapping[str, str]:
        """The perceptual network."""
        return self._way.info()


def garment_part(model: Model, state: TryOnState) -> QualityPart:
    """The garment's picture against the garment in the result, by one network."""
    assert state.cloth_mask
    assert state.fitted
    assert state.final is not None
    name = f"garment_{model.info.family}"
    flat = shown(state.garment_picture.rgb, state.cloth_mask.alpha)
    worn = shown(state.final, state.fitted.garment)
    if flat is None or worn is None:
        return QualityPart(name, None, "", None, 0.0, "Nothing of the garment is seen.")
    if model.info.family == "lpips":
        distance: Distance = model(flat, worn)
        score = min(1.0, max(0.0, 1.0 - distance.value / FAR))
        told = f"{distance.measure} between the garment's picture and the garment as worn."
        return QualityPart(name, distance.value, "LPIPS", score, 0.0, told)
    alike = likeness(model, flat, worn)
    told = f"Features of {model.info.title}: the garment's picture and the garment as worn."
    return QualityPart(name, alike, "cosine", min(1.0, max(0.0, alike)), 0.0, told)
