"""The small networks of Real-ESRGAN are read to the last tensor, whatever their length."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from family_checks import (
    answers,
    config_of,
    damaged,
    parameters,
    read_back,
    read_golden,
)
from mycloset.architectures.family import Claim, NotThisError, Shape
from mycloset.architectures.srvgg.layout import FAMILY, Sizes, tensors

GOLDEN = "rrdb/realesr-general-x4v3"

networks = st.builds(
    Sizes,
    features=st.integers(1, 80),
    convolutions=st.integers(1, 40),
    scale=st.integers(1, 8),
    channels=st.sampled_from((1, 3, 4)),
    learned=st.booleans(),
)


def test_the_published_network_is_read_back() -> None:
    claim = read_golden(FAMILY, GOLDEN)
    assert claim.variant == "realesr-general-x4v3"
    assert claim.config.items() >= config_of(GOLDEN).items()


@pytest.mark.parametrize("claim", list(FAMILY.examples()), ids=lambda claim: claim.variant)
def test_an_example_gives_itself_back(claim: Claim) -> None:
    assert FAMILY.read(claim.tensors) == claim


def test_the_network_for_films_has_the_published_number_of_parameters() -> None:
    (drawn,) = (c for c in FAMILY.examples() if c.variant == "realesr-animevideov3")
    assert (len(drawn.tensors), parameters(drawn)) == (53, 621_424)


@given(networks)
def test_any_length_and_scale_is_read_from_shapes(sizes: Sizes) -> None:
    config = read_back(FAMILY, tensors(sizes)).config
    assert (config["num_conv"], config["upscale"]) == (sizes.convolutions, sizes.scale)
    assert config["act_type"] == ("prelu" if sizes.learned else "leakyrelu")


def test_a_last_layer_that_fills_no_square_of_pixels_is_refused() -> None:
    table = tensors(Sizes(16, 3, 2)) | {"body.8.weight": (15, 16, 3, 3), "body.8.bias": (15,)}
    with pytest.raises(NotThisError, match="no square"):
        FAMILY.read(table)


@given(damaged(tensors(Sizes(16, 4, 2))))
@settings(max_examples=150)
def test_any_table_is_answered(table: dict[str, Shape]) -> None:
    assert answers(FAMILY, table)
