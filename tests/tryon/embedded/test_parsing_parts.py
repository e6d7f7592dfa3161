"""What parsing is made of, on a drawn figure whose true classes are known."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from dressed_figures import person_of, wearer
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mycloset.tasks.masks import Mask
from mycloset.tryon.embedded.body import read_body
from mycloset.tryon.embedded.parsing import parse_person
from mycloset.tryon.embedded.parsing_borders import ASIDES, Borders, End, find_borders
from mycloset.tryon.embedded.parsing_cleaning import Cleaner
from mycloset.tryon.embedded.parsing_detail import enlarge
from mycloset.tryon.embedded.parsing_frame import (
    ARM,
    CLASSES,
    HAIR,
    LEG,
    LOWER,
    NECK,
    SHOE,
    UPPER,
    WORKING_SIDE,
    Frame,
    frame_person,
)
from mycloset.tryon.embedded.parsing_places import Places
from mycloset.tryon.embedded.zones import Zones, read_zones

MEANT = {
    "face": 0, "hair": HAIR, "neck": NECK, "upper-clothes": UPPER, "pants": LOWER, "skirt": LOWER,
    "left-arm": ARM, "right-arm": ARM, "left-leg": LEG, "right-leg": LEG,
    "left-shoe": SHOE, "right-shoe": SHOE,
}  # fmt: skip

Labels = NDArray[np.int64]


@cache
def framed(upper: str = "plain_tee", lower: str = "blue_jeans") -> tuple[Frame, Zones, Labels]:
    """A drawn figure's pixels, their zones, and their true classes."""
    picture = wearer(upper, lower).picture
    person = person_of(picture)
    frame = frame_person(picture.rgb, person.mask, read_body(person), WORKING_SIDE)
    assert frame is not None
    table = np.full(len(picture.label_names), UPPER)
    for name, number in MEANT.items():
        table[picture.label_names.index(name)] = number
    rows, columns = frame.ys.astype(int), frame.xs.astype(int)
    return frame, read_zones(frame), table[picture.labels][rows, columns].astype(np.int64)


def ideal_colours(labels: Labels) -> NDArray[np.float32]:
    """(8, N): costs of colours that tell all classes apart, skin of neck, arms and legs alike."""
    costs = np.full((len(CLASSES), len(labels)), 10.0, np.float32)
    costs[labels, np.arange(len(labels))] = 1.0
    skin = np.isin(labels, (NECK, ARM, LEG))
    for number in (NECK, ARM, LEG):
        costs[number, skin] = 1.0
    return costs


def test_a_frame_holds_the_person_and_knows_where_it_lies() -> None:
    frame, _, _ = framed()
    picture = wearer().picture
    inside = picture.person[frame.ys.astype(int), frame.xs.astype(int)][frame.inside]
    assert inside.min() >= 0.5
    assert frame.inside.sum() == (picture.person > 0.5).sum()
    marked = frame.on_canvas(frame.mark(frame.inside)) > 0
    assert np.array_equal(marked, picture.person > 0.5)


@given(share=st.floats(0.01, 0.2))
@settings(max_examples=10, deadline=None)
def test_an_eroded_region_lies_within_and_a_dilated_one_around(share: float) -> None:
    frame, zones, _ = framed()
    torso = (zones.height > 0.2) & (zones.height < 0.8)
    assert not (frame.eroded(torso, share) & ~torso).any()
    assert not (torso & ~frame.dilated(torso, share)).any()
    assert frame.eroded(torso, share).sum() < torso.sum() < frame.dilated(torso, share).sum()


@pytest.mark.parametrize(
    ("upper", "low", "high"),
    [("ochre_tank", 0.0, 0.0), ("plain_tee", 0.3, 1.0), ("sage_sweater", 1.7, 2.0)],
)
def test_a_sleeve_ends_where_its_cloth_does(upper: str, low: float, high: float) -> None:
    frame, zones, labels = framed(upper)
    borders = find_borders(frame, zones, ideal_colours(labels), labels)
    for end in borders.sleeves.values():
        assert low <= end.place <= high
        assert end.sure > 0.5


def test_the_waist_follows_the_hem() -> None:
    frame, zones, labels = framed()
    borders = find_borders(frame, zones, ideal_colours(labels), labels)
    below = borders.below_waist(zones)
    # Edge pixels of the mask are background in truth.
    middle = frame.eroded(frame.inside, 0.05) & (np.abs(zones.aside) < 0.3)
    assert below[middle & (labels == UPPER)].max() < 0.06
    assert below[middle & (labels == LOWER)].min() > -0.06


