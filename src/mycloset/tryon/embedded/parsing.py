"""Human parsing without a parsing network: pose says where a part can be, this picture's own
colours say where it is.

Every class has a cost at every pixel: where the pose allows it (places) plus how well the pixel
fits the class's colours, which are learned from this very picture and learned again from the
first answer. The costs are smoothed along the picture's edges (guided filter), and the cheapest
wins. What the answer says of sleeves and hems feeds the next round's places.
"""

from __future__ import annotations

import numpy as np

from mycloset.filters import SharedGuide
from mycloset.images import RGB
from mycloset.tasks.parsing import ATR_18_NECK, HumanParsing
from mycloset.tasks.people import Person
from mycloset.tryon.embedded.body import read_body
from mycloset.tryon.embedded.parsing_borders import Borders, find_borders
from mycloset.tryon.embedded.parsing_cleaning import Cleaner
from mycloset.tryon.embedded.parsing_colours import (
    Palette,
    learn_palette,
    learn_skin,
    learn_skin_again,
)
from mycloset.tryon.embedded.parsing_detail import enlarge
from mycloset.tryon.embedded.parsing_frame import (
    HAIR,
    HAT,
    LEARNING_SIDE,
    WORKING_SIDE,
    Floats,
    Frame,
    frame_person,
)
from mycloset.tryon.embedded.parsing_names import atr_labels, find_hat, name_garments
from mycloset.tryon.embedded.parsing_places import FORBIDDEN, Places
from mycloset.tryon.embedded.zones import read_zones

LESSONS = 2
TYPICAL_SKIN_USED = (
    "Too little bare skin is seen to learn its colour from; typical skin colours are used."
)


def parse_person(rgb: RGB, person: Person) -> tuple[HumanParsing, tuple[str, ...]]:
    """Label every pixel of `person` in the (H, W, 3) picture `rgb`.

    Returns:
        The classes (ATR-18 and neck) at the picture's size, and findings in plain language.
        Told apart are face, hair, hat (only where it cannot be hair), neck (all bare skin of
        neck, shoulders and midriff), upper-clothes, pants, skirt, dress, arms, legs and shoes;
        glasses belong to the face, belts and bags to what they lie on.
    """
    body = read_body(person)
    small = frame_person(rgb, person.mask, body, LEARNING_SIDE)
    frame = frame_person(rgb, person.mask, body, WORKING_SIDE)
    if small is None or frame is None:
        empty = np.zeros(rgb.shape[:2], np.uint8)
        return HumanParsing(empty, ATR_18_NECK, 0.0), ("The person's mask is empty.",)
    palette, borders = _learn(small)
    zones = read_zones(frame)
    places = Places(frame, zones)
    colours = palette.costs(frame, zones)
    costs, coefficients = _smooth(frame, _guide(frame), places.costs(borders) + colours)
    labels = Cleaner(frame, zones).clean(np.asarray(costs.argmin(axis=0), np.int64))
    names = name_garments(frame, zones, borders, labels, colours)
    left = places.left(labels)
    hat = find_hat(frame, zones, labels)
    if hat.any():
        labels = np.where(hat, HAT, labels)
        coefficients = [*coefficients, coefficients[HAIR]]
    classes = np.zeros(frame.where.shape, np.uint8)
    classes[frame.where] = labels
    full = enlarge(rgb, person.mask.alpha >= 0.5, frame, classes, coefficients)
    named = atr_labels(full, frame, left, names)
    notes = () if palette.skin.seen else (TYPICAL_SKIN_USED,)
    return HumanParsing(named, ATR_18_NECK, _sureness(frame, costs)), notes


def _learn(frame: Frame) -> tuple[Palette, Borders]:
    """Colours and garments' ends, in rounds: each answer teaches the next."""
    zones = read_zones(frame)
    places = Places(frame, zones)
    cleaner = Cleaner(frame, zones)
    guide = _guide(frame)
    skin = learn_skin(frame, zones)
    palette = learn_palette(frame, zones, skin, None)
    colours = palette.costs(frame, zones)
    borders = Borders()
    for _ in range(LESSONS):
        costs, _ = _smooth(frame, guide, places.costs(borders) + colours)
        labels = cleaner.clean(np.asarray(costs.argmin(axis=0), np.int64))
        skin = learn_skin_again(frame, skin, labels)
        palette = learn_palette(frame, zones, skin, labels)
        colours = palette.costs(frame, zones)
        borders = find_borders(frame, zones, colours, labels)
    return palette, borders


def _guide(frame: Frame) -> SharedGuide:
    radius = max(2, round(0.035 * frame.body.unit))
    return SharedGuide(frame.guide, radius, 4e-4, subsample=2 if radius > 2 else 1)


def _smooth(frame: Frame, guide: SharedGuide, costs: Floats) -> tuple[Floats, list[Floats]]:
    """(8, N) costs that follow the picture's edges, and the filter's coefficients of each class."""
    np.minimum(costs, FORBIDDEN, out=costs)
    coefficients = [guide.coefficients(frame.spread(layer)) for layer in costs]
    for layer, smooth in zip(costs, coefficients, strict=True):
        layer[:] = guide.apply(smooth)[frame.where]
    return costs, coefficients


def _sureness(frame: Frame, costs: Floats) -> float:
    """0..1: the mean margin by which the labels were won."""
    if not frame.inside.any():
        return 0.0
    ordered = np.partition(costs[:, frame.inside][:, ::4], 1, axis=0)
    return float(np.mean(1 - np.exp(-(ordered[1] - ordered[0]) / 2.0)))
