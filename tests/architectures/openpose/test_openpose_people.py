"""From OpenPose's maps to people: line integrals, enlargement, and the way back to the picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mycloset.architectures.openpose.assembly import Peaks, assemble, find_peaks
from mycloset.architectures.openpose.enlarging import Fields, enlarged, enlarger
from mycloset.architectures.openpose.parts import PartProcessing, hand_boxes
from mycloset.architectures.openpose.processing import processing
from mycloset.architectures.openpose.scaling import scaled
from mycloset.architectures.openpose.tables import BODIES
from mycloset.errors import OptionError
from mycloset.tasks.poses import COCO_17, Pose

Floats = NDArray[np.float32]
BODY = BODIES[18]
STANDING = np.array(
    [
        (0, -85), (0, -60), (-20, -58), (-27, -30), (-30, -2), (20, -58), (27, -30), (30, -2),
        (-13, 0), (-14, 40), (-15, 80), (13, 0), (14, 40), (15, 80), (-5, -90), (5, -90),
        (-10, -87), (10, -87),
    ],
    np.float32,
)  # fmt: skip
"""OPENPOSE_18 of somebody who stands."""


def maps_of(people: Floats, size: tuple[int, int], spread: float) -> dict[str, Floats]:
    """(1, 19, H, W) heatmaps and (1, 38, H, W) fields of people's joints (P, 18, 2)."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    heatmap = np.zeros((19, *size), np.float32)
    fields = np.zeros((38, *size), np.float32)
    for person in people:
        for joint, (px, py) in enumerate(person):
            bump = np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * spread**2))
            heatmap[joint] = np.maximum(heatmap[joint], bump)
        for limb in BODY.limbs:
            start, way = person[limb.first], person[limb.second] - person[limb.first]
            length = max(float(np.hypot(*way)), 1e-3)
            unit = way / length
            along = (x - start[0]) * unit[0] + (y - start[1]) * unit[1]
            beside = np.abs((x - start[0]) * unit[1] - (y - start[1]) * unit[0])
            near = (along > -spread) & (along < length + spread) & (beside < spread)
            fields[limb.x][near], fields[limb.y][near] = unit
    return {"heatmap": heatmap[None], "paf": fields[None]}


def peaks_of(heatmap: Floats) -> list[Peaks]:
    found = []
    for one in heatmap[:18]:
        x, y = find_peaks(one)
        found.append(Peaks(x, y, one[y, x]))
    return found


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1)), unique=True, max_size=8))
def test_everybody_is_found_with_all_joints(places: list[tuple[int, int]]) -> None:
    centres = np.array([(50 + 90 * x, 110 + 190 * y) for x, y in places], np.float32)
    people = STANDING + centres.reshape(-1, 1, 2)
    maps = maps_of(people, (400, 380), 3.0)
    peaks = peaks_of(maps["heatmap"][0])
    found = assemble(peaks, BODY.limbs, lambda c, y, x: maps["paf"][0][c, y, x], 400)
    seen = {
        tuple(
            (int(peaks[joint].x[n]), int(peaks[joint].y[n])) for joint, n in enumerate(person.peaks)
        )
        for person in found
    }
    assert seen == {tuple((int(x), int(y)) for x, y in person) for person in people}


def test_somebody_with_too_few_joints_is_nobody() -> None:
    maps = maps_of(STANDING[None] + (60, 110), (220, 130), 3.0)
    maps["heatmap"][0, 3:] = 0
    peaks = peaks_of(maps["heatmap"][0])
    assert assemble(peaks, BODY.limbs, lambda c, y, x: maps["paf"][0][c, y, x], 220) == []


def test_a_field_that_points_backwards_joins_nothing() -> None:
    maps = maps_of(STANDING[None] + (60, 110), (220, 130), 3.0)
    peaks = peaks_of(maps["heatmap"][0])
    assert assemble(peaks, BODY.limbs, lambda c, y, x: -maps["paf"][0][c, y, x], 220) == []


def test_a_peak_is_no_lower_than_its_neighbours() -> None:
    smooth = np.zeros((5, 6), np.float32)
    smooth[0, 0], smooth[2, 3], smooth[2, 4], smooth[4, 5] = 0.5, 0.9, 0.8, 0.09
    x, y = find_peaks(smooth, (10, 20))
    assert sorted(zip(x.tolist(), y.tolist(), strict=True)) == [(10, 20), (13, 22)]


def test_enlarging_is_opencvs_cubic_twice_with_the_padding_cut_off() -> None:
    grid, inner, size = (6, 7), (45, 50), (83, 97)
    found = np.random.default_rng(1).random(grid).astype(np.float32)
    fine = cv2.resize(found, None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)
    cut = np.ascontiguousarray(fine[: inner[0], : inner[1]])
    expected = cv2.resize(cut, size[::-1], interpolation=cv2.INTER_CUBIC)
    smooth = cv2.GaussianBlur(expected, (25, 25), 3.0, borderType=cv2.BORDER_REFLECT)

    made = enlarger(grid, inner, size)

    plain = enlarged([found], [(made.rows, made.columns)])
    assert np.abs(plain - expected).max() < 2e-3
    blurred = enlarged([found], [(made.smooth_rows, made.smooth_columns)])
    assert np.abs(blurred - smooth).max() < 2e-3


