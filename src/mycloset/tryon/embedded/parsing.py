"""Human parsing without a parsing network: pose says where a part can be, this picture's own
colours say where it is.

Every class has a cost at every pixel: where the pose allows it (places) plus how well the pixel
fits the class's colours, which are learned from this very picture and learned again from the
first answer. The costs are smoothed along the picture's edges (guided filter), and the cheapest
wins.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mycloset.filters import SharedGuide
from mycloset.images import RGB
from mycloset.tasks.parsing import ATR_18_NECK, HumanParsing
from mycloset.tasks.people import Person
from mycloset.tryon.embedded.body import read_body
from mycloset.tryon.embedded.parsing_borders import Borders, find_borders
from mycloset.tryon.embedded.parsing_cleaning import Cleaner
from mycloset.tryon.embedded.parsing_colours import (
    class_colours,
    learn_skin,
    learn_skin_again,
)
from mycloset.tryon.embedded.parsing_detail import enlarge
from mycloset.tryon.embedded.parsing_frame import Floats, Frame, frame_person
from mycloset.tryon.embedded.parsing_names import atr_labels, name_garments
from mycloset.tryon.embedded.parsing_places import FORBIDDEN, Places
from mycloset.tryon.embedded.zones import read_zones

ROUNDS = 3


def parse_person(rgb: RGB, person: Person) -> tuple[HumanParsing, tuple[str, ...]]:
    """Label every pixel of `person` in the (H, W, 3) picture `rgb`.

    Returns:
        The classes (ATR-18 and neck) at the picture's size, and findings in plain language.
    """
    frame = frame_person(rgb, person.mask, read_body(person))
    if frame is None:
        empty = np.zeros(rgb.shape[:2], np.uint8)
        return HumanParsing(empty, ATR_18_NECK, 0.0), ("The person's mask is empty.",)
    zones = read_zones(frame)
    places = Places(frame, zones)
    cleaner = Cleaner(frame, zones)
    skin = learn_skin(frame, zones)
    notes = () if skin.seen else (TYPICAL_SKIN_USED,)
    guide = SharedGuide(frame.guide, max(2, round(0.035 * frame.body.unit)), 4e-4, subsample=2)
    labels: NDArray[np.int64] | None = None
    borders = Borders()
    for turn in range(ROUNDS):
        if labels is not None:
            skin = learn_skin_again(frame, zones, skin, labels)
        colours = class_colours(frame, zones, skin, labels)
        if labels is not None:
            borders = find_borders(frame, zones, colours, labels)
        costs = np.minimum(places.costs(borders) + colours, FORBIDDEN)
        coefficients = [guide.coefficients(frame.spread(layer)) for layer in costs]
        for layer, smooth in zip(costs, coefficients, strict=True):
            layer[:] = guide.apply(smooth, rough=turn < ROUNDS - 1)[frame.where]
        labels = cleaner.clean(costs.argmin(axis=0))
    names = name_garments(frame, zones, borders, labels, colours)
    classes = np.zeros(frame.where.shape, np.uint8)
    classes[frame.where] = labels
    full = enlarge(rgb, person.mask.alpha >= 0.5, frame, classes, coefficients)
    parsing = HumanParsing(
        atr_labels(full, frame, places.left(labels), names), ATR_18_NECK, _sureness(frame, costs)
    )
    return parsing, notes


def _sureness(frame: Frame, costs: Floats) -> float:
    """0..1: the mean margin by which the labels were won."""
    if not frame.inside.any():
        return 0.0
    ordered = np.partition(costs[:, frame.inside], 1, axis=0)
    return float(np.mean(1 - np.exp(-(ordered[1] - ordered[0]) / 2.0)))


TYPICAL_SKIN_USED = (
    "Neither face nor hands are seen well enough to learn the skin's colour from; "
    "typical skin colours are used."
)
