"""Continuing what is known over what is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mycloset.tryon.embedded.fill import (
    continue_smoothly,
    continue_textured,
    grain,
    noise,
    push_pull,
)

SHAPE = (72, 90)
HOLE = np.zeros(SHAPE, bool)
HOLE[20:50, 30:66] = True
Y, X = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]].astype(np.float32)


def _three(plane: np.ndarray) -> np.ndarray:
    return np.repeat(plane[..., None], 3, axis=2).astype(np.float32)


@settings(max_examples=25)
@given(arrays(bool, (17, 23)).filter(lambda known: known.any()))
def test_what_is_known_is_kept(known: np.ndarray) -> None:
    values = np.random.default_rng(1).uniform(0, 100, (17, 23, 3)).astype(np.float32)
    filled = push_pull(values, known.astype(np.float32))
    np.testing.assert_allclose(filled[known], values[known], atol=1e-3)


@settings(max_examples=25)
@given(arrays(bool, (17, 23)).filter(lambda known: known.any()), st.floats(0, 100, width=32))
def test_a_constant_is_continued_exactly(known: np.ndarray, value: float) -> None:
    filled = push_pull(np.full((17, 23, 3), value, np.float32), known.astype(np.float32))
    np.testing.assert_allclose(filled, value, atol=1e-2)


def test_unknown_values_do_not_matter() -> None:
    values = _three(X)
    spoiled = np.where(HOLE[..., None], np.float32(1e4), values)
    weight = (~HOLE).astype(np.float32)
    np.testing.assert_allclose(push_pull(values, weight), push_pull(spoiled, weight), atol=1e-2)


def test_a_filling_stays_between_what_surrounds_it() -> None:
    filled = push_pull(_three(X), (~HOLE).astype(np.float32))[HOLE]
    assert (filled.min() > 5) and (filled.max() < 85)


def test_a_prior_decides_where_nothing_is_near() -> None:
    known = np.zeros((256, 256), bool)
    known[:4, :4] = True
    filled = continue_smoothly(np.zeros((256, 256, 3), np.float32), known, np.float32([50, 5, 9]))
    assert filled[-1, -1, 0] > 25


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_slope_is_continued_at_any_step(step: int) -> None:
    filled = continue_smoothly(_three(X), ~HOLE, step=step)
    assert np.abs(filled[..., 0] - X)[~HOLE].mean() < 1.5


def test_texture_goes_on_beyond_the_border() -> None:
    stripes = _three(50 + 20 * np.sign(np.sin(Y / 2)))
    unknown = np.zeros(SHAPE, bool)
    unknown[:, 40:60] = True
    filled = continue_textured(stripes, ~unknown, 20.0)
    column = filled[:, 44, 0]
    assert np.corrcoef(column, stripes[:, 44, 0])[0, 1] > 0.9


def test_texture_is_mirrored_at_the_border() -> None:
    values = _three(np.random.default_rng(2).uniform(0, 100, SHAPE))
    unknown = np.zeros(SHAPE, bool)
    unknown[:, 45:] = True
    filled = continue_textured(values, ~unknown, 6.0)
    inner = slice(4, -4)
    assert np.corrcoef(filled[inner, 46, 0], values[inner, 42, 0])[0, 1] > 0.9


def test_known_pixels_keep_their_texture() -> None:
    values = _three(np.random.default_rng(2).uniform(0, 100, SHAPE))
    filled = continue_textured(values, ~HOLE, 10.0)
    np.testing.assert_array_equal(filled[~HOLE], values[~HOLE])


def test_texture_where_it_is_wanted_does_not_depend_on_what_else_is() -> None:
    values = _three(np.random.default_rng(2).uniform(0, 100, SHAPE))
    wanted = HOLE & (X < 50)
    everywhere = continue_textured(values, ~HOLE, 10.0)
    there = continue_textured(values, ~HOLE, 10.0, wanted=wanted)
    np.testing.assert_array_equal(there[wanted], everywhere[wanted])


@pytest.mark.parametrize("deviation", [0.5, 2.0])
def test_grain_is_measured_as_strong_as_it_was_made(deviation: float) -> None:
    flat = np.full((200, 200), 50.0, np.float32) + noise((200, 200), deviation)
    measured = grain(flat, np.ones((200, 200), bool))
    assert measured == pytest.approx(deviation, rel=0.3)


def test_noise_is_the_same_every_time() -> None:
    np.testing.assert_array_equal(noise((700, 30), 1.0), noise((700, 30), 1.0))


def test_too_few_pixels_have_no_grain() -> None:
    assert grain(np.zeros((9, 9), np.float32), np.ones((9, 9), bool)) == 0.0


def test_the_filling_is_smooth_where_no_texture_is_wanted() -> None:
    values = _three(np.random.default_rng(2).uniform(0, 100, SHAPE))
    wanted = HOLE & (X < 50)
    filled = continue_textured(values, ~HOLE, 10.0, wanted=wanted)
    plain = HOLE & ~wanted
    np.testing.assert_array_equal(filled[plain], continue_smoothly(values, ~HOLE)[plain])
