"""DeepLabv3+ files of any class count, width and depth."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.deeplabv3plus.layout import _PUBLISHED, FAMILY, _tensors
from mycloset.architectures.family import NotThisError
from mycloset.architectures.resnet.trunk import standard

GOLDEN = "deeplabv3plus/deeplabv3plus_resnet101_jfzhang95"


def test_the_published_layout_is_generated_tensor_by_tensor() -> None:
    claim = family_checks.read_golden(FAMILY, GOLDEN)
    assert list(claim.tensors) == list(golden_files.shapes(GOLDEN))
    assert (claim.variant, claim.config["num_classes"]) == ("resnet101", 21)


@given(
    classes=st.integers(1, 200),
    depths=st.tuples(*[st.integers(1, 6)] * 4),
    widths=st.lists(st.integers(1, 300), min_size=5, max_size=5),
    branches=st.integers(1, 6),
)
@settings(max_examples=30, deadline=None)
def test_any_width_depth_and_class_count_is_read_from_shapes(
    classes: int, depths: tuple[int, ...], widths: list[int], branches: int
) -> None:
    width, joined, low, first, second = widths
    sizes = _PUBLISHED._replace(
        classes=classes,
        trunk=standard(depths, deep=True),
        branches=branches,
        width=width,
        joined=joined,
        low=low,
        decoder=(first, second),
    )
    config = family_checks.read_back(FAMILY, _tensors(sizes)).config
    assert (config["num_classes"], config["layers"]) == (classes, list(depths))
    assert (config["aspp_branches"], config["aspp_channels"]) == (branches, width)
    assert (config["low_level_channels"], config["decoder_channels"]) == (low, [first, second])


def test_another_backbone_is_refused() -> None:
    table = dict(golden_files.shapes(GOLDEN))
    table = {key: shape for key, shape in table.items() if not key.startswith("backbone.layer")}
    with pytest.raises(NotThisError, match=r"backbone\.layer1"):
        FAMILY.read(table)


@given(lost=st.sampled_from(list(golden_files.shapes(GOLDEN))))
@settings(max_examples=60, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(lost: str) -> None:
    assert family_checks.recovers(FAMILY, golden_files.shapes(GOLDEN), lost)
