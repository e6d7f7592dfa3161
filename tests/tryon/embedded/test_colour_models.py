from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mycloset.tryon.embedded.colour_models import (
    ColourModel,
    colour_costs,
    colour_terms,
    learn,
    to_lab,
    to_rgb,
)

RNG = np.random.default_rng(11)
RED, BLUE = np.array([50, 60, 40], np.float32), np.array([35, 10, -45], np.float32)


def mixture(seed: int, clusters: int) -> ColourModel:
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.1, 1, clusters).astype(np.float32)
    return ColourModel(
        rng.uniform((0, -60, -60), (100, 60, 60), (clusters, 3)).astype(np.float32),
        rng.uniform(2, 12, (clusters, 3)).astype(np.float32),
        weights / weights.sum(),
    )


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), counts=st.lists(st.integers(1, 5), min_size=1, max_size=3))
def test_costs_are_the_negative_log_likelihood_of_the_nearest_cluster(
    seed: int, counts: list[int]
) -> None:
    models = [mixture(seed + i, count) for i, count in enumerate(counts)]
    lab = np.random.default_rng(seed).uniform((0, -60, -60), (100, 60, 60), (40, 3))
    found = colour_costs(colour_terms(lab.astype(np.float32)), models)
    for model, costs in zip(models, found, strict=True):
        off = (lab[:, None] - model.means) / model.deviations
        each = 0.5 * (off**2).sum(axis=2) + np.log(model.deviations).sum(axis=1)
        expected = (each - np.log(model.weights)).min(axis=1)
        assert np.allclose(costs, expected, atol=0.02, rtol=1e-3)


def test_no_models_have_no_costs() -> None:
    assert colour_costs(colour_terms(np.zeros((5, 3), np.float32)), []) == []


def test_a_model_finds_both_colours_of_a_two_coloured_cloth() -> None:
    samples = np.concatenate([RED + RNG.normal(0, 2, (300, 3)), BLUE + RNG.normal(0, 2, (100, 3))])
    model = learn(samples.astype(np.float32), 2, floor=(1, 1, 1))
    order = np.argsort(model.means[:, 2])
    assert np.allclose(model.means[order], [BLUE, RED], atol=1.5)
    assert np.allclose(model.weights[order], [0.25, 0.75], atol=0.03)


def test_light_may_shift_a_colour_as_far_as_the_floor_says() -> None:
    flat = np.repeat(RED[None], 50, axis=0)
    model = learn(flat, 3, floor=(6.0, 2.5, 3.0))
    assert np.allclose(model.deviations, (6.0, 2.5, 3.0))


def test_too_few_samples_teach_nothing() -> None:
    with pytest.raises(ValueError, match="7 samples"):
        learn(np.zeros((7, 3), np.float32), 2, floor=(1, 1, 1))


def test_in_the_shade_a_colour_fits_where_it_is_darker() -> None:
    model = ColourModel(RED[None], np.full((1, 3), 3, np.float32), np.ones(1, np.float32))
    darker = (RED * np.float32([0.7, 0.9, 0.9]))[None]
    plain, shaded = colour_costs(colour_terms(darker), [model, model.in_shade((0.7, 0.9, 0.9))])
    assert shaded[0] < plain[0] - 5


@given(cost=st.floats(0, 8))
def test_colours_put_beside_others_cost_what_was_asked_in_addition(cost: float) -> None:
    one, other = mixture(1, 2), mixture(2, 3)
    terms = colour_terms(RNG.uniform((0, -60, -60), (100, 60, 60), (30, 3)).astype(np.float32))
    first, second, both = colour_costs(terms, [one, other, one.beside(other, cost=cost)])
    assert np.allclose(both, np.minimum(first, second + cost), atol=0.02, rtol=1e-3)


def test_colours_come_back_from_lab() -> None:
    rgb = RNG.integers(0, 256, (9, 7, 3), dtype=np.uint8)
    assert np.abs(to_rgb(to_lab(rgb)).astype(int) - rgb).max() <= 1
