"""The engine's result cache: what it gives, what it keeps, and what it must never do."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import counted_steps
from counted_steps import gathered, plan
from mycloset.errors import OptionError, OutputError, StepError, StoppedError
from mycloset.tryon import InferenceEngine, ResultCache, TryOnResult

PHOTO = np.random.default_rng(1).integers(0, 256, (80, 70, 3), np.uint8)
CLOTH = np.random.default_rng(2).integers(0, 256, (66, 64, 3), np.uint8)
SIZE = PHOTO.nbytes + 4 * CLOTH.size // 3
"""Bytes of the arrays of one result: the final picture and the mask."""


@pytest.fixture(autouse=True)
def ran(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    with counted_steps.counted(monkeypatch) as names:
        yield names


def run(cache: ResultCache, photo: Any = PHOTO, **options: Any) -> TryOnResult:
    return InferenceEngine(plan(), cache=cache).run_virtual_try_on(photo, CLOTH, **options)


def test_without_a_cache_every_try_on_is_made(ran: list[str]) -> None:
    engine = InferenceEngine(plan())
    for _ in range(2):
        assert not engine.run_virtual_try_on(PHOTO, CLOTH).cached
    assert ran == ["masks", "paints"] * 2


def test_the_same_try_on_is_made_once_and_says_that_it_was_there(ran: list[str]) -> None:
    cache = ResultCache()
    first, second = run(cache), run(cache)
    assert ran == ["masks", "paints"]
    assert (first.cached, second.cached) == (False, True)
    assert (first.image == second.image).all()
    assert second.steps == first.steps
    assert second.to_dict()["cached"]
    assert cache.info().hits == cache.info().misses == 1


def test_another_person_category_or_option_is_made_anew(ran: list[str]) -> None:
    cache = ResultCache()
    other = PHOTO.copy()
    other[0, 0, 0] ^= 1
    assert not run(cache).cached
    assert not run(cache, other).cached
    assert not run(cache, category="upper").cached
    engine = InferenceEngine(plan(shade=8), cache=cache)
    assert engine.run_virtual_try_on(PHOTO, CLOTH).image[0, 0, 0] == (PHOTO + np.uint8(8))[0, 0, 0]
    assert cache.info().results == 4


@pytest.mark.parametrize("on_disk", [False, True])
def test_what_a_caller_does_to_a_result_reaches_nobody_else(on_disk: bool, tmp_path: Path) -> None:
    cache = ResultCache(0, tmp_path) if on_disk else ResultCache()
    for _ in range(3):
        result = run(cache)
        assert (result.image == PHOTO + np.uint8(7)).all()
        assert result.image is result.state.final
        result.image[:] = 0
        assert result.state.cloth_mask is not None
        result.state.cloth_mask.alpha[:] = 0


def test_the_pictures_are_those_of_the_call(tmp_path: Path) -> None:
    cache = ResultCache()
    run(cache)
    other = InferenceEngine(plan(), cache=cache)
    from PIL import Image

    Image.fromarray(PHOTO).save(tmp_path / "same.png")
    result = other.run_virtual_try_on(tmp_path / "same.png", CLOTH)
    assert result.cached
    assert "same.png" in result.state.person_picture.name


def test_memory_is_bounded_and_the_least_recently_used_leaves() -> None:
    cache = ResultCache(2 * SIZE)
    photos = [PHOTO, PHOTO + np.uint8(1), PHOTO + np.uint8(2)]
    run(cache, photos[0])
    assert cache.info().bytes == SIZE
    run(cache, photos[1])
    run(cache, photos[0])
    run(cache, photos[2])
    assert cache.info().bytes == 2 * SIZE
    assert [run(cache, photo).cached for photo in (photos[0], photos[2], photos[1])] == [
        True, True, False,
    ]  # fmt: skip


def test_a_result_beyond_the_bound_is_not_kept() -> None:
    cache = ResultCache(SIZE - 1)
    assert [run(cache).cached for _ in range(2)] == [False, False]
    assert cache.info().results == 0


@pytest.mark.parametrize("size", ["lots", -1, "1 XB"])
@pytest.mark.parametrize("name", ["memory", "disk"])
def test_a_size_that_is_none_is_refused_by_name(name: str, size: int | str) -> None:
    with pytest.raises(OptionError, match=f"{name}: .* is no size"):
        ResultCache(**{name: size})  # type: ignore[arg-type]


def test_a_failed_try_on_is_not_kept_and_the_next_may_succeed(ran: list[str]) -> None:
    cache = ResultCache()

    def fail() -> None:
        raise ZeroDivisionError

    counted_steps.while_running.append(fail)
    with pytest.raises(StepError):
        run(cache)
    counted_steps.while_running.clear()
    assert not run(cache).cached
    assert run(cache).cached


def test_what_fell_back_for_a_failure_is_not_kept(tmp_path: Path) -> None:
    cache = ResultCache("1MB", tmp_path)
    engine = InferenceEngine(plan(masks=("damaged", "embedded")), cache=cache)
    for _ in range(2):
        result = engine.run_virtual_try_on(PHOTO, CLOTH)
        assert not result.cached
        assert result.steps[0].failed
    assert (cache.info().results, cache.info().stored) == (0, 0)


def test_what_went_another_way_because_of_the_garment_is_kept() -> None:
    engine = InferenceEngine(plan(masks=("unsuited", "embedded")), cache=ResultCache())
    first, second = (engine.run_virtual_try_on(PHOTO, CLOTH) for _ in range(2))
    assert (first.cached, second.cached) == (False, True)
    assert second.steps[0].passed_over[0].kind == "unsuited"


def test_threads_that_ask_for_the_same_make_it_once(ran: list[str]) -> None:
    cache = ResultCache()
    engine = InferenceEngine(plan(), cache=cache)
    waiting = threading.Event()
    counted_steps.while_running.append(lambda: waiting.wait(10))
    results: list[TryOnResult] = []

    def ask(number: int) -> None:
        if number == 7:
            waiting.set()
        results.append(engine.run_virtual_try_on(PHOTO, CLOTH))

    gathered(8, ask)
    assert ran == ["masks", "paints"]
    assert sorted(result.cached for result in results) == [False] + [True] * 7
    assert len({id(result.image) for result in results}) == 8


def test_where_the_one_that_makes_it_fails_the_others_make_their_own() -> None:
    cache = ResultCache()
    engine = InferenceEngine(plan(), cache=cache)
    both, first = threading.Event(), [True]

    def fail_once() -> None:
        both.wait(10)
        if first:
            first.clear()
            raise ZeroDivisionError

    counted_steps.while_running.append(fail_once)
    ended: list[str] = []

    def ask(number: int) -> None:
        if number == 2:
            both.set()
        try:
            engine.run_virtual_try_on(PHOTO, CLOTH)
        except StepError:
            ended.append("failed")
        else:
            ended.append("made")

    gathered(3, ask)
    assert sorted(ended) == ["failed", "made", "made"]


def test_waiting_for_another_call_can_be_stopped_and_disturbs_it_not() -> None:
    cache = ResultCache()
    engine = InferenceEngine(plan(), cache=cache)
    begun, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        go_on.wait(10)

    counted_steps.while_running.append(hold)
    results: list[TryOnResult] = []

    def make() -> None:
        results.append(engine.run_virtual_try_on(PHOTO, CLOTH))

    maker = threading.Thread(target=make)
    maker.start()
    assert begun.wait(10)
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError, match="another call"):
        engine.run_virtual_try_on(PHOTO, CLOTH, cancel=stop)
    go_on.set()
    maker.join(10)
    assert len(results) == 1
    assert run(cache).cached


def test_a_folder_serves_the_next_process(tmp_path: Path, ran: list[str]) -> None:
    first = run(ResultCache(folder=tmp_path / "new"))
    again = run(ResultCache(folder=tmp_path / "new"))
    assert ran == ["masks", "paints"]
    assert (first.cached, again.cached) == (False, True)
    assert (first.image == again.image).all()
    assert again.steps == first.steps
    for path in (tmp_path / "new", *(tmp_path / "new").iterdir()):
        assert path.stat().st_mode & 0o077 == 0


def test_what_is_stored_is_json_and_numbers(tmp_path: Path) -> None:
    run(ResultCache(folder=tmp_path))
    (path,) = tmp_path.iterdir()
    with zipfile.ZipFile(path) as file:
        assert file.namelist() == ["result.json", "array-000", "array-001"]


def test_the_folder_is_bounded_and_other_files_are_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "holiday.jpg"
    mine.write_bytes(b"x" * 100_000)
    once = ResultCache(0, tmp_path)
    run(once)
    size = once.info().stored
    cache = ResultCache(0, tmp_path, disk=round(2.5 * size))
    for step in range(1, 5):
        run(cache, PHOTO + np.uint8(step))
        assert cache.info().stored <= 2.5 * size
    assert run(cache, PHOTO + np.uint8(4)).cached
    assert not run(cache).cached
    assert mine.exists()
    cache.clear()
    assert list(tmp_path.iterdir()) == [mine]


def test_many_may_share_a_folder_that_holds_few(tmp_path: Path) -> None:
    run(ResultCache(0, tmp_path))
    (first,) = tmp_path.iterdir()
    most = 3 * first.stat().st_size
    wrong: list[int] = []

    def work(number: int) -> None:
        cache = ResultCache(0, tmp_path, disk=most)
        for turn in range(8):
            shade = np.uint8((number + turn) % 5)
            result = run(cache, PHOTO + shade)
            if not (result.image == PHOTO + shade + np.uint8(7)).all() or result.notes[1:]:
                wrong.append(number)

    gathered(4, work)
    assert not wrong
    run(ResultCache(0, tmp_path, disk=most), PHOTO + np.uint8(50))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= most


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(where=st.floats(0, 1, exclude_max=True), flip=st.integers(0, 255))
def test_a_damaged_file_is_removed_and_told_and_the_try_on_made(
    where: float, flip: int, tmp_path: Path
) -> None:
    good = run(ResultCache(0, tmp_path))
    (path,) = tmp_path.glob("*.tryon")
    whole = path.read_bytes()
    place = int(where * len(whole))
    if flip:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :])
    else:
        path.write_bytes(whole[:place])
    result = run(ResultCache(0, tmp_path))
    assert (result.image == good.image).all()
    if not result.cached:
        assert any(f"{path} was damaged" in note for note in result.notes)
    assert run(ResultCache(0, tmp_path)).cached


def test_a_file_under_another_persons_key_is_no_result(tmp_path: Path) -> None:
    run(ResultCache(0, tmp_path))
    (theirs,) = tmp_path.iterdir()
    run(ResultCache(0, tmp_path), PHOTO + np.uint8(1))
    (mine,) = set(tmp_path.iterdir()) - {theirs}
    mine.write_bytes(theirs.read_bytes())
    result = run(ResultCache(0, tmp_path), PHOTO + np.uint8(1))
    assert not result.cached
    assert "the result of something else" in result.notes[0]


def test_a_disk_that_takes_no_more_is_told_and_fails_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = ResultCache(folder=tmp_path)

    def full(path: Path, data: bytes) -> None:
        raise OutputError(f"output {path}: it could not be written (No space left on device).")

    monkeypatch.setattr("mycloset.tryon.result_folder.write_bytes", full)
    result = run(cache)
    assert "not stored" in result.notes[0]
    assert "No space left" in result.notes[0]
    assert run(cache).cached


def test_a_folder_that_cannot_be_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="is a file"):
        ResultCache(folder=tmp_path / "file")
