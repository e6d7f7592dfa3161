"""VGG files: eleven to nineteen layers, with norms or without, whole or cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.family import NotThisError
from mycloset.architectures.vgg.layout import FAMILY, Network, examples, tensors


@pytest.mark.parametrize("name", ["vgg16", "vgg19"])
def test_the_published_layouts_are_generated_tensor_by_tensor(name: str) -> None:
    claim = family_checks.read_golden(FAMILY, f"torchvision/{name}")
    assert (claim.variant, claim.config["num_classes"]) == (name, 1000)
    assert claim.config["batch_norm"] is False


def test_every_published_depth_has_its_name() -> None:
    names = {claim.variant for claim in examples()}
    whole = {f"vgg{depth}{bn}" for depth in (11, 13, 16, 19) for bn in ("", "_bn")}
    assert names == whole | {f"{name}_features" for name in whole}


def test_torchvision_builds_the_same_tensors() -> None:
    for name in ("vgg11", "vgg13_bn", "vgg19_bn"):
        table = family_checks.torchvision_shapes(name, num_classes=7)
        claim = family_checks.read_back(FAMILY, table)
        assert (claim.variant, claim.output_channels) == (name, 7)


@pytest.mark.parametrize("lead", ["features.", ""])
def test_the_convolutions_alone_keep_their_name(lead: str) -> None:
    table = {
        lead + key.removeprefix("features."): shape
        for key, shape in golden_files.shapes("torchvision/vgg19").items()
        if key.startswith("features.")
    }
    assert family_checks.read_back(FAMILY, table).variant == "vgg19_features"


def test_a_copy_cut_after_relu5_1_is_still_vgg_19() -> None:
    table = {
        key: shape
        for key, shape in golden_files.shapes("torchvision/vgg19").items()
        if key.startswith("features.") and int(key.split(".")[1]) <= 28
    }
    claim = family_checks.read_back(FAMILY, table)
    assert claim.variant == "vgg19_features"
    assert "cut after 13 convolutions" in claim.title


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_widths_depths_and_classes_are_read_from_shapes(data: st.DataObject) -> None:
    width = st.integers(1, 128)
    if data.draw(st.booleans()):
        layers = data.draw(st.sampled_from([(1, 1, 2, 2, 2), (2, 2, 3, 3, 3)]))
        blocks = tuple(tuple(data.draw(width) for _ in range(number)) for number in layers)
    else:
        widths = sorted(data.draw(st.lists(width, min_size=5, max_size=5)))
        blocks = tuple((each,) * data.draw(st.integers(2, 6)) for each in widths)
    classes = data.draw(st.integers(0, 1000))
    classifier = (
        (blocks[-1][-1] * 49, data.draw(width), data.draw(width), classes) if classes else ()
    )
    network = Network(
        data.draw(st.integers(1, 6)),
        blocks,
        data.draw(st.booleans()),
        classifier,
        timm=classes > 0 and data.draw(st.booleans()),
    )
    config = family_checks.read_back(FAMILY, tensors(network)).config
    assert [step for step in config["cfg"] if step != "M"] == [c for b in blocks for c in b]
    assert config["num_classes"] == (classes or None)


@pytest.mark.parametrize("name", ["vgg11", "vgg19_bn"])
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(name: str, data: st.DataObject) -> None:
    whole = next(claim for claim in examples() if claim.variant == name).tensors
    lost = data.draw(st.sampled_from(list(whole)))
    assert family_checks.recovers(FAMILY, whole, lost)


def test_other_stacks_of_convolutions_are_refused() -> None:
    with pytest.raises(NotThisError, match="3x3"):
        FAMILY.read(golden_files.shapes("torchvision/alexnet"))
    flat = {f"{2 * n}.weight": (64, 64, 3, 3) for n in range(12)}
    with pytest.raises(NotThisError, match="published"):
        FAMILY.read(flat)
    ragged = {f"features.{key}": shape for key, shape in flat.items()}
    with pytest.raises(NotThisError, match="poolings"):
        FAMILY.read(ragged)
    small = {"features.0.weight": (32, 3, 3, 3), "features.3.weight": (64, 32, 3, 3)}
    with pytest.raises(NotThisError, match="fewer"):
        FAMILY.read(small)
