"""ConvNeXt files: two versions, three libraries' names, other widths and classes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
from mycloset.architectures.comparison import compare
from mycloset.architectures.convnext.layout import FAMILY, Network, examples, tensors


@pytest.mark.parametrize("name", ["convnext_tiny", "convnext_large"])
def test_torchvision_builds_the_same_tensors(name: str) -> None:
    table = family_checks.torchvision_shapes(name, num_classes=7)
    claim = family_checks.read_back(FAMILY, table)
    assert (claim.variant, claim.output_channels) == (name, 7)


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_widths_depths_and_classes_are_read_from_shapes(data: st.DataObject) -> None:
    stages = data.draw(st.integers(2, 5))
    layout = data.draw(st.sampled_from(["timm", "original", "torchvision"]))
    network = Network(
        layout=layout,
        inputs=data.draw(st.integers(1, 6)),
        patch=data.draw(st.integers(1, 8)),
        widths=tuple(data.draw(st.integers(1, 128)) for _ in range(stages)),
        depths=tuple(data.draw(st.integers(1, 5)) for _ in range(stages)),
        kernel=data.draw(st.sampled_from([3, 7, 9])),
        scaled=data.draw(st.booleans()),
        responding=layout != "torchvision" and data.draw(st.booleans()),
        flat=data.draw(st.booleans()),
        last=data.draw(st.booleans()),
        classes=data.draw(st.integers(0, 99)),
    )
    config = family_checks.read_back(FAMILY, tensors(network)).config
    assert (config["depths"], config["dims"]) == (list(network.depths), list(network.widths))


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(data: st.DataObject) -> None:
    claim = data.draw(st.sampled_from(list(examples())[:4]))
    lost = data.draw(st.sampled_from(list(claim.tensors)))
    table = {key: shape for key, shape in claim.tensors.items() if key != lost}
    assert family_checks.is_asked(FAMILY, table)
    assert set(compare(FAMILY.read(table), table).missing) <= {lost}


def test_a_head_of_ones_own_in_the_place_of_the_norm_is_extra() -> None:
    claim = next(claim for claim in examples() if claim.layout == "torchvision")
    table = {key: shape for key, shape in claim.tensors.items() if "classifier" not in key}
    width = claim.config["dims"][-1]
    table |= {"classifier.0.weight": (256, width), "classifier.0.bias": (256,)}
    assert compare(FAMILY.read(table), table).extended
