"""Drawn people and garments as the fitting sees them, with nothing read by a network."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mycloset.images import Picture
from mycloset.tasks.garments import Category, GarmentShape, SleeveLength
from mycloset.tasks.masks import Mask
from mycloset.tasks.parsing import ATR_18_NECK, HumanParsing
from mycloset.tasks.people import Person
from mycloset.tasks.poses import BLAZEPOSE_33, Pose
from mycloset.tryon.embedded.figure import Figure, read_figure
from mycloset.tryon.embedded.fitting import FittingInput
from mycloset.tryon.embedded.garment_reading import read_parts
from mycloset.tryon.embedded.matching import place
from mycloset.tryon.embedded.placement import GarmentParts
from mycloset.tryon.embedded.warp import warp_garment
from mycloset.tryon.state import Matching, PartMatch, WarpedGarment
from mycloset.wardrobe import (
    POSES,
    FigureSpec,
    FlatGarment,
    Framing,
    GarmentKind,
    GarmentSpec,
    Outfit,
    RenderedFigure,
    demo_garment,
    draw_figure,
    draw_garment,
)

SIZE = (384, 288)
NEAR = {
    "eye_inner": "eye", "eye_outer": "eye", "pinky": "wrist", "index": "wrist", "thumb": "wrist",
    "heel": "ankle", "foot_index": "ankle",
}  # fmt: skip
"""Joints that a drawn figure lacks, and the ones of the same side that stand for them."""


def pose_of(figure: RenderedFigure) -> Pose:
    """The figure's joints in BlazePose's order; those not drawn lie on their neighbours."""
    points = []
    for joint in BLAZEPOSE_33.joints:
        side, _, part = joint.partition("_")
        name = "nose" if "mouth" in joint else joint
        points.append(figure.joints.get(name, figure.joints.get(f"{side}_{NEAR.get(part, part)}")))
    stacked = np.stack([point for point in points if point is not None]).astype(np.float32)
    return Pose(BLAZEPOSE_33, stacked, np.full(len(stacked), 0.99, np.float32), 0.99)


def person_of(figure: RenderedFigure) -> Person:
    """The figure as networks would bring it, without a face mesh."""
    rows, columns = np.nonzero(figure.person > 0.5)
    box = np.array([columns.min(), rows.min(), columns.max(), rows.max()], np.float32)
    return Person(pose_of(figure), Mask(figure.person), None, box)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A drawn person with everything that a fitting needs to know of it."""

    picture: RenderedFigure
    person: Person
    parsing: HumanParsing
    figure: Figure


@cache
def wearer(
    upper: str = "plain_tee",
    lower: str = "blue_jeans",
    pose: str = "relaxed",
    framing: Framing = Framing.THREE_QUARTER,
) -> Drawn:
    """Somebody in two garments of the catalogue."""
    spec = FigureSpec(pose=POSES[pose], framing=framing, seed=5)
    outfit = Outfit(demo_garment(upper), demo_garment(lower))
    picture = draw_figure(spec, outfit, SIZE)
    parsing = HumanParsing(picture.labels, ATR_18_NECK)
    person = person_of(picture)
    return Drawn(picture, person, parsing, read_figure(picture.rgb, person, parsing))


@dataclass(frozen=True, eq=False)
class Laid:
    """A flat garment and its parts, by its own landmarks."""

    flat: FlatGarment
    parts: GarmentParts


@cache
def laid(spec: GarmentSpec) -> Laid:
    """A garment drawn flat and split."""
    flat = draw_garment(spec, SIZE)
    reach = spec.kind in (GarmentKind.T_SHIRT, GarmentKind.LONG_SLEEVE) or bool(spec.sleeve_cm)
    sleeves = SleeveLength.NONE
    if reach:
        long = spec.kind is GarmentKind.LONG_SLEEVE
        sleeves = SleeveLength.LONG if long else SleeveLength.SHORT
    legs = spec.kind is GarmentKind.TROUSERS
    shape = GarmentShape(Category(flat.category), flat.landmarks, sleeves, legs, 1.0)
    return Laid(flat, read_parts(Mask(flat.mask), shape, Picture(flat.rgb, None, "garment")))


def matched(garment: GarmentSpec, who: Drawn) -> Matching:
    """Where the garment lies on this person."""
    return place(laid(garment).parts, who.figure.body, who.figure.silhouette)


def part(matching: Matching, name: str) -> PartMatch:
    """One part of a garment by its name."""
    return next(part for part in matching.parts if part.name == name)


@cache
def warped(garment: GarmentSpec, who: Drawn) -> tuple[WarpedGarment, float]:
    """The garment brought onto this person, and how much of it folds over."""
    return warp_garment(laid(garment).flat.rgb, matched(garment, who), SIZE)


@cache
def tried_on(garment: GarmentSpec, who: Drawn) -> FittingInput:
    """Everything that a fitting is given."""
    return FittingInput(
        who.picture.rgb,
        who.picture.person,
        who.parsing,
        who.figure,
        warped(garment, who)[0],
        Category(laid(garment).flat.category),
    )


def lab_distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """(...,) how far colours (..., 3) lie apart."""
    return np.asarray(np.linalg.norm(a - b, axis=-1), np.float32)
