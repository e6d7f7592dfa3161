"""What a benchmark measures in a process of its own is that process's."""

from __future__ import annotations

import pytest

import fresh_process
from fresh_process import FailedError, Watch, fresh


def test_the_answer_comes_back() -> None:
    assert fresh("math:hypot", 3, 4) == 5


def test_an_error_is_told_with_its_last_line() -> None:
    with pytest.raises(FailedError, match="math:sqrt: ValueError"):
        fresh("math:sqrt", -1)


def test_a_fresh_process_is_not_as_large_as_the_one_that_started_it() -> None:
    ballast = bytearray(b"x") * 100_000_000
    assert fresh("fresh_process:peak") < len(ballast)


@pytest.mark.parametrize("sampled", [True, False])
def test_what_a_block_takes_is_seen(sampled: bool) -> None:
    with Watch(sampled=sampled) as watch:
        ballast = bytearray(b"x") * 50_000_000
    assert watch.anonymous > 0.9 * len(ballast)
    assert watch.resident > 0.9 * len(ballast)


def test_memory_is_told_in_bytes() -> None:
    now = fresh_process.memory()
    assert 1_000_000 < now.anonymous <= now.resident
