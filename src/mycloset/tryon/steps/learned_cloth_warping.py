"""Step 5 by the grid of the matching network: the garment as it says, at the photo's own size."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from mycloset.errors import PersonError
from mycloset.hub.loader import ModelLoader
from mycloset.tryon.chains import warped_of
from mycloset.tryon.learned import OtherWayError
from mycloset.tryon.state import TryOnState
from mycloset.tryon.step import StepOutput

FOLDED = 0.02
"""Share of the warp from which on folds are told."""


class LearnedClothWarpingStep:
    """The grid of CP-VTON's or VITON-HD's matching module, which the step before has made.

    No network runs here: the one that matched need not stay in memory for it.

    Args:
        family: whose grid serves.
        models: the user's folders; the step before has asked them.
    """

    name: ClassVar[str] = "cloth_warping"
    reads: ClassVar[tuple[str, ...]] = ("person_picture", "garment_picture", "matching")
    writes: ClassVar[tuple[str, ...]] = ("warped",)
    learned: ClassVar[bool] = True
    after: ClassVar[str] = "geometric_matching"

    def __init__(self, *, family: str, models: ModelLoader | None = None) -> None:
        self.family = family
        self._now = threading.local()  # runs on several threads may share the step

    def run(self, state: TryOnState) -> StepOutput:
        """Raises OtherWayError where another way matched; PersonError where nothing is seen."""
        assert state.matching
        warp = state.matching.warp
        if warp is None or state.matching.family != self.family:
            raise OtherWayError(f"{self.family}: another way matched the garment.")
        network = self._now.network = state.matching.network
        if not (warp.alpha > 0.5).any():
            raise PersonError(
                f"{state.person_picture.name}: the network warps the garment out of the picture.",
                hint="Give a photo of a person from the front, from the head to the hips or knees.",
            )
        folded = warp.folded
        notes: tuple[str, ...] = ()
        if folded > FOLDED:
            notes = (f"{folded:.0%} of the warp folds over itself; the pose may be too unusual.",)
        used = f"the grid of {network['name']} ({Path(network['file']).name})"
        return StepOutput({"warped": warped_of(warp)}, used, max(0.0, 1.0 - 5.0 * folded), notes)

    def model_info(self) -> Mapping[str, str]:
        """The network that matched."""
        unknown = {"kind": "model", "name": self.family, "licence": ""}
        network: Mapping[str, str] = getattr(self._now, "network", unknown)
        return network
