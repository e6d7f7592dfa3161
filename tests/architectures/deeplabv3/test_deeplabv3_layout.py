"""torchvision's DeepLabv3 files, with and without the auxiliary head."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.deeplabv3.layout import FAMILY, _published, _tensors
from mycloset.architectures.resnet.trunk import standard

GOLDEN = "deeplabv3plus/deeplabv3_resnet101_coco_torchvision"


def test_the_published_layout_is_generated_tensor_by_tensor() -> None:
    claim = family_checks.read_golden(FAMILY, GOLDEN)
    assert list(claim.tensors) == list(golden_files.shapes(GOLDEN))
    assert (claim.variant, claim.config["aux_loss"]) == ("resnet101", True)


@pytest.mark.parametrize("depths", [(3, 4, 6, 3), (3, 4, 23, 3)])
def test_a_file_without_the_auxiliary_head_is_whole(depths: tuple[int, ...]) -> None:
    claim = family_checks.read_back(FAMILY, _tensors(_published(depths, auxiliary=False)))
    assert claim.config["aux_loss"] is False


@given(
    classes=st.integers(1, 200),
    depths=st.tuples(*[st.integers(1, 6)] * 4),
    widths=st.lists(st.integers(1, 300), min_size=4, max_size=4),
    dilated=st.integers(0, 6),
    deep=st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_any_width_depth_and_class_count_is_read_from_shapes(
    classes: int, depths: tuple[int, ...], widths: list[int], dilated: int, deep: bool
) -> None:
    width, joined, hidden, auxiliary = widths
    sizes = _published(depths)._replace(
        classes=classes,
        trunk=standard(depths, deep=deep),
        dilated=dilated,
        width=width,
        joined=joined,
        hidden=hidden,
        auxiliary=auxiliary,
    )
    config = family_checks.read_back(FAMILY, _tensors(sizes)).config
    assert (config["num_classes"], config["layers"]) == (classes, list(depths))
    assert (config["aspp_dilated"], config["aspp_channels"]) == (dilated, width)
    assert (config["head_channels"], config["aux_channels"]) == (hidden, auxiliary)


@given(lost=st.sampled_from(list(golden_files.shapes(GOLDEN))))
@settings(max_examples=60, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(lost: str) -> None:
    assert family_checks.recovers(FAMILY, golden_files.shapes(GOLDEN), lost)
