"""Step 4, geometric matching: which point of the garment belongs to which point of the body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mycloset.errors import PersonError
from mycloset.tasks.garments import Category
from mycloset.tryon.embedded.figure import read_figure
from mycloset.tryon.embedded.garment_reading import read_parts
from mycloset.tryon.embedded.garment_shape import read_shape
from mycloset.tryon.embedded.matching import place
from mycloset.tryon.state import TryOnState
from mycloset.tryon.step import StepOutput


class GeometricMatchingStep:
    """Embedded way: the garment's landmarks against the body's, part by part."""

    name: ClassVar[str] = "geometric_matching"
    reads: ClassVar[tuple[str, ...]] = (
        "person_picture", "garment_picture", "person", "parsing", "pose", "cloth_mask",
    )  # fmt: skip
    writes: ClassVar[tuple[str, ...]] = ("category", "figure", "matching")

    def run(self, state: TryOnState) -> StepOutput:
        """Raises PersonError where the part of the body that the garment dresses is not seen."""
        assert state.person
        assert state.parsing
        assert state.cloth_mask
        figure = read_figure(state.person_picture.rgb, state.person, state.parsing)
        shape = read_shape(state.cloth_mask, state.garment_picture, state.category)
        notes = []
        if state.category is None:
            notes.append(f"The garment was read as {shape.category} from its shape.")
        if shape.category is not Category.UPPER and not figure.body.hips_seen:
            raise PersonError(
                f"{state.person_picture.name}: the hips are not seen, and the garment "
                f"({shape.category}) is worn there.",
                hint="Give a photo that shows the person down to the knees or farther.",
            )
        parts = read_parts(state.cloth_mask, shape, state.garment_picture)
        matching = place(parts, figure.body, figure.silhouette)
        changes = {"category": shape.category, "figure": figure, "matching": matching}
        used = "garment landmarks from its outline, body landmarks from the pose"
        return StepOutput(changes, used, shape.confidence, tuple(notes))

    def model_info(self) -> Mapping[str, str]:
        """No network serves this way."""
        return {"kind": "embedded", "name": "landmarks", "licence": "Apache-2.0"}
