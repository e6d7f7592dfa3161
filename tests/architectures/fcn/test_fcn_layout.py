"""torchvision's FCN files, with and without the auxiliary head."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.fcn.layout import FAMILY, Network, examples, tensors
from mycloset.architectures.resnet.trunk import standard

WHOLE = next(iter(examples())).tensors


@pytest.mark.parametrize("auxiliary", [False, True])
def test_torchvision_builds_the_same_tensors(auxiliary: bool) -> None:
    torch = pytest.importorskip("torch")
    segmentation = pytest.importorskip("torchvision.models.segmentation")
    with torch.device("meta"):
        network = segmentation.fcn_resnet101(
            weights=None, weights_backbone=None, num_classes=7, aux_loss=auxiliary
        )
    table = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    claim = family_checks.read_back(FAMILY, table)
    assert (claim.variant, claim.output_channels) == ("resnet101", 7)
    assert claim.config["aux_loss"] is auxiliary


@given(
    layers=st.tuples(*[st.integers(1, 5)] * 4),
    deep=st.booleans(),
    hidden=st.integers(1, 600),
    auxiliary=st.integers(0, 300),
    classes=st.integers(1, 200),
)
@settings(max_examples=30, deadline=None)
def test_any_depth_width_and_class_count_is_read_from_shapes(
    layers: tuple[int, ...], deep: bool, hidden: int, auxiliary: int, classes: int
) -> None:
    network = Network(standard(layers, deep=deep), hidden, auxiliary, classes)
    config = family_checks.read_back(FAMILY, tensors(network)).config
    assert (config["layers"], config["num_classes"]) == (list(layers), classes)


@given(lost=st.sampled_from(list(WHOLE)))
@settings(max_examples=30, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(lost: str) -> None:
    assert family_checks.recovers(FAMILY, WHOLE, lost)


def test_deeplab_is_not_taken_for_one() -> None:
    name = "deeplabv3plus/deeplabv3_resnet101_coco_torchvision"
    assert not family_checks.is_asked(FAMILY, golden_files.shapes(name))
