"""The arithmetic of what foresight can save is right where it can be told by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import closet_plan
from closet_files import names

FOUR = dict.fromkeys("abcd", 10)
CASES = st.lists(st.integers(1, 20), min_size=2, max_size=6).flatmap(
    lambda sizes: st.tuples(
        st.just({str(number): size for number, size in enumerate(sizes)}),
        st.integers(2 * max(sizes), 2 * sum(sizes)),
    )
)


def test_the_least_recently_used_of_a_cycle_is_always_the_next_to_be_needed() -> None:
    assert closet_plan.reloads("abcd", FOUR, 30, 3, "lru", 0) == 2 * 40


def test_letting_the_furthest_leave_keeps_all_but_one_place() -> None:
    # Three places: after the first round, two of three uses find their model there.
    assert closet_plan.reloads("abcd", FOUR, 30, 4, "furthest", 0) == 40
    assert closet_plan.bounds("abcd", FOUR, 30, 4, 0).whole == 40


def test_what_fits_is_loaded_once() -> None:
    assert closet_plan.reloads("abcd", FOUR, 40, 3, "lru", 0) == 0
    assert closet_plan.bounds("abcd", FOUR, 40, 3, 0) == (0, 0)


def test_what_does_not_fit_together_is_told() -> None:
    with pytest.raises(ValueError, match="a, b do not fit"):
        closet_plan.reloads("abcd", FOUR, 15, 2, "lru", 1)


def test_fetching_ahead_leaves_less_to_keep() -> None:
    alone = closet_plan.bounds("abcd", FOUR, 30, 6, 0)
    ahead = closet_plan.bounds("abcd", FOUR, 30, 6, 1)
    assert ahead.whole > alone.whole


@settings(max_examples=25, deadline=None)
@given(case=CASES, ahead=st.integers(0, 1))
def test_no_rule_loads_less_than_the_bounds(case: tuple[dict[str, int], int], ahead: int) -> None:
    sizes, budget = case
    plan = list(sizes)
    least = closet_plan.bounds(plan, sizes, budget, 4, ahead)
    for rule in ("lru", "furthest"):
        assert closet_plan.reloads(plan, sizes, budget, 4, rule, ahead) >= least.parts - 1e-6  # type: ignore[arg-type]
    assert least.whole >= least.parts - 1e-6


def test_the_pipeline_has_eight_steps_of_goldens() -> None:
    assert len(closet_plan.PIPELINE) == 8
    every = [name for step in closet_plan.PIPELINE for name in step]
    assert len(set(every)) == len(every)
    assert set(every) <= set(names())
