"""Step 7 by a restoration network: the changed part of the picture, sharpened by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import cv2
import numpy as np

from mycloset.errors import OptionError
from mycloset.hub.loader import ModelLoader
from mycloset.images import RGB
from mycloset.tasks.pictures import Image
from mycloset.tryon.embedded.finishing import finish
from mycloset.tryon.learned import LearnedWay
from mycloset.tryon.state import TryOnState
from mycloset.tryon.step import StepOutput

MARGIN = 32
"""Pixels around the changed part that the network sees as well."""


class LearnedPostProcessingStep:
    """The embedded finish, then the network on what was changed, at the photo's own size.

    Pixels outside the changed part stay the photo's, bit by bit.

    Args:
        family: whose networks serve.
        models: the user's folders.
        strength: 0..1, how much of the network's picture is taken.
    """

    name: ClassVar[str] = "post_processing"
    reads: ClassVar[tuple[str, ...]] = ("person_picture", "fitted")
    writes: ClassVar[tuple[str, ...]] = ("final",)
    learned: ClassVar[bool] = True

    def __init__(
        self, *, family: str, models: ModelLoader | None = None, strength: float = 0.8
    ) -> None:
        if not 0.0 <= strength <= 1.0:
            raise OptionError(f"post_processing: strength is {strength}.", hint="Give 0 to 1.")
        self._way = LearnedWay(self.name, family, models)
        self.ways = (self._way,)
        self._strength = strength

    def run(self, state: TryOnState) -> StepOutput:
        """Raises ModelFileError where no model can be used."""
        assert state.fitted
        model = self._way.model()
        picture = finish(state.person_picture.rgb, state.fitted, sharpen=0.25, grain=False)
        changed = state.fitted.changed
        rows, columns = np.nonzero(changed > 0)
        if rows.size:
            top, left = max(0, rows.min() - MARGIN), max(0, columns.min() - MARGIN)
            part = (slice(top, rows.max() + 1 + MARGIN), slice(left, columns.max() + 1 + MARGIN))
            restored: Image = model(picture[part])
            picture = picture.copy()
            picture[part] = _laid(picture[part], restored.rgb, self._strength * changed[part])
        return StepOutput({"final": picture}, self._way.used(), 1.0, self._way.notes())

    def model_info(self) -> Mapping[str, str]:
        """The restoration network."""
        return self._way.info()


def _laid(
    below: RGB, restored: RGB, alpha: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
) -> RGB:
    """The restored picture, at the size of the one below, blended in by `alpha`."""
    height, width = below.shape[:2]
    small = cv2.resize(restored, (width, height), interpolation=cv2.INTER_AREA)
    mixed = below + (small.astype(np.float32) - below) * alpha[..., None]
    found: RGB = np.where(alpha[..., None] > 0, mixed.round(), below).clip(0, 255).astype(np.uint8)
    return found
