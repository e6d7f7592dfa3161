"""SCHP files of any class count, width and depth."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.schp.layout import _PUBLISHED, FAMILY, _standard, _tensors

LIP = golden_files.shapes("schp/lip")


@pytest.mark.parametrize(("name", "classes"), [("lip", 20), ("atr", 18)])
def test_a_published_layout_is_generated_tensor_by_tensor(name: str, classes: int) -> None:
    claim = family_checks.read_golden(FAMILY, f"schp/{name}")
    assert list(claim.tensors) == list(golden_files.shapes(f"schp/{name}"))
    assert (claim.variant, claim.config["num_classes"]) == (name, classes)
    assert claim.config["backbone"] == "resnet101"


def test_seven_classes_are_pascal_s() -> None:
    assert [claim.variant for claim in FAMILY.examples()] == ["lip", "atr", "pascal"]


@given(
    classes=st.integers(1, 200),
    depths=st.tuples(*[st.integers(1, 6)] * 4),
    widths=st.lists(st.integers(1, 300), min_size=6, max_size=6),
    pools=st.integers(1, 6),
)
@settings(max_examples=30, deadline=None)
def test_any_width_depth_and_class_count_is_read_from_shapes(
    classes: int, depths: tuple[int, ...], widths: list[int], pools: int
) -> None:
    stem, pool, context, edge, wide, low = widths
    sizes = _PUBLISHED._replace(
        classes=classes,
        stem=(stem, stem + 1),
        trunk=_standard(depths, stem + 1, stem),
        pools=pools,
        pool=pool,
        context=context,
        edge=edge,
        wide=wide,
        low=low,
    )
    config = family_checks.read_back(FAMILY, _tensors(sizes)).config
    assert (config["num_classes"], config["layers"]) == (classes, list(depths))
    assert (config["psp_branches"], config["psp_channels"]) == (pools, pool)
    assert config["decoder_channels"][:2] == [wide, low]


def test_other_class_counts_are_custom() -> None:
    claim = family_checks.read_back(FAMILY, _tensors(_PUBLISHED._replace(classes=25)))
    assert (claim.variant, claim.output_channels) == ("custom", 25)


@given(lost=st.sampled_from(list(LIP)))
@settings(max_examples=60, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(lost: str) -> None:
    assert family_checks.recovers(FAMILY, LIP, lost)
