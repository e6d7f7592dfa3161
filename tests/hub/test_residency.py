"""What is in memory stays within its bytes; what was used longest ago leaves first."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mycloset.errors import OptionError, StoppedError
from mycloset.hub.ledger import Piece
from mycloset.hub.memory import budget, free_memory
from mycloset.hub.refusals import BudgetError
from mycloset.hub.residency import Residency


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
    with held.using("a", 6, str), pytest.raises(BudgetError, match="pinned or in use"):
        held.get("b", 6, str)
    held.pin("a")
    with pytest.raises(BudgetError):
        held.get("b", 6, str)
    held.pin("a", False)
    held.get("b", 6, str)
    assert held.held() == ("b",)


def test_what_is_in_use_is_not_dropped() -> None:
    held: Residency[str, str] = Residency(10)
    with held.using("a", 6, str):
        assert not held.drop("a")
    assert held.drop("a")


def test_a_load_waits_for_what_another_thread_uses() -> None:
    held: Residency[str, str] = Residency(10)
    begun, done = threading.Event(), threading.Event()

    def use() -> None:
        with held.using("a", 6, str):
            begun.set()
            done.wait(5)

    user = threading.Thread(target=use)
    user.start()
    begun.wait(5)
    threading.Timer(0.02, done.set).start()
    assert held.get("b", 6, lambda: "b") == "b"
    user.join()


def test_a_wait_can_be_stopped() -> None:
    held: Residency[str, str] = Residency(10)
    stop, begun, done = threading.Event(), threading.Event(), threading.Event()

    def load() -> str:
        begun.set()
        done.wait(5)
        return "slow"

    other = threading.Thread(target=held.get, args=("a", 6, load))
    other.start()
    begun.wait(5)
    stop.set()
    for key in "ab":
        with pytest.raises(StoppedError):
            held.get(key, 6, str, stop=stop)
    done.set()
    other.join()
    assert held.get("a", 6, str) == "slow"


def test_the_known_future_decides_who_leaves() -> None:
    held: Residency[str, str] = Residency(10)
    held.expect("abcab")
    for key in "abc":
        held.get(key, 4, str)
    # a is needed next, b after it: with c just asked for, b leaves, not a.
    assert held.held() == ("a", "c")


def test_what_no_plan_names_leaves_first() -> None:
    held: Residency[str, str] = Residency(10)
    held.expect("ab", repeat=True)
    for key in "axb":
        held.get(key, 4, str)
    assert held.held() == ("a", "b")


def test_a_forgotten_plan_leaves_the_order_of_use() -> None:
    held: Residency[str, str] = Residency(10)
    held.expect("abcab")
    held.expect("")
    for key in "abc":
        held.get(key, 4, str)
    assert held.held() == ("b", "c")


def cycle(repeat: bool, count: int, slots: int) -> int:
    """Loads of five rounds over a plan of so many keys."""
    held: Residency[int, str] = Residency(slots)
    loads = []
    if repeat:
        held.expect(range(count), repeat=True)
    for key in [*range(count)] * 5:
        held.get(key, 1, lambda: str(loads.append(1)))
    return len(loads)


@given(st.integers(2, 9), st.integers(1, 9))
def test_foresight_never_loads_more_than_the_order_of_use(count: int, slots: int) -> None:
    assert cycle(True, count, slots) <= cycle(False, count, slots)


def test_a_round_trip_keeps_what_fits() -> None:
    assert cycle(False, 6, 3) == 30
    assert cycle(True, 6, 3) <= 6 + 4 * 4


def test_what_is_fetched_ahead_takes_no_room_of_what_is_needed_sooner() -> None:
    held: Residency[str, str] = Residency(10)
    held.expect("abc", repeat=True)
    held.get("a", 4, str)
    held.get("b", 4, str, ahead=True)
    with pytest.raises(BudgetError):
        held.get("c", 4, str, ahead=True)
    assert set(held.held()) == {"a", "b"}


def test_what_was_just_asked_for_does_not_leave_for_what_is_fetched_ahead() -> None:
    held: Residency[str, str] = Residency(10)
    held.get("a", 6, str)
    with pytest.raises(BudgetError):
        held.get("b", 6, str, ahead=True)


class Thing:
    """Something that can be watched."""


def test_what_somebody_still_holds_counts_until_it_is_gone() -> None:
    held: Residency[str, Thing] = Residency(10)
    kept = held.get("a", 6, Thing)
    with pytest.raises(BudgetError, match="your program still holds"):
        held.get("b", 6, Thing)
    assert held.used == 6
    del kept
    held.get("b", 6, Thing)
    assert held.used == 6


def test_shared_pieces_count_once() -> None:
    parts = {
        "a": {Piece("cpu", "trunk"): 6, Piece("cpu", "a"): 1},
        "b": {Piece("cpu", "trunk"): 6, Piece("cpu", "b"): 2},
    }
    held: Residency[str, str] = Residency(20, measure=lambda key: parts[key])
    for key in parts:
        held.get(key, 8, lambda key=key: key)  # type: ignore[misc]
    assert held.used == 9
    assert held.shared("a") == 6
    held.drop("a")
    assert held.used == 8


def test_what_turns_out_larger_makes_others_leave() -> None:
    sizes = {"a": 4, "b": 9}
    held: Residency[str, str] = Residency(10, measure=lambda key: {Piece("cpu", key): sizes[key]})
    for key in "ab":
        held.get(key, 4, lambda key=key: key)  # type: ignore[misc]
    assert held.held() == ("b",)
    assert held.used == 9


def test_the_next_one_has_room_beside_what_stays_although_loads_are_a_little_larger() -> None:
    said = [500, 1500, 1000, 700, 1300, 900, 1100, 400, 1600, 1000]
    held: Residency[int, int] = Residency(
        6000, measure=lambda key: {Piece("cpu", key): int(1.002 * said[key])}
    )
    held.expect(range(10), repeat=True, sizes=dict(enumerate(said)), ahead=1)
    for key in [*range(10)] * 6:
        following = (key + 1) % 10
        held.get(key, said[key], lambda key=key: key)
        # Raises where there is no room.
        held.get(following, said[following], lambda key=following: key, ahead=True)
        assert held.peek(following) == following


def test_what_turns_out_larger_than_all_is_refused_and_gone() -> None:
    held: Residency[str, str] = Residency(10, measure=lambda _: {Piece("cpu", "a"): 11})
    with pytest.raises(BudgetError):
        held.get("a", 4, str)
    assert held.used == 0
    assert held.held() == ()


def test_each_device_has_its_own_bytes() -> None:
    held: Residency[str, str] = Residency({"cpu": 10, "cuda:0": 5})
    held.get("a", {Piece("cpu", "a"): 8}, str)
    held.get("b", {Piece("cuda:0", "b"): 4}, str)
    held.get("c", {Piece("cuda:0", "c"): 4}, str)
    assert held.held() == ("a", "c")


def test_those_who_leave_are_told() -> None:
    told: list[tuple[str, int, str]] = []
    held: Residency[str, str] = Residency(10, on_leaving=lambda *event: told.append(event))
    for key in "ab":
        held.get(key, 6, str)
    held.drop("b")
    assert told == [("a", 6, "room"), ("b", 6, "asked")]


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 9), st.booleans()), max_size=30),
    st.lists(st.sampled_from("abcdef"), max_size=6),
    st.booleans(),
)
def test_whatever_is_asked_the_bytes_are_those_of_what_is_held(
    wanted: list[tuple[str, int, bool]], plan: list[str], repeat: bool
) -> None:
    held: Residency[str, str] = Residency(10)
    held.expect(plan, repeat=repeat)
    for key, size, ahead in wanted:
        with contextlib.suppress(BudgetError):
            held.get(key, size, str, ahead=ahead)
        assert held.used == sum(held.size(key) for key in held.held()) <= 10


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
