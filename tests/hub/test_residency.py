"""What is in memory stays within its bytes; what was used longest ago leaves first."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mycloset.errors import OptionError
from mycloset.hub.memory import budget, free_memory
from mycloset.hub.residency import BudgetError, Residency


def test_what_is_held_is_given_without_loading_again() -> None:
    held: Residency[str, object] = Residency(10)
    first = held.get("a", 4, object)
    assert held.get("a", 4, object) is first


def test_the_least_recently_used_leaves_first() -> None:
    held: Residency[str, str] = Residency(10)
    for name in "ab":
        held.get(name, 4, lambda name=name: name)  # type: ignore[misc]
    held.get("a", 4, str)
    held.get("c", 4, str)
    assert held.held() == ("a", "c")


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 10)), max_size=40))
def test_the_budget_is_never_exceeded(wanted: list[tuple[str, int]]) -> None:
    held: Residency[tuple[str, int], str] = Residency(10)
    for key in wanted:
        held.get(key, key[1], str)
        assert held.used <= 10


@given(st.lists(st.sampled_from("abcdef"), max_size=30), st.integers(1, 3))
def test_no_more_are_held_than_allowed(wanted: list[str], most: int) -> None:
    held: Residency[str, str] = Residency(100, most=most)
    for key in wanted:
        held.get(key, 1, str)
        assert len(held.held()) <= most


def test_what_is_larger_than_the_budget_is_refused_and_nothing_leaves() -> None:
    held: Residency[str, str] = Residency(10)
    held.get("a", 4, str)
    with pytest.raises(BudgetError, match="b: it takes 11 B, more than the 10 B"):
        held.get("b", 11, str)
    assert held.held() == ("a",)


def test_what_is_in_use_or_pinned_does_not_leave() -> None:
    held: Residency[str, str] = Residency(10)
    held.get("a", 6, str)
    with held.using("a"), pytest.raises(BudgetError, match="pinned or in use"):
        held.get("b", 6, str)
    held.pin("a")
    with pytest.raises(BudgetError):
        held.get("b", 6, str)
    held.pin("a", False)
    held.get("b", 6, str)
    assert held.held() == ("b",)


def test_many_threads_load_once() -> None:
    held: Residency[str, object] = Residency(10)
    started = threading.Barrier(8)
    loads = []

    def load() -> object:
        loads.append(1)
        return object()

    def ask(_: int) -> object:
        started.wait()
        return held.get("a", 1, load)

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(ask, range(8)))
    assert len(loads) == len(found) == 1


def test_a_failure_is_told_and_forgotten() -> None:
    held: Residency[str, str] = Residency(10)

    def fail() -> str:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        held.get("a", 1, fail)
    assert held.used == 0
    assert held.get("a", 1, lambda: "whole") == "whole"


@pytest.mark.parametrize(
    ("told", "bytes_"),
    [("6GB", 6 * 10**9), ("512 MiB", 512 << 20), ("1.5g", 1_500_000_000), (7, 7), ("100", 100)],
)
def test_sizes_in_words(told: int | str, bytes_: int) -> None:
    assert budget(told) == bytes_


def test_auto_is_a_share_of_what_is_free() -> None:
    assert 0 < budget("auto") < free_memory() * 1.2


@pytest.mark.parametrize("told", ["much", "-3GB", 0, "0", "12 parsecs"])
def test_what_is_no_size_is_refused(told: int | str) -> None:
    with pytest.raises(OptionError, match="memory"):
        budget(told)
