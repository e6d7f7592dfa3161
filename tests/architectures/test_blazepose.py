from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from mycloset.architectures.blazepose import detection, landmarks
from mycloset.architectures.regions import Region


def outputs(*, presence: float = 0.9) -> dict[str, np.ndarray]:
    """What the landmark network might give: joints on a line, heatmaps that are sure of nothing."""
    raw = np.zeros((39, 5), np.float32)
    raw[:, 0] = np.linspace(20, 230, 39)
    raw[:, 1] = 128
    raw[:, 2] = np.arange(39)
    raw[:, 3:] = 4
    raw[33, :2] = (128, 160)
    raw[34, :2] = (128, 60)
    world = np.zeros((39, 3), np.float32)
    world[:, 0] = 1
    return {
        "landmarks": raw.reshape(-1),
        "presence": np.array([presence], np.float32),
        "segmentation": np.zeros((256, 256, 1), np.float32),
        "heatmaps": np.full((64, 64, 39), -10, np.float32),
        "world": world.reshape(-1),
    }


def test_landmarks_are_brought_to_the_picture() -> None:
    region = Region(400, 300, 512, 512)
    reading = landmarks.read(outputs(), region)
    assert reading.pose.points.shape == (33, 2)
    assert np.allclose(reading.pose.points[0], (400 - 256 + 40, 300), atol=1e-3)
    assert np.allclose(reading.pose.depth, np.arange(33) * 2)
    assert reading.presence == pytest.approx(0.9)


def test_the_next_region_follows_the_auxiliary_landmarks() -> None:
    reading = landmarks.read(outputs(), Region(400, 300, 512, 512))
    following = reading.next_region
    assert (following.x, following.y) == pytest.approx((400, 300 + 64), abs=1e-3)
    assert following.width == pytest.approx(2 * 200 * 1.25, abs=1e-2)
    assert following.rotation == pytest.approx(0, abs=1e-6)


def test_a_turned_region_turns_the_world_back() -> None:
    reading = landmarks.read(outputs(), Region(0, 0, 256, 256, math.pi / 2))
    assert reading.pose.world is not None
    assert np.allclose(reading.pose.world[0], (0, 1, 0), atol=1e-6)


def test_sure_is_only_what_is_present_and_uncovered() -> None:
    raw = outputs()
    values = raw["landmarks"].reshape(39, 5)
    values[3, 3:] = (8, -8)
    values[4, 3:] = (-8, 8)
    confidence = landmarks.read(raw, Region(0, 0, 256, 256)).pose.confidence
    assert confidence[3] < 0.01
    assert confidence[4] < 0.01
    assert confidence[5] > 0.9


def test_huge_logits_do_not_overflow() -> None:
    raw = outputs()
    raw["landmarks"].reshape(39, 5)[:, 3:] = -1e5
    raw["segmentation"][:] = 1e5
    raw["heatmaps"][:] = -1e5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reading = landmarks.read(raw, Region(0, 0, 256, 256))
    assert reading.pose.confidence.max() == 0
    assert reading.logits.max() == landmarks.LOGIT_LIMIT


def test_a_sure_heatmap_moves_its_landmark() -> None:
    heatmaps = np.full((64, 64, 2), -12, np.float32)
    heatmaps[30, 21, 0] = 6
    points = np.array([[20.5 / 64, 29.5 / 64], [0.5, 0.5]], np.float32)
    moved = landmarks.refine(points, heatmaps)
    assert np.allclose(moved[0] * 64, (21, 30), atol=0.05)
    assert np.array_equal(moved[1], points[1])


def test_a_heatmap_counts_only_nearby() -> None:
    heatmaps = np.full((64, 64, 1), -12, np.float32)
    heatmaps[10, 50, 0] = 9
    points = np.array([[0.25, 0.25]], np.float32)
    assert np.array_equal(landmarks.refine(points, heatmaps), points)


@pytest.mark.parametrize("place", [(-0.2, 0.5), (1.0, 0.5), (0.5, 1.7), (0.0, 0.0), (0.999, 0.999)])
def test_landmarks_at_and_beyond_the_border_are_read(place: tuple[float, float]) -> None:
    heatmaps = np.full((64, 64, 1), 3, np.float32)
    points = np.array([place], np.float32)
    moved = landmarks.refine(points, heatmaps)
    inside = 0 <= place[0] < 1 and 0 <= place[1] < 1
    assert np.isfinite(moved).all()
    assert np.array_equal(moved, points) != inside


def test_a_detection_becomes_an_upright_region() -> None:
    regressors = np.zeros((2254, 12), np.float32)
    logits = np.full((2254, 1), -50, np.float32)
    # The last anchor sits at 6.5 / 7; place the hips at the middle, the end point to the right.
    shift = 112 - 224 * 6.5 / 7
    regressors[-1, :4] = (shift, shift, 50, 60)
    regressors[-1, 4:8] = (shift, shift, shift + 40, shift)
    logits[-1] = 5
    (body,) = detection.read(
        {"regressors": regressors, "scores": logits}, Region.letterbox(600, 400)
    )
    assert (body.region.x, body.region.y) == pytest.approx((199.5, 299.5), abs=0.01)
    assert body.region.width == pytest.approx(2 * 40 * 600 / 224 * 1.25, rel=1e-4)
    assert body.region.rotation == pytest.approx(math.pi / 2, abs=1e-5)


def test_inputs_have_the_ranges_that_the_graphs_give() -> None:
    picture = np.zeros((100, 50, 3), np.uint8)
    picture[:, 25:] = 255
    seen = detection.prepare(picture, Region.letterbox(100, 50))
    assert seen.shape == (224, 224, 3)
    assert (seen.min(), seen.max()) == (-1, 1)
    assert (seen[:, 0] == -1).all()
    close = landmarks.prepare(picture, Region.whole(100, 50))
    assert close.shape == (256, 256, 3)
    assert (close.min(), close.max()) == pytest.approx((0, 1))
