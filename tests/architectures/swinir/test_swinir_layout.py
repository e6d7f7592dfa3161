"""SwinIR's files are read to the last tensor, for every task and size."""

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
from mycloset.architectures.family import Claim, NotThisError, Shape
from mycloset.architectures.swinir.layout import FAMILY
from mycloset.architectures.swinir.sizes import Sizes, tensors

GOLDENS = {
    "swinir/swinir_realsr_L_x4": "realSR_L_x4",
    "swinir/swinir_classical_M_x2": "classicalSR_M_x2",
}
SMALL = Sizes(24, (2, 3), (3, 4), 48, upsampler="nearest+conv", scale=4)


@st.composite
def networks(draw: st.DrawFn) -> Sizes:
    groups = draw(st.integers(1, 4))
    counts = st.tuples(*[st.integers(1, 5)] * groups)
    upsampler, scales = draw(
        st.sampled_from(
            (
                ("nearest+conv", (2, 4, 8)),
                ("pixelshuffle", (2, 3, 4, 8)),
                ("pixelshuffledirect", (2, 3, 4)),
                ("", (1,)),
            )
        )
    )
    window = draw(st.integers(2, 12))
    training = draw(st.none() | st.integers(2, 9).map(lambda side: side * window))
    depths = draw(counts)
    if depths[0] < 2:
        training = None
    return Sizes(
        width=draw(st.integers(4, 60)),
        depths=depths,
        heads=draw(counts),
        hidden=draw(st.integers(4, 200)),
        window=window,
        upsampler=upsampler,
        residual=draw(st.sampled_from(("1conv", "3conv"))),
        scale=draw(st.sampled_from(scales)),
        inputs=(channels := draw(st.sampled_from((1, 3)))),
        outputs=channels,
        features=draw(st.integers(4, 80)) if upsampler in ("nearest+conv", "pixelshuffle") else 64,
        training=training,
        masked=training is not None,
        indexed=draw(st.booleans()),
        places=draw(st.sampled_from((0, 64))),
        patch_norm=draw(st.booleans()),
        biased=draw(st.booleans()),
    )


@pytest.mark.parametrize("name", GOLDENS)
def test_the_published_networks_are_read_back(name: str) -> None:
    claim = read_golden(FAMILY, name)
    assert claim.variant == GOLDENS[name]
    assert claim.config.items() >= config_of(name).items()


@pytest.mark.parametrize("claim", list(FAMILY.examples()), ids=lambda claim: claim.variant)
def test_an_example_gives_itself_back(claim: Claim) -> None:
    assert FAMILY.read(claim.tensors) == claim


@pytest.mark.parametrize(
    ("variant", "count", "numbers"),
    [("lightweightSR_S_x2", 366, 910_152), ("colorDN_M", 544, 11_504_163)],
)
def test_others_have_the_published_number_of_parameters(
    variant: str, count: int, numbers: int
) -> None:
    (claim,) = (claim for claim in FAMILY.examples() if claim.variant == variant)
    assert (len(claim.tensors), parameters(claim)) == (count, numbers)


def test_every_task_has_its_own_variant() -> None:
    variants = [claim.variant for claim in FAMILY.examples()]
    assert len(variants) == len(set(variants))


@given(networks())
@settings(max_examples=80, deadline=None)
def test_any_network_is_read_from_shapes(sizes: Sizes) -> None:
    config = read_back(FAMILY, tensors(sizes)).config
    assert config["depths"] == list(sizes.depths)
    assert config["num_heads"] == list(sizes.heads)
    assert (config["upsampler"], config["upscale"]) == (sizes.upsampler, sizes.scale)
    assert (config["window_size"], config["img_size"]) == (sizes.window, sizes.training or 64)


def test_the_computed_constants_may_be_there_or_not() -> None:
    whole = golden_files.shapes("swinir/swinir_realsr_L_x4")
    ends = ("attn_mask", "relative_position_index")
    without = {key: shape for key, shape in whole.items() if not key.endswith(ends)}
    claim = read_back(FAMILY, without)
    assert set(whole) == set(without) | set(claim.optional)
    assert any("pictures of training" in clause for clause in claim.undecidable)


def test_a_folded_picture_is_told_by_the_name_of_the_first_convolution() -> None:
    claim = read_back(FAMILY, tensors(replace(SMALL, folding=2)))
    assert (claim.config["start_unshuffle"], claim.input_channels) == (2, 3)


def test_swin2sr_is_refused() -> None:
    scaled = {"layers.0.residual_group.blocks.0.attn.logit_scale": (6, 1, 1)}
    with pytest.raises(NotThisError, match="Swin2SR"):
        FAMILY.read(tensors(SMALL) | scaled)


@given(damaged(tensors(SMALL)))
@settings(max_examples=150, deadline=None)
def test_any_table_is_answered(table: dict[str, Shape]) -> None:
    assert answers(FAMILY, table)
