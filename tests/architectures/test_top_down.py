"""Crops and heatmaps of top-down pose networks: what is seen in a crop is told in the picture."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mycloset.architectures.top_down import MEAN, STD, TopDownProcessing, decode
from mycloset.errors import OptionError
from mycloset.images import RGB

Floats = NDArray[np.float32]


def bright_spot(picture: RGB, x: float, y: float, radius: float) -> RGB:
    """The picture with a soft white spot."""
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
    spot = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * radius**2))
    return np.maximum(picture, spot[..., None].astype(np.uint8))


class SpotNetwork:
    """Every heatmap is the crop's brightness, seen at every fourth pixel."""

    def __init__(self, joints: int) -> None:
        self.joints = joints
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, method: str = "forward", /, **inputs: Any) -> dict[str, NDArray[np.float32]]:
        image = inputs["image"]
        self.shapes.append(image.shape)
        light = image[:, :1] * STD[0] + MEAN[0]
        number, _, height, width = light.shape
        maps = light.reshape(number, 1, height // 4, 4, width // 4, 4).mean((3, 5))
        return {"heatmaps": np.repeat(maps, self.joints, axis=1)}


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(80, 400),
    width=st.integers(80, 400),
    x=st.floats(0.2, 0.8),
    y=st.floats(0.2, 0.8),
    udp=st.booleans(),
    refine=st.sampled_from(["quarter", "dark"]),
)
def test_a_spot_is_found_where_it_lies(
    height: int, width: int, x: float, y: float, udp: bool, refine: Literal["quarter", "dark"]
) -> None:
    place = (x * width, y * height)
    unit = max(height * 0.75, width) / 192
    picture = bright_spot(np.zeros((height, width, 3), np.uint8), *place, 6 * unit)
    made = TopDownProcessing(joints=17, size=[256, 192], udp=udp)
    pose = made(SpotNetwork(17), picture, refine=refine)[0]
    # A heatmap's pixel is four of the crop; its middle lies one and a half of them further right.
    apart = np.abs(pose.points[0] - place)
    assert apart.max() < 4.5 * unit * 1.25


@pytest.mark.parametrize("udp", [False, True])
def test_looking_at_the_mirrored_crop_too_keeps_the_place(udp: bool) -> None:
    picture = bright_spot(np.zeros((256, 192, 3), np.uint8), 70, 120, 6)
    made = TopDownProcessing(joints=3, size=[256, 192], udp=udp)
    network = SpotNetwork(3)
    plain, flipped = (made(network, picture, flip=flip)[0] for flip in (False, True))
    assert len(network.shapes) == 3
    assert np.abs(plain.points - flipped.points).max() <= 5


def test_joints_of_the_mirrored_crop_change_sides() -> None:
    made = TopDownProcessing(joints=17, size=[64, 64])
    left, right = (made.skeleton.index(f"{side}_wrist") for side in ("left", "right"))
    assert made.pairs[left] == right
    assert made.pairs[made.skeleton.index("nose")] == made.skeleton.index("nose")


def test_each_box_has_its_person_in_order() -> None:
    picture = bright_spot(np.zeros((200, 600, 3), np.uint8), 100, 90, 8)
    picture = bright_spot(picture, 450, 110, 8)
    boxes = [[400, 20, 500, 190], [50, 10, 150, 180]]
    found = TopDownProcessing(joints=4, size=[128, 96])(SpotNetwork(4), picture, boxes=boxes)
    assert np.abs(found[0].points - (450, 110)).max() < 6
    assert np.abs(found[1].points - (100, 90)).max() < 6
    assert found[1].box is not None
    assert found[1].box.tolist() == boxes[1]


def test_no_boxes_are_nobody() -> None:
    made = TopDownProcessing(joints=4, size=[64, 64])
    picture = np.zeros((64, 64, 3), np.uint8)
    assert len(made(SpotNetwork(4), picture, boxes=np.zeros((0, 4)))) == 0


@pytest.mark.parametrize("boxes", [[[0, 0, 0, 5]], [[1, 2, 3]], [[0, 0, float("nan"), 5]]])
def test_boxes_without_area_are_refused(boxes: list[list[float]]) -> None:
    made = TopDownProcessing(joints=4, size=[64, 64])
    with pytest.raises(OptionError, match="boxes"):
        made(SpotNetwork(4), np.zeros((64, 64, 3), np.uint8), boxes=boxes)


def test_sizes_that_the_network_cannot_halve_are_refused() -> None:
    with pytest.raises(OptionError, match="multiples of 32"):
        TopDownProcessing(joints=4, size=[250, 190])


@pytest.mark.parametrize("shape", [(1, 1000), (1000, 1), (3, 2)])
def test_pictures_of_any_size_have_a_crop(shape: tuple[int, int]) -> None:
    made = TopDownProcessing(joints=4, size=[64, 64])
    assert len(made(SpotNetwork(4), np.full((*shape, 3), 200, np.uint8))) == 1


def gaussian(x: float, y: float, height: int = 64, width: int = 48) -> Floats:
    rows, columns = np.mgrid[:height, :width]
    found = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 2.0**2))
    return found.astype(np.float32)[None, None]


@settings(max_examples=60, deadline=None)
@given(x=st.floats(8, 39), y=st.floats(8, 55), udp=st.booleans())
def test_dark_finds_the_top_between_pixels(x: float, y: float, udp: bool) -> None:
    points, _ = decode(gaussian(x, y), refine="dark", udp=udp)
    assert np.abs(points[0, 0] - (x, y)).max() < 0.05


def test_a_quarter_goes_towards_the_higher_neighbour() -> None:
    plain, _ = decode(gaussian(20.3, 30.4), refine=None)
    moved, _ = decode(gaussian(20.3, 30.4), refine="quarter")
    assert plain[0, 0].tolist() == [20, 30]
    assert moved[0, 0].tolist() == [20.25, 30.25]


def test_a_joint_that_no_value_speaks_for_is_not_seen() -> None:
    points, sure = decode(np.full((1, 1, 16, 12), -0.5, np.float32), refine="quarter")
    assert points[0, 0].tolist() == [0, 0]
    assert sure[0, 0] == 0
