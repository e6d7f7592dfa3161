"""CodeFormer's files are read to the last tensor, whatever their book and their transformer."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from family_checks import answers, damaged, parameters, read_back
from mycloset.architectures.codeformer.layout import FAMILY
from mycloset.architectures.codeformer.tensors import SIDES, Sizes, tensors
from mycloset.architectures.family import Claim, Shape

networks = st.builds(
    Sizes,
    width=st.sampled_from((8, 32, 64)),
    word=st.integers(8, 300),
    words=st.integers(2, 2048),
    places=st.integers(1, 400),
    features=st.integers(8, 600),
    hidden=st.integers(8, 1200),
    layers=st.integers(1, 10),
    fused=st.sets(st.sampled_from(SIDES)).map(lambda sides: tuple(sorted(sides))),
)


@pytest.mark.parametrize("claim", list(FAMILY.examples()), ids=lambda claim: claim.variant)
def test_an_example_gives_itself_back(claim: Claim) -> None:
    assert FAMILY.read(claim.tensors) == claim


def test_the_published_network_fills_the_published_file() -> None:
    claim = next(iter(FAMILY.examples()))
    (size,) = {item.size for item in FAMILY.published if item.size is not None}
    spare = size - 4 * parameters(claim)
    # A torch file spends some hundreds of bytes a tensor on names and on alignment.
    assert math.isclose(spare / len(claim.tensors), 350, rel_tol=0.3)


@given(networks)
@settings(max_examples=40, deadline=None)
def test_any_size_is_read_from_shapes(sizes: Sizes) -> None:
    config = read_back(FAMILY, tensors(sizes)).config
    assert (config["n_layers"], config["codebook_size"]) == (sizes.layers, sizes.words)
    assert config["connect_list"] == [str(side) for side in sizes.fused]


@given(damaged(tensors(Sizes(8, 8, 16, 16, 8, 16, 2))))
@settings(max_examples=100, deadline=None)
def test_any_table_is_answered(table: dict[str, Shape]) -> None:
    assert answers(FAMILY, table)
