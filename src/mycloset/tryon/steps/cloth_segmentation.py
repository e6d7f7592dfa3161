"""Step 3, cloth segmentation: the garment and its ground told apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mycloset.tryon.embedded.cloth_mask import segment_cloth
from mycloset.tryon.state import TryOnState
from mycloset.tryon.step import StepOutput


class ClothSegmentationStep:
    """Embedded way: a colour model of the ground, GrabCut, edges."""

    name: ClassVar[str] = "cloth_segmentation"
    reads: ClassVar[tuple[str, ...]] = ("garment_picture",)
    writes: ClassVar[tuple[str, ...]] = ("cloth_mask",)

    def run(self, state: TryOnState) -> StepOutput:
        """Raises GarmentError where no garment can be told from the ground."""
        mask, notes = segment_cloth(state.garment_picture)
        used = "colour model of the ground"
        if state.garment_picture.alpha is not None:
            used = "the picture's alpha channel"
        return StepOutput({"cloth_mask": mask}, used, mask.confidence, notes)

    def model_info(self) -> Mapping[str, str]:
        """No network serves this way."""
        return {"kind": "embedded", "name": "colour model and GrabCut", "licence": "Apache-2.0"}
