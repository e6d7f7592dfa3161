from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from drawn_try_on import JOINTS, SKELETON, body_mask, pose
from hypothesis import given
from hypothesis import strategies as st

from mycloset.errors import OptionError
from mycloset.tasks.masks import Mask
from mycloset.tasks.measurements import BodyMeasurements, Origin
from mycloset.tasks.people import Person
from mycloset.tryon.embedded.body_scale import full_length, visible_share
from mycloset.tryon.embedded.measurements import RANGES, check_figures, ellipse, measure_body
from mycloset.tryon.state import BodyFigures

GIRTHS = ("chest", "waist", "hip")


def a_person(**unsure: float) -> Person:
    sure = np.array([unsure.get(joint, 0.99) for joint in JOINTS], np.float32)
    return Person(
        pose(confidence=sure), Mask(body_mask()), None, np.array([40, 20, 320, 470], np.float32)
    )


def cm(found: BodyMeasurements, name: str) -> float:
    value = found.item(name).cm
    assert value is not None
    return value


def error(found: BodyMeasurements, name: str) -> float:
    value = found.item(name).plus_minus_cm
    assert value is not None
    return value


def test_a_given_height_sets_the_scale_where_all_of_the_person_is_seen() -> None:
    found = measure_body(a_person(), BodyFigures(height_cm=176.0))
    assert found.item("height").origin is Origin.GIVEN
    assert found.item("height").plus_minus_cm == 0.0
    tall = full_length(a_person())
    assert tall is not None
    assert found.cm_per_pixel == pytest.approx(1.03 * 176.0 / tall)
    arm = np.hypot(46, 65) + np.hypot(32, 65)
    assert cm(found, "arm_length") == pytest.approx(arm * (found.cm_per_pixel or 0), rel=1e-3)


@given(st.floats(60, 240), st.floats(1.01, 1.1))
def test_lengths_grow_in_proportion_to_the_height(height: float, factor: float) -> None:
    one = measure_body(a_person(), BodyFigures(height_cm=height))
    two = measure_body(a_person(), BodyFigures(height_cm=height * factor))
    for item in one.items:
        assert cm(two, item.name) == pytest.approx(cm(one, item.name) * factor, rel=1e-4)


def test_a_larger_picture_of_the_same_person_measures_the_same() -> None:
    small = a_person()
    large = Person(
        replace(small.pose, points=small.pose.points * 2 + 0.5),
        Mask(small.mask.alpha.repeat(2, axis=0).repeat(2, axis=1)),
        None,
        small.box * 2,
    )
    figures = BodyFigures(height_cm=170)
    for item in measure_body(small, figures).items:
        assert cm(measure_body(large, figures), item.name) == pytest.approx(item.cm, rel=0.03)


def test_less_in_view_means_more_uncertain() -> None:
    whole = measure_body(a_person(), BodyFigures(height_cm=170))
    feet = {f"{side}_{part}": 0.0 for side in ("left", "right") for part in ("heel", "foot_index")}
    cropped = measure_body(a_person(**feet), BodyFigures(height_cm=170))
    assert error(cropped, "arm_length") > error(whole, "arm_length")
    assert any("full length" in note for note in cropped.notes)
    blind = measure_body(a_person(), BodyFigures())
    assert (blind.scale_error or 0) > (whole.scale_error or 0)
    assert any("No height" in note for note in blind.notes)
    assert blind.item("height").origin is Origin.ESTIMATED


@pytest.mark.parametrize(
    ("hidden", "unknown"),
    [
        (("left_wrist", "right_wrist"), {"arm_length"}),
        (("left_ankle", "right_ankle"), {"inseam"}),
        (("left_hip", "right_hip"), {"torso_length", "inseam", *GIRTHS}),
        (("left_shoulder",), {"shoulder_breadth", "torso_length", *GIRTHS}),
    ],
)
def test_what_is_not_seen_is_unknown_and_says_why(
    hidden: tuple[str, ...], unknown: set[str]
) -> None:
    found = measure_body(a_person(**dict.fromkeys(hidden, 0.1)), BodyFigures(height_cm=170))
    assert {item.name for item in found.items if item.cm is None} == unknown
    for name in unknown:
        assert found.item(name).plus_minus_cm is None
        assert found.item(name).origin is Origin.UNKNOWN
        assert found.item(name).note.startswith("Not estimated: ")


def test_a_joint_outside_of_the_picture_is_not_believed() -> None:
    person = a_person()
    points = person.pose.points.copy()
    for side in ("left", "right"):
        points[SKELETON.index(f"{side}_wrist"), 1] = 500.0
    moved = replace(person, pose=replace(person.pose, points=points))
    assert measure_body(moved, BodyFigures(height_cm=170)).item("arm_length").cm is None


