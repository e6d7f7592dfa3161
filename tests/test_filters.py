from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mycloset.filters import color_evidence, guided_filter, nearest_value


def two_colors(height: int = 60, width: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """A picture whose right half has another colour, and a mask of that half."""
    picture = np.full((height, width, 3), (40, 90, 160), np.uint8)
    picture[:, width // 2 :] = (200, 60, 60)
    noise = np.random.default_rng(1).integers(-6, 7, picture.shape)
    picture = np.clip(picture.astype(int) + noise, 0, 255).astype(np.uint8)
    mask = np.zeros((height, width), np.float32)
    mask[:, width // 2 :] = 1
    return picture, mask


@pytest.mark.parametrize("subsample", [1, 2, 4])
def test_a_blurred_mask_gets_the_pictures_edge_back(subsample: int) -> None:
    picture, _ = two_colors()
    ramp = np.clip((np.arange(80, dtype=np.float32) - 30) / 20, 0, 1)
    blurred = np.tile(ramp, (60, 1))
    found = guided_filter(picture, blurred, 8, 1e-4, subsample=subsample)
    rise_before = blurred[:, 41:43].mean() - blurred[:, 37:39].mean()
    assert found[:, 41:43].mean() - found[:, 37:39].mean() > 2 * rise_before


def test_a_grey_guide_and_a_float_guide_work_alike() -> None:
    picture, mask = two_colors()
    grey = picture[..., 0].astype(np.float32) / 255
    by_grey = guided_filter(grey, mask, 4, 1e-3)
    by_three = guided_filter(np.repeat(grey[..., None], 3, axis=2), mask, 4, 1e-3)
    assert np.abs(by_grey - by_three).max() < 0.02


@settings(max_examples=25, deadline=None)
@given(value=st.floats(-3, 3), radius=st.integers(1, 12), subsample=st.integers(1, 3))
def test_flat_values_stay_as_they_are(value: float, radius: int, subsample: int) -> None:
    picture, _ = two_colors(33, 47)
    flat = np.full((33, 47), value, np.float32)
    found = guided_filter(picture, flat, radius, 1e-3, subsample=subsample)
    assert found.dtype == np.float32
    assert np.allclose(found, value, atol=2e-2 * max(1, abs(value)))


def test_sizes_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in size"):
        guided_filter(np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9), np.float32), 2, 1e-3)


@pytest.mark.parametrize("stride", [1, 4])
def test_color_says_on_which_side_a_doubtful_pixel_is(stride: int) -> None:
    picture, mask = two_colors()
    doubtful = mask.copy()
    doubtful[:, 34:46] = 0.5
    colors = picture.astype(np.float32) / 255
    found = color_evidence(colors, doubtful, 12, 5e-4, stride=stride)
    assert (found[:, 34:40] < -1).mean() > 0.95
    assert (found[:, 40:46] > 1).mean() > 0.95


def test_color_says_nothing_where_only_one_side_is_near() -> None:
    picture, _ = two_colors()
    found = color_evidence(picture.astype(np.float32) / 255, np.ones((60, 80), np.float32), 8, 5e-4)
    assert np.abs(found).max() < 1e-3


def test_wanted_pixels_take_the_value_of_the_nearest_known_one() -> None:
    values = np.zeros((5, 9), np.uint8)
    values[:, 0], values[:, 8] = 3, 7
    known = values > 0
    found = nearest_value(values, known, ~known).reshape(5, 7)
    np.testing.assert_array_equal(found[:, [0, 1, 2, 4, 5, 6]], np.tile([3, 3, 3, 7, 7, 7], (5, 1)))
