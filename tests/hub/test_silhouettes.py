from __future__ import annotations

import numpy as np
import pytest

from mycloset.architectures.blazepose.landmarks import BodyReading
from mycloset.architectures.regions import Region
from mycloset.hub import silhouettes
from mycloset.tasks.masks import Mask
from mycloset.tasks.poses import BLAZEPOSE_33, Pose

SHAPE = (160, 200)


def disc(x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2


def reading(x: float, y: float, radius: float, *, sureness: float = 6.0) -> BodyReading:
    """A reading that takes a disc in a picture of `SHAPE` for a person."""
    region = Region.letterbox(*SHAPE)
    points = region.to_picture(silhouettes._cells(256))
    inside = (points[:, 0] - x) ** 2 + (points[:, 1] - y) ** 2 <= radius**2
    logits = np.where(inside, sureness, -sureness).astype(np.float32).reshape(256, 256)
    pose = Pose(BLAZEPOSE_33, np.zeros((33, 2), np.float32), np.ones(33, np.float32), 1.0)
    return BodyReading(pose, 1.0, logits, region, region)


def picture_of(*discs: tuple[np.ndarray, tuple[int, int, int]]) -> np.ndarray:
    picture = np.full((*SHAPE, 3), (120, 130, 140), np.uint8)
    for where, color in discs:
        picture[where] = color
    return picture


def test_the_mask_takes_the_pictures_edge_over_the_networks() -> None:
    true = disc(90, 80, 40)
    picture = picture_of((true, (200, 60, 50)))
    (mask,) = silhouettes.separate(picture, [reading(93, 78, 41, sureness=3)], [None])
    wrong = (mask.binary != true).mean()
    assert wrong < 0.3 * (disc(93, 78, 41) != true).mean()


def test_where_people_meet_each_pixel_has_one_owner() -> None:
    left, right = disc(75, 80, 40), disc(125, 80, 40)
    picture = picture_of((left, (200, 60, 50)), (right, (40, 160, 60)))
    bodies = [reading(75, 80, 40, sureness=4), reading(125, 80, 40)]
    first, second = silhouettes.separate(picture, bodies, [None, None])
    assert not (first.binary & second.binary).any()
    assert second.binary[80, 100]
    assert first.binary[80, 50]


def test_specks_beside_the_body_go() -> None:
    body = reading(80, 80, 40)
    body.logits[5:8, 5:8] = 8
    picture = picture_of((disc(80, 80, 40), (200, 60, 50)))
    (mask,) = silhouettes.separate(picture, [body], [None])
    assert mask.alpha[:, 150:].max() < 0.1
    assert mask.alpha[:25].max() < 0.1


def test_the_selfie_network_looks_at_the_body_with_a_margin() -> None:
    region = silhouettes.focus(reading(60, 80, 30), SHAPE)
    assert region.x - region.width / 2 == pytest.approx(60 - 42, abs=2)
    assert region.x + region.width / 2 == pytest.approx(60 + 42, abs=2)
    assert region.height == pytest.approx(82, abs=3)
    at_the_border = silhouettes.focus(reading(10, 80, 30), SHAPE)
    assert at_the_border.x - at_the_border.width / 2 == pytest.approx(-0.5, abs=1e-3)


def test_agreement_is_the_share_that_both_call_a_person() -> None:
    body = reading(100, 80, 40)
    region = Region.whole(*SHAPE)
    half = np.zeros((256, 256), np.float32)
    half[:, 128:] = 1
    assert silhouettes.agreement(body, region, half) == pytest.approx(0.5, abs=0.03)
    assert silhouettes.agreement(body, region, np.ones_like(half)) == pytest.approx(1)
    assert silhouettes.agreement(reading(900, 900, 5), region, half) == 0


def test_an_empty_mask_has_no_box() -> None:
    assert silhouettes.box(Mask(np.zeros(SHAPE, np.float32))) is None
    box = silhouettes.box(Mask(disc(100, 80, 10).astype(np.float32)))
    assert box is not None
    assert box.tolist() == [90, 70, 110, 90]
    assert silhouettes.separate(picture_of(), [], []) == []
