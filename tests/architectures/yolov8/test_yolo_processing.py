"""A YOLO's pictures go into a grey frame, and what it sees there comes back to the picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mycloset.architectures.suppression import suppress
from mycloset.architectures.yolov8.processing import YoloProcessing, letterbox
from mycloset.errors import OptionError

Floats = NDArray[np.float32]


@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 700), width=st.integers(1, 700), x=st.floats(0, 1), y=st.floats(0, 1))
def test_points_come_back_from_the_frame(height: int, width: int, x: float, y: float) -> None:
    picture = np.zeros((height, width, 3), np.uint8)
    box = letterbox(picture, 320, 32)
    assert all(side % 32 == 0 and side <= 320 for side in box.image.shape[2:])
    place = np.array([x * width, y * height], np.float32)
    framed = place * np.float32(box.scale) + (box.left, box.top)
    assert np.abs(box.back(framed.astype(np.float32), picture) - place).max() < 0.01


def test_the_frame_is_grey_and_the_picture_in_its_middle() -> None:
    box = letterbox(np.full((100, 50, 3), 255, np.uint8), 100, 32)
    assert box.image.shape == (1, 3, 128, 64)
    assert (box.top, box.left) == (14, 7)
    assert np.isclose(box.image[0, :, 0, 0], 114 / 255).all()
    assert box.image[0, 0, 14:114, 7:57].min() == 1


class Seen:
    """A network that sees what it is told, in the frame's pixels."""

    def __init__(self, rows: list[list[float]]) -> None:
        self.predictions = np.array(rows, np.float32).T[None]

    def __call__(self, method: str = "forward", /, **inputs: Any) -> dict[str, Floats]:
        return {"predictions": self.predictions}


PICTURE = np.zeros((320, 640, 3), np.uint8)
DETECTOR = YoloProcessing("detect", ("cat", "dog"), 320, 32)


def test_of_boxes_of_one_class_that_overlap_the_surest_stays() -> None:
    rows = [
        [100, 80, 40, 40, 0.5, 0.1],
        [101, 80, 40, 40, 0.8, 0.1],
        [100, 80, 40, 40, 0.1, 0.6],
        [250, 80, 40, 40, 0.2, 0.1],
    ]
    found = DETECTOR(Seen(rows), PICTURE)
    assert [found.name(place) for place in range(len(found))] == ["cat", "dog"]
    assert np.allclose(found.scores, [0.8, 0.6])
    assert found.boxes[1].tolist() == [160, 120, 240, 200]


def test_other_classes_are_left_out_when_one_is_asked_for() -> None:
    rows = [[100, 80, 40, 40, 0.5, 0.1], [200, 80, 40, 40, 0.1, 0.6]]
    assert DETECTOR(Seen(rows), PICTURE, classes=["dog"]).labels.tolist() == [1]


@pytest.mark.parametrize(
    "options",
    [{"confidence": 1.5}, {"iou": -1.0}, {"most": 0}, {"classes": ["cow"]}, {"size": 1}],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=next(iter(options))):
        DETECTOR(Seen([[1, 1, 1, 1, 0, 0]]), PICTURE, **options)


def test_peoples_joints_come_back_too() -> None:
    points = [value for joint in range(17) for value in (100 + joint, 60, 0.9)]
    made = YoloProcessing("pose", ("person",), 320, 32, (17, 3))
    poses = made(Seen([[110, 80, 60, 100, 0.7, *points]]), PICTURE)
    assert poses[0].skeleton.name == "COCO-17"
    assert poses[0].point("nose").tolist() == [200, 120]
    assert poses[0].score == pytest.approx(0.7)
    assert poses[0].box is not None
    assert poses[0].box.tolist() == [160, 60, 280, 260]


def test_points_without_visibility_are_as_sure_as_their_person() -> None:
    made = YoloProcessing("pose", ("face",), 320, 32, (5, 2))
    poses = made(Seen([[110, 80, 60, 100, 0.7, *range(10)]]), PICTURE)
    assert np.allclose(poses[0].confidence, 0.7)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 60), st.integers(0, 1000))
def test_suppression_is_the_plain_greedy_one(number: int, seed: int) -> None:
    stream = np.random.default_rng(seed)
    boxes = stream.random((number, 4)).astype(np.float32)
    boxes[:, 2:] += boxes[:, :2]
    scores, labels = stream.random(number).astype(np.float32), stream.integers(0, 2, number)

    def overlap(one: int, other: int) -> float:
        low = np.maximum(boxes[one, :2], boxes[other, :2])
        high = np.minimum(boxes[one, 2:], boxes[other, 2:])
        shared = float(np.prod((high - low).clip(0)))
        whole = sum(float(np.prod(boxes[n, 2:] - boxes[n, :2])) for n in (one, other))
        return shared / (whole - shared)

    expected: list[int] = []
    for place in np.argsort(-scores, kind="stable").tolist():
        if all(labels[place] != labels[k] or overlap(k, place) <= 0.4 for k in expected):
            expected.append(place)
    assert suppress(boxes, scores, labels, iou=0.4).tolist() == expected
