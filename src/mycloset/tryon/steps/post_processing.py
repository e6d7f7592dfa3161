"""Step 7, post-processing: seams blended, detail restored, at the photo's own size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mycloset.errors import OptionError
from mycloset.tryon.embedded.finishing import finish
from mycloset.tryon.state import TryOnState
from mycloset.tryon.step import StepOutput


class PostProcessingStep:
    """Embedded way.

    Args:
        sharpen: 0..1, how much the garment's fine detail is raised (0.25 undoes the warp's blur).
        grain: whether the garment gets the photo's own grain.
    """

    name: ClassVar[str] = "post_processing"
    reads: ClassVar[tuple[str, ...]] = ("person_picture", "fitted")
    writes: ClassVar[tuple[str, ...]] = ("final",)

    def __init__(self, *, sharpen: float = 0.25, grain: bool = True) -> None:
        if not 0.0 <= sharpen <= 1.0:
            raise OptionError(f"post_processing: sharpen is {sharpen}.", hint="Give 0 to 1.")
        self._sharpen, self._grain = sharpen, grain

    def run(self, state: TryOnState) -> StepOutput:
        """Finish the picture; pixels outside the changed region stay as they are."""
        assert state.fitted
        final = finish(
            state.person_picture.rgb, state.fitted, sharpen=self._sharpen, grain=self._grain
        )
        return StepOutput({"final": final}, "seam blending and detail", 1.0)

    def model_info(self) -> Mapping[str, str]:
        """No network serves this way."""
        return {"kind": "embedded", "name": "seam blending", "licence": "Apache-2.0"}
