from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mycloset.architectures import ssd
from mycloset.architectures.blazeface.layout import SHORT_RANGE, SHORT_RANGE_SSD
from mycloset.architectures.blazepose.layout import DETECTOR, DETECTOR_SSD
from mycloset.architectures.layouts import SsdLayout


@pytest.mark.parametrize(
    ("layout", "count"), [(DETECTOR_SSD, 2254), (SHORT_RANGE_SSD, 896)], ids=["pose", "face"]
)
def test_anchors_are_as_many_as_the_network_gives(layout: SsdLayout, count: int) -> None:
    found = ssd.anchors(layout)
    assert found.shape == (count, 2)
    assert found.min() > 0
    assert found.max() < 1


def test_layouts_and_anchors_belong_together() -> None:
    count = len(ssd.anchors(DETECTOR_SSD))
    assert DETECTOR.outputs[0].shape == (1, count, 4 + 2 * DETECTOR_SSD.keypoints)
    assert SHORT_RANGE.outputs[0].shape[1:] == (896, 4 + 2 * SHORT_RANGE_SSD.keypoints)


def test_anchors_go_row_by_row_and_share_places() -> None:
    found = ssd.anchors(DETECTOR_SSD)
    assert np.allclose(found[0], (0.5 / 28, 0.5 / 28))
    assert np.array_equal(found[0], found[1])
    assert np.allclose(found[2], (1.5 / 28, 0.5 / 28))
    assert np.allclose(found[56], (0.5 / 28, 1.5 / 28))
    last = found[-6:]
    assert np.allclose(last, (6.5 / 7, 6.5 / 7))


@settings(max_examples=40, deadline=None)
@given(
    anchor=st.integers(0, 2253),
    box=st.tuples(*[st.floats(-40, 40)] * 2, *[st.floats(10, 200)] * 2),
    points=st.lists(st.floats(-100, 100), min_size=8, max_size=8),
    logit=st.floats(0.1, 500),
)
def test_one_detection_is_read_as_it_was_written(
    anchor: int, box: tuple[float, ...], points: list[float], logit: float
) -> None:
    regressors = np.zeros((2254, 12), np.float32)
    logits = np.full((2254, 1), -1000, np.float32)
    regressors[anchor] = [*box, *points]
    logits[anchor] = logit
    (found,) = ssd.decode(regressors, logits, DETECTOR_SSD)
    center = ssd.anchors(DETECTOR_SSD)[anchor] * 224 + box[:2]
    low, high = center - np.array(box[2:]) / 2, center + np.array(box[2:]) / 2
    assert np.allclose(found.box * 224, [*low, *high], atol=1e-2)
    expected = np.array(points).reshape(4, 2) + ssd.anchors(DETECTOR_SSD)[anchor] * 224
    assert np.allclose(found.keypoints * 224, expected, atol=1e-2)
    assert 0.5 < found.score <= 1


def test_nothing_above_the_threshold_is_nothing() -> None:
    assert ssd.decode(np.zeros((896, 16)), np.full((896, 1), -3.0), SHORT_RANGE_SSD) == ()


def test_boxes_that_overlap_become_one_weighted_mean() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]], np.float32)
    points = boxes[:, None, :2].copy()
    scores = np.array([0.6, 0.9, 0.7], np.float32)
    first, second = ssd.suppress(boxes, points, scores, overlap=0.3)
    assert first.score == pytest.approx(0.9)
    assert np.allclose(first.box, boxes[0] * 0.4 + boxes[1] * 0.6, atol=1e-5)
    assert np.allclose(first.keypoints[0], (0.6, 0), atol=1e-5)
    assert np.array_equal(second.box, boxes[2])


boxes_strategy = st.lists(
    st.tuples(*[st.floats(0, 100)] * 2, *[st.floats(0, 40)] * 2, st.floats(0.01, 1)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(raw=boxes_strategy)
def test_suppression_ends_and_sorts_whatever_it_gets(raw: list[tuple[float, ...]]) -> None:
    values = np.array(raw, np.float32)
    boxes = np.concatenate([values[:, :2], values[:, :2] + values[:, 2:4]], axis=1)
    found = ssd.suppress(boxes, boxes[:, None, :2], values[:, 4], overlap=0.3)
    scores = [detection.score for detection in found]
    assert 1 <= len(found) <= len(raw)
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(float(values[:, 4].max()))
