from __future__ import annotations

from typing import Any

import pytest

from mycloset.architectures.comparison import Comparison, compare
from mycloset.architectures.family import Claim

NETWORK = {
    **{f"blocks.{i}.conv.weight": (8, 8, 3, 3) for i in range(20)},
    **{f"blocks.{i}.norm.num_batches_tracked": () for i in range(20)},
    "head.weight": (4, 8),
}


def claim(**changes: Any) -> Claim:
    return Claim("v", "A network", {}, NETWORK, **changes)


def found(*, without: tuple[str, ...] = (), **further: Any) -> Comparison:
    table = {key: shape for key, shape in NETWORK.items() if key not in without}
    return compare(claim(), {**table, **further.get("plus", {})})


def test_the_same_tensors_are_exact() -> None:
    assert found().exact


@pytest.mark.parametrize("number", [1, 20])
def test_counters_of_batch_norms_are_never_demanded(number: int) -> None:
    gone = tuple(f"blocks.{i}.norm.num_batches_tracked" for i in range(number))
    assert found(without=gone).exact


def test_counters_of_batch_norms_are_never_in_the_way() -> None:
    assert found(plus={"blocks.3.extra_norm.num_batches_tracked": ()}).exact


def test_a_further_head_extends() -> None:
    comparison = found(plus={"aux.weight": (2, 8), "aux.bias": (2,)})
    assert comparison.extended
    assert comparison.unused == ("aux.weight", "aux.bias")


def test_tensors_inside_the_blocks_are_another_network() -> None:
    comparison = found(plus={f"blocks.{i}.attention.weight": (8, 8) for i in range(20)})
    assert comparison.intruding
    assert not comparison.extended
    assert not comparison.broken


def test_a_part_of_a_network_is_a_broken_copy() -> None:
    comparison = found(without=("blocks.3.conv.weight", "head.weight"))
    assert comparison.broken
    assert comparison.missing == ("blocks.3.conv.weight", "head.weight")


def test_one_tensor_of_another_shape_is_a_broken_copy() -> None:
    comparison = found(plus={"head.weight": (4, 9, 1)})
    assert comparison.broken
    assert comparison.misshapen == (("head.weight", (4, 9, 1), (4, 8)),)


def test_a_little_of_a_network_is_no_copy() -> None:
    gone = tuple(f"blocks.{i}.conv.weight" for i in range(15))
    assert not found(without=gone).broken


def test_other_widths_under_the_same_keys_are_told_from_damage() -> None:
    comparison = found(plus={f"blocks.{i}.conv.weight": (5 + i % 3, 8, 3, 3) for i in range(12)})
    assert comparison.rewidened
    assert not comparison.broken


def test_other_kernels_are_no_other_widths() -> None:
    assert not found(plus={f"blocks.{i}.conv.weight": (8, 8, 5, 5) for i in range(12)}).rewidened


def test_optional_tensors_may_be_there() -> None:
    table = {**NETWORK, "grid": (1, 2, 4, 4)}
    assert compare(claim(optional={"grid": (1, 2, 4, 4)}), table).exact


def test_optional_tensors_may_be_absent_though_the_claim_lists_them() -> None:
    table = {key: shape for key, shape in NETWORK.items() if key != "head.weight"}
    assert compare(claim(optional={"head.weight": None}), table).exact


def test_an_optional_tensor_of_another_shape_is_misshapen() -> None:
    table = {**NETWORK, "grid": (1, 2, 5, 4)}
    comparison = compare(claim(optional={"grid": (1, 2, 4, 4)}), table)
    assert comparison.misshapen == (("grid", (1, 2, 5, 4), (1, 2, 4, 4)),)
