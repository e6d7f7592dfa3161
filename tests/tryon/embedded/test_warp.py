"""Garments brought into a person's picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from dressed_figures import laid, warped, wearer

from mycloset.tasks.garments import Category, GarmentShape, SleeveLength
from mycloset.tryon.embedded.warp import warp_garment
from mycloset.tryon.state import Matching, PartMatch, WarpedGarment
from mycloset.wardrobe import demo_garment

SHAPE = GarmentShape(Category.UPPER, {}, SleeveLength.NONE, False, 1.0)
AFFINE = np.float32([[0.5, 0.06, 20.0], [-0.04, 0.6, 12.0]])
SIZE = (160, 140)


def _cloth() -> tuple[np.ndarray, np.ndarray]:
    """A smooth picture whose colours name its places, and the garment in its middle."""
    y, x = np.mgrid[0:200, 0:180].astype(np.float32)
    rgb = np.stack([x, y, np.full_like(x, 90)], axis=2).astype(np.uint8)
    front = np.zeros((200, 180), np.float32)
    front[20:180, 20:160] = 1.0
    return rgb, front


def _moved(points: np.ndarray) -> np.ndarray:
    return points @ AFFINE[:, :2].T + AFFINE[:, 2]


@pytest.fixture(scope="module")
def affine() -> WarpedGarment:
    rgb, front = _cloth()
    x, y = np.meshgrid(np.linspace(20, 160, 5), np.linspace(20, 180, 6))
    source = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)
    part = PartMatch("torso", source, _moved(source).astype(np.float32), front > 0)
    made, folded = warp_garment(rgb, Matching(SHAPE, (part,), front), SIZE)
    assert folded == 0.0
    return made


def test_affine_targets_make_an_affine_warp(affine: WarpedGarment) -> None:
    inverse = cv2.invertAffineTransform(AFFINE)
    y, x = np.nonzero(affine.alpha > 0.9)
    told = np.stack([x, y], axis=1) @ inverse[:, :2].T + inverse[:, 2]
    assert np.abs(affine.grid[y, x] - told).max() < 0.3


def test_a_warp_shows_the_colours_that_its_grid_names(affine: WarpedGarment) -> None:
    rgb, _ = _cloth()
    inside = cv2.erode((affine.alpha > 0.99).astype(np.uint8), np.ones((9, 9))) > 0
    x, y = (np.nan_to_num(affine.grid[..., axis]) for axis in (0, 1))
    seen = cv2.remap(rgb, x, y, cv2.INTER_LINEAR)
    away = np.abs(seen.astype(int) - affine.rgb)[inside]
    assert away.max() <= 3


def test_the_garment_covers_what_its_outline_encloses(affine: WarpedGarment) -> None:
    corners = _moved(np.float32([[20, 20], [160, 20], [160, 180], [20, 180]]))
    area = cv2.contourArea(corners.astype(np.float32))
    assert affine.alpha.sum() == pytest.approx(area, rel=0.05)


def test_no_place_of_the_garment_is_named_where_it_is_not(affine: WarpedGarment) -> None:
    assert np.isnan(affine.grid[affine.alpha == 0]).all()


def test_coverage_stays_within_its_range() -> None:
    made, _ = warped(demo_garment("breton_shirt"), wearer())
    assert (made.alpha.min(), made.alpha.max()) == (0.0, pytest.approx(1.0, abs=1e-6))


def test_the_garment_is_the_union_of_its_parts() -> None:
    made, _ = warped(demo_garment("breton_shirt"), wearer())
    nothing = np.ones_like(made.alpha)
    for cover in made.parts.values():
        nothing = nothing * (1 - cover)
    np.testing.assert_allclose(made.alpha, 1 - nothing, atol=1e-4)


def test_a_part_outside_of_the_picture_is_left_out() -> None:
    rgb, front = _cloth()
    source = np.float32([[20, 20], [160, 20], [160, 180], [20, 180]])
    part = PartMatch("torso", source, source + 1000, front > 0)
    made, _ = warp_garment(rgb, Matching(SHAPE, (part,), front), SIZE)
    assert not made.alpha.any()


def test_the_ground_does_not_tint_the_garments_rim() -> None:
    made, _ = warped(demo_garment("blue_jeans"), wearer("striped_tee", "chinos"))
    rim = (made.alpha > 0.3) & (made.alpha < 0.9)
    ground = laid(demo_garment("blue_jeans")).flat.rgb[2, 2].astype(int)
    assert (np.abs(made.rgb[rim].astype(int) - ground).max(axis=1) > 40).mean() > 0.9
