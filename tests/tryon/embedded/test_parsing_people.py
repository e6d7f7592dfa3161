"""Parsing of real people and of drawn ones whose true classes are known, found by the networks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mycloset.hub.embedded import BodyModel
from mycloset.images import RGB
from mycloset.tasks.parsing import HumanParsing
from mycloset.tasks.people import Person
from mycloset.tryon.embedded.parsing import parse_person
from mycloset.wardrobe import (
    POSES,
    FigureSpec,
    Framing,
    Outfit,
    RenderedFigure,
    demo_garment,
    draw_figure,
)

pytestmark = pytest.mark.usefixtures("embedded_models")

SIZE = (640, 480)


@dataclass(frozen=True, eq=False)
class Parsed:
    """A photo, who is on it, and the classes that were found."""

    rgb: RGB
    person: Person
    parsing: HumanParsing

    def at(self, point: NDArray[np.float32], dx: float = 0, dy: float = 0) -> str:
        """The class at a place of the photo."""
        x, y = round(float(point[0]) + dx), round(float(point[1]) + dy)
        return self.parsing.table.labels[int(self.parsing.labels[y, x])]


@cache
def networks() -> BodyModel:
    return BodyModel()


def parsed(rgb: RGB) -> Parsed:
    person = networks().find_people(rgb)[0]
    return Parsed(rgb, person, parse_person(rgb, person)[0])


@cache
def dressed(
    upper: str | None,
    lower: str | None,
    dress: str | None = None,
    pose: str = "relaxed",
    framing: Framing = Framing.FULL,
) -> tuple[RenderedFigure, Parsed]:
    """A drawn figure in these garments, and its parsing."""
    garments = (demo_garment(name) if name else None for name in (upper, lower, dress))
    figure = FigureSpec(pose=POSES[pose], framing=framing, seed=8)
    drawn = draw_figure(figure, Outfit(*garments), SIZE)
    return drawn, parsed(drawn.rgb)


def agreement(drawn: RenderedFigure, found: HumanParsing, *names: str) -> float:
    """Intersection over union of some classes, where both see a person."""
    both = (drawn.labels > 0) & (found.labels > 0)
    truth, seen = drawn.where(*names) & both, found.where(*names) & both
    return float((truth & seen).sum() / max((truth | seen).sum(), 1))


@pytest.fixture(scope="module")
def astronaut(astronaut_photo: RGB) -> Parsed:
    return parsed(astronaut_photo)


@pytest.fixture(scope="module")
def hopper(hopper_photo: RGB) -> Parsed:
    return parsed(hopper_photo)


def test_the_astronauts_face_hair_and_suit_are_told_apart(astronaut: Parsed) -> None:
    nose = astronaut.person.pose.point("nose")
    assert astronaut.at(nose) == "face"
    for dx, dy in ((-20, 10), (20, 10), (0, 30)):
        assert astronaut.at(nose, dx, dy) == "face"
    for dx, dy in ((0, -75), (-60, -30), (60, -30)):
        assert astronaut.at(nose, dx, dy) == "hair"
    chest = (
        astronaut.person.pose.point("left_shoulder") + astronaut.person.pose.point("right_shoulder")
    ) / 2
    for dx in (-70, 0, 70):
        assert astronaut.at(chest, dx, 60) == "upper-clothes"


def test_the_black_collar_below_the_astronauts_chin_is_no_hair(astronaut: Parsed) -> None:
    nose = astronaut.person.pose.point("nose")
    hair = astronaut.parsing.where("hair")
    assert hair[: round(nose[1])].sum() > 0.97 * hair.sum()


def test_where_only_the_upper_half_is_seen_nothing_is_worn_below(astronaut: Parsed) -> None:
    assert not astronaut.parsing.where("pants", "skirt", "dress", "left-leg", "right-leg").any()


def test_grace_hoppers_black_and_white_cap_is_a_hat(hopper: Parsed) -> None:
    nose = hopper.person.pose.point("nose")
    assert hopper.at(nose) == "face"
    assert hopper.at(nose, 0, -110) == "hat"
    assert hopper.parsing.where("hat").sum() > 10_000


def test_glasses_are_part_of_the_face(hopper: Parsed) -> None:
    for side in ("left_eye", "right_eye"):
        assert hopper.at(hopper.person.pose.point(side), 0, 12) == "face"


def test_hair_of_one_colour_is_no_hat(astronaut: Parsed) -> None:
    assert not astronaut.parsing.where("hat").any()


@pytest.mark.parametrize("photo", ["astronaut", "hopper"])
def test_labels_fill_the_persons_mask_and_nothing_else(
    photo: str, request: pytest.FixtureRequest
) -> None:
    found: Parsed = request.getfixturevalue(photo)
    assert np.array_equal(found.parsing.labels > 0, found.person.mask.alpha >= 0.5)
    assert 0.5 < found.parsing.confidence <= 1


def test_a_larger_photo_is_parsed_alike(astronaut: Parsed) -> None:
    twice = cv2.resize(astronaut.rgb, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    found = parsed(np.asarray(twice, np.uint8)).parsing.labels[::2, ::2]
    person = (found > 0) & (astronaut.parsing.labels > 0)
    assert (found == astronaut.parsing.labels)[person].mean() > 0.95


def test_parsing_twice_gives_the_same_labels(astronaut: Parsed) -> None:
    again = parse_person(astronaut.rgb, astronaut.person)[0]
    assert np.array_equal(again.labels, astronaut.parsing.labels)


@pytest.mark.parametrize(
    ("upper", "pose"),
    [
        ("plain_tee", "relaxed"), ("striped_tee", "hand_on_hip"), ("ochre_tank", "relaxed"),
        ("sage_sweater", "arms_out"), ("lumber_shirt", "relaxed"),
    ],
)  # fmt: skip
def test_sleeves_end_where_the_drawn_ones_do(upper: str, pose: str) -> None:
    drawn, found = dressed(upper, "blue_jeans", pose=pose)
    assert agreement(drawn, found.parsing, "left-arm", "right-arm") > 0.85
    assert agreement(drawn, found.parsing, "upper-clothes") > 0.92
    assert agreement(drawn, found.parsing, "pants") > 0.92
    assert agreement(drawn, found.parsing, "hair") > 0.85
    assert agreement(drawn, found.parsing, "face") > 0.85


def test_left_and_right_are_the_persons_own() -> None:
    drawn, found = dressed("plain_tee", "blue_jeans")
    for name in ("left-arm", "right-arm", "left-shoe", "right-shoe"):
        assert agreement(drawn, found.parsing, name) > 0.75, name


def test_bare_legs_below_a_skirt_are_legs() -> None:
    drawn, found = dressed("plain_tee", "tartan_skirt")
    assert agreement(drawn, found.parsing, "skirt") > 0.9
    assert agreement(drawn, found.parsing, "left-leg", "right-leg") > 0.85


def test_a_dress_is_one_garment() -> None:
    drawn, found = dressed(None, None, "raspberry_dress")
    assert agreement(drawn, found.parsing, "dress") > 0.92
    assert not found.parsing.where("upper-clothes", "pants", "skirt").any()


def test_without_a_head_bare_arms_and_neck_are_still_skin() -> None:
    drawn, _ = dressed("plain_tee", "blue_jeans")
    chin = int(np.flatnonzero(drawn.where("face").any(axis=1)).max()) + 1
    found = parsed(np.ascontiguousarray(drawn.rgb[chin:]))
    arms = drawn.where("left-arm", "right-arm")[chin:]
    neck = drawn.where("neck")[chin:]
    cloth = found.parsing.where("upper-clothes", "dress", "pants")
    assert cloth[arms].mean() < 0.1
    assert cloth[neck].mean() < 0.2
