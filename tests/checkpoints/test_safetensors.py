from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import foreign_files
from mycloset.checkpoints.contents import Checkpoint
from mycloset.checkpoints.reading import read_checkpoint

TENSORS = [("b.weight", "float32", (4, 3)), ("a.bias", "float16", (4,)), ("n", "int64", ())]


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return foreign_files.write_safetensors(tmp_path / "m.safetensors", TENSORS, metadata={"a": "b"})


def altered(path: Path, **changes: Any) -> Checkpoint:
    """The file with one tensor's description changed."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["b.weight"].update(changes)
    return read_checkpoint(foreign_files.write_header(path, header, len(data) - 8 - length))


def messages(checkpoint: Checkpoint) -> str:
    return " ".join(finding.message for finding in checkpoint.findings)


def test_keys_shapes_and_dtypes_come_in_the_order_of_the_header(whole: Path) -> None:
    table = read_checkpoint(whole).groups[0].table
    assert [(e.key, e.dtype, e.shape) for e in table.values()] == TENSORS


def test_byte_ranges_are_places_in_the_file(tmp_path: Path) -> None:
    path = foreign_files.write_safetensors(
        tmp_path / "m.bin", TENSORS, data={"a.bias": b"ABCDEFGH"}
    )
    begin, end = read_checkpoint(path).groups[0].table["a.bias"].byte_range or (0, 0)
    assert path.read_bytes()[begin:end] == b"ABCDEFGH"


def test_the_content_decides_and_not_the_suffix(whole: Path) -> None:
    renamed = whole.rename(whole.with_suffix(".pth"))
    assert read_checkpoint(renamed).format == "safetensors"


def test_metadata_are_told(whole: Path) -> None:
    assert read_checkpoint(whole).metadata == {"a": "b"}


def test_a_whole_file_has_no_findings(whole: Path) -> None:
    assert read_checkpoint(whole).findings == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dtype": "F31"}, "'F31', which the format does not know"),
        ({"shape": [4, -3]}, "impossible shape [4, -3]"),
        ({"shape": [4, 4]}, "[4, 4] of float32 take 64"),
        ({"shape": [2**62, 2**62]}, "take"),
        ({"data_offsets": [8, 4]}, "impossible byte range [8, 4]"),
        ({"data_offsets": [0, 2**40]}, "it is cut off"),
        ({"data_offsets": [4, 52]}, "overlaps"),
        ({"more": 1}, "is described by"),
    ],
)
def test_a_broken_rule_is_named_with_the_tensor(
    whole: Path, changes: dict[str, Any], said: str
) -> None:
    text = messages(altered(whole, **changes))
    assert said in text
    assert "`b.weight`" in text


def test_a_hole_is_named(tmp_path: Path) -> None:
    header = {
        "a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},
        "b": {"dtype": "U8", "shape": [4], "data_offsets": [6, 10]},
    }
    found = read_checkpoint(foreign_files.write_header(tmp_path / "m.st", header, 10))
    assert "2 bytes before `b` belong to no tensor" in messages(found)


def test_bytes_behind_the_last_tensor_are_named(tmp_path: Path) -> None:
    header = {"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}}
    found = read_checkpoint(foreign_files.write_header(tmp_path / "m.st", header, 9))
    assert "5 bytes after the last tensor" in messages(found)


def test_a_tensor_named_twice_is_damage(tmp_path: Path) -> None:
    text = b'{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{}}'
    path = tmp_path / "m.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    assert "names `a` twice" in messages(read_checkpoint(path))


def test_a_header_longer_than_the_file_is_cut_off(whole: Path) -> None:
    whole.write_bytes(whole.read_bytes()[:40])
    found = read_checkpoint(whole)
    assert found.format == "safetensors"
    assert "it is cut off" in messages(found)


def test_deep_json_is_survived(tmp_path: Path) -> None:
    text = b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    path = tmp_path / "m.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    assert [finding.kind for finding in read_checkpoint(path).findings] == ["corrupt"]


def test_tensors_without_elements_or_dimensions_are_fine(tmp_path: Path) -> None:
    tensors = [("empty", "float32", (0, 4)), ("scalar", "float32", ())]
    found = read_checkpoint(foreign_files.write_safetensors(tmp_path / "m.st", tensors))
    assert found.findings == ()


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, 400), byte=st.integers(0, 255), cut=st.integers(0, 400))
def test_any_damage_is_survived(
    tmp_path_factory: pytest.TempPathFactory, place: int, byte: int, cut: int
) -> None:
    path = foreign_files.write_safetensors(tmp_path_factory.mktemp("m") / "m.st", TENSORS)
    data = bytearray(path.read_bytes())
    data[place % len(data)] = byte
    path.write_bytes(bytes(data[: len(data) - cut % len(data)]))
    read_checkpoint(path)


def test_keys_agree_with_the_reference_reader(whole: Path) -> None:
    safetensors = pytest.importorskip("safetensors")
    with safetensors.safe_open(whole, framework="numpy") as file:
        expected = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
    assert read_checkpoint(whole).groups[0].table.shapes == expected
