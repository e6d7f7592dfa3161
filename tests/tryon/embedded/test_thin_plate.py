"""Thin-plate splines: what they promise, on any control points."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mycloset.tryon.embedded.thin_plate import fit


def _spread(seed: int, count: int = 12) -> NDArray[np.float64]:
    """Control points that are not close together: a jittered grid."""
    rng = np.random.default_rng(seed)
    xs, ys = np.meshgrid(np.arange(4) * 200.0, np.arange(-(-count // 4)) * 250.0)
    points = np.stack([xs.ravel(), ys.ravel()], axis=1)[:count]
    return points + rng.uniform(-60, 60, points.shape)


seeds = st.integers(0, 10_000)


@given(seeds)
@settings(max_examples=30, deadline=None)
def test_goes_through_its_control_points_without_regularisation(seed: int) -> None:
    source = _spread(seed)
    target = source + np.random.default_rng(seed + 1).normal(0, 30, source.shape)
    assert np.allclose(fit(source, target)(source), target, atol=1e-6)


@given(seeds, st.floats(0.0, 10.0))
@settings(max_examples=30, deadline=None)
def test_an_affine_map_is_reproduced_exactly_with_any_regularisation(
    seed: int, regularisation: float
) -> None:
    rng = np.random.default_rng(seed)
    matrix, offset = rng.uniform(-2, 2, (2, 2)), rng.uniform(-500, 500, 2)
    source = _spread(seed)
    warp = fit(source, source @ matrix + offset, regularisation)
    elsewhere = rng.uniform(-300, 1200, (20, 2))
    assert np.allclose(warp(elsewhere), elsewhere @ matrix + offset, atol=1e-6)


@given(seeds, st.floats(0.05, 20.0), st.floats(-1e4, 1e4))
@settings(max_examples=30, deadline=None)
def test_does_not_depend_on_where_or_how_large_the_picture_is(
    seed: int, scale: float, shift: float
) -> None:
    source = _spread(seed)
    target = source + np.random.default_rng(seed + 1).normal(0, 30, source.shape)
    points = np.random.default_rng(seed + 2).uniform(0, 700, (10, 2))
    plain = fit(source, target, 0.1)(points)
    moved = fit(source * scale + shift, target * scale + shift, 0.1)(points * scale + shift)
    assert np.allclose((moved - shift) / scale, plain, atol=1e-3 + 1e-8 * abs(shift) / scale)


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_there_and_back_ends_near_the_start_for_small_bends(seed: int) -> None:
    source = _spread(seed)
    target = source + np.random.default_rng(seed + 1).normal(0, 6, source.shape)
    points = source.mean(axis=0) + np.random.default_rng(seed + 2).uniform(-150, 150, (10, 2))
    back = fit(target, source)(fit(source, target)(points))
    assert np.abs(back - points).max() < 6.0


def test_more_regularisation_bends_less_and_misses_the_targets_by_more() -> None:
    source = _spread(3)
    target = source + np.random.default_rng(4).normal(0, 40, source.shape)
    warps = [fit(source, target, strength) for strength in (0.0, 0.1, 10.0)]
    bending = [float(np.abs(warp.weights).sum()) for warp in warps]
    missing = [float(np.abs(warp(source) - target).mean()) for warp in warps]
    assert bending == sorted(bending, reverse=True)
    assert missing == sorted(missing)


@pytest.mark.parametrize(("height", "width", "step"), [(97, 131, 8), (64, 64, 1), (70, 200, 16)])
def test_dense_map_says_of_each_pixel_what_the_spline_says(
    height: int, width: int, step: int
) -> None:
    source = _spread(5) * 0.2
    target = source + np.random.default_rng(6).normal(0, 2, source.shape)
    warp = fit(source, target)
    ys, xs = np.mgrid[0:height, 0:width]
    exact = warp(np.stack([xs, ys], axis=-1).reshape(-1, 2)).reshape(height, width, 2)
    dense = warp.dense(height, width, step)
    assert dense.dtype == np.float32
    assert np.abs(dense - exact).max() < (0.5 if step == 16 else 0.1)


def test_dense_map_of_the_identity_leaves_a_picture_as_it_is() -> None:
    source = _spread(7)
    picture = np.random.default_rng(8).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    grid = fit(source, source).dense(90, 120, 8)
    assert np.array_equal(cv2.remap(picture, grid, None, cv2.INTER_LINEAR), picture)


def test_folding_is_seen() -> None:
    source = _spread(9)
    target = source.copy()
    target[[5, 6]] = target[[6, 5]]
    points = np.stack(np.meshgrid(np.arange(0, 600, 10), np.arange(0, 500, 10)), -1)
    assert fit(source, source + 1.0).folding(points) == 0.0
    assert fit(source, target).folding(points) > 0.02


def test_jacobian_is_the_growth_of_areas() -> None:
    source = _spread(10)
    warp = fit(source, source * [2.0, 3.0])
    assert np.allclose(warp.jacobian(source), 6.0)


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        (np.zeros((2, 2)), np.zeros((2, 2)), "3 points"),
        (np.zeros((4, 2)), np.zeros((3, 2)), "need"),
        (np.outer(np.arange(5.0), [1, 2]), np.zeros((5, 2)), "one line"),
        (np.full((4, 2), np.nan), np.zeros((4, 2)), "finite"),
    ],
)
def test_points_that_fix_no_map_are_refused(
    source: NDArray[np.float64], target: NDArray[np.float64], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        fit(source, target)
