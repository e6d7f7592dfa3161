from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mycloset.filters import SharedGuide, guided_filter

GUIDE = np.random.default_rng(3).integers(0, 256, (36, 44, 3), dtype=np.uint8)
GUIDE[:, 20:] //= 4


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), radius=st.integers(1, 8), subsample=st.integers(1, 3))
def test_every_layer_is_filtered_as_if_it_were_alone(
    seed: int, radius: int, subsample: int
) -> None:
    guide = SharedGuide(GUIDE, radius, 1e-3, subsample=subsample)
    for layer in np.random.default_rng(seed).normal(size=(2, 36, 44)).astype(np.float32):
        found = guide.apply(guide.coefficients(layer))
        alone = guided_filter(GUIDE, layer, radius, 1e-3, subsample=subsample)
        assert found.shape == layer.shape
        assert np.allclose(found, alone, atol=2e-3)


def test_layers_that_are_zero_in_the_same_places_are_compared_as_if_those_were_not_there() -> None:
    guide = SharedGuide(GUIDE, 4, 1e-3)
    inside = np.zeros((36, 44), bool)
    inside[8:30, 10:40] = True
    cheap, dear = (np.where(inside, value, 0).astype(np.float32) for value in (1.0, 2.0))
    found = [guide.apply(guide.coefficients(layer)) for layer in (cheap, dear)]
    assert np.allclose(found[1], 2 * found[0], atol=1e-3)
