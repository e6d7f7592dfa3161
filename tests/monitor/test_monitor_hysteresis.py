"""When alerts are raised and cleared."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mycloset.monitor.hysteresis import Rule
from mycloset.monitor.statistics import percentile

STREAM = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 1.0, 7.0]), st.sampled_from([0.5, 0.95, 2.0, 3.0])),
    max_size=80,
)


def rule(kind: Any = "count", **options: Any) -> Rule:
    return Rule(kind, **{"limit": 1.0, "clear": 0.9, "cool_down": 0.0, **options})


def feed(held: Rule, values: list[float], step: float = 1.0) -> list[str | None]:
    return [held.update(number * step, value) for number, value in enumerate(values)]


def test_one_slow_call_raises_nothing() -> None:
    assert not any(feed(rule(), [0.5, 9.0, 0.5, 0.5, 0.5, 0.5, 0.5]))


def test_three_of_five_raise_once() -> None:
    assert feed(rule(), [2, 0.5, 2, 0.5, 2, 2, 2]) == [None] * 4 + ["raised", None, None]


def test_what_lies_between_the_bounds_does_not_clear() -> None:
    assert feed(rule(), [2, 2, 2] + [0.95] * 20)[3:] == [None] * 20


def test_as_many_good_ones_in_a_row_clear() -> None:
    assert feed(rule(), [2, 2, 2, 0.5, 0.5, 2, 0.5, 0.5, 0.5])[3:] == [None] * 5 + ["cleared"]


def test_after_clearing_it_needs_new_breaches_and_the_cool_down() -> None:
    held = rule(cool_down=10.0)
    feed(held, [2, 2, 2, 0.5, 0.5, 0.5])
    changes = [held.update(float(now), 2.0) for now in range(6, 20)]
    assert changes.index("raised") == 15 - 6


def test_low_values_can_be_the_bad_ones() -> None:
    held = rule(limit=0.8, clear=0.88, below=True)
    assert feed(held, [0.7, 0.7, 0.7, 0.85, 0.9, 0.9, 0.9])[2] == "raised"
    assert not held.raised


def test_a_percentile_needs_values_enough() -> None:
    held = rule("percentile", percent=50.0, least=4)
    assert feed(held, [2.0, 2.0, 2.0, 2.0]) == [None, None, None, "raised"]


def test_a_rate_is_of_the_window() -> None:
    held = rule("rate", limit=0.5, clear=0.25, least=4, window=4.0)
    changes = feed(held, [1, 0, 1, 1, 0, 0, 0, 0])
    assert changes == [None, None, None, "raised", None, None, "cleared", None]


def test_silence_for_a_window_clears() -> None:
    held = rule(window=60.0)
    feed(held, [2, 2, 2])
    assert (held.expire(61.0), held.expire(62.0), held.expire(63.0)) == (False, True, False)


@settings(deadline=None)
@given(STREAM)
def test_counting_breaches_agrees_with_a_plain_reckoning(stream: list[tuple[float, float]]) -> None:
    held = rule(cool_down=5.0)
    now, raised, seen, calm, cleared = 0.0, False, list[float](), 0, -1e9
    for gap, value in stream:
        now += gap
        seen.append(value)
        calm = calm + 1 if value <= 0.9 else 0
        change = held.update(now, value)
        expected = None
        if raised and calm >= 3:
            expected, raised, cleared, seen, calm = "cleared", False, now, [], 0
        elif not raised and sum(v > 1 for v in seen[-5:]) >= 3 and now >= cleared + 5.0:
            expected, raised = "raised", True
        assert change == expected


@settings(deadline=None)
@given(STREAM, st.sampled_from([1.0, 50.0, 90.0, 95.0, 99.0, 100.0]), st.booleans())
def test_a_percentile_is_judged_as_if_it_were_sorted(
    stream: list[tuple[float, float]], percent: float, below: bool
) -> None:
    limit, clear = (0.9, 1.0) if below else (1.0, 0.9)
    held = rule(
        "percentile", limit=limit, clear=clear, below=below, percent=percent, window=10.0, most=15,
        least=2,
    )  # fmt: skip
    now, raised = 0.0, False
    kept: list[tuple[float, float]] = []
    for gap, value in stream:
        now += gap
        kept = [(when, old) for when, old in [*kept, (now, value)][-15:] if when > now - 10.0]
        found = percentile(sorted(old for _, old in kept), percent)
        change = held.update(now, value)
        bad = (found < limit if below else found > limit) and len(kept) >= 2
        calm = found >= clear if below else found <= clear
        expected = "cleared" if raised and calm else "raised" if bad and not raised else None
        raised = raised != (expected is not None)
        assert change == expected
        if raised:
            assert held.level == found
