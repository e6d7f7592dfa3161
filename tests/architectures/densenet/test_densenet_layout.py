"""DenseNet files: published and present names, other growth, depth and classes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.densenet.layout import FAMILY, Network, examples, tensors

GOLDEN = "torchvision/densenet121"


def test_the_published_layout_is_generated_tensor_by_tensor() -> None:
    claim = family_checks.read_golden(FAMILY, GOLDEN)
    assert (claim.variant, claim.layout) == ("densenet121", "torchvision-old")
    published = golden_files.manifest(GOLDEN)["config"]
    assert {key: claim.config[key] for key in published} == published


@pytest.mark.parametrize("depth", [121, 161, 169, 201])
def test_torchvision_builds_the_same_tensors(depth: int) -> None:
    table = family_checks.torchvision_shapes(f"densenet{depth}", num_classes=7)
    claim = family_checks.read_back(FAMILY, table)
    assert (claim.variant, claim.layout) == (f"densenet{depth}", "torchvision")
    assert claim.output_channels == 7


@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_any_growth_depth_and_classes_are_read_from_shapes(data: st.DataObject) -> None:
    width = st.integers(1, 64)
    blocks = tuple(data.draw(st.lists(st.integers(1, 8), min_size=2, max_size=5)))
    network = Network(
        inputs=data.draw(st.integers(1, 8)),
        stem=data.draw(width),
        kernel=data.draw(st.sampled_from([3, 7])),
        growth=data.draw(width),
        bottleneck=data.draw(width),
        blocks=blocks,
        transitions=tuple(data.draw(width) for _ in blocks[1:]),
        classes=data.draw(st.integers(0, 99)),
        layout=data.draw(st.sampled_from(["torchvision", "torchvision-old"])),
    )
    config = family_checks.read_back(FAMILY, tensors(network)).config
    assert (config["growth_rate"], config["block_config"]) == (network.growth, list(blocks))
    assert config["num_classes"] == (network.classes or None)


@given(lost=st.sampled_from(list(next(iter(examples())).tensors)))
@settings(max_examples=30, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(lost: str) -> None:
    assert family_checks.recovers(FAMILY, next(iter(examples())).tensors, lost)
