"""Step 4 refined by optical flow: the embedded matching, moved to where the photo agrees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.hub.loader import ModelLoader
from mycloset.hub.model import Model
from mycloset.tasks.flows import Flow
from mycloset.tryon.embedded.warp import warp_garment
from mycloset.tryon.learned import LearnedWay
from mycloset.tryon.state import Matching, PartMatch, TryOnState
from mycloset.tryon.step import StepOutput
from mycloset.tryon.steps.geometric_matching import GeometricMatchingStep

Floats = NDArray[np.float32]

AGREES = 1.0
"""Pixels by which the flow there and back may miss where it began."""

FARTHEST = 0.01
"""Longest move, as a share of the photo's longer side."""


class FlowGeometricMatchingStep:
    """Landmarks as in the embedded way; then optical flow from the garment laid on the person to
    the photo moves them, only where the flow there and back agrees (a like garment is worn).

    Args:
        family: whose networks serve.
        models: the user's folders.
    """

    name: ClassVar[str] = "geometric_matching"
    reads: ClassVar[tuple[str, ...]] = GeometricMatchingStep.reads
    writes: ClassVar[tuple[str, ...]] = GeometricMatchingStep.writes
    learned: ClassVar[bool] = True

    def __init__(self, *, family: str, models: ModelLoader | None = None) -> None:
        self._way = LearnedWay(self.name, family, models)
        self.ways = (self._way,)
        self._landmarks = GeometricMatchingStep()

    def run(self, state: TryOnState) -> StepOutput:
        """Raises PersonError as the embedded way; ModelFileError where no model can be used."""
        model = self._way.model()
        output = self._landmarks.run(state)
        matching, moved = refined(model, state, output.changes["matching"])
        changes = {**output.changes, "matching": matching}
        told = f"Optical flow agrees with {moved:.0%} of the garment's points, and moved those."
        used = f"{output.used}, refined by {self._way.used()}"
        return StepOutput(
            changes, used, output.confidence, (*output.notes, *self._way.notes(), told)
        )

    def model_info(self) -> Mapping[str, str]:
        """The flow network."""
        return self._way.info()


def refined(model: Model, state: TryOnState, matching: Matching) -> tuple[Matching, float]:
    """The matching with its points moved, and the share of points that were."""
    photo = state.person_picture.rgb
    warped, _ = warp_garment(state.garment_picture.rgb, matching, photo.shape[:2])
    alpha = warped.alpha[..., None]
    laid = (photo * (1 - alpha) + warped.rgb * alpha).round().astype(np.uint8)
    there: Flow = model(laid, photo)
    back: Flow = model(photo, laid)
    longest = FARTHEST * max(photo.shape[:2])
    parts, moved, count = [], 0, 0
    for part in matching.parts:
        step, agrees = _moves(part, there, back, longest)
        parts.append(replace(part, target=(part.target + step).astype(np.float32)))
        moved += int(agrees.sum())
        count += len(agrees)
    return replace(matching, parts=tuple(parts)), moved / max(count, 1)


def _moves(
    part: PartMatch, there: Flow, back: Flow, longest: float
) -> tuple[Floats, NDArray[np.bool_]]:
    """(N, 2) how far each point goes, and (N,) whether the flow there and back agrees."""
    step = _at(there.pixels, part.target)
    returned = _at(back.pixels, part.target + step)
    apart = np.hypot(*(step + returned).T)
    length = np.hypot(*step.T)
    agrees = np.asarray((apart < AGREES) & (length > 0))
    shorter = np.minimum(1.0, longest / np.maximum(length, 1e-6))
    return np.where(agrees[:, None], step * shorter[:, None], 0.0).astype(np.float32), agrees


def _at(field: Floats, points: Floats) -> Floats:
    """(N, 2) a field's values at points, between pixels; the border's outside."""
    if not len(points):
        return np.zeros((0, 2), np.float32)
    x, y = (np.ascontiguousarray(column, np.float32)[None] for column in points.T)
    found = cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    values: Floats = np.asarray(found, np.float32)[0]
    return values