def test_nothing_in_view_gives_nothing() -> None:
    found = measure_body(a_person(**dict.fromkeys(JOINTS, 0.0)), BodyFigures())
    assert found.cm_per_pixel is None
    assert all(item.cm is None for item in found.items)


def test_a_given_girth_is_returned_and_corrects_the_others() -> None:
    free = measure_body(a_person(), BodyFigures(height_cm=170))
    waist = cm(free, "waist") * 0.9
    told = measure_body(a_person(), BodyFigures(height_cm=170, waist_cm=waist))
    assert told.item("waist").origin is Origin.GIVEN
    assert told.item("waist").cm == pytest.approx(waist)
    assert cm(told, "hip") == pytest.approx(0.9 * cm(free, "hip"), rel=1e-3)
    assert error(told, "hip") < error(free, "hip")


def test_a_girth_that_cannot_be_is_said_and_corrects_nothing() -> None:
    free = measure_body(a_person(), BodyFigures(height_cm=170))
    told = measure_body(a_person(), BodyFigures(height_cm=170, waist_cm=280))
    assert cm(told, "hip") == pytest.approx(cm(free, "hip"))
    assert any("waist" in note and "does not fit" in note for note in told.notes)


def test_weight_gives_a_bmi_and_sharpens_the_girths() -> None:
    free = measure_body(a_person(), BodyFigures(height_cm=170))
    # The weight at which both estimates of the hip agree.
    weight = 170 * (cm(free, "hip") / 152.8) ** 2
    told = measure_body(a_person(), BodyFigures(height_cm=170, weight_kg=weight))
    assert told.bmi == pytest.approx(weight / 1.7**2)
    assert cm(told, "hip") == pytest.approx(cm(free, "hip"), rel=1e-3)
    assert error(told, "hip") < error(free, "hip")
    wrong = measure_body(a_person(), BodyFigures(height_cm=170, weight_kg=250))
    assert any("height and weight" in note for note in wrong.notes)
    assert any("body mass index" in note for note in wrong.notes)


def test_arms_beside_the_trunk_do_not_make_it_broader() -> None:
    person = a_person()
    points = person.pose.points.copy()
    alpha = person.mask.alpha.copy()
    for side, x in (("left", 240.0), ("right", 120.0)):
        for joint, y in (("elbow", 195.0), ("wrist", 270.0)):
            points[SKELETON.index(f"{side}_{joint}")] = (x, y)
        edge = int(x)
        low, high = (222, edge + 12) if side == "left" else (edge - 12, 138)
        alpha[120:275, low:high] = 1.0
    held = Person(replace(person.pose, points=points), Mask(alpha), None, person.box)
    figures = BodyFigures(height_cm=170)
    free, beside = measure_body(person, figures), measure_body(held, figures)
    assert cm(beside, "waist") == pytest.approx(cm(free, "waist"), rel=0.2)
    assert error(beside, "waist") / cm(beside, "waist") > error(free, "waist") / cm(free, "waist")


def test_a_limb_towards_the_camera_is_longer_than_it_looks() -> None:
    world = np.zeros((len(JOINTS), 3), np.float32)
    world[SKELETON.index("left_elbow")] = (0.3, 0.0, 0.4)
    deep = pose(world=world)
    assert visible_share(deep, "left_shoulder", "left_elbow") == pytest.approx(0.6)
    assert visible_share(pose(), "left_shoulder", "left_elbow") == 1.0


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("wrong", [-1.0, 0.0, 1e6, math.nan, math.inf])
def test_figures_of_no_person_are_refused(name: str, wrong: float) -> None:
    with pytest.raises(OptionError, match=name):
        check_figures(BodyFigures(**{name: wrong}))


@pytest.mark.parametrize("name", RANGES)
def test_the_bounds_themselves_are_accepted(name: str) -> None:
    low, high, _ = RANGES[name]
    check_figures(BodyFigures(**{name: low}))
    check_figures(BodyFigures(**{name: high}))


def test_an_ellipse_between_its_bounds() -> None:
    assert ellipse(2.0, 2.0) == pytest.approx(2 * math.pi)
    assert ellipse(4.0, 2.0) == pytest.approx(9.688448, abs=1e-5)


def test_measurements_survive_json() -> None:
    found = measure_body(a_person(left_wrist=0, right_wrist=0), BodyFigures(height_cm=170))
    back = json.loads(json.dumps(found.to_dict()))
    assert back["items"][0]["origin"] == "given"
    assert back["items"][2]["cm"] is None
    with pytest.raises(KeyError, match="no measurement 'neck'"):
        found.item("neck")
