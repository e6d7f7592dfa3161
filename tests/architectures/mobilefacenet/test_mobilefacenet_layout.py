"""MobileFaceNet files of any scale and number of blocks, in two layouts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
from mycloset.architectures.family import NotThisError
from mycloset.architectures.mobilefacenet.layout import (
    FAMILY,
    INSIGHTFACE,
    OLDER,
    Network,
    examples,
    tensors,
)

GOLDEN = "faces/arcface_mobilefacenet"


def test_the_published_layout_is_generated_tensor_by_tensor() -> None:
    claim = family_checks.read_golden(FAMILY, GOLDEN)
    assert claim.variant == "mbf"
    assert claim.config["arch"] == "get_mbf"
    assert (claim.config["embedding"], claim.config["scale"]) == (512, 2)
    assert claim.config["blocks"] == [1, 4, 6, 2]


def test_the_large_network_begins_with_blocks() -> None:
    large = next(claim for claim in examples() if claim.variant == "mbf_large")
    assert large.tensors["layers.1.layers.1.layers.0.layers.0.weight"] == (128, 256, 1, 1)
    assert large.config["arch"] == "get_mbf_large"


def test_the_older_repository_s_names_are_the_second_layout() -> None:
    older = next(claim for claim in examples() if claim.layout == "insightface_pytorch")
    assert older.tensors["conv_34.conv_dw.conv.weight"] == (256, 1, 3, 3)
    assert older.tensors["conv_6_dw.bn.weight"] == (512,)


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_width_and_number_of_blocks_is_read_from_shapes(data: st.DataObject) -> None:
    width = st.integers(1, 8).map(lambda groups: 64 * groups)
    network = Network(
        inputs=3,
        widths=(data.draw(width), data.draw(width)),
        blocks=data.draw(st.tuples(*[st.integers(1, 6)] * 4)),
        hidden=tuple(data.draw(width) for _ in range(7)),
        last=data.draw(width),
        embedding=data.draw(st.integers(1, 1024)),
    )
    names = data.draw(st.sampled_from([INSIGHTFACE, OLDER]))
    config = family_checks.read_back(FAMILY, tensors(network, names)).config
    assert config["blocks"] == list(network.blocks)
    assert config["widths"] == list(network.widths)
    assert config["embedding"] == network.embedding


@pytest.mark.parametrize("number", range(3))
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(number: int, data: st.DataObject) -> None:
    whole = list(examples())[number].tensors
    assert family_checks.recovers(FAMILY, whole, data.draw(st.sampled_from(list(whole))))


def test_a_table_without_blocks_is_refused() -> None:
    with pytest.raises(NotThisError):
        FAMILY.read({"layers.0.layers.0.weight": (64, 3, 3, 3), "features.layers.2.weight": (1, 1)})
