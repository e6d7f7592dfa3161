"""SimpleBaseline files of any depth and decoder, in three layouts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.family import NotThisError
from mycloset.architectures.pose_resnet.layout import FAMILY, Network, examples, tensors

WHOLE = next(claim for claim in examples() if claim.variant == "resnet50")


@pytest.mark.parametrize("variant", ["resnet34", "resnet101"])
def test_the_trunk_is_torchvision_s(variant: str) -> None:
    trunk = [
        (key, shape)
        for key, shape in golden_files.shapes(f"torchvision/{variant}").items()
        if not key.startswith("fc.")
    ]
    claim = next(claim for claim in examples() if claim.variant == variant)
    lead = "" if claim.layout == "original" else "backbone."
    expected = [(lead + key, shape) for key, shape in trunk]
    assert list(claim.tensors.items())[: len(trunk)] == expected


def test_the_decoder_is_three_transposed_convolutions_and_a_last_one() -> None:
    decoder = {key: shape for key, shape in WHOLE.tensors.items() if "_layer" in key}
    assert decoder["deconv_layers.0.weight"] == (2048, 256, 4, 4)
    assert decoder["deconv_layers.6.weight"] == (256, 256, 4, 4)
    assert decoder["final_layer.weight"] == (17, 256, 1, 1)


@given(
    network=st.builds(
        Network,
        deep=st.booleans(),
        blocks=st.tuples(*[st.integers(1, 8)] * 4),
        deconvs=st.lists(
            st.tuples(st.integers(1, 300), st.integers(2, 4)), min_size=1, max_size=4
        ).map(tuple),
        biased=st.booleans(),
        joints=st.integers(1, 140),
        kernel=st.sampled_from([1, 3]),
    ),
    layout=st.sampled_from(["original", "mmpose-0.x", "mmpose-1.x"]),
)
@settings(max_examples=40, deadline=None)
def test_any_depth_decoder_and_number_of_joints_is_read_from_shapes(
    network: Network, layout: str
) -> None:
    claim = family_checks.read_back(FAMILY, tensors(network, layout))
    assert claim.layout == layout
    assert claim.config["num_joints"] == network.joints
    assert claim.config["blocks"] == list(network.blocks)
    assert claim.config["num_deconv_kernels"] == [kernel for _, kernel in network.deconvs]


@given(lost=st.sampled_from(list(WHOLE.tensors)))
@settings(max_examples=40, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(lost: str) -> None:
    assert family_checks.recovers(FAMILY, WHOLE.tensors, lost)


def test_a_classifier_is_refused() -> None:
    with pytest.raises(NotThisError, match="deconv"):
        FAMILY.read({"layer1.0.conv1.weight": (64, 64, 1, 1), "fc.weight": (1000, 2048)})
