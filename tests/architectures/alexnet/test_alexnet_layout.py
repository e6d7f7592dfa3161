"""AlexNet files: the classifier, its convolutions, other widths and classes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.alexnet.layout import FAMILY, Network, examples, tensors
from mycloset.architectures.family import NotThisError

GOLDEN = "torchvision/alexnet"


def test_the_published_layout_is_generated_tensor_by_tensor() -> None:
    claim = family_checks.read_golden(FAMILY, GOLDEN)
    assert (claim.variant, claim.config["num_classes"]) == ("alexnet", 1000)
    assert claim.config["widths"] == [64, 192, 384, 256, 256]


@pytest.mark.parametrize("lead", ["features.", ""])
def test_the_convolutions_alone_keep_their_name(lead: str) -> None:
    table = {
        lead + key.removeprefix("features."): shape
        for key, shape in golden_files.shapes(GOLDEN).items()
        if key.startswith("features.")
    }
    assert family_checks.read_back(FAMILY, table).variant == "alexnet_features"


@given(
    inputs=st.integers(1, 8),
    widths=st.tuples(*[st.integers(1, 400)] * 5),
    classifier=st.tuples(*[st.integers(1, 900)] * 3),
)
@settings(max_examples=50, deadline=None)
def test_any_widths_and_classes_are_read_from_shapes(
    inputs: int, widths: tuple[int, ...], classifier: tuple[int, ...]
) -> None:
    network = Network(inputs, widths, (widths[-1] * 36, *classifier))
    config = family_checks.read_back(FAMILY, tensors(network)).config
    assert (config["num_classes"], config["pooled"]) == (classifier[-1], 6)
    assert config["widths"] == list(widths)


@given(lost=st.sampled_from(list(next(iter(examples())).tensors)))
@settings(max_examples=20, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(lost: str) -> None:
    assert family_checks.recovers(FAMILY, next(iter(examples())).tensors, lost)


def test_vgg_is_refused() -> None:
    with pytest.raises(NotThisError, match="11x11"):
        FAMILY.read(golden_files.shapes("torchvision/vgg16"))
