"""The body below the clothes, read from drawn figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from dressed_figures import person_of, wearer

from mycloset.tasks.masks import Mask
from mycloset.tasks.parsing import ATR_18_NECK, HumanParsing
from mycloset.tryon.embedded.body import SIDES, capsule, read_body
from mycloset.tryon.embedded.colour_models import to_lab
from mycloset.tryon.embedded.figure import TYPICAL_SKIN, read_figure
from mycloset.tryon.embedded.silhouette import TORSO_HALF, TORSO_HEIGHT
from mycloset.wardrobe import Framing


def _turned(left_farther_by: float) -> float:
    person = person_of(wearer().picture)
    world = np.zeros((33, 3), np.float32)
    skeleton = person.pose.skeleton
    world[skeleton.index("left_shoulder")] = (0.18, -0.5, left_farther_by)
    world[skeleton.index("right_shoulder")] = (-0.18, -0.5, -left_farther_by)
    return read_body(replace(person, pose=replace(person.pose, world=world))).turn


def test_a_body_that_faces_the_camera_is_not_turned() -> None:
    assert _turned(0.0) == 0.0


def test_the_turn_is_positive_where_the_left_shoulder_is_farther() -> None:
    assert _turned(0.1) == pytest.approx(np.arctan2(0.2, 0.36), abs=1e-3)


def test_the_unit_is_the_breadth_between_the_shoulder_joints() -> None:
    joints = wearer().picture.joints
    breadth = np.linalg.norm(joints["left_shoulder"] - joints["right_shoulder"])
    assert wearer().figure.body.unit == pytest.approx(breadth, rel=0.02)


def test_the_unit_survives_a_turned_trunk() -> None:
    facing, person = wearer().figure.body, person_of(wearer().picture)
    points = person.pose.points.copy()
    for side in SIDES:  # seen from the side, both shoulders lie nearly before one another
        index = person.pose.skeleton.index(f"{side}_shoulder")
        points[index] = facing.neck + 0.2 * (points[index] - facing.neck)
    turned = read_body(replace(person, pose=replace(person.pose, points=points)))
    assert turned.unit > 0.6 * facing.unit


def test_hips_below_the_picture_are_not_seen() -> None:
    person = person_of(wearer().picture)
    cut = Mask(person.mask.alpha[:200])
    assert not read_body(replace(person, mask=cut)).hips_seen


def test_a_scaled_body_keeps_its_proportions() -> None:
    body = wearer().figure.body
    half = body.scaled(0.5)
    ratio = float(np.linalg.norm(half.hips - half.neck)) / half.unit
    assert ratio == pytest.approx(float(np.linalg.norm(body.hips - body.neck)) / body.unit)


def test_a_capsule_measures_from_its_segment() -> None:
    xs, ys = np.float32([[5, 13]]), np.float32([[4, 0]])
    distance, _ = capsule(xs, ys, np.float32([0, 0]), np.float32([10, 0]))
    np.testing.assert_allclose(distance, [[4, 3]])


@pytest.mark.parametrize("side", SIDES)
def test_widths_stay_within_human_proportions(side: str) -> None:
    silhouette, unit = wearer().figure.silhouette, wearer().figure.body.unit
    for height, usual in zip(TORSO_HEIGHT, TORSO_HALF, strict=True):
        ratio = silhouette.half_width(height * unit, side) / (usual * unit)
        assert 0.75 < ratio < 1.5


def test_the_waist_is_where_the_lower_garment_begins() -> None:
    who = wearer()
    body = who.figure.body
    first = np.flatnonzero(who.picture.where("pants").any(axis=1))[0]
    assert who.figure.silhouette.waist == pytest.approx(first - body.neck[1], abs=8)


def test_no_waist_is_found_where_no_lower_garment_is_seen() -> None:
    who = wearer(framing=Framing.HALF)
    labels = np.where(who.picture.where("pants"), 0, who.picture.labels).astype(np.uint8)
    figure = read_figure(who.picture.rgb, who.person, HumanParsing(labels, ATR_18_NECK))
    assert figure.silhouette.waist is None


def test_the_torsos_frame_begins_at_the_neck() -> None:
    figure = wearer().figure
    np.testing.assert_allclose(figure.silhouette.frame(0.0, 0.0), figure.body.neck)


@pytest.mark.parametrize("side", SIDES)
def test_the_shoulders_corner_lies_on_the_persons_outline(side: str) -> None:
    who = wearer()
    x, y = np.round(who.figure.silhouette.deltoid(side)).astype(int)
    near = who.picture.person[y - 4 : y + 5, x - 4 : x + 5]
    assert near.min() < 0.5 < near.max()


def test_arms_are_about_as_wide_as_they_are_seen() -> None:
    who = wearer(pose="arms_out")
    body = who.figure.body
    _, elbow, wrist = body.arm("left")
    middle = elbow + 0.4 * (wrist - elbow)
    axis = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    across = np.stack([middle + t * np.array([-axis[1], axis[0]]) for t in np.arange(-20, 20, 0.5)])
    xs, ys = np.round(across).astype(int).T
    seen = float((who.picture.person[ys, xs] > 0.5).sum()) * 0.5
    told = 2 * float(who.figure.silhouette.arm_width("left", np.array([0.72]))[0])
    assert told == pytest.approx(seen, rel=0.3)


def test_the_skins_tone_is_the_faces() -> None:
    who = wearer()
    skin = np.median(to_lab(who.picture.rgb)[who.picture.where("face")], axis=0)
    np.testing.assert_allclose(who.figure.tone, skin, atol=4)


def test_without_skin_a_typical_tone_is_taken_and_told() -> None:
    who = wearer()
    bare = who.picture.where("face", "left-arm", "right-arm", "left-leg", "right-leg")
    labels = np.where(bare, ATR_18_NECK.index("hair"), who.picture.labels).astype(np.uint8)
    figure = read_figure(who.picture.rgb, who.person, HumanParsing(labels, ATR_18_NECK))
    assert (tuple(figure.tone), figure.tone_seen) == (TYPICAL_SKIN, False)
