"""U2-Net files: the full and the small network, garments, and other widths and classes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.family import Shape
from mycloset.architectures.u2net.layout import FAMILY, Network, examples, tensors


@pytest.mark.parametrize(
    ("name", "variant", "classes"),
    [("u2net", "u2net", 1), ("cloth_segm_u2net_latest", "cloth_segm", 4)],
)
def test_the_published_layouts_are_generated_tensor_by_tensor(
    name: str, variant: str, classes: int
) -> None:
    claim = family_checks.read_golden(FAMILY, f"u2net/{name}")
    assert (claim.variant, claim.config["out_ch"], claim.config["in_ch"]) == (variant, classes, 3)


def test_stages_are_named_as_the_authors_name_them() -> None:
    config = FAMILY.read(golden_files.shapes("u2net/u2net")).config
    told = [f"{name}({inp},{mid},{out})" for name, inp, mid, out in config["stages"].values()]
    assert told[:5] == [
        "RSU7(3,32,64)",
        "RSU6(64,32,128)",
        "RSU5(128,64,256)",
        "RSU4(256,128,512)",
        "RSU4F(512,256,512)",
    ]
    assert told[6:8] == ["RSU4F(1024,256,512)", "RSU4(1024,128,256)"]


def test_the_small_network_has_its_published_size() -> None:
    small = next(claim for claim in examples() if claim.variant == "u2netp")
    statistics = (".running_mean", ".running_var", ".num_batches_tracked")
    total = 0
    for key, shape in small.tensors.items():
        if not key.endswith(statistics):
            product = 1
            for length in shape:
                product *= length
            total += product
    assert (total, len(small.tensors)) == (1_131_181, 798)


def test_examples_read_back_as_themselves() -> None:
    for claim in examples():
        assert family_checks.is_asked(FAMILY, claim.tensors)
        assert FAMILY.read(claim.tensors) == claim


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_widths_depths_and_classes_are_read_from_shapes(data: st.DataObject) -> None:
    width = st.integers(1, 64)
    unit = st.tuples(st.integers(2, 8), width, width, width)
    network = Network(data.draw(st.tuples(*[unit] * 11)), data.draw(st.integers(1, 30)))
    config = family_checks.read_back(FAMILY, tensors(network)).config
    assert config["out_ch"] == network.classes
    assert config["in_ch"] == network.units[0][1]


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(data: st.DataObject) -> None:
    whole = next(iter(examples())).tensors
    lost = data.draw(st.sampled_from(list(whole)))
    assert family_checks.recovers(FAMILY, whole, lost)


@given(table=family_checks.damaged(golden_files.shapes("u2net/u2net")))
@settings(max_examples=50, deadline=None)
def test_damage_gives_a_claim_or_a_reason(table: dict[str, Shape]) -> None:
    assert family_checks.answers(FAMILY, table)
