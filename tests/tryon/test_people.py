"""Whom a try-on dresses, and what it says of pictures in which there is nobody to dress."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mycloset.errors import PersonError
from mycloset.images import RGB, Picture
from mycloset.tasks.masks import Mask
from mycloset.tasks.people import Face, Person
from mycloset.tasks.poses import BLAZEPOSE_33, Pose
from mycloset.tryon import people
from mycloset.tryon.people import find_person
from mycloset.tryon.state import TryOnState

HEIGHT, WIDTH = 400, 300
SKIN = (222, 172, 140)


class FakeNetworks:
    """Finds what it was told to find, by the picture's mean."""

    def __init__(self) -> None:
        self.found: dict[float, tuple[Person, ...]] = {}

    def find_people(self, rgb: RGB) -> tuple[Person, ...]:
        return self.found.get(float(rgb.mean()), ())


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> FakeNetworks:
    fake = FakeNetworks()
    monkeypatch.setattr(people, "body_model", lambda: fake)
    return fake


def _person(*, shoulders: float = 120, face: bool = True) -> Person:
    """Somebody whose shoulders lie at this height of the picture, and whose hips 120 below."""
    points = np.full((33, 2), (150, shoulders + 200), np.float32)
    sure = np.full(33, 0.99, np.float32)
    for side, sign in (("left", 1), ("right", -1)):
        for joint, dx, dy in (("shoulder", 40, 0), ("hip", 25, 120), ("knee", 25, 220)):
            points[BLAZEPOSE_33.index(f"{side}_{joint}")] = (150 + sign * dx, shoulders + dy)
    points[BLAZEPOSE_33.index("nose")] = (150, shoulders - 60)
    alpha = np.zeros((HEIGHT, WIDTH), np.float32)
    alpha[20:, 90:210] = 1.0
    box = np.array([90, 20, 210, 400], np.float32)
    found = Face(np.array([120, 20, 180, 90], np.float32), None, 0.99) if face else None
    return Person(Pose(BLAZEPOSE_33, points, sure, 0.99), Mask(alpha), found, box)


def _picture(name: str, color: tuple[int, int, int]) -> Picture:
    rgb = np.full((HEIGHT, WIDTH, 3), 240, np.uint8)
    rgb[20:, 90:210] = color
    return Picture(rgb, None, name)


DRESSED = _picture("anna.jpg", (60, 70, 90))
DRESSED.rgb[200:240, 90:210] = SKIN
CLOTH = _picture("shirt.jpg", (60, 90, 200))


def _state() -> TryOnState:
    return TryOnState(DRESSED, CLOTH)


def _tell(networks: FakeNetworks, person: Person, picture: Picture = DRESSED) -> str:
    networks.found[float(picture.rgb.mean())] = (person,)
    with pytest.raises(PersonError) as told:
        find_person(TryOnState(picture, CLOTH if picture is DRESSED else _picture("b", (9, 9, 9))))
    return told.value.message


def test_the_largest_person_is_dressed(networks: FakeNetworks) -> None:
    first, second = _person(), _person(shoulders=140)
    networks.found[float(DRESSED.rgb.mean())] = (first, second)
    assert find_person(_state())[0] is first


def test_other_people_are_told_of(networks: FakeNetworks) -> None:
    networks.found[float(DRESSED.rgb.mean())] = (_person(), _person())
    assert "2 people" in find_person(_state())[1][0]


def test_a_person_that_is_known_is_not_looked_for(networks: FakeNetworks) -> None:
    known = _person()
    assert find_person(replace(_state(), person=known)) == (known, ())


def test_nobody_is_told(networks: FakeNetworks) -> None:
    with pytest.raises(PersonError, match=r"anna\.jpg: nobody is seen"):
        find_person(_state())


def test_a_face_alone_is_told(networks: FakeNetworks) -> None:
    assert "only a face" in _tell(networks, _person(shoulders=420))


def test_a_head_with_shoulders_at_the_pictures_edge_is_a_face_alone(
    networks: FakeNetworks,
) -> None:
    assert "only a face" in _tell(networks, _person(shoulders=385))


def test_legs_alone_are_told(networks: FakeNetworks) -> None:
    assert "only legs" in _tell(networks, _person(shoulders=-60, face=False))


def test_a_person_cut_off_below_the_head_is_dressed(networks: FakeNetworks) -> None:
    headless = _person(shoulders=50, face=False)
    networks.found[float(DRESSED.rgb.mean())] = (headless,)
    assert find_person(_state())[0] is headless


def test_somebody_seen_from_behind_is_dressed(networks: FakeNetworks) -> None:
    behind = _person(face=False)
    networks.found[float(DRESSED.rgb.mean())] = (behind,)
    assert find_person(_state())[0] is behind


def test_a_garment_that_looks_like_a_body_is_told(networks: FakeNetworks) -> None:
    assert "a garment is seen" in _tell(networks, _person(face=False), CLOTH)


def test_swapped_pictures_are_told(networks: FakeNetworks) -> None:
    networks.found[float(DRESSED.rgb.mean())] = (_person(),)
    with pytest.raises(PersonError, match=r"shirt\.jpg.*in anna\.jpg one is.*swapped"):
        find_person(TryOnState(CLOTH, DRESSED))


def test_a_worn_garment_in_the_other_picture_is_no_swap(networks: FakeNetworks) -> None:
    person = _person()
    networks.found[float(DRESSED.rgb.mean())] = (person,)
    networks.found[float(CLOTH.rgb.mean())] = (_person(shoulders=130),)
    assert find_person(_state())[0] is person
