"""The closet of the benchmarks has the files, sizes and layouts that it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import closet_files
from closet_files import Kind
from mycloset import inspect

SIZES = st.dictionaries(st.text(min_size=1), st.integers(1, 1000), min_size=1)


@given(sizes=SIZES, files=st.integers(1, 300), each=st.integers(1, 2000))
def test_a_collection_has_as_many_files_as_asked(
    sizes: dict[str, int], files: int, each: int
) -> None:
    assert len(closet_files.chosen(sizes, files, files * each)) == files


@given(sizes=SIZES, files=st.integers(1, 300), more=st.integers(0, 2000))
def test_a_collection_stays_within_its_bytes_where_the_smallest_do(
    sizes: dict[str, int], files: int, more: int
) -> None:
    apparent = files * (min(sizes.values()) + more)
    found = closet_files.chosen(sizes, files, apparent)
    assert sum(sizes[name] for name in found) <= apparent


def test_large_files_come_once_where_there_is_room() -> None:
    found = closet_files.chosen({"small": 1, "large": 50}, 10, 60)
    assert sorted(found) == ["large", *["small"] * 9]


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_a_file_with_holes_is_what_its_golden_is(tmp_path: Path, kind: Kind) -> None:
    path = closet_files.write_holes(tmp_path / "some", "rrdb/RealESRGAN_x4plus", kind)
    (network,) = inspect(path).networks
    assert (network.family, network.verdict) == ("rrdb", "recognised")


def test_holes_take_no_room_on_disk(tmp_path: Path) -> None:
    path = closet_files.write_holes(tmp_path / "some", "torchvision/vgg16", "zip")
    told = path.stat()
    assert told.st_size > 500e6
    assert told.st_blocks * 512 < 1e6


def test_a_closet_is_sorted_into_the_folders_of_the_steps(tmp_path: Path) -> None:
    total = closet_files.make_closet(tmp_path, files=16, apparent=1e9)
    found = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert {path.parent.name for path in found} == {f"step_{n:02d}" for n in range(1, 9)}
    assert sum(path.stat().st_size for path in found) == total


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_a_filled_file_has_every_tensor_of_its_golden(tmp_path: Path, kind: Kind) -> None:
    pytest.importorskip("torch")
    path = closet_files.write_filled(tmp_path / "some", "faces/mtcnn_onet", kind)
    (network,) = inspect(path).networks
    assert network.tensors == len(closet_files.tensors("faces/mtcnn_onet"))
    assert path.stat().st_blocks * 512 >= closet_files.size_of("faces/mtcnn_onet")
