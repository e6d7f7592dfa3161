"""Tensors that lie together: read in one go, each in a storage of its own."""

from __future__ import annotations

import itertools
import mmap
import os
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from mycloset.checkpoints.contents import Checkpoint
from mycloset.checkpoints.reading import read_checkpoint
from mycloset.runtimes.pytorch.tensors import FileTensors
from mycloset.runtimes.pytorch.together import GAP, SHARE, Numbers, Pool, joined

TYPES = (torch.float32, torch.float16)


@st.composite
def wanted(draw: st.DrawFn) -> list[Numbers]:
    """Numbers at any places of a file, some over each other, some twice."""
    found, at = [], 0
    for _ in range(draw(st.integers(1, 12))):
        at = max(0, at + draw(st.integers(-40, 40) | st.just(GAP) | st.just(GAP + 4)))
        found.append(Numbers(at, draw(st.integers(1, 4000)), *draw(st.permutations(TYPES))))
        at = draw(st.sampled_from([found[-1].end, found[-1].end, found[-1].start]))
    return found


@given(wanted())
@settings(deadline=None)
def test_all_that_is_wanted_lies_whole_in_one_run_of_its_type(numbers: list[Numbers]) -> None:
    inside = list(itertools.chain.from_iterable(members for _, members in joined(numbers)))
    assert sorted(inside, key=hash) == sorted(set(numbers), key=hash)
    for run, members in joined(numbers):
        for each in members:
            assert (each.held, each.into) == (run.held, run.into)
            assert run.start <= each.start and each.end <= run.end
            assert (each.start - run.start) % run.held.itemsize == 0


@given(wanted())
@settings(deadline=None)
def test_no_two_of_a_run_share_bytes_and_little_lies_between(numbers: list[Numbers]) -> None:
    for run, members in joined(numbers):
        for before, after in itertools.pairwise(members):
            assert before.end <= after.start
        own = sum(each.end - each.start for each in members)
        assert run.end - run.start - own <= (run.end - run.start) / SHARE


def test_small_tensors_behind_large_ones_are_read_with_them() -> None:
    numbers = [
        Numbers(start, length, torch.float32, torch.float16)
        for start, length in ((0, 100_000), (400_128, 64), (400_512, 64), (401_000, 50_000))
    ]
    ((run, members),) = joined(numbers)
    assert (run.start, run.end, members) == (0, 601_000, numbers)


def test_a_pool_goes_with_the_last_of_its_tensors() -> None:
    pool = Pool(2 * Pool.room(1000, torch.float32))
    memory = pool._memory
    first, second = (
        torch.frombuffer(pool.take(1000, torch.float32), dtype=torch.float32) for _ in range(2)
    )
    del pool
    first.fill_(1), second.fill_(2)
    assert (first.sum(), second.sum()) == (1000, 2000)
    with pytest.raises(BufferError):
        memory.close()
    del first, second
    memory.close()


STATE = {
    "large": torch.randn(400, 500),
    "bias": torch.randn(33),
    "counter": torch.tensor(7),
    "odd": torch.randn(3),
    "double": torch.randn(700, dtype=torch.float64),
    "half": torch.randn(300, 300).half(),
    "turned": torch.randn(120, 90).t(),
    "whole": torch.randn(300, 700),
    "nothing": torch.zeros(0, 4),
}


@pytest.fixture(params=["zip", "legacy", "safetensors"])
def checkpoint(request: pytest.FixtureRequest, tmp_path: Path) -> Checkpoint:
    path = tmp_path / "state.pth"
    if request.param == "safetensors":
        path = path.with_suffix(".safetensors")
        save_file({key: value.contiguous() for key, value in STATE.items()}, path)
    else:
        torch.save(STATE, path, _use_new_zipfile_serialization=request.param == "zip")
    return read_checkpoint(path)


@pytest.mark.parametrize("owned", [False, True])
@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_tensors_read_together_are_those_of_the_file(
    dtype: torch.dtype, mapped: bool, owned: bool, checkpoint: Checkpoint
) -> None:
    with FileTensors(checkpoint, mapped=mapped) as tensors:
        entries = list(checkpoint.groups[0].table.values())
        tensors.together(((entry, dtype) for entry in entries), owned=owned)
        found = {entry.key: tensors.fresh(entry, dtype, owned=owned) for entry in reversed(entries)}
    for key, value in STATE.items():
        assert torch.equal(found[key], value.to(dtype) if value.is_floating_point() else value), key
        assert found[key].untyped_storage().nbytes() == found[key].nbytes, key


@pytest.mark.skipif(not hasattr(os, "preadv"), reason="the system reads by another call")
def test_few_reads_bring_many_tensors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save({f"{number}": torch.randn(9000) for number in range(50)}, tmp_path / "many.pth")
    checkpoint = read_checkpoint(tmp_path / "many.pth")
    entries = list(checkpoint.groups[0].table.values())
    reads: list[int] = []
    plain = os.preadv

    def told(handle: int, places: list[memoryview], offset: int) -> int:
        reads.append(offset)
        return plain(handle, places, offset)

    monkeypatch.setattr(os, "preadv", told)
    with FileTensors(checkpoint, mapped=False) as tensors:
        tensors.together((entry, None) for entry in entries)
        for entry in entries:
            tensors.fresh(entry)
    assert len(reads) < 5


def test_a_system_without_large_pages_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mmap, "MADV_HUGEPAGE", 12345, raising=False)
    made = torch.frombuffer(Pool(4096).take(10, torch.float32), dtype=torch.float32)
    assert made.fill_(3.0).sum() == 30.0
