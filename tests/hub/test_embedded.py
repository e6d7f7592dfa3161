from __future__ import annotations

import threading

import matplotlib
import numpy as np
import pytest
import skimage.data

from mycloset.hub.embedded import NETWORKS, BodyModel
from mycloset.images import read_picture
from mycloset.tasks.people import Person


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return BodyModel()


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return np.asarray(skimage.data.astronaut())


@pytest.fixture(scope="module")
def hopper() -> np.ndarray:
    path = f"{matplotlib.get_data_path()}/sample_data/grace_hopper.jpg"
    return read_picture(path).rgb


@pytest.fixture(scope="module")
def collins(model: BodyModel, astronaut: np.ndarray) -> Person:
    (person,) = model.find_people(astronaut)
    return person


# Read off the pictures by eye, in pixels; the third number is how far off a joint may be.
ASTRONAUT = {
    "nose": (223, 128, 10),
    "left_eye": (246, 107, 8),
    "right_eye": (203, 102, 8),
    "left_shoulder": (300, 250, 25),
    "right_shoulder": (97, 245, 25),
    "right_elbow": (60, 415, 30),
}
HOPPER = {
    "left_eye": (305, 188, 12),
    "right_eye": (231, 189, 12),
    "left_shoulder": (440, 415, 40),
    "right_shoulder": (88, 405, 40),
}


def assert_joints(person: Person, expected: dict[str, tuple[int, int, int]]) -> None:
    for joint, (x, y, near) in expected.items():
        found = person.pose.point(joint)
        assert np.hypot(found[0] - x, found[1] - y) <= near, (joint, found)
        assert person.visible(joint), joint


def test_the_astronauts_joints_are_where_they_are_seen(collins: Person) -> None:
    assert collins.pose.score > 0.9
    assert_joints(collins, ASTRONAUT)
    assert not collins.visible("left_knee")
    assert not collins.face_only


def test_hopper_is_found_though_she_fills_the_picture(model: BodyModel, hopper: np.ndarray) -> None:
    (person,) = model.find_people(hopper)
    assert_joints(person, HOPPER)
    assert not person.visible("left_hip")


def test_the_astronauts_silhouette_holds_her_and_not_the_flag(collins: Person) -> None:
    mask = collins.mask.binary
    for x, y in ((220, 60), (220, 130), (100, 330), (230, 400), (60, 470)):
        assert mask[y, x], (x, y)
    for x, y in ((30, 100), (400, 100), (400, 250), (480, 300), (330, 60), (120, 40)):
        assert not mask[y, x], (x, y)
    left, top, right, bottom = collins.box
    assert 130 < right - left < 420
    assert top < 30
    assert bottom == 511


def test_the_astronauts_face_has_a_mesh_where_it_is(collins: Person) -> None:
    assert collins.face is not None
    assert collins.face.mesh is not None
    right_eye, left_eye, chin = (collins.face.mesh[i] for i in (33, 263, 152))
    assert np.hypot(*(right_eye - (194, 101))) < 8
    assert np.hypot(*(left_eye - (256, 103))) < 8
    assert np.hypot(*(chin - (221, 176))) < 12
    left, top, right, bottom = collins.face.box
    assert left < 200 < 240 < right
    assert top < 100 < 150 < bottom


def test_left_and_right_change_places_in_a_mirror(
    model: BodyModel, astronaut: np.ndarray, collins: Person
) -> None:
    (mirrored,) = model.find_people(np.ascontiguousarray(astronaut[:, ::-1]))
    for joint in ("left_shoulder", "right_shoulder", "left_eye"):
        other = joint.replace("left", "L").replace("right", "left").replace("L", "right")
        x, y = collins.pose.point(other)
        assert np.hypot(*(mirrored.pose.point(joint) - (511 - x, y))) < 25


@pytest.mark.parametrize("kind", ["grey", "dark", "bright", "small", "turned"])
def test_poor_pictures_still_show_the_person(
    model: BodyModel, astronaut: np.ndarray, collins: Person, kind: str
) -> None:
    picture, scale = astronaut, 1.0
    if kind == "grey":
        picture = np.repeat(astronaut.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    elif kind == "dark":
        picture = (astronaut * 0.15).astype(np.uint8)
    elif kind == "bright":
        picture = np.clip(astronaut.astype(int) + 110, 0, 255).astype(np.uint8)
    elif kind == "small":
        picture, scale = astronaut[::4, ::4], 0.25
    elif kind == "turned":
        picture = np.rot90(astronaut)
    (person,) = model.find_people(np.ascontiguousarray(picture))
    expected = collins.pose.point("right_shoulder") * scale
    if kind == "turned":
        expected = np.array([expected[1], 511 - expected[0]])
    found = person.pose.point("right_shoulder")
    assert np.hypot(*(found - expected)) < 40 * scale
    agreed = (person.mask.binary & _like(collins, person, kind)).sum()
    either = (person.mask.binary | _like(collins, person, kind)).sum()
    assert agreed / either > 0.8


def _like(collins: Person, person: Person, kind: str) -> np.ndarray:
    mask = collins.mask.binary
    if kind == "turned":
        mask = np.rot90(mask)
    step = mask.shape[0] // person.mask.alpha.shape[0]
    return mask[::step, ::step]


def test_two_people_are_two_with_a_mask_each(
    model: BodyModel, astronaut: np.ndarray, hopper: np.ndarray
) -> None:
    both = np.zeros((600, 1024, 3), np.uint8)
    both[:, :512] = hopper
    both[88:, 512:] = astronaut
    people = model.find_people(both)
    assert len(people) == 2
    assert people[0].mask.area >= people[1].mask.area
    assert sorted(person.pose.point("nose")[0] > 512 for person in people) == [False, True]
    shared = np.minimum(people[0].mask.alpha, people[1].mask.alpha)
    assert (shared > 0.5).mean() < 0.002
    for person in people:
        half = slice(512, None) if person.pose.point("nose")[0] > 512 else slice(0, 512)
        assert person.mask.alpha[:, half].sum() > 0.95 * person.mask.alpha.sum()


def test_a_face_alone_is_told_from_a_person(model: BodyModel, hopper: np.ndarray) -> None:
    people = model.find_people(np.ascontiguousarray(hopper[90:380, 130:380]))
    assert people
    assert people[0].face is not None
    assert people[0].face_only


@pytest.mark.parametrize("name", ["coffee", "rocket", "blank", "noise"])
def test_nobody_is_found_where_nobody_is(model: BodyModel, name: str) -> None:
    if name == "blank":
        picture = np.full((300, 200, 3), 180, np.uint8)
    elif name == "noise":
        picture = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    else:
        picture = np.asarray(getattr(skimage.data, name)())
    assert model.find_people(picture) == ()


def test_forwards_are_counted_and_networks_named(model: BodyModel, collins: Person) -> None:
    assert collins.pose.score > 0
    assert model.forward_seconds > 0
    assert set(model.forward_calls) == {layout.name for layout in NETWORKS}
    assert [entry.name for entry in model.info] == [layout.name for layout in NETWORKS]
    assert all(entry.licence == "Apache-2.0" for entry in model.info)


def test_threads_share_one_model(astronaut: np.ndarray, collins: Person) -> None:
    model = BodyModel()
    found: list[Person] = []
    threads = [
        threading.Thread(target=lambda: found.extend(model.find_people(astronaut)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    for person in found:
        assert np.array_equal(person.pose.points, collins.pose.points)
        assert np.array_equal(person.mask.alpha, collins.mask.alpha)
