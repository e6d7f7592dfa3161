"""Landmarks read from drawn garments whose landmarks are known."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_garments import LONG_SLEEVE, SKIRT, T_SHIRT, TANK, TROUSERS, drawn_mask, exact, landmarks
from hypothesis import given, settings
from hypothesis import strategies as st

from mycloset.images import Picture
from mycloset.tasks.garments import Category, SleeveLength
from mycloset.tasks.masks import Mask
from mycloset.tryon.embedded.garment_shape import read_shape

KINDS = {
    "tee": (T_SHIRT, 18, Category.UPPER),
    "long": (LONG_SLEEVE, 18, Category.UPPER),
    "tank": (TANK, 60, Category.UPPER),
    "trousers": (TROUSERS, 0, Category.LOWER),
    "skirt": (SKIRT, 0, Category.LOWER),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("told", [True, False])
def test_landmarks_lie_where_they_were_drawn(kind: str, told: bool) -> None:
    half, neck, category = KINDS[kind]
    shape = read_shape(*exact(half, neck), category if told else None)
    assert shape.category is category
    for name, point in landmarks(half).items():
        assert np.hypot(*(shape.points[name] - point)) < 14, name
    assert shape.confidence > 0.7


def test_left_is_the_wearers() -> None:
    shape = read_shape(*exact(T_SHIRT, 18), Category.UPPER)
    for name in ("collar", "shoulder", "armpit", "cuff_outer", "cuff_inner", "hem"):
        assert shape.points[f"{name}_left"][0] > shape.points[f"{name}_right"][0]


def test_sleeves_and_legs_are_told() -> None:
    tee = read_shape(*exact(T_SHIRT, 18), None)
    long = read_shape(*exact(LONG_SLEEVE, 18), None)
    tank = read_shape(*exact(TANK, 60), None)
    assert (tee.sleeves, long.sleeves, tank.sleeves) == (
        SleeveLength.SHORT,
        SleeveLength.LONG,
        SleeveLength.NONE,
    )
    assert tank.sleeve_reach == 0.0 < tee.sleeve_reach < 0.6 < long.sleeve_reach
    assert read_shape(*exact(TROUSERS), None).legs
    assert not read_shape(*exact(SKIRT), None).legs


def test_a_long_flared_garment_with_sleeves_is_a_dress() -> None:
    half = {name: (x // 2, y // 2 + 20) for name, (x, y) in T_SHIRT.items()} | {"hem": (130, 600)}
    shape = read_shape(*exact(half, 9), None)
    assert shape.category is Category.DRESS
    assert shape.length_reach > 2.3
    assert shape.points["waist_left"][0] > shape.points["waist_right"][0]


def test_a_category_that_is_given_is_trusted() -> None:
    shape = read_shape(*exact(T_SHIRT, 18), Category.DRESS)
    assert shape.category is Category.DRESS
    assert "waist_left" in shape.points


def test_a_sleeve_that_lies_against_the_body_gets_an_armpit_where_one_must_be() -> None:
    half = LONG_SLEEVE | {"cuff_outer": (190, 430), "cuff_inner": (130, 445)}
    half = {**half, "armpit": (118, 400)}
    shape = read_shape(*exact(half, 18), Category.UPPER)
    assert shape.sleeves is SleeveLength.LONG
    assert 150 < shape.points["armpit_left"][1] < 280


def test_the_shape_follows_the_pictures_size() -> None:
    alpha = drawn_mask(T_SHIRT, 18)
    once = read_shape(*exact(T_SHIRT, 18), Category.UPPER)
    large = np.repeat(np.repeat(alpha, 3, axis=0), 3, axis=1)
    picture = Picture(np.full((*large.shape, 3), 255, np.uint8), None, "large")
    thrice = read_shape(Mask(large), picture, Category.UPPER)
    for name, point in once.points.items():
        assert np.abs(thrice.points[name] / 3 - point).max() < 4, name


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_any_blob_is_read_without_failing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    alpha = np.zeros((160, 120), np.float32)
    for _ in range(int(rng.integers(1, 5))):
        x, y = rng.integers(0, 90), rng.integers(0, 120)
        alpha[y : y + rng.integers(6, 80), x : x + rng.integers(6, 70)] = 1
    picture = Picture(np.full((160, 120, 3), 128, np.uint8), None, "blob")
    for category in (None, *Category):
        shape = read_shape(Mask(alpha), picture, category)
        assert all(np.isfinite(point).all() for point in shape.points.values())
        assert 0.0 <= shape.confidence <= 1.0
