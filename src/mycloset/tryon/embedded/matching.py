"""Where a garment lies on a body: tops and dresses one way, trousers and skirts the other."""

from __future__ import annotations

from mycloset.tasks.garments import Category
from mycloset.tryon.embedded.body import Body
from mycloset.tryon.embedded.placement import GarmentParts, place_upper
from mycloset.tryon.embedded.placement_lower import place_lower
from mycloset.tryon.embedded.silhouette import Silhouette
from mycloset.tryon.state import Matching


def place(parts: GarmentParts, body: Body, silhouette: Silhouette) -> Matching:
    """Corresponding points of every part of the garment on this body."""
    lower = parts.shape.category is Category.LOWER
    found = (place_lower if lower else place_upper)(parts, body, silhouette)
    return Matching(parts.shape, found, parts.front)
