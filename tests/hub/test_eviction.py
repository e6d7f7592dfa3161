"""What is known of the future decides what stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mycloset.hub.eviction import NEVER, Foresight, choose, keep_set

SIZES = st.lists(st.integers(1, 20), min_size=2, max_size=9)


def test_the_distance_is_to_the_next_place_in_the_plan() -> None:
    foresight: Foresight[str] = Foresight()
    foresight.expect("abca", repeat=False)
    foresight.asked("a")
    assert [foresight.distance(key) for key in "abcx"] == [2, 0, 1, NEVER]


def test_a_plan_that_repeats_itself_has_no_end() -> None:
    foresight: Foresight[str] = Foresight()
    foresight.expect("abc", repeat=True)
    for key in "abcab":
        foresight.asked(key)
    assert [foresight.distance(key) for key in "cab"] == [0, 1, 2]


def test_what_the_plan_does_not_name_does_not_move_it() -> None:
    foresight: Foresight[str] = Foresight()
    foresight.expect("ab", repeat=False)
    foresight.asked("x")
    assert foresight.distance("a") == 0


@given(SIZES, st.integers(0, 2))
def test_what_is_kept_leaves_room_for_each_of_the_others(sizes: list[int], ahead: int) -> None:
    plan = range(len(sizes))
    room = max(max(sizes), sum(sizes) // 2)
    kept = keep_set(plan, dict(enumerate(sizes)), room, ahead=ahead)
    held = sum(sizes[key] for key in kept)
    assert all(held + sizes[key] <= room for key in plan if key not in kept)


def test_equal_models_in_a_cycle_are_kept_but_for_the_room_of_one() -> None:
    kept = keep_set(range(12), dict.fromkeys(range(12), 10), 40)
    assert len(kept) in (0, 3)


def test_large_ones_pass_through_what_the_small_ones_leave() -> None:
    sizes = {"x": 60, "y": 60, "a": 10, "b": 10, "c": 10}
    assert len(keep_set("xaybc", sizes, 80) & {"a", "b", "c"}) == 2
    assert not keep_set("xaybc", sizes, 80) & {"x", "y"}


UNEQUAL = [134, 134, 55, 27, 53, 127, 105, 74, 88, 88, 20, 122, 69, 38, 38, 11, 51, 89, 16, 43,
           201, 33, 1, 174, 72, 5, 29, 303, 87, 56]  # fmt: skip
"""Megabytes of thirty models of which a third fits."""


@pytest.mark.parametrize(("ahead", "least"), [(0, 0.25), (1, 0.22)])
def test_in_a_cycle_of_unequal_models_a_fixed_part_stays(ahead: int, least: float) -> None:
    sizes = dict(enumerate(UNEQUAL))
    kept = keep_set(range(30), sizes, sum(UNEQUAL) // 3, ahead=ahead)
    # What the furthest-first rule saves in one round, it loads in the next.
    assert sum(sizes[key] for key in kept) > least * sum(UNEQUAL)


def test_none_leaves_where_there_is_room() -> None:
    assert choose("abc", lambda leaving: True, spare=True) == []


def test_those_are_spared_whose_leaving_is_not_needed() -> None:
    sizes = {"a": 1, "b": 2, "c": 9}

    def enough(leaving: object) -> bool:
        return sum(sizes[key] for key in leaving) >= 9  # type: ignore[attr-defined]

    assert choose("abc", enough, spare=True) == ["c"]
    assert choose("abc", enough, spare=False) == ["a", "b", "c"]


def test_it_is_told_when_all_are_not_enough() -> None:
    assert choose("abc", lambda leaving: False, spare=True) is None
