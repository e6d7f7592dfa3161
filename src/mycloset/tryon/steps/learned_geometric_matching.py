"""Step 4 by a matching network: where each pixel of the dressed person lies in the garment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mycloset.hub.loader import ModelLoader
from mycloset.tasks.warps import Warp
from mycloset.tryon.chains import (
    MATCHING,
    SEGMENTATION,
    figure_of,
    given_of,
    matching_of,
    shape_of,
)
from mycloset.tryon.learned import LearnedWay
from mycloset.tryon.state import TryOnState
from mycloset.tryon.step import StepOutput


class LearnedGeometricMatchingStep:
    """The geometric matching module of CP-VTON or VITON-HD.

    VITON-HD's is told where the garment will be; its segmentation generator foresees that first.

    Args:
        family: whose networks serve.
        models: the user's folders.
        seed: of the noise that the segmentation generator gets.
    """

    name: ClassVar[str] = "geometric_matching"
    reads: ClassVar[tuple[str, ...]] = (
        "person_picture", "garment_picture", "parsing", "pose", "cloth_mask",
    )  # fmt: skip
    writes: ClassVar[tuple[str, ...]] = ("category", "figure", "matching")
    learned: ClassVar[bool] = True

    def __init__(self, *, family: str, models: ModelLoader | None = None, seed: int = 0) -> None:
        self.family = family
        self._seed = seed
        self._way = LearnedWay(self.name, family, models, MATCHING[family])
        self._foresight = (
            LearnedWay(self.name, family, models, SEGMENTATION[family])
            if family in SEGMENTATION
            else None
        )
        self.ways = tuple(way for way in (self._way, self._foresight) if way is not None)

    def run(self, state: TryOnState) -> StepOutput:
        """Raises ModelFileError where no model can be used, or the garment is none for it."""
        shape = shape_of(state, self._way.title())
        model = self._way.model()
        foresight = self._foresight.model() if self._foresight else None
        pictures = state.person_picture.rgb, state.garment_picture.rgb
        given: dict[str, Any] = given_of(state) | {"cloth_mask": state.cloth_mask}
        dressed = None
        used = self._way.used()
        if foresight is not None:
            assert self._foresight
            dressed = foresight(*pictures, **given, seed=self._seed)
            given["dressed"] = dressed
            used = f"{self._foresight.used()}, {used}"
        warp: Warp = model(*pictures, **given)
        notes = list(self._way.notes())
        if state.category is None:
            notes.append(f"The garment was read as {shape.category} from its shape.")
        changes = {
            "category": shape.category,
            "figure": figure_of(state),
            "matching": matching_of(state, shape, warp, self.model_info(), dressed),
        }
        return StepOutput(changes, used, max(0.0, 1.0 - 5.0 * warp.folded), tuple(notes))

    def model_info(self) -> Mapping[str, str]:
        """The matching network."""
        return self._way.info()
