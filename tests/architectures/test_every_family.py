"""What every family promises, whatever its networks: its examples, and an answer to any table."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
from mycloset.architectures.family import Claim, Family
from mycloset.architectures.registry import families


@cache
def examples_of(family: Family) -> list[Claim]:
    return list(family.examples())


WITH_TENSORS = [pytest.param(family, id=family.name) for family in families() if family.markers]


@pytest.mark.parametrize("family", WITH_TENSORS)
def test_examples_read_back_as_themselves(family: Family) -> None:
    for claim in examples_of(family):
        assert family_checks.read_back(family, claim.tensors) == claim


@pytest.mark.parametrize("family", WITH_TENSORS)
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_damage_gives_a_claim_or_a_reason(family: Family, data: st.DataObject) -> None:
    claim = data.draw(st.sampled_from(examples_of(family)))
    assert family_checks.answers(family, data.draw(family_checks.damaged(claim.tensors)))
