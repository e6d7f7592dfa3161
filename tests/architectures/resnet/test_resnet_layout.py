"""ResNet files: torchvision's classifiers and trunks, of any block, depth and width."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.blocks import linear
from mycloset.architectures.family import NotThisError, Shape
from mycloset.architectures.resnet.layout import FAMILY, examples
from mycloset.architectures.resnet.trunk import (
    NAMED,
    NUMBERED,
    Stage,
    Trunk,
    put_trunk,
    standard,
)

LAYERS = {34: [3, 4, 6, 3], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3], 152: [3, 8, 36, 3]}


@pytest.mark.parametrize("depth", LAYERS)
def test_the_published_layouts_are_generated_tensor_by_tensor(depth: int) -> None:
    claim = family_checks.read_golden(FAMILY, f"torchvision/resnet{depth}")
    assert (claim.variant, claim.layout) == (f"resnet{depth}", "torchvision")
    assert claim.config["layers"] == LAYERS[depth]
    assert claim.config["num_classes"] == 1000


@pytest.mark.parametrize(
    ("name", "groups", "width"),
    [
        ("resnext50_32x4d", 32, 4),
        ("resnext101_32x8d", 32, 8),
        ("resnext101_64x4d", 64, 4),
        ("wide_resnet50_2", 1, 128),
        ("wide_resnet101_2", 1, 128),
        ("resnet18", 1, 64),
    ],
)
def test_torchvision_s_other_networks_are_told_by_groups_and_widths(
    name: str, groups: int, width: int
) -> None:
    claim = next(claim for claim in examples() if claim.variant == name)
    assert (claim.config["groups"], claim.config["width_per_group"]) == (groups, width)


def test_torchvision_builds_the_same_tensors() -> None:
    for name in ("resnet18", "resnext50_32x4d", "wide_resnet101_2"):
        table = family_checks.torchvision_shapes(name, num_classes=7)
        claim = family_checks.read_back(FAMILY, table)
        assert (claim.variant, claim.output_channels) == (name, 7)


def test_old_files_without_counters_are_the_same_network() -> None:
    shapes = golden_files.shapes("torchvision/resnet50")
    old = dict(family_checks.listed(shapes))
    assert FAMILY.read(old) == FAMILY.read(shapes)


def test_a_file_without_fc_is_a_trunk() -> None:
    shapes = golden_files.shapes("torchvision/resnet101")
    table = {key: shape for key, shape in shapes.items() if not key.startswith("fc.")}
    claim = family_checks.read_back(FAMILY, table)
    assert (claim.variant, claim.task) == ("resnet101", "image features")
    assert claim.output_channels == 2048


def test_a_sequential_of_the_children_is_the_same_network() -> None:
    table: dict[str, Shape] = {}
    put_trunk(table, standard((3, 4, 6, 3), deep=True), names=NUMBERED)
    claim = family_checks.read_back(FAMILY, table)
    assert (claim.variant, claim.layout) == ("resnet50", "torchvision-sequential")


@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_any_block_depth_and_width_is_read_from_shapes(data: st.DataObject) -> None:
    deep = data.draw(st.booleans())
    groups = data.draw(st.sampled_from([1, 2, 32])) if deep else 1
    stages = []
    for _ in range(data.draw(st.integers(2, 4))):
        width = groups * data.draw(st.integers(1, 64))
        out = data.draw(st.integers(1, 512)) if deep else width
        stages.append(Stage(data.draw(st.integers(1, 5)), width, out, groups))
    trunk = Trunk(
        data.draw(st.integers(1, 12)), 64, data.draw(st.sampled_from([3, 7])), deep, tuple(stages)
    )
    table: dict[str, Shape] = {}
    put_trunk(table, trunk, names=data.draw(st.sampled_from([NAMED, NUMBERED])))
    classes = data.draw(st.integers(0, 5))
    if classes and "conv1.weight" in table:
        table |= linear("fc", classes, trunk.out)
    config = family_checks.read_back(FAMILY, table).config
    assert config["layers"] == [stage.blocks for stage in stages]
    assert config["groups"] == groups
    assert config["block"] == ("Bottleneck" if deep else "BasicBlock")


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(data: st.DataObject) -> None:
    claim = next(iter(examples()))
    lost = data.draw(st.sampled_from(list(claim.tensors)))
    assert family_checks.recovers(FAMILY, claim.tensors, lost)


@pytest.mark.parametrize("name", ["schp/lip", "faces/arcface_iresnet50"])
def test_networks_that_contain_a_resnet_are_refused(name: str) -> None:
    with pytest.raises(NotThisError):
        FAMILY.read(golden_files.shapes(name))