def test_fields_at_single_pixels_are_those_of_the_enlarged_map() -> None:
    stream = np.random.default_rng(2)
    maps = [stream.random((3, *grid)).astype(np.float32) for grid in ((6, 7), (2, 3))]
    made = [enlarger((6, 7), (45, 50), (83, 97)), enlarger((2, 3), (15, 17), (83, 97))]
    sides = [(one.rows, one.columns) for one in made]
    channel, y, x = (stream.integers(0, most, 200) for most in (3, 83, 97))
    whole = np.stack([enlarged([one[c] for one in maps], sides) for c in range(3)])
    assert np.allclose(Fields(maps, sides)(channel, y, x), whole[channel, y, x], atol=1e-5)


class DrawnNetwork:
    """Sees people that stand in the picture, whatever the picture shows."""

    def __init__(self, people: Floats, size: tuple[int, int]) -> None:
        self.people, self.size = people, size
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, method: str = "forward", /, **inputs: Any) -> dict[str, Floats]:
        image = inputs["image"]
        self.shapes.append(image.shape)
        inner = scaled(np.zeros((*self.size, 3), np.uint8), image.shape[2] / 368, 368).inner
        factor = np.array([inner[1] / self.size[1], inner[0] / self.size[0]], np.float32)
        places = ((self.people + 0.5) * factor) / 8 - 0.5
        return maps_of(places, (image.shape[2] // 8, image.shape[3] // 8), 0.9)


@pytest.mark.parametrize("scales", [(1.0,), (0.5, 1.0)])
def test_joints_are_told_in_the_pictures_pixels(scales: tuple[float, ...]) -> None:
    people = np.stack([3 * STANDING + (200, 300), 3 * STANDING + (500, 310)])
    network = DrawnNetwork(people, (600, 700))
    made = processing("coco", "caffe", {"keypoints": 18, "paf_channels": 38})
    found = made(network, np.zeros((600, 700, 3), np.uint8), scales=scales)
    assert len(network.shapes) == len(scales)
    assert len(found) == 2
    ordered = sorted(found, key=lambda pose: float(pose.point("neck")[0]))
    for pose, expected in zip(ordered, people, strict=True):
        body = [pose.skeleton.index(f"{side}_{joint}") for side in ("left", "right")
                for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")]  # fmt: skip
        assert np.abs(pose.points[body] - expected[body]).max() < 12
        assert 0 < pose.score <= 1


@pytest.mark.parametrize("shape", [(1, 1000), (1000, 1), (2, 3), (300, 5000)])
def test_pictures_of_any_shape_are_looked_at(shape: tuple[int, int]) -> None:
    network = DrawnNetwork(np.zeros((0, 18, 2), np.float32), shape)
    made = processing("coco", "caffe", {"keypoints": 18, "paf_channels": 38})
    assert len(made(network, np.zeros((*shape, 3), np.uint8))) == 0
    assert all(side % 8 == 0 for side in network.shapes[0][2:])


@pytest.mark.parametrize("scales", [(), (0.0,), (100.0,), (float("nan"),)])
def test_scales_that_make_no_picture_are_refused(scales: tuple[float, ...]) -> None:
    made = processing("coco", "caffe", {"keypoints": 18, "paf_channels": 38})
    network = DrawnNetwork(np.zeros((0, 18, 2), np.float32), (64, 64))
    with pytest.raises(OptionError, match="scales"):
        made(network, np.zeros((64, 64, 3), np.uint8), scales=scales)


def test_the_input_is_bgr_and_padded_with_grey() -> None:
    picture = np.zeros((368, 370, 3), np.uint8)
    picture[..., 0] = 255
    given = scaled(picture, 0.5, 368)
    assert given.image.shape == (1, 3, 184, 192)
    assert given.inner == (184, 185)
    assert given.image[0, :, 90, 90].tolist() == [-0.5, -0.5, 255 / 256 - 0.5]
    assert np.abs(given.image[..., 185:]).max() == 0


class SpotOnTheRight:
    """A hand network whose maps are all high at three quarters of the width."""

    def __call__(self, method: str = "forward", /, **inputs: Any) -> dict[str, Floats]:
        _, _, height, width = inputs["image"].shape
        y, x = np.mgrid[: height // 8, : width // 8].astype(np.float32) * 8 + 4
        one = np.exp(-((x - 0.75 * width) ** 2 + (y - 0.5 * height) ** 2) / (2 * 15.0**2))
        return {"heatmap": np.repeat(one[None, None], 22, axis=1)}


def test_a_hands_points_are_told_in_the_pictures_pixels() -> None:
    picture = np.zeros((400, 500, 3), np.uint8)
    found = PartProcessing(21)(SpotOnTheRight(), picture, boxes=[[100, 50, 300, 250]], scales=[0.5])
    assert found[0].skeleton.name == "OpenPose-hand-21"
    assert np.abs(found[0].points - (250, 150)).max() < 6


def test_a_box_outside_of_the_picture_is_refused() -> None:
    with pytest.raises(OptionError, match="nothing lies"):
        PartProcessing(21)(
            SpotOnTheRight(), np.zeros((64, 64, 3), np.uint8), boxes=[[70, 0, 90, 20]]
        )


def test_hands_lie_beyond_the_wrists() -> None:
    points = np.zeros((17, 2), np.float32)
    for joint, place in (("shoulder", (100, 0)), ("elbow", (100, 100)), ("wrist", (100, 200))):
        points[COCO_17.index(f"left_{joint}")] = place
    sure = np.array(["left" in joint for joint in COCO_17.joints], np.float32)
    boxes = hand_boxes(Pose(COCO_17, points, sure, 1.0))
    assert boxes.shape == (1, 4)
    assert np.allclose(boxes[0], [25, 158, 175, 308])
