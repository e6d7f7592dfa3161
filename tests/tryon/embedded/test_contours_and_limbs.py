"""Outlines, pieces of them, and coordinates along limbs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from dressed_figures import wearer
from hypothesis import given
from hypothesis import strategies as st

from mycloset.errors import GarmentError
from mycloset.tryon.embedded.contours import edge, evenly, outline
from mycloset.tryon.embedded.limbs import UPPER_ARM, LimbFrame, arm_frame, draw_limb

numbers = st.floats(-200, 200, width=32)


def _square() -> np.ndarray:
    region = np.zeros((100, 120), bool)
    region[20:81, 30:91] = True
    return region


def test_an_outline_goes_around_its_region() -> None:
    area = cv2.contourArea(outline(_square()))
    assert area == pytest.approx(60 * 60, rel=0.03)


def test_an_outline_follows_the_largest_piece() -> None:
    region = _square()
    region[2:6, 2:6] = True
    assert outline(region)[:, 0].min() > 20


def test_nothing_has_no_outline() -> None:
    with pytest.raises(GarmentError, match="no garment is left"):
        outline(np.zeros((20, 20), bool))


def test_an_edge_takes_the_shorter_way() -> None:
    line = edge(outline(_square()), np.float32([30, 20]), np.float32([30, 80]), 13)
    assert np.abs(line[:, 0] - 30).max() < 1.5


def test_an_edge_begins_and_ends_where_it_was_asked_to() -> None:
    start, end = np.float32([31, 25]), np.float32([60, 82])
    line = edge(outline(_square()), start, end, 9)
    np.testing.assert_allclose(line[[0, -1]], [start, end], atol=1e-4)


def test_an_edge_does_not_go_around_something_else() -> None:
    region = _square()
    region[20:70, 58:64] = False  # a slit between two points that lie side by side
    line = edge(outline(region), np.float32([57, 22]), np.float32([64, 22]), 9)
    assert line[:, 1].max() < 24


@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=12), st.integers(2, 40))
def test_even_points_lie_at_even_distances_along_the_line(
    corners: list[tuple[float, float]], count: int
) -> None:
    line = np.array(corners, np.float32)
    total = float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())
    steps = np.linalg.norm(np.diff(evenly(line, count), axis=0), axis=1)
    # A chord is never longer than the way along the line.
    assert (steps <= total / (count - 1) + 1e-2).all()


@st.composite
def arms(draw: st.DrawFn) -> np.ndarray:
    """Shoulder, elbow and wrist with an elbow bent by at most a right angle."""
    turn = draw(st.floats(-np.pi, np.pi))
    bend = draw(st.floats(-np.pi / 2, np.pi / 2))
    upper = 106 * np.array([np.cos(turn), np.sin(turn)])
    lower = 94 * np.array([np.cos(turn + bend), np.sin(turn + bend)])
    shoulder = np.array([150.0, 150.0])
    return np.stack([shoulder, shoulder + upper, shoulder + upper + lower]).astype(np.float32)


@given(arms(), st.floats(0.05, 0.25), st.floats(-8, 8))
def test_a_place_on_a_limb_is_found_again(joints: np.ndarray, share: float, offset: float) -> None:
    outward = np.array([joints[1][1] - joints[0][1], joints[0][0] - joints[1][0]], np.float32)
    frame = LimbFrame(joints, UPPER_ARM, outward)
    point = frame.place(np.array([share]), np.array([offset]))[0]
    found = frame.locate(point)
    assert found == (pytest.approx(share, abs=0.02), pytest.approx(offset, abs=1.0))


@given(arms())
def test_a_limb_ends_at_its_last_joint(joints: np.ndarray) -> None:
    frame = LimbFrame(joints, UPPER_ARM, np.float32([1, 0]))
    end = frame.place(np.array([1.0]), np.array([0.0]))[0]
    assert np.linalg.norm(end - joints[2]) < 0.03 * 200


def test_cloth_does_not_fold_on_the_inner_side_of_an_elbow() -> None:
    joints = np.float32([[100, 100], [100, 206], [194, 206]])
    frame = LimbFrame(joints, UPPER_ARM, np.float32([-1, 0]))
    share = np.linspace(0.2, 0.9, 71)
    middle = frame.place(share, np.zeros(71))
    inner = frame.place(share, np.full(71, -60.0))
    along = (np.diff(middle, axis=0) * np.diff(inner, axis=0)).sum(axis=1)
    assert along.min() > -0.05 * along.max()


def test_the_outer_edge_of_an_arm_is_away_from_the_torso() -> None:
    body = wearer().figure.body
    outer = arm_frame(body, "left").place(np.array([0.3]), np.array([10.0]))[0]
    middle = arm_frame(body, "left").place(np.array([0.3]), np.array([0.0]))[0]
    assert (outer - middle) @ body.across > 5


def test_a_drawn_limb_is_as_wide_as_it_was_asked_to_be() -> None:
    axis = np.float32([[20, 30], [140, 30]])
    limb = draw_limb(axis, np.array([0.0, 1.0]), np.array([12.0, 12.0]), (60, 160))
    assert limb.cover[:, 80].sum() == pytest.approx(24, abs=1.5)


def test_places_along_a_drawn_limb_run_from_root_to_end() -> None:
    axis = np.float32([[20, 30], [140, 30]])
    limb = draw_limb(axis, np.array([0.0, 1.0]), np.array([12.0, 12.0]), (60, 160))
    np.testing.assert_allclose(limb.place[30, 20:140:10], np.linspace(0, 11 / 12, 12), atol=0.02)
