"""CNNGeometric and weakalign files on ResNet and VGG features."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.cnngeometric.layout import FAMILY, examples
from mycloset.architectures.family import NotThisError
from mycloset.architectures.reading import renamed

ONE = "cnngeometric/cnngeometric_resnet101_tps"
TWO = "cnngeometric/weakalign_resnet101_affine_tps"


@pytest.mark.parametrize(
    ("name", "variant"), [(ONE, "resnet101_tps"), (TWO, "resnet101_affine_tps")]
)
def test_a_published_layout_is_generated_tensor_by_tensor(name: str, variant: str) -> None:
    claim = family_checks.read_golden(FAMILY, name)
    assert claim.variant == variant
    published = golden_files.manifest(name)["config"]
    assert {key: claim.config[key] for key in published} == published


def test_the_first_releases_say_vgg_whatever_it_is() -> None:
    old = renamed(
        golden_files.shapes(ONE), [(r"^FeatureExtraction\.model", "FeatureExtraction.vgg")]
    )
    claim = family_checks.read_back(FAMILY, old)
    assert (claim.variant, claim.layout) == ("resnet101_tps", "first")


@pytest.mark.parametrize(
    ("variant", "count", "parameters"),
    [("vgg16_tps", 36, 9_280_658), ("resnet101_affine", 580, 29_161_606)],
)
def test_variants_have_their_published_size(variant: str, count: int, parameters: int) -> None:
    claim = next(claim for claim in examples() if claim.variant == variant)
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    total = sum(
        math.prod(shape) for key, shape in claim.tensors.items() if not key.endswith(buffers)
    )
    assert (len(claim.tensors), total) == (count, parameters)


@given(
    side=st.integers(5, 40),
    layers=st.lists(
        st.tuples(st.integers(1, 300), st.sampled_from([3, 5, 7])), min_size=1, max_size=4
    ),
    outputs=st.integers(1, 60),
    norms=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_any_regressor_is_read_from_shapes(
    side: int, layers: list[tuple[int, int]], outputs: int, norms: bool
) -> None:
    table = {
        key: shape
        for key, shape in golden_files.shapes(ONE).items()
        if key.startswith("FeatureExtraction")
    }
    inp = side * side
    for number, (out, kernel) in enumerate(layers):
        place = f"FeatureRegression.conv.{number * (3 if norms else 2)}"
        table[f"{place}.weight"] = (out, inp, kernel, kernel)
        table[f"{place}.bias"] = (out,)
        if norms:
            place = f"FeatureRegression.conv.{number * 3 + 1}"
            for part in ("weight", "bias", "running_mean", "running_var"):
                table[f"{place}.{part}"] = (out,)
            table[f"{place}.num_batches_tracked"] = ()
        inp = out
    table["FeatureRegression.linear.weight"] = (outputs, inp * layers[-1][1] ** 2)
    table["FeatureRegression.linear.bias"] = (outputs,)
    config = family_checks.read_back(FAMILY, table).config
    assert config["output_dim"] == outputs
    assert config["fr_kernel_sizes"] == [kernel for _, kernel in layers]
    assert config["fr_feature_size"] == side
    assert config["batch_normalization"] == norms


@pytest.mark.parametrize("number", range(8))
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(number: int, data: st.DataObject) -> None:
    whole = list(examples())[number].tensors
    assert family_checks.recovers(FAMILY, whole, data.draw(st.sampled_from(list(whole))))


def test_features_without_a_regressor_are_refused() -> None:
    features = {
        key: shape
        for key, shape in golden_files.shapes(ONE).items()
        if key.startswith("FeatureExtraction")
    }
    with pytest.raises(NotThisError, match="FeatureRegression"):
        FAMILY.read(features)
