"""ViTPose files of any size and decoder, in two layouts."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
from mycloset.architectures.family import NotThisError
from mycloset.architectures.vitpose.layout import FAMILY, Network, examples, tensors

WHOLE = next(claim for claim in examples() if claim.variant == "b")


def test_the_base_trunk_is_vit_b_16_without_class_token_and_head() -> None:
    trunk = {key: shape for key, shape in WHOLE.tensors.items() if key.startswith("backbone.")}
    head, token, positions = 1000 * 769, 768, (197 - 193) * 768
    vit_b_16 = 86_567_656
    total = sum(math.prod(shape) for shape in trunk.values())
    assert total == vit_b_16 - head - token - positions


def test_experts_show_the_successor() -> None:
    plus = next(claim for claim in examples() if claim.variant == "b_plus")
    assert plus.config["num_experts"] == 6
    assert plus.tensors["backbone.encoder.layer.0.mlp.fc2.weight"] == (576, 3072)


@given(
    network=st.builds(
        Network,
        width=st.integers(16, 400),
        depth=st.integers(1, 14),
        hidden=st.integers(1, 1600),
        patch=st.integers(1, 32),
        tokens=st.integers(2, 800),
        experts=st.integers(1, 6),
        part=st.integers(1, 15),
        filters=st.lists(st.integers(1, 300), max_size=3).map(tuple),
        joints=st.integers(1, 140),
        kernel=st.sampled_from([1, 3]),
    ),
    layout=st.sampled_from(["original", "transformers"]),
)
@settings(max_examples=40, deadline=None)
def test_any_size_decoder_and_number_of_joints_is_read_from_shapes(
    network: Network, layout: str
) -> None:
    claim = family_checks.read_back(FAMILY, tensors(network, layout))
    assert claim.layout == layout
    assert (claim.config["embed_dim"], claim.config["depth"]) == (network.width, network.depth)
    assert claim.config["num_joints"] == network.joints
    assert claim.config["num_deconv_filters"] == list(network.filters)


@pytest.mark.parametrize("layout", ["original", "transformers"])
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(layout: str, data: st.DataObject) -> None:
    whole = next(claim.tensors for claim in examples() if claim.layout == layout)
    assert family_checks.recovers(FAMILY, whole, data.draw(st.sampled_from(list(whole))))


def test_a_transformer_without_heatmaps_is_refused() -> None:
    with pytest.raises(NotThisError):
        FAMILY.read({"backbone.pos_embed": (1, 197, 768), "head.weight": (1000, 768)})
