"""`storages` and `resident`: what networks hold, counted once."""

from __future__ import annotations

import mmap
from pathlib import Path

import pytest
import torch
from torch import nn

from mycloset.checkpoints.reading import read_checkpoint
from mycloset.runtimes.pytorch.measuring import _PAGES, resident, storages
from mycloset.runtimes.pytorch.tensors import FileTensors

PAGES = 256
LENGTH = PAGES * mmap.PAGESIZE // 4


@pytest.fixture
def path(tmp_path: Path) -> Path:
    torch.save({"weight": torch.ones(LENGTH)}, tmp_path / "w.pth")
    return tmp_path / "w.pth"


def holder(path: Path) -> nn.Module:
    checkpoint = read_checkpoint(path)
    with FileTensors(checkpoint) as tensors:
        entry = checkpoint.groups[0].table["weight"]
        made = nn.Module()
        made.weight = nn.Parameter(tensors.tensor(entry), requires_grad=False)
    return made


def test_an_allocated_tensor_counts_whole_and_once() -> None:
    made = nn.Module()
    made.first = nn.Parameter(torch.zeros(100))
    made.second = made.first
    made.register_buffer("part", made.first.detach()[:10])
    assert sum(storages(made).values()) == 400
    assert resident(made) == 400


def test_tensors_in_plain_attributes_count() -> None:
    made = nn.Module()
    made.tables = {"a": [torch.zeros(25)]}
    assert sum(storages(made).values()) == 100


def test_nothing_on_the_meta_device_counts() -> None:
    assert storages(nn.Linear(4, 4, device="meta")) == {}


def test_two_loads_of_a_file_hold_one_storage(path: Path) -> None:
    first, second = holder(path), holder(path)
    assert len(storages(first, second)) == 1
    assert sum(storages(first, second).values()) == LENGTH * 4
    assert first.weight.data_ptr() == second.weight.data_ptr()


def test_a_file_that_changed_is_mapped_anew(path: Path) -> None:
    first = holder(path)
    path.unlink()
    torch.save({"weight": torch.full((LENGTH,), 2.0)}, path)
    second = holder(path)
    assert storages(first).keys().isdisjoint(storages(second))
    assert (float(first.weight[0]), float(second.weight[0])) == (1.0, 2.0)


@pytest.mark.skipif(not _PAGES.exists(), reason="the system does not tell which pages are there")
def test_mapped_pages_count_once_they_are_touched(path: Path) -> None:
    made = holder(path)
    before = resident(made)
    made.weight.sum()
    assert before < LENGTH * 4
    assert resident(made) == LENGTH * 4
