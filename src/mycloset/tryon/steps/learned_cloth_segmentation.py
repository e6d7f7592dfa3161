"""Step 3 by a segmentation network: the garment's pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from mycloset.errors import GarmentError
from mycloset.hub.loader import ModelLoader
from mycloset.images import Picture
from mycloset.tasks.masks import Mask, Masks
from mycloset.tasks.parsing import HumanParsing
from mycloset.tryon.learned import LearnedWay
from mycloset.tryon.state import TryOnState
from mycloset.tryon.step import StepOutput

PROMPTED = frozenset({"sam", "mobile_sam"})
"""Families that are shown where to look."""

LEAST = 0.005
"""Share of the picture that a garment covers at least."""

SUBJECT = (0.1, 0.1, 0.9, 0.9)
"""Where the garment of a shop's photo lies: the box that a prompted network is given."""


class LearnedClothSegmentationStep:
    """A network's mask of the garment; the picture's own alpha channel where it has one.

    Args:
        family: whose networks serve.
        models: the user's folders.
    """

    name: ClassVar[str] = "cloth_segmentation"
    reads: ClassVar[tuple[str, ...]] = ("garment_picture",)
    writes: ClassVar[tuple[str, ...]] = ("cloth_mask",)
    learned: ClassVar[bool] = True

    def __init__(self, *, family: str, models: ModelLoader | None = None) -> None:
        self._way = LearnedWay(self.name, family, models)
        self.ways = (self._way,)

    def run(self, state: TryOnState) -> StepOutput:
        """Raises GarmentError where no garment is seen; ModelFileError where no model works."""
        model = self._way.model()
        picture = state.garment_picture
        height, width = picture.rgb.shape[:2]
        options: dict[str, Any] = {}
        if model.info.family in PROMPTED:
            box = np.array(SUBJECT, np.float32) * (width, height, width, height)
            options = {"boxes": box[None]}
        mask = garment_mask(model(picture.rgb, **options))
        if mask.area < LEAST:
            raise GarmentError(
                f"{picture.name}: {self._way.used()} sees no garment in it.",
                hint="Give a photo of one garment on a plain ground.",
            )
        return StepOutput(
            {"cloth_mask": _own_alpha(mask, picture)},
            self._way.used(),
            mask.confidence,
            self._way.notes(),
        )

    def model_info(self) -> Mapping[str, str]:
        """The segmentation network."""
        return self._way.info()


def garment_mask(found: Mask | Masks | HumanParsing) -> Mask:
    """The garment in what a network found: every class but the ground, or the best mask."""
    if isinstance(found, HumanParsing):
        alpha = (found.labels > 0).astype(np.float32)
        return Mask(alpha, found.confidence)
    return found.best if isinstance(found, Masks) else found


def _own_alpha(mask: Mask, picture: Picture) -> Mask:
    """The mask, within the picture's own alpha channel where it has one."""
    if picture.alpha is None:
        return mask
    return Mask(np.minimum(mask.alpha, picture.alpha).astype(np.float32), mask.confidence)
