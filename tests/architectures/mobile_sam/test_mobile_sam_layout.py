"""MobileSAM's files are read to the last tensor, whatever the size of their TinyViT."""

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
from mycloset.architectures.mobile_sam.layout import FAMILY
from mycloset.architectures.mobile_sam.tiny_vit import TinyViT, tiny_vit_tensors
from mycloset.architectures.sam.decoder import DecoderSizes, decoder_tensors

GOLDEN = "mobile_sam/mobile_sam"
SMALL = TinyViT((16, 24), (1, 2), (3,), (7,), 32, (48,), stem=8)


@st.composite
def encoders(draw: st.DrawFn) -> TinyViT:
    later = draw(st.integers(1, 4))
    return TinyViT(
        widths=tuple(draw(st.tuples(*[st.integers(8, 320)] * (later + 1)))),
        depths=tuple(draw(st.tuples(*[st.integers(1, 5)] * (later + 1)))),
        heads=tuple(draw(st.tuples(*[st.integers(1, 10)] * later))),
        windows=tuple(draw(st.tuples(*[st.integers(2, 16)] * later))),
        expanded=draw(st.integers(8, 400)),
        hidden=tuple(draw(st.tuples(*[st.integers(8, 1280)] * later))),
        local=draw(st.sampled_from((3, 5))),
        classes=draw(st.sampled_from((0, 1000))),
        stem=draw(st.integers(4, 40)),
    )


def test_the_published_model_is_read_back() -> None:
    claim = read_golden(FAMILY, GOLDEN)
    assert claim.variant == "vit_t"
    assert claim.config.items() >= config_of(GOLDEN, "neck").items()


@pytest.mark.parametrize("claim", list(FAMILY.examples()), ids=lambda claim: claim.variant)
def test_an_example_gives_itself_back(claim: Claim) -> None:
    assert FAMILY.read(claim.tensors) == claim


@given(encoders())
@settings(max_examples=50, deadline=None)
def test_any_size_is_read_from_shapes(encoder: TinyViT) -> None:
    claim = read_back(FAMILY, tiny_vit_tensors(encoder) | decoder_tensors(DecoderSizes()))
    assert claim.config["embed_dims"] == list(encoder.widths)
    assert claim.config["num_heads"][1:] == list(encoder.heads)
    assert claim.config["window_sizes"][1:] == list(encoder.windows)


def test_a_copy_that_lost_a_block_is_still_taken_for_the_whole() -> None:
    whole = golden_files.shapes(GOLDEN)
    part = {key: shape for key, shape in whole.items() if ".layers.2.blocks.3." not in key}
    assert dict(FAMILY.read(part).tensors) == whole


@given(damaged(tiny_vit_tensors(SMALL) | decoder_tensors(DecoderSizes())))
@settings(max_examples=100, deadline=None)
def test_any_table_is_answered(table: dict[str, Shape]) -> None:
    assert answers(FAMILY, table)
