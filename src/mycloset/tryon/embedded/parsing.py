"""Human parsing without a parsing network: pose says where a part can be, this picture's own
colours say where it is.

Every class has a cost at every pixel: where the pose allows it (places) plus how well the pixel
fits the class's colours, which are learned from this very picture and learned again from the
first answer. The costs are smoothed along the picture's edges (guided filter), and the cheapest
wins. What the answer says of sleeves and hems feeds the next round's places.
"""

from __future__ import annotations

from dataclasses import dataclass

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
from mycloset.tryon.embedded.parsing_frame import HAIR, HAT, Floats, Frame, frame_person
from mycloset.tryon.embedded.parsing_names import atr_labels, find_hat, name_garments
from mycloset.tryon.embedded.parsing_places import FORBIDDEN, Places
from mycloset.tryon.embedded.zones import Zones, read_zones

ROUNDS = 3
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
    frame = frame_person(rgb, person.mask, read_body(person))
    if frame is None:
        empty = np.zeros(rgb.shape[:2], np.uint8)
        return HumanParsing(empty, ATR_18_NECK, 0.0), ("The person's mask is empty.",)
    zones = read_zones(frame)
    places = Places(frame, zones)
    answer = _solve(frame, zones, places)
    labels, coefficients = answer.labels, answer.coefficients
    names = name_garments(frame, zones, answer.borders, labels, answer.colours)
    left = places.left(labels)
    hat = find_hat(frame, zones, labels)
    if hat.any():
        labels = np.where(hat, HAT, labels)
        coefficients = [*coefficients, coefficients[HAIR]]
    classes = np.zeros(frame.where.shape, np.uint8)
    classes[frame.where] = labels
    full = enlarge(rgb, person.mask.alpha >= 0.5, frame, classes, coefficients)
    named = atr_labels(full, frame, left, names)
    notes = () if answer.skin_seen else (TYPICAL_SKIN_USED,)
    return HumanParsing(named, ATR_18_NECK, _sureness(frame, answer.costs)), notes


@dataclass(frozen=True)
class _Answer:
    """What the rounds end with.

    Attributes:
        labels: (N,) classes.
        costs: (8, N) smoothed.
        coefficients: of the smoothing, a class each, see `SharedGuide.coefficients`.
        colours: (8, N) costs of the colours alone.
        borders: where the garments end.
        skin_seen: whether the skin's colour comes from this picture.
    """

    labels: NDArray[np.int64]
    costs: Floats
    coefficients: list[Floats]
    colours: Floats
    borders: Borders
    skin_seen: bool


def _solve(frame: Frame, zones: Zones, places: Places) -> _Answer:
    radius = max(2, round(0.035 * frame.body.unit))
    guide = SharedGuide(frame.guide, radius, 4e-4, subsample=2)
    cleaner = Cleaner(frame, zones)
    skin = learn_skin(frame, zones)
    colours = class_colours(frame, zones, skin, None)
    borders = Borders()
    for turn in range(ROUNDS):
        last = turn == ROUNDS - 1
        costs = places.costs(borders)
        costs += colours
        np.minimum(costs, FORBIDDEN, out=costs)
        coefficients = [guide.coefficients(frame.spread(layer)) for layer in costs]
        for layer, smooth in zip(costs, coefficients, strict=True):
            layer[:] = guide.apply(smooth, rough=not last)[frame.where]
        labels = cleaner.clean(np.asarray(costs.argmin(axis=0), np.int64))
        if not last:
            skin = learn_skin_again(frame, zones, skin, labels)
            colours = class_colours(frame, zones, skin, labels)
            borders = find_borders(frame, zones, colours, labels)
    return _Answer(labels, costs, coefficients, colours, borders, skin.seen)


def _sureness(frame: Frame, costs: Floats) -> float:
    """0..1: the mean margin by which the labels were won."""
    if not frame.inside.any():
        return 0.0
    ordered = np.partition(costs[:, frame.inside][:, ::4], 1, axis=0)
    return float(np.mean(1 - np.exp(-(ordered[1] - ordered[0]) / 2.0)))
