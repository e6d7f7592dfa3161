"""GPT-2 files of any size, with and without masks, head and prefix."""

from __future__ import annotations

from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
from mycloset.architectures.gpt2.layout import FAMILY, _Sizes, _tensors

EXAMPLES = {claim.variant: claim for claim in FAMILY.examples()}
"""Those with a head."""


@pytest.mark.parametrize(
    ("variant", "parameters"),
    [
        ("gpt2", 124_439_808),
        ("gpt2-medium", 354_823_168),
        ("gpt2-large", 774_030_080),
        ("gpt2-xl", 1_557_611_200),
    ],
)
def test_published_sizes_have_the_known_number_of_parameters(variant: str, parameters: int) -> None:
    claim = EXAMPLES[variant]
    tied = {"lm_head.weight", *claim.buffers}
    counted = sum(prod(shape) for key, shape in claim.tensors.items() if key not in tied)
    assert counted == parameters


def test_the_medium_network_with_its_head_has_317_tensors() -> None:
    assert len(EXAMPLES["gpt2-medium"].tensors) == 317


def test_examples_read_back_as_themselves() -> None:
    for claim in FAMILY.examples():
        assert FAMILY.read(claim.tensors) == claim


@given(
    sizes=st.builds(
        _Sizes,
        vocabulary=st.integers(1, 60000),
        positions=st.integers(1, 4096),
        width=st.integers(1, 3000),
        layers=st.integers(1, 9),
        inner=st.integers(1, 9000),
        masks=st.booleans(),
        fills=st.booleans(),
        head=st.booleans(),
        labels=st.integers(0, 9),
    ),
    lead=st.sampled_from(["", "transformer."]),
)
@settings(max_examples=40, deadline=None)
def test_any_size_is_read_from_shapes(sizes: _Sizes, lead: str) -> None:
    config = family_checks.read_back(FAMILY, _tensors(sizes, lead)[0]).config
    assert (config["vocab_size"], config["n_positions"]) == (sizes.vocabulary, sizes.positions)
    assert (config["n_embd"], config["n_layer"]) == (sizes.width, sizes.layers)
    assert (config["n_inner"], config["num_labels"]) == (sizes.inner, sizes.labels or None)


SMALL = EXAMPLES["distilgpt2"].tensors


@given(lost=st.sampled_from([key for key in SMALL if key != "lm_head.weight"]))
@settings(max_examples=60, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(lost: str) -> None:
    assert family_checks.recovers(FAMILY, SMALL, lost)


@given(table=family_checks.damaged(SMALL))
@settings(max_examples=50, deadline=None)
def test_damage_gives_a_claim_or_a_reason(table: dict[str, tuple[int, ...]]) -> None:
    assert family_checks.answers(FAMILY, table)
