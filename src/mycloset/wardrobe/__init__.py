"""Garments drawn flat, and figures wearing them: pictures of which the truth is known.

They serve the demo (its garments), the tests and the benchmarks. Nothing here knows of any try-on.
"""

from __future__ import annotations

from mycloset.wardrobe.catalogue import DEMO_GARMENTS, demo_garment, demo_names
from mycloset.wardrobe.fabrics import Fabric, Pattern, Weave
from mycloset.wardrobe.flat import FlatGarment, Ground, draw_garment
from mycloset.wardrobe.garments import GarmentKind, GarmentSpec, Neckline, cut_garment
from mycloset.wardrobe.prints import Motif, Print

__all__ = [
    "DEMO_GARMENTS",
    "Fabric",
    "FlatGarment",
    "GarmentKind",
    "GarmentSpec",
    "Ground",
    "Motif",
    "Neckline",
    "Pattern",
    "Print",
    "Weave",
    "cut_garment",
    "demo_garment",
    "demo_names",
    "draw_garment",
]
