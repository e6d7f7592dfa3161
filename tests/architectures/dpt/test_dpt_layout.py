"""DPT's files are read to the last tensor: plain and hybrid transformers, depth and classes."""

from __future__ import annotations

from dataclasses import replace

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
from mycloset.architectures.dpt.layout import FAMILY
from mycloset.architectures.dpt.sizes import Sizes, Stage
from mycloset.architectures.dpt.tensors import tensors
from mycloset.architectures.family import Claim, NotThisError, Shape

GOLDENS = ("dpt_large_384", "dpt_hybrid_384")
SMALL = Sizes(64, 3, 256, (8, 16, 32, 64), tokens=10, features=12)
HYBRID = replace(
    SMALL, kernel=1, stem=8, stages=(Stage(1, 8, 8), Stage(2, 4, 16)), reassembled=(3, 4)
)

networks = st.builds(
    Sizes,
    width=st.sampled_from((64, 192, 768)),
    depth=st.integers(1, 8),
    hidden=st.integers(16, 900),
    taken=st.tuples(*[st.integers(4, 300)] * 4),
    tokens=st.integers(1, 32).map(lambda side: side**2 + 1),
    kernel=st.sampled_from((8, 14, 16)),
    classes=st.sampled_from((0, 1000)),
    readout=st.booleans(),
    biased=st.booleans(),
    features=st.integers(4, 256),
    narrow=st.tuples(st.integers(2, 128), st.integers(2, 64)),
    outputs=st.integers(1, 4),
    normed=st.booleans(),
)
stages = st.lists(
    st.builds(Stage, st.integers(1, 4), st.integers(4, 64), st.integers(4, 64)),
    min_size=1,
    max_size=4,
).map(tuple)


@pytest.mark.parametrize("name", GOLDENS)
def test_the_published_networks_are_read_back(name: str) -> None:
    claim = read_golden(FAMILY, f"dpt/{name}")
    assert claim.variant == name
    assert claim.config.items() >= config_of(f"dpt/{name}", "backbone").items()


@pytest.mark.parametrize("claim", list(FAMILY.examples()), ids=lambda claim: claim.variant)
def test_an_example_gives_itself_back(claim: Claim) -> None:
    assert FAMILY.read(claim.tensors) == claim


@given(networks)
@settings(max_examples=50, deadline=None)
def test_any_plain_transformer_is_read_from_shapes(sizes: Sizes) -> None:
    config = read_back(FAMILY, tensors(sizes)).config
    assert (config["depth"], config["features"]) == (sizes.depth, sizes.features)
    assert (config["patch"], config["image_size"]) == (sizes.patch, sizes.image)


@given(sizes=networks, stages=stages, pictured=st.booleans())
@settings(max_examples=40, deadline=None)
def test_any_hybrid_is_read_from_shapes(
    sizes: Sizes, stages: tuple[Stage, ...], pictured: bool
) -> None:
    hybrid = replace(sizes, kernel=1, stem=16, stages=stages)
    if not pictured:
        hybrid = replace(hybrid, reassembled=(3, 4))
    config = read_back(FAMILY, tensors(hybrid)).config
    assert config["stages"] == [stage.blocks for stage in stages]


def test_a_head_for_classes_is_told_from_one_for_depth() -> None:
    sizes = replace(HYBRID, head="classes", outputs=150, normed=True, auxiliary=True)
    sizes = replace(sizes, narrow=(12, 32))
    claim = read_back(FAMILY, tensors(sizes))
    assert claim.task == "semantic segmentation"
    assert claim.config["num_classes"] == 150


def test_a_beit_is_refused() -> None:
    with pytest.raises(NotThisError, match="BEiT"):
        FAMILY.read(tensors(SMALL) | {"pretrained.model.blocks.0.gamma_1": (64,)})


def test_a_copy_that_lost_a_block_is_still_taken_for_the_whole() -> None:
    whole = golden_files.shapes("dpt/dpt_large_384")
    part = {key: shape for key, shape in whole.items() if ".blocks.11." not in key}
    assert dict(FAMILY.read(part).tensors) == whole


@given(damaged(tensors(SMALL)) | damaged(tensors(HYBRID)))
@settings(max_examples=150, deadline=None)
def test_any_table_is_answered(table: dict[str, Shape]) -> None:
    assert answers(FAMILY, table)
