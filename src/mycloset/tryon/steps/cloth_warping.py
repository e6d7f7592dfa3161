"""Step 5, cloth warping: the garment bent onto the body, each sleeve along its arm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mycloset.errors import PersonError
from mycloset.tryon.embedded.warp import warp_garment
from mycloset.tryon.state import TryOnState
from mycloset.tryon.step import StepOutput


class ClothWarpingStep:
    """Embedded way: thin-plate splines (Bookstein 1989), one a part."""

    name: ClassVar[str] = "cloth_warping"
    reads: ClassVar[tuple[str, ...]] = ("person_picture", "garment_picture", "matching")
    writes: ClassVar[tuple[str, ...]] = ("warped",)

    def run(self, state: TryOnState) -> StepOutput:
        """Raises PersonError where all of the garment would lie outside the photo."""
        assert state.matching
        size = state.person_picture.rgb.shape[:2]
        warped, folded = warp_garment(state.garment_picture.rgb, state.matching, size)
        if not (warped.alpha > 0.5).any():
            raise PersonError(
                f"{state.person_picture.name}: the part of the body that the garment "
                f"({state.matching.shape.category}) dresses lies outside the picture.",
                hint="Give a photo that shows more of the person.",
            )
        notes: tuple[str, ...] = ()
        if folded > 0.02:
            notes = (f"{folded:.0%} of the warp folds over itself; the pose may be too unusual.",)
        sure = max(0.0, 1.0 - 5.0 * folded)
        return StepOutput({"warped": warped}, "thin-plate splines", sure, notes)

    def model_info(self) -> Mapping[str, str]:
        """No network serves this way."""
        return {"kind": "embedded", "name": "thin-plate splines", "licence": "Apache-2.0"}
