"""RetinaFace files on MobileNet and ResNet bodies of any width."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.family import NotThisError
from mycloset.architectures.retinaface.layout import (
    FAMILY,
    MobileNet,
    Network,
    ResNet,
    examples,
    tensors,
)

GOLDEN = "faces/retinaface_mobilenet025"
WIDTHS = st.integers(1, 32).map(lambda quarter: 4 * quarter)


def test_the_published_layout_is_generated_tensor_by_tensor() -> None:
    claim = family_checks.read_golden(FAMILY, GOLDEN)
    published = golden_files.manifest(GOLDEN)["config"]
    assert claim.variant == "mobilenet0.25"
    assert {key: claim.config[key] for key in published} == published


def test_the_network_on_resnet_50_has_its_published_size() -> None:
    claim = next(claim for claim in examples() if claim.variant == "resnet50")
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    total = sum(
        math.prod(shape) for key, shape in claim.tensors.items() if not key.endswith(buffers)
    )
    assert (len(claim.tensors), total) == (456, 27_293_600)
    assert (claim.config["in_channel"], claim.config["out_channel"]) == (256, 256)


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_width_depth_and_number_of_anchors_is_read_from_shapes(data: st.DataObject) -> None:
    row = st.lists(WIDTHS, min_size=2, max_size=7).map(tuple)
    body = data.draw(
        st.one_of(
            st.builds(MobileNet, inputs=st.just(3), stages=st.tuples(row, row, row)),
            st.builds(
                ResNet,
                inputs=st.just(3),
                stem=WIDTHS,
                blocks=st.tuples(*[st.integers(1, 6)] * 4),
                planes=st.tuples(*[WIDTHS] * 4),
                deep=st.just(True),
            ),
        )
    )
    network = Network(body, data.draw(WIDTHS), data.draw(st.integers(1, 4)))
    config = family_checks.read_back(FAMILY, tensors(network)).config
    assert config["out_channel"] == network.width
    assert config["num_anchors"] == network.anchors
    assert config["body_channels"] == list(body.given)


@pytest.mark.parametrize("number", range(2))
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(number: int, data: st.DataObject) -> None:
    whole = list(examples())[number].tensors
    assert family_checks.recovers(FAMILY, whole, data.draw(st.sampled_from(list(whole))))


def test_a_pyramid_without_a_body_is_refused() -> None:
    with pytest.raises(NotThisError, match="body"):
        FAMILY.read({"fpn.output1.0.weight": (64, 64, 1, 1)})
