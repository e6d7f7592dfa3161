"""SCHP files: LIP, ATR, Pascal and other sets of labels."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.family import Shape
from mycloset.architectures.resnet.trunk import Stage, Trunk
from mycloset.architectures.schp.layout import FAMILY, Network, examples, tensors


@pytest.mark.parametrize(("name", "classes"), [("lip", 20), ("atr", 18)])
def test_the_published_layouts_are_generated_tensor_by_tensor(name: str, classes: int) -> None:
    claim = family_checks.read_golden(FAMILY, f"schp/{name}")
    assert (claim.variant, claim.output_channels) == (name, classes)
    assert claim.config["num_classes"] == classes
    assert claim.config["input_size"] == golden_files.manifest(f"schp/{name}")["config"]["input"]


def test_norms_count_no_batches() -> None:
    claim = FAMILY.read(golden_files.shapes("schp/lip"))
    assert not any(key.endswith("num_batches_tracked") for key in claim.tensors)


def test_examples_read_back_as_themselves() -> None:
    for claim in examples():
        assert family_checks.is_asked(FAMILY, claim.tensors)
        assert FAMILY.read(claim.tensors) == claim


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_labels_widths_and_depths_are_read_from_shapes(data: st.DataObject) -> None:
    width = st.integers(1, 96)
    stages = data.draw(
        st.tuples(*[st.builds(Stage, blocks=st.integers(1, 6), width=width, out=width)] * 4)
    )
    network = Network(
        trunk=Trunk(data.draw(st.integers(1, 6)), data.draw(width), 3, True, stages),
        stem=(data.draw(width), data.draw(width)),
        pyramid=data.draw(st.integers(1, 5)),
        context=data.draw(width),
        edge=data.draw(width),
        parsing=data.draw(width),
        shallow=data.draw(width),
        classes=data.draw(st.integers(1, 60)),
    )
    config = family_checks.read_back(FAMILY, tensors(network)).config
    assert config["num_classes"] == network.classes
    assert config["layers"] == [stage.blocks for stage in stages]


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(data: st.DataObject) -> None:
    whole = next(iter(examples())).tensors
    lost = data.draw(st.sampled_from(list(whole)))
    assert family_checks.recovers(FAMILY, whole, lost)


@given(table=family_checks.damaged(golden_files.shapes("schp/lip")))
@settings(max_examples=50, deadline=None)
def test_damage_gives_a_claim_or_a_reason(table: dict[str, Shape]) -> None:
    assert family_checks.answers(FAMILY, table)
