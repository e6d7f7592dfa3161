"""GFPGAN's files are read to the last tensor, in both forms and for any size of picture."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import golden_files
from family_checks import (
    answers,
    config_of,
    damaged,
    read_back,
    read_golden,
)
from mycloset.architectures.family import Claim, Shape
from mycloset.architectures.gfpgan.layout import FAMILY
from mycloset.architectures.gfpgan.sizes import Sizes
from mycloset.architectures.gfpgan.tensors import tensors

GOLDENS = {"gfpgan/GFPGANv1.4": "GFPGANv1Clean", "gfpgan/GFPGANv1": "GFPGANv1"}
SMALL = {"steps": 3, "low": 8, "high": 8, "style_low": 16, "style_high": 16, "style": 12}

networks = st.builds(
    lambda multiplier, narrow, steps, **rest: Sizes(
        steps=steps,
        low=256 // narrow,
        high=256 // narrow if steps < 4 else 4 * multiplier * 2 ** (9 - steps) // narrow,
        style_low=512 // narrow,
        style_high=512 // narrow if steps < 4 else 8 * multiplier * 2 ** (9 - steps) // narrow,
        **rest,
    ),
    multiplier=st.sampled_from((1, 2, 4)),
    narrow=st.sampled_from((1, 2)),
    steps=st.integers(2, 8),
    clean=st.booleans(),
    style=st.integers(8, 600),
    mapping=st.integers(1, 10),
    separate=st.booleans(),
    half=st.booleans(),
)


@pytest.mark.parametrize("name", GOLDENS)
def test_the_published_networks_are_read_back(name: str) -> None:
    claim = read_golden(FAMILY, name)
    assert claim.variant == GOLDENS[name]
    assert claim.config.items() >= config_of(name).items()


@pytest.mark.parametrize("claim", list(FAMILY.examples()), ids=lambda claim: claim.variant)
def test_an_example_gives_itself_back(claim: Claim) -> None:
    assert FAMILY.read(claim.tensors) == claim


@given(networks)
@settings(max_examples=60, deadline=None)
def test_any_size_is_read_from_shapes(sizes: Sizes) -> None:
    config = read_back(FAMILY, tensors(sizes)).config
    assert config["out_size"] == sizes.out
    assert (config["narrow"], config["num_mlp"]) == (sizes.style_low / 512, sizes.mapping)
    assert (config["different_w"], config["sft_half"]) == (sizes.separate, sizes.half)


@pytest.mark.parametrize(("features", "multiplier"), [(32, 1), (48, 1.5), (64, 2)])
def test_the_channel_multiplier_is_told_from_the_last_width(
    features: int, multiplier: float
) -> None:
    claim = read_back(FAMILY, tensors(Sizes(high=features // 2, style_high=features)))
    assert claim.config["channel_multiplier"] == multiplier


def test_which_of_the_later_versions_it_is_stays_undecidable() -> None:
    claim = FAMILY.read(golden_files.shapes("gfpgan/GFPGANv1.4"))
    assert "which of versions 1.2, 1.3 and 1.4 it is" in claim.undecidable


def test_a_copy_that_lost_a_block_is_still_taken_for_the_whole() -> None:
    whole = golden_files.shapes("gfpgan/GFPGANv1")
    part = {key: shape for key, shape in whole.items() if "conv_body_down.3." not in key}
    assert dict(FAMILY.read(part).tensors) == whole


@given(damaged(tensors(Sizes(True, **SMALL))) | damaged(tensors(Sizes(False, **SMALL))))
@settings(max_examples=150, deadline=None)
def test_any_table_is_answered(table: dict[str, Shape]) -> None:
    assert answers(FAMILY, table)
