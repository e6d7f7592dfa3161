"""People and things in a picture: told as JSON, drawn at the picture's size."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mycloset.tasks.class_names import COCO_80, class_names
from mycloset.tasks.detections import Detections
from mycloset.tasks.drawing_detections import class_color
from mycloset.tasks.poses import COCO_17, COCO_WHOLEBODY_133, Pose, Poses, Skeleton


def somebody(skeleton: Skeleton = COCO_17, score: float = 0.8) -> Pose:
    number = len(skeleton.joints)
    points = np.random.default_rng(0).random((number, 2)).astype(np.float32) * 100 + 20
    box = np.array([10, 10, 130, 130], np.float32)
    return Pose(skeleton, points, np.ones(number, np.float32), score, box=box)


def things() -> Detections:
    return Detections(
        np.array([[10, 20, 60, 90], [40.5, 30.5, 80, 70]], np.float32),
        np.array([0.9, 0.5], np.float32),
        np.array([0, 2]),
        COCO_80,
        (np.ones((70, 50), bool), np.zeros((40, 40), bool)),
    )


@pytest.mark.parametrize("skeleton", [COCO_17, COCO_WHOLEBODY_133], ids=lambda s: s.name)
def test_people_are_drawn_on_the_picture(skeleton: Skeleton) -> None:
    picture = np.full((150, 160, 3), 255, np.uint8)
    drawn = Poses((somebody(skeleton), somebody(skeleton, 0.2))).draw(picture)
    assert drawn.shape == picture.shape
    assert (drawn != 255).any()
    assert (picture == 255).all()


def test_people_are_told_as_json() -> None:
    told = json.loads(json.dumps(Poses((somebody(),)).to_dict()))
    (person,) = told["people"]
    assert person["skeleton"] == "COCO-17"
    assert [joint["joint"] for joint in person["joints"]] == list(COCO_17.joints)
    assert person["box"] == [10, 10, 130, 130]


def test_the_best_is_the_one_of_the_highest_score() -> None:
    poses = Poses((somebody(score=0.2), somebody(score=0.7)))
    assert poses.best is poses[1]
    assert Poses(()).best is None


def test_things_are_drawn_in_the_colours_of_their_classes() -> None:
    picture = np.full((100, 120, 3), 255, np.uint8)
    drawn = things().draw(picture)
    assert drawn.shape == picture.shape
    assert np.abs(drawn[60, 10].astype(int) - class_color(0)).max() < 30
    assert drawn[60, 30].tolist() != drawn[60, 100].tolist()


def test_things_are_told_as_json() -> None:
    told = json.loads(json.dumps(things().to_dict()))["detections"]
    assert [thing["name"] for thing in told] == ["person", "car"]
    assert [thing["mask_pixels"] for thing in told] == [3500, 0]


def test_things_of_one_class_keep_their_masks() -> None:
    cars = things().of("car")
    assert len(cars) == 1
    assert cars.masks is not None
    assert cars.masks[0].shape == (40, 40)
    with pytest.raises(KeyError, match="unicorn"):
        cars.of("unicorn")


def test_classes_without_names_are_numbered() -> None:
    assert class_names(2) == ("class 0", "class 1")
    assert len(set(class_names(80))) == 80
