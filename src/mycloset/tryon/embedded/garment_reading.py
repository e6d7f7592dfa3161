"""A garment's front and its parts, ready to be placed on a body."""

from __future__ import annotations

from mycloset.images import Picture
from mycloset.tasks.garments import GarmentShape
from mycloset.tasks.masks import Mask
from mycloset.tryon.embedded.garment_layers import front_region
from mycloset.tryon.embedded.garment_parts import split_parts
from mycloset.tryon.embedded.placement import GarmentParts


def read_parts(mask: Mask, shape: GarmentShape, picture: Picture) -> GarmentParts:
    """Split a garment into the parts that move by themselves, without the inside of its back."""
    front, neckline = front_region(mask, shape, picture)
    return GarmentParts(shape, front, split_parts(mask, shape), neckline)
