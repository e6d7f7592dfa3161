"""Garments drawn flat, and figures wearing them: pictures of which the truth is known.

They serve the demo (its garments), the tests and the benchmarks. Nothing here knows of any try-on.
"""

from __future__ import annotations

from mycloset.wardrobe.body import (
    BROAD_MAN,
    CURVY_WOMAN,
    POSES,
    SLIM_MAN,
    SLIM_WOMAN,
    BodyShape,
    Pose,
    Reach,
)
from mycloset.wardrobe.cases import (
    DrawnCase,
    PairedCase,
    face_only,
    nobody,
    paired_cases,
    two_people,
)
from mycloset.wardrobe.catalogue import DEMO_GARMENTS, demo_garment, demo_names
from mycloset.wardrobe.cuts import cut_garment
from mycloset.wardrobe.fabrics import Fabric, Pattern, Weave
from mycloset.wardrobe.figure import FigureSpec, Framing, Outfit, RenderedFigure, draw_figure
from mycloset.wardrobe.flat import FlatGarment, draw_garment
from mycloset.wardrobe.garments import GarmentKind, GarmentSpec, Neckline
from mycloset.wardrobe.grounds import Ground
from mycloset.wardrobe.looks import HairStyle, Looks
from mycloset.wardrobe.prints import Motif, Print
from mycloset.wardrobe.scenery import Scenery
from mycloset.wardrobe.stage import LABELS, Light

__all__ = [
    "BROAD_MAN",
    "CURVY_WOMAN",
    "DEMO_GARMENTS",
    "LABELS",
    "POSES",
    "SLIM_MAN",
    "SLIM_WOMAN",
    "BodyShape",
    "DrawnCase",
    "Fabric",
    "FigureSpec",
    "FlatGarment",
    "Framing",
    "GarmentKind",
    "GarmentSpec",
    "Ground",
    "HairStyle",
    "Light",
    "Looks",
    "Motif",
    "Neckline",
    "Outfit",
    "PairedCase",
    "Pattern",
    "Pose",
    "Print",
    "Reach",
    "RenderedFigure",
    "Scenery",
    "Weave",
    "cut_garment",
    "demo_garment",
    "demo_names",
    "draw_figure",
    "draw_garment",
    "face_only",
    "nobody",
    "paired_cases",
    "two_people",
]
