"""GPT-2 files: four sizes, with and without prefix, masks and head."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
from mycloset.architectures.comparison import compare
from mycloset.architectures.family import NotThisError, Shape
from mycloset.architectures.gpt2.layout import FAMILY, Network, examples, tensors

MEDIUM = Network("transformer.", 50257, 1024, 1024, 4096, 24, masks=True, head=True)


def test_the_file_seen_among_try_on_models_is_gpt_2_medium() -> None:
    """It was reported with 317 tensors, the causal masks and the head among them."""
    table = tensors(MEDIUM)
    claim = family_checks.read_back(FAMILY, table)
    assert (claim.variant, len(table)) == ("gpt2-medium", 317)
    assert claim.config["n_head"] == 16


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("gpt2", 124_439_808),
        ("gpt2-medium", 354_823_168),
        ("gpt2-large", 774_030_080),
        ("gpt2-xl", 1_557_611_200),
    ],
)
def test_the_published_networks_have_their_size(name: str, parameters: int) -> None:
    claim = next(claim for claim in examples() if claim.variant == name)
    own = [shape for key, shape in claim.tensors.items() if key not in claim.buffers]
    assert sum(map(math.prod, own)) == parameters


def test_masks_and_head_may_be_there_or_not() -> None:
    claim = FAMILY.read(tensors(MEDIUM))
    bare = tensors(MEDIUM._replace(masks=False, head=False))
    assert compare(claim, bare).exact


@given(
    network=st.builds(
        Network,
        lead=st.sampled_from(["", "transformer."]),
        words=st.integers(1, 60000),
        places=st.integers(1, 2048),
        width=st.integers(1, 512),
        inner=st.integers(1, 512),
        layers=st.integers(1, 6),
        masks=st.booleans(),
        constants=st.booleans(),
        head=st.booleans(),
        scores=st.integers(0, 9),
    )
)
@settings(max_examples=50, deadline=None)
def test_any_widths_and_depths_are_read_from_shapes(network: Network) -> None:
    config = family_checks.read_back(FAMILY, tensors(network)).config
    assert (config["n_layer"], config["n_embd"]) == (network.layers, network.width)
    assert (config["vocab_size"], config["n_positions"]) == (network.words, network.places)


@given(lost=st.sampled_from(list(tensors(MEDIUM))))
@settings(max_examples=30, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(lost: str) -> None:
    table = {key: shape for key, shape in tensors(MEDIUM).items() if key != lost}
    claim = FAMILY.read(table)
    assert claim.variant == "gpt2-medium"
    assert set(compare(claim, table).missing) <= {lost}


def test_linear_layers_the_other_way_round_are_another_network() -> None:
    table = {**tensors(MEDIUM), "transformer.h.0.attn.c_attn.weight": (3072, 1024)}
    with pytest.raises(NotThisError, match="c_attn"):
        FAMILY.read(table)


@given(table=family_checks.damaged(tensors(MEDIUM)))
@settings(max_examples=50, deadline=None)
def test_damage_gives_a_claim_or_a_reason(table: dict[str, Shape]) -> None:
    assert family_checks.answers(FAMILY, table)
