"""What a try-on has found out so far; each field is one step's output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mycloset.images import RGB, Picture
from mycloset.tasks.garments import Category, GarmentShape
from mycloset.tasks.masks import Mask
from mycloset.tasks.measurements import BodyMeasurements
from mycloset.tasks.parsing import HumanParsing
from mycloset.tasks.people import Person
from mycloset.tasks.poses import Pose
from mycloset.tasks.quality import QualityReport
from mycloset.tasks.warps import DressedParsing, Warp

if TYPE_CHECKING:
    from mycloset.tryon.embedded.figure import Figure


@dataclass(frozen=True)
class BodyFigures:
    """What the user says of the person; all optional, in centimetres and kilograms."""

    height_cm: float | None = None
    chest_cm: float | None = None
    waist_cm: float | None = None
    hip_cm: float | None = None
    weight_kg: float | None = None


@dataclass(frozen=True)
class PartMatch:
    """Corresponding points of one part of a garment (torso, a sleeve, a leg).

    Attributes:
        name: `torso`, `sleeve_left`, `sleeve_right`, `leg_left`, `leg_right` or `skirt`.
        source: (N, 2) float32, x and y in pixels of the garment picture.
        target: (N, 2) float32, x and y in pixels of the person picture.
        region: (H, W) bool, the part in the garment picture.
    """

    name: str
    source: NDArray[np.float32]
    target: NDArray[np.float32]
    region: NDArray[np.bool_]


@dataclass(frozen=True)
class Matching:
    """How a garment lies on a body.

    Attributes:
        shape: the garment's landmarks.
        parts: corresponding points, part by part.
        front: (H, W) float32 0..1, the garment as worn in front: its mask without the inside of
            its back that a shop photo shows behind the neckline.
        warp: what a matching network says of every pixel; None where only points were matched.
        dressed: the parsing of the person in the new garment, where a network foresees it.
        network: that matched, as in the step's record (`model_info`); empty where none did.
    """

    shape: GarmentShape
    parts: tuple[PartMatch, ...]
    front: NDArray[np.float32]
    warp: Warp | None = None
    dressed: DressedParsing | None = None
    network: Mapping[str, str] = field(default_factory=dict)

    @property
    def family(self) -> str:
        """Of the network that matched; "" where none did."""
        return self.network.get("family", "")


@dataclass(frozen=True)
class WarpedGarment:
    """A garment brought onto the person picture.

    Attributes:
        rgb: (H, W, 3) uint8, in the person picture's frame.
        alpha: (H, W) float32 0..1, where the garment is.
        parts: alpha of each part by name, as rendered (before one covers another).
        grid: (H, W, 2) float32, x and y in the garment picture that each pixel shows; NaN outside.
    """

    rgb: RGB
    alpha: NDArray[np.float32]
    parts: Mapping[str, NDArray[np.float32]]
    grid: NDArray[np.float32]


@dataclass(frozen=True)
class Fitting:
    """The garment on the person.

    Attributes:
        rgb: (H, W, 3) uint8.
        changed: (H, W) float32 0..1, where the picture differs from the photo on purpose.
        garment: (H, W) float32 0..1, where the new garment is seen.
    """

    rgb: RGB
    changed: NDArray[np.float32]
    garment: NDArray[np.float32]


@dataclass(frozen=True)
class TryOnState:
    """Everything that is known in the middle of a run. Steps return changes, never mutate it."""

    person_picture: Picture
    garment_picture: Picture
    category: Category | None = None
    figures: BodyFigures = field(default_factory=BodyFigures)

    person: Person | None = None
    parsing: HumanParsing | None = None
    pose: Pose | None = None
    cloth_mask: Mask | None = None
    matching: Matching | None = None
    figure: Figure | None = None
    warped: WarpedGarment | None = None
    fitted: Fitting | None = None
    final: RGB | None = None
    quality: QualityReport | None = None
    measurements: BodyMeasurements | None = None

    def filled(self) -> dict[str, Any]:
        """The fields that hold something, by name."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in found.items() if value is not None}
