"""Where garments lie on drawn bodies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from dressed_figures import laid, matched, part, warped, wearer
from hypothesis import given
from hypothesis import strategies as st

from mycloset.tryon.embedded.limbs import arm_frame
from mycloset.tryon.embedded.placement import around, gap, upper_scale
from mycloset.wardrobe import GarmentSpec, demo_garment, demo_names

TEE = demo_garment("striped_tee")
CROP = replace(demo_garment("plain_tee"), length_cm=40.0)
TUNIC = replace(demo_garment("plain_tee"), length_cm=88.0)
DRESS = demo_garment(demo_names("dress")[0])


def _length_on_body(garment: GarmentSpec) -> float:
    """Collar to hem in shoulder breadths."""
    parts, body = laid(garment).parts, wearer().figure.body
    point = parts.shape.points
    top, hem = ((point[f"{name}_left"] + point[f"{name}_right"]) / 2 for name in ("collar", "hem"))
    return gap(top, hem) * upper_scale(parts.shape, body) / body.unit


@pytest.mark.parametrize(
    ("garment", "least", "most"),
    [(CROP, 0.8, 1.5), (TEE, 1.5, 2.0), (TUNIC, 1.75, 2.2), (DRESS, 2.2, 3.9)],
    ids=["crop top", "tee", "tunic", "dress"],
)
def test_a_garment_gets_the_length_that_its_kind_has(
    garment: GarmentSpec, least: float, most: float
) -> None:
    assert least < _length_on_body(garment) < most


def test_a_longer_top_is_longer_on_the_body() -> None:
    assert _length_on_body(CROP) < _length_on_body(TEE) < _length_on_body(TUNIC)


def test_rows_of_a_garment_stay_horizontal_on_an_upright_body() -> None:
    torso = part(matched(TEE, wearer()), "torso")
    rows = [torso.target[7 * row : 7 * row + 7, 1] for row in range(9)]
    assert max(np.ptp(row) for row in rows) < 0.1 * wearer().figure.body.unit


def test_rows_keep_their_order_down_the_body() -> None:
    torso = part(matched(TEE, wearer()), "torso")
    middles = torso.target[3 : 7 * 9 : 7, 1]
    assert (np.diff(middles) > 0).all()


def test_the_garments_left_goes_to_the_persons_left() -> None:
    torso = part(matched(TEE, wearer()), "torso")
    apart = torso.target[6 : 7 * 9 : 7] - torso.target[0 : 7 * 9 : 7]
    assert (apart @ wearer().figure.body.across > 0).all()


@pytest.mark.parametrize("pose", ["relaxed", "arms_out", "hand_on_hip"])
@pytest.mark.parametrize("name", ["striped_tee", "breton_shirt", "ochre_tank"])
def test_warps_fold_nowhere_but_in_an_armpits_corner(pose: str, name: str) -> None:
    _, folded = warped(demo_garment(name), wearer(pose=pose))
    assert folded < 0.1


@pytest.mark.parametrize("pose", ["relaxed", "arms_out", "hand_on_hip"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_long_sleeve_lies_along_its_arm(pose: str, side: str) -> None:
    who = wearer(pose=pose)
    sleeve = part(matched(demo_garment("breton_shirt"), who), f"sleeve_{side}")
    line = arm_frame(who.figure.body, side).place(np.linspace(0, 1, 60), np.zeros(60))
    away = np.linalg.norm(sleeve.target[:, None] - line[None], axis=2).min(axis=1)
    assert away.max() < 0.45 * who.figure.body.unit


@pytest.mark.parametrize("pose", ["relaxed", "hand_on_hip"])
def test_a_long_sleeve_ends_at_the_wrist(pose: str) -> None:
    who = wearer(pose=pose)
    sleeve = part(matched(demo_garment("breton_shirt"), who), "sleeve_left")
    wrist = who.figure.body.joint("left_wrist")
    assert np.linalg.norm(sleeve.target - wrist, axis=1).min() < 0.25 * who.figure.body.unit


def test_a_short_sleeve_ends_above_the_elbow() -> None:
    who = wearer()
    sleeve = part(matched(TEE, who), "sleeve_left")
    elbow = who.figure.body.joint("left_elbow")
    assert sleeve.target[:, 1].max() < elbow[1]


def test_a_sleeveless_garment_has_no_sleeves() -> None:
    names = [found.name for found in matched(demo_garment("ochre_tank"), wearer()).parts]
    assert names == ["torso"]


def test_trousers_have_two_legs_and_nothing_else() -> None:
    names = [found.name for found in matched(demo_garment("chinos"), wearer()).parts]
    assert names == ["leg_left", "leg_right"]


def test_trousers_begin_where_the_old_ones_did() -> None:
    who = wearer()
    leg = part(matched(demo_garment("chinos"), who), "leg_left")
    span = float(np.linalg.norm(who.figure.body.hips - who.figure.body.neck))
    top = leg.target[:, 1].min() - who.figure.body.neck[1]
    assert 0.55 * span < top < 1.02 * float(who.figure.silhouette.waist or 0.0)


def test_full_trousers_end_at_the_ankle() -> None:
    who = wearer(pose="arms_out")
    leg = part(matched(demo_garment("chinos"), who), "leg_left")
    ankle = who.figure.body.joint("left_ankle")
    assert leg.target[:, 1].max() == pytest.approx(ankle[1], abs=0.35 * who.figure.body.unit)


def test_a_skirt_is_as_wide_as_the_hips_at_least() -> None:
    who = wearer()
    skirt = next(demo_garment(n) for n in demo_names("lower") if "skirt" in n)
    target = part(matched(skirt, who), "skirt").target
    span = float(who.figure.body.hips[1] - who.figure.body.neck[1])
    assert np.ptp(target[:, 0]) > 1.9 * who.figure.silhouette.half_width(span, "left")


columns = np.linspace(-1, 1, 21)


@given(st.floats(1.0, 2.0))
def test_cloth_around_a_tube_keeps_its_edges(slack: float) -> None:
    np.testing.assert_allclose(around(columns, slack, 0.0)[[0, 10, -1]], [-1, 0, 1], atol=1e-6)


@given(st.floats(1.0, 2.0))
def test_cloth_around_a_tube_foreshortens_towards_its_sides(slack: float) -> None:
    steps = np.diff(around(columns, slack, 0.0))
    assert steps[0] <= steps[10] + 1e-9


@given(st.floats(1.0, 2.0), st.floats(-1.2, 1.2))
def test_cloth_around_a_turned_tube_keeps_its_order(slack: float, turn: float) -> None:
    assert (np.diff(around(columns, slack, turn)) > -1e-6).all()


def test_the_front_of_a_turned_body_moves_to_its_far_side() -> None:
    assert around(np.array([0.0]), 1.3, 0.5)[0] > 0.1
