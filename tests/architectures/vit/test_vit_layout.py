"""ViT files: timm's and torchvision's names, other patches, widths, depths and tokens."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.comparison import compare
from mycloset.architectures.vit.layout import FAMILY, examples
from mycloset.architectures.vit.tensors import Network, tensors

BASE = next(claim for claim in examples() if claim.variant == "vit_b_16" and claim.layout == "timm")


def test_vit_b_16_has_its_published_size() -> None:
    assert sum(math.prod(shape) for shape in BASE.tensors.values()) == 86_567_656
    assert (len(BASE.tensors), BASE.config["image_size"]) == (152, 224)


def test_torchvision_builds_the_same_tensors() -> None:
    table = family_checks.torchvision_shapes("vit_b_32", num_classes=7)
    claim = family_checks.read_back(FAMILY, table)
    assert (claim.variant, claim.layout) == ("vit_b_32", "torchvision")
    assert claim.output_channels == 7


@given(
    network=st.builds(
        Network,
        layout=st.just("timm"),
        width=st.integers(1, 256),
        layers=st.integers(1, 6),
        hidden=st.integers(1, 256),
        patch=st.tuples(st.integers(1, 4), st.integers(1, 32)),
        positions=st.integers(1, 300),
        classes=st.integers(0, 20),
        cls=st.just(True),
        biased=st.booleans(),
        distilled=st.booleans(),
        registers=st.sampled_from([None, ("reg_token", 4), ("register_tokens", 3)]),
        mask=st.booleans(),
        scaled=st.booleans(),
        gated=st.sampled_from(["", "w12", "fc1"]),
        norm=st.sampled_from(["norm", "fc_norm"]),
    )
)
@settings(max_examples=60, deadline=None)
def test_any_sizes_under_timm_s_names_are_read_from_shapes(network: Network) -> None:
    network = network._replace(norm="norm" if network.gated == "w12" else network.norm)
    config = family_checks.read_back(FAMILY, tensors(network)).config
    assert (config["hidden_dim"], config["mlp_dim"]) == (network.width, network.hidden)
    assert (config["num_layers"], config["patch_size"]) == (network.layers, network.patch[1])


@given(
    network=st.builds(
        Network,
        layout=st.sampled_from(["torchvision", "torchvision-old"]),
        width=st.integers(1, 256),
        layers=st.integers(1, 6),
        hidden=st.integers(1, 256),
        patch=st.tuples(st.integers(1, 4), st.integers(1, 32)),
        positions=st.integers(1, 300),
        classes=st.integers(0, 20),
    )
)
@settings(max_examples=30, deadline=None)
def test_any_sizes_under_torchvision_s_names_are_read_from_shapes(network: Network) -> None:
    config = family_checks.read_back(FAMILY, tensors(network)).config
    assert (config["hidden_dim"], config["mlp_dim"]) == (network.width, network.hidden)


@given(lost=st.sampled_from([key for key in BASE.tensors if key not in ("pos_embed",)]))
@settings(max_examples=30, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(lost: str) -> None:
    table = {key: shape for key, shape in BASE.tensors.items() if key != lost}
    assert family_checks.is_asked(FAMILY, table)
    assert set(compare(FAMILY.read(table), table).missing) <= {lost}


@pytest.mark.parametrize("name", ["sam/sam_vit_b_01ec64", "dpt/dpt_hybrid_384", "clip/ViT-B-32"])
def test_networks_that_contain_a_vit_are_not_taken_for_one(name: str) -> None:
    assert not family_checks.takes_for_its_own(FAMILY, golden_files.shapes(name))
