"""SqueezeNet files: versions 1.0 and 1.1, their features, other widths and classes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
from mycloset.architectures.squeezenet.layout import FAMILY, Network, examples, tensors

SIZES = {"squeezenet1_0": 1_248_424, "squeezenet1_1": 1_235_496}


@pytest.mark.parametrize("name", SIZES)
def test_the_published_networks_have_their_size(name: str) -> None:
    whole = next(claim for claim in examples() if claim.variant == name).tensors
    assert (len(whole), sum(math.prod(shape) for shape in whole.values())) == (52, SIZES[name])


@pytest.mark.parametrize("name", SIZES)
def test_torchvision_builds_the_same_tensors(name: str) -> None:
    table = family_checks.torchvision_shapes(name, num_classes=7)
    claim = family_checks.read_back(FAMILY, table)
    assert (claim.variant, claim.output_channels) == (name, 7)


@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_any_widths_and_classes_are_read_from_shapes(data: st.DataObject) -> None:
    width = st.integers(1, 300)
    fires = tuple(
        (place, data.draw(width), data.draw(width), data.draw(width))
        for place in (3, 4, 6, 7, 9, 10, 11, 12)
    )
    kernel = data.draw(st.sampled_from([3, 5, 7]))
    network = Network(data.draw(st.integers(1, 9)), data.draw(width), kernel, fires, 12)
    config = family_checks.read_back(FAMILY, tensors(network)).config
    assert (config["version"], config["num_classes"]) == ("1_1", 12)
    assert config["fires"] == [list(fire) for fire in fires]


@pytest.mark.parametrize("number", [0, 2])
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(number: int, data: st.DataObject) -> None:
    whole = list(examples())[number].tensors
    lost = data.draw(st.sampled_from(list(whole)))
    assert family_checks.recovers(FAMILY, whole, lost)
