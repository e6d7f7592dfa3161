"""Step 6 by a try-on network: the person in the garment, as it paints them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mycloset.hub.loader import ModelLoader
from mycloset.tasks.garments import Category
from mycloset.tasks.warps import Rendering
from mycloset.tryon.chains import FITTING, SEGMENTATION, fitting_of, given_of, warp_in
from mycloset.tryon.learned import LearnedWay, UnsuitedError
from mycloset.tryon.state import TryOnState
from mycloset.tryon.step import StepOutput


class LearnedVirtualFittingStep:
    """The try-on module of CP-VTON, or VITON-HD's ALIAS generator.

    Args:
        family: whose networks serve.
        models: the user's folders.
        seed: of the generator's noise (VITON-HD).
        repaint: keep the photo's own pixels but where the garment changes it; else all of the
            network's picture is taken, as published.
    """

    name: ClassVar[str] = "virtual_fitting"
    reads: ClassVar[tuple[str, ...]] = ("person_picture", "parsing", "pose", "category", "warped")
    writes: ClassVar[tuple[str, ...]] = ("fitted",)
    learned: ClassVar[bool] = True

    def __init__(
        self,
        *,
        family: str,
        models: ModelLoader | None = None,
        seed: int = 0,
        repaint: bool = True,
    ) -> None:
        self.family = family
        self._seed = seed
        self._repaint = repaint
        self._way = LearnedWay(self.name, family, models, FITTING[family])
        self.ways = (self._way,)
        # VITON-HD's generator is told what its segmentation generator foresaw in matching.
        self.after = "geometric_matching" if family in SEGMENTATION else ""

    def run(self, state: TryOnState) -> StepOutput:
        """Raises ModelFileError where no model can be used, or it lacks what it is to be told."""
        title = self._way.title()
        if state.category is not Category.UPPER:
            raise UnsuitedError(f"{title} dresses tops, and the garment is {state.category}.")
        warp = warp_in(state)
        given: dict[str, Any] = given_of(state) | {"warp": warp}
        if self.after:
            dressed = state.matching.dressed if state.matching is not None else None
            if dressed is None:
                raise UnsuitedError(
                    f"{title} is told what VITON-HD's segmentation generator foresees,"
                    " and that did not serve in geometric matching."
                )
            given |= {"dressed": dressed, "seed": self._seed}
        model = self._way.model()
        rendering: Rendering = model(state.person_picture.rgb, **given)
        fitted = fitting_of(state, rendering, warp, repaint=self._repaint)
        height, width = rendering.frame.shape[:2]
        across = rendering.box[2] - rendering.box[0]
        notes = list(self._way.notes())
        if across > 1.5 * width:
            notes.append(
                f"The network paints {width} x {height} pixels,"
                f" enlarged {across / width:.1f} times."
            )
        return StepOutput({"fitted": fitted}, self._way.used(), rendering.confidence, tuple(notes))

    def model_info(self) -> Mapping[str, str]:
        """The try-on network."""
        return self._way.info()
