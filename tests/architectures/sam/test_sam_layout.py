"""Segment Anything's files are read to the last tensor, whatever the size of the network."""

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
    parameters,
    read_back,
    read_golden,
)
from mycloset.architectures.family import Claim, NotThisError
from mycloset.architectures.sam.decoder import DecoderSizes, decoder_tensors
from mycloset.architectures.sam.encoder import ORIGINAL, EncoderSizes, encoder_tensors
from mycloset.architectures.sam.layout import FAMILY

GOLDENS = {"sam/sam_vit_b_01ec64": "vit_b", "sam/sam_vit_h_4b8939": "vit_h"}
SMALL = EncoderSizes(96, 300, 256, ((27, 27), (127, 127)), 32, (64, 64), 16, 3)
DECODER = DecoderSizes()

encoders = st.builds(
    lambda head, heads, grid, window, tables, **sizes: EncoderSizes(
        width=head * heads,
        head_width=head,
        grid=(grid, grid),
        tables=tuple((2 * (grid if whole else window) - 1,) * 2 for whole in tables),
        **sizes,
    ),
    head=st.sampled_from((16, 32, 64, 80)),
    heads=st.integers(1, 6),
    grid=st.integers(20, 64),
    window=st.integers(2, 14),
    tables=st.lists(st.booleans(), min_size=1, max_size=8),
    hidden=st.integers(8, 512),
    out=st.sampled_from((64, 256)),
    patch=st.sampled_from((8, 14, 16)),
    channels=st.sampled_from((1, 3, 4)),
    biased=st.booleans(),
)
decoders = st.builds(
    DecoderSizes,
    width=st.sampled_from((64, 256)),
    mask_width=st.sampled_from((8, 16)),
    layers=st.integers(1, 4),
    hidden=st.integers(16, 2048),
    inner=st.sampled_from((32, 128)),
    masks=st.integers(1, 6),
    score_depth=st.integers(2, 5),
    score_hidden=st.integers(8, 300),
    head_layers=st.integers(2, 4),
    early=st.sampled_from((0, 96)),
)


@pytest.mark.parametrize("name", GOLDENS)
def test_the_published_models_are_read_back(name: str) -> None:
    claim = read_golden(FAMILY, name)
    assert claim.variant == GOLDENS[name]
    assert claim.config.items() >= config_of(name).items()


@pytest.mark.parametrize(
    "claim", list(FAMILY.examples()), ids=lambda claim: f"{claim.variant}-{claim.layout}"
)
def test_an_example_gives_itself_back(claim: Claim) -> None:
    assert FAMILY.read(claim.tensors) == claim


def test_vit_l_has_the_published_number_of_parameters() -> None:
    (large,) = (
        claim
        for claim in FAMILY.examples()
        if claim.variant == "vit_l" and claim.layout == "original"
    )
    assert (len(large.tensors), parameters(large)) == (482, 312_342_832)


@given(encoder=encoders, decoder=decoders)
@settings(max_examples=60, deadline=None)
def test_any_size_is_read_from_shapes(encoder: EncoderSizes, decoder: DecoderSizes) -> None:
    claim = read_back(FAMILY, encoder_tensors(encoder, ORIGINAL) | decoder_tensors(decoder))
    everywhere = [
        n for n, (rows, _) in enumerate(encoder.tables) if rows == 2 * encoder.grid[0] - 1
    ]
    assert claim.config["encoder_num_heads"] == encoder.width // encoder.head_width
    assert claim.config["encoder_global_attn_indexes"] == everywhere
    assert claim.config["iou_head_depth"] == decoder.score_depth


def test_the_finer_mask_of_hq_sam_is_told() -> None:
    decoder = replace(DECODER, early=96)
    claim = read_back(FAMILY, encoder_tensors(SMALL, ORIGINAL) | decoder_tensors(decoder))
    assert claim.variant == "hq_vit_96x2"
    assert claim.config["vit_dim"] == 96


def test_windows_are_told_from_the_tables_of_relative_positions() -> None:
    claim = read_back(FAMILY, encoder_tensors(SMALL, ORIGINAL) | decoder_tensors(DECODER))
    assert claim.config["window_size"] == 14
    assert claim.config["encoder_global_attn_indexes"] == [1]


def test_without_tables_of_relative_positions_heads_are_undecidable() -> None:
    plain = replace(SMALL, width=128, tables=((0, 0),) * 3, head_width=64)
    claim = read_back(FAMILY, encoder_tensors(plain, ORIGINAL) | decoder_tensors(DECODER))
    assert claim.config["use_rel_pos"] is False
    assert any("heads in the encoder" in clause for clause in claim.undecidable)


def test_a_copy_that_lost_a_block_is_still_taken_for_the_whole() -> None:
    whole = golden_files.shapes("sam/sam_vit_b_01ec64")
    lost = {key: shape for key, shape in whole.items() if ".blocks.4." not in key}
    assert dict(FAMILY.read(lost).tensors) == whole


@pytest.mark.parametrize("lost", ["image_encoder.patch_embed.proj.weight", "mask_decoder."])
def test_a_table_without_an_end_is_refused(lost: str) -> None:
    whole = golden_files.shapes("sam/sam_vit_b_01ec64")
    with pytest.raises(NotThisError):
        FAMILY.read({key: shape for key, shape in whole.items() if not key.startswith(lost)})


@given(damaged(encoder_tensors(SMALL, ORIGINAL) | decoder_tensors(DECODER)))
@settings(max_examples=100, deadline=None)
def test_any_table_is_answered(table: dict[str, tuple[int, ...]]) -> None:
    assert answers(FAMILY, table)
