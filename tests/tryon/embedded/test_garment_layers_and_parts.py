"""Front and inside of the back, and the parts, of drawn garments."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawn_garments import LONG_SLEEVE, SKIRT, T_SHIRT, TANK, TROUSERS, exact
from numpy.typing import NDArray

from mycloset.images import Picture
from mycloset.tasks.garments import Category
from mycloset.tasks.masks import Mask
from mycloset.tryon.embedded.garment_layers import front_region
from mycloset.tryon.embedded.garment_parts import split_parts
from mycloset.tryon.embedded.garment_shape import read_shape


def _with_back(
    depth: int, inside: tuple[int, int, int], rib: tuple[int, int, int] | None = None
) -> tuple[Mask, Picture, NDArray[np.bool_]]:
    """A T-shirt through whose neck the inside of its back is seen; also where that is."""
    mask, picture = exact(T_SHIRT, 12)
    rgb = picture.rgb.copy()
    hole = np.zeros(rgb.shape[:2], np.uint8)
    cv2.ellipse(hole, (240, 100), (43, depth), 0, 0, 180, 1, -1)
    where = (hole > 0) & (mask.alpha > 0.9)
    if rib is not None:
        ring = cv2.dilate(hole, np.ones((15, 15), np.uint8)) > 0
        rgb[ring & (mask.alpha > 0.9)] = rib
    rgb[where] = inside
    cv2.rectangle(rgb, (230, 116), (250, 124), (250, 250, 250), -1)
    return mask, Picture(rgb, None, "drawn"), where


@pytest.mark.parametrize("depth", [32, 50, 80])
@pytest.mark.parametrize("rib", [None, (220, 200, 60)], ids=["plain", "ribbed"])
def test_the_inside_of_the_back_is_no_front(depth: int, rib: tuple[int, int, int] | None) -> None:
    mask, picture, back = _with_back(depth, (38, 58, 98), rib)
    shape = read_shape(mask, picture, Category.UPPER)
    front, line = front_region(mask, shape, picture)
    removed = mask.alpha - front > 0.5
    assert (removed & back).sum() > 0.85 * back.sum()
    assert (removed & ~back).sum() < 0.25 * back.sum()
    assert abs(line[:, 1].max() - (100 + depth)) < 8
    assert abs(shape.points["neck_front"][1] - (100 + depth)) < 8


def test_a_print_on_the_chest_is_front() -> None:
    mask, picture = exact(T_SHIRT, 18)
    rgb = picture.rgb.copy()
    cv2.putText(rgb, "MY", (170, 260), cv2.FONT_HERSHEY_DUPLEX, 3, (250, 240, 90), 12)
    shape = read_shape(mask, Picture(rgb, None, "print"), Category.UPPER)
    front, line = front_region(mask, shape, Picture(rgb, None, "print"))
    assert np.array_equal(front, mask.alpha)
    assert line[0].tolist() == shape.points["collar_left"].tolist()
    assert line[-1].tolist() == shape.points["collar_right"].tolist()


@pytest.mark.parametrize(
    ("half", "neck", "names"),
    [
        (T_SHIRT, 18, {"torso", "sleeve_left", "sleeve_right"}),
        (LONG_SLEEVE, 18, {"torso", "sleeve_left", "sleeve_right"}),
        (TANK, 60, {"torso"}),
        (TROUSERS, 0, {"leg_left", "leg_right"}),
        (SKIRT, 0, {"skirt"}),
    ],
    ids=["tee", "long", "tank", "trousers", "skirt"],
)
def test_parts_together_are_the_garment_and_overlap_a_little(
    half: dict[str, tuple[int, int]], neck: int, names: set[str]
) -> None:
    mask, picture = exact(half, neck)
    parts = split_parts(mask, read_shape(mask, picture, None))
    assert set(parts) == names
    assert np.array_equal(np.logical_or.reduce(list(parts.values())), mask.binary)
    total = sum(int(part.sum()) for part in parts.values())
    assert total < 1.2 * mask.binary.sum()
    if len(parts) > 1:
        assert total > mask.binary.sum()


def test_each_sleeve_holds_its_cuff_and_the_torso_holds_none() -> None:
    mask, picture = exact(LONG_SLEEVE, 18)
    shape = read_shape(mask, picture, None)
    parts = split_parts(mask, shape)
    for side, sign in (("left", 1), ("right", -1)):
        x, y = 240 + sign * 190, 425
        assert parts[f"sleeve_{side}"][y, x]
        assert not parts["torso"][y, x]
        assert not parts[f"sleeve_{side}"][300, 240]
