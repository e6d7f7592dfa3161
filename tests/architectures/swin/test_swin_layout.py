"""Swin files: two versions, three libraries' names, other widths, windows and classes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
from mycloset.architectures.comparison import compare
from mycloset.architectures.swin.layout import FAMILY, Network, examples, tensors


@pytest.mark.parametrize("name", ["swin_t", "swin_b", "swin_v2_s"])
def test_torchvision_builds_the_same_tensors(name: str) -> None:
    table = family_checks.torchvision_shapes(name, num_classes=7)
    claim = family_checks.read_back(FAMILY, table)
    assert (claim.variant, claim.output_channels) == (name, 7)


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_widths_windows_and_classes_are_read_from_shapes(data: st.DataObject) -> None:
    stages = data.draw(st.integers(2, 5))
    second = data.draw(st.booleans())
    layout = data.draw(st.sampled_from(["torchvision", "original", "timm"]))
    tables = second or data.draw(st.booleans())
    network = Network(
        layout=layout,
        second=second,
        inputs=data.draw(st.integers(1, 6)),
        patch=data.draw(st.integers(1, 8)),
        widths=tuple(data.draw(st.integers(1, 128)) for _ in range(stages)),
        depths=tuple(data.draw(st.integers(1, 5)) for _ in range(stages)),
        heads=tuple(data.draw(st.integers(1, 9)) for _ in range(stages)),
        window=data.draw(st.integers(2, 16)),
        hidden=data.draw(st.integers(1, 600)) if second else 0,
        tables=tables,
        classes=data.draw(st.integers(0, 99)),
        head="head",
    )
    config = family_checks.read_back(FAMILY, tensors(network)).config
    assert (config["depths"], config["num_heads"]) == (list(network.depths), list(network.heads))
    assert config["window_size"] == network.window


def test_computed_tables_may_be_there_or_not() -> None:
    claim = next(iter(examples()))
    bare = {key: shape for key, shape in claim.tensors.items() if not key.endswith("index")}
    assert compare(FAMILY.read(bare), claim.tensors).exact


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(data: st.DataObject) -> None:
    claim = data.draw(st.sampled_from(list(examples())[:4]))
    lost = data.draw(st.sampled_from(list(claim.tensors)))
    table = {key: shape for key, shape in claim.tensors.items() if key != lost}
    assert family_checks.is_asked(FAMILY, table)
    assert set(compare(FAMILY.read(table), table).missing) <= {lost}