def test_colours_that_say_nothing_leave_the_waist_at_its_usual_height() -> None:
    frame, zones, labels = framed()
    alike = np.full((len(CLASSES), len(labels)), 5.0, np.float32)
    alike += np.random.default_rng(0).normal(0, 0.1, alike.shape).astype(np.float32)
    waist = find_borders(frame, zones, alike, labels).waist
    assert waist is not None
    assert waist.shape == ASIDES.shape
    assert np.abs(waist - 1.0).max() < 0.35


def test_hems_lie_where_legs_become_bare() -> None:
    frame, zones, labels = framed(lower="denim_skirt")
    ends = find_borders(frame, zones, ideal_colours(labels), labels).hems
    assert all(end.place < 1.2 for end in ends.values())
    frame, zones, labels = framed(lower="blue_jeans")
    ends = find_borders(frame, zones, ideal_colours(labels), labels).hems
    assert all(end.place > 1.2 for end in ends.values())


def test_a_sure_sleeve_makes_skin_dear_before_its_end_and_cheap_beyond() -> None:
    frame, zones, _ = framed()
    places = Places(frame, zones)
    short = places.costs(Borders(dict.fromkeys(("left", "right"), End(0.5, 1.0))))
    long = places.costs(Borders(dict.fromkeys(("left", "right"), End(2.0, 1.0))))
    arm = zones.arms["left"]
    forearm = (arm.distance < 0.05 * frame.body.unit) & (arm.place > 1.2) & (arm.place < 1.9)
    assert (short[ARM] < long[ARM] - 5)[forearm].all()
    covered = (arm.distance < 0.05 * frame.body.unit) & (arm.place > 0.1) & (arm.place < 0.45)
    assert np.array_equal(short[ARM, covered], long[ARM, covered])


def test_limbs_lie_on_their_own_side() -> None:
    frame, zones, labels = framed()
    left = Places(frame, zones).left(labels)
    picture = wearer().picture
    rows, columns = frame.ys.astype(int), frame.xs.astype(int)
    names = np.array(picture.label_names)[picture.labels[rows, columns]]
    for word, expected in (("left-arm", True), ("right-arm", False)):
        assert (left[names == word] == expected).mean() > 0.99


def test_a_print_within_a_garment_belongs_to_it() -> None:
    frame, zones, labels = framed()
    print_ = (zones.height > 0.35) & (zones.height < 0.55) & (np.abs(zones.aside) < 0.15)
    for number in (NECK, HAIR, LOWER, SHOE, LEG):
        printed = labels.copy()
        printed[print_] = number
        if number == LOWER:
            printed[print_ & (zones.aside > -0.1)] = UPPER
        cleaned = Cleaner(frame, zones).clean(printed)
        assert (cleaned[print_] == UPPER).all(), CLASSES[number]


def test_what_is_right_stays() -> None:
    frame, zones, labels = framed()
    cleaned = Cleaner(frame, zones).clean(labels)
    assert (cleaned == labels).mean() > 0.995


def test_enlarged_classes_keep_to_the_mask_and_to_what_was_decided() -> None:
    frame, _, labels = framed()
    picture = wearer().picture
    classes = np.zeros(frame.where.shape, np.uint8)
    classes[frame.where] = labels
    # Costs that say of every pixel what was decided: at borders they must not say otherwise.
    flat = [np.zeros((*frame.where.shape, 4), np.float32) for _ in CLASSES]
    for number, layer in enumerate(flat):
        layer[..., 3] = classes != number
    full = enlarge(picture.rgb, picture.person >= 0.5, frame, classes, flat)
    assert np.array_equal(full == 255, picture.person < 0.5)
    there = frame.ys.astype(int)[frame.inside], frame.xs.astype(int)[frame.inside]
    assert (full[there] == labels[frame.inside]).mean() > 0.99


def test_an_empty_mask_is_all_background_and_says_so() -> None:
    picture = wearer().picture
    person = person_of(picture)
    nobody = type(person)(person.pose, Mask(np.zeros_like(picture.person)), None, person.box)
    parsing, notes = parse_person(picture.rgb, nobody)
    assert not parsing.labels.any()
    assert parsing.confidence == 0
    assert "empty" in notes[0]
