from __future__ import annotations

import io
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import foreign_files
import model_files
from mycloset.checkpoints.reading import read_checkpoint
from mycloset.checkpoints.sniffing import formats_of, identify
from mycloset.checkpoints.source import Source

TENSORS = [("a.weight", "float32", (4, 3))]


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("pickle")
        archive.addfile(entry, io.BytesIO())
    return buffer.getvalue()


def saved_model() -> bytes:
    meta = foreign_files.message(1, foreign_files.message(2, bytes(5000)))
    return foreign_files.scalar(1, 1) + foreign_files.message(2, meta)


def node() -> bytes:
    name = foreign_files.message(1, b"input") + foreign_files.message(2, b"Placeholder")
    return foreign_files.message(1, name)


def core_ml() -> bytes:
    feature = foreign_files.message(1, foreign_files.message(1, b"image"))
    return foreign_files.scalar(1, 4) + foreign_files.message(2, feature)


CONTENTS: dict[str, tuple[str, bytes]] = {
    "nothing": ("empty", b""),
    "zeros": ("zeros", bytes(70_000)),
    "zip": ("zip", zipped(a=b"1")),
    "empty zip": ("zip", zipped()),
    "zip behind bytes": ("zip", b"\xffabc" * 4 + zipped(a=b"1")),
    "tar": ("tar", tarred()),
    "pickle of protocol 0": ("pickle", pickle.dumps({"a": [1, 2.5]}, 0)),
    "pickle of protocol 1": ("pickle", pickle.dumps({"a": [1, 2.5]}, 1)),
    "pickle of protocol 4": ("pickle", pickle.dumps({"a": [1, 2.5]}, 4)),
    "a call, then rubbish": ("pickle", b"cos\ngetcwd\n(tR\xff\xff\xff"),
    "hdf5": ("hdf5", b"\x89HDF\r\n\x1a\n" + bytes(100)),
    "page": ("html", b"\n<!DOCTYPE html>\n<html><head><title>404</title>"),
    "page with a mark": ("html", b"\xef\xbb\xbf<html>"),
    "pointer": (
        "lfs-pointer",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 5\n",
    ),
    "an answer": ("json", b'{"error": "Repository not found"}'),
    "xml": ("xml", b'<?xml version="1.0"?><a/>'),
    "openvino": ("openvino", b'<?xml version="1.0"?>\n<net name="m" version="11">'),
    "prose": ("text", b"Please log in to fetch this file.\n"),
    "prose that begins like a pickle": ("text", b"compile\nit first, then run it.\n"),
    "7z": ("7z", b"7z\xbc\xaf\x27\x1c" + bytes(30)),
    "gzip": ("gzip", b"\x1f\x8b\x08" + bytes(30)),
    "bzip2": ("bzip2", b"BZh91AY&SY"),
    "xz": ("xz", b"\xfd7zXZ\x00" + bytes(30)),
    "rar": ("rar", b"Rar!\x1a\x07\x01\x00"),
    "program": ("elf", b"\x7fELF" + bytes(60)),
    "png": ("png", b"\x89PNG\r\n\x1a\n" + bytes(30)),
    "jpeg": ("jpeg", b"\xff\xd8\xff\xe0" + bytes(30)),
    "saved model": ("tensorflow", saved_model()),
    "frozen graph": ("tensorflow", node() * 3),
    "checkpoint's index": (
        "tensorflow",
        b"\x00\x01\xfa\x02" + bytes(80) + bytes.fromhex("57fb808b247547db"),
    ),
    "core ml": ("coreml", core_ml()),
    "executorch": ("executorch", b"\x1c\0\0\0ET12" + bytes(60)),
    "noise": ("unknown", bytes(range(200, 256)) * 20),
    "end record among weights": ("unknown", b"\xff" * 500 + b"PK\5\6" + b"\xfe" * 600),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_content_is_named(tmp_path: Path, name: str) -> None:
    expected, data = CONTENTS[name]
    path = tmp_path / "model.pth"
    path.write_bytes(data)
    with Source(path) as source:
        assert identify(source) == expected


@pytest.mark.parametrize("name", CONTENTS)
def test_content_that_is_no_model_is_told_in_findings(tmp_path: Path, name: str) -> None:
    path = tmp_path / "model.pth"
    path.write_bytes(CONTENTS[name][1])
    assert read_checkpoint(path).findings


def test_formats_with_a_mark_of_their_own(tmp_path: Path) -> None:
    written = {
        "onnx": foreign_files.write_onnx(tmp_path / "a.bin", TENSORS),
        "tflite": foreign_files.write_tflite(tmp_path / "b.bin", TENSORS),
        "gguf": foreign_files.write_gguf(tmp_path / "c.bin", TENSORS),
        "safetensors": foreign_files.write_safetensors(tmp_path / "d.bin", TENSORS),
    }
    assert {read_checkpoint(path).format for path in written.values()} == written.keys()


def test_old_torch_files_are_known_by_their_magic_number(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    model_files.write_torch_legacy(path, {})
    with Source(path) as source:
        assert identify(source) == "torch-legacy"


def test_an_archive_behind_a_pickle_is_both(tmp_path: Path) -> None:
    path = tmp_path / "m.bin"
    path.write_bytes(pickle.dumps({"a": 1}, 2) + zipped(b=b"1"))
    with Source(path) as source:
        assert formats_of(source) == ("pickle", "zip")
    assert any("at once" in finding.message for finding in read_checkpoint(path).findings)


def test_a_call_hidden_in_an_archive_behind_weights_is_seen(tmp_path: Path) -> None:
    path = foreign_files.write_safetensors(tmp_path / "m.safetensors", TENSORS)
    hidden = zipped(**{"m/data.pkl": b"cos\nsystem\n(S'true'\ntR."})
    path.write_bytes(path.read_bytes() + hidden)
    assert not read_checkpoint(path).safe


def test_labels_behind_a_tflite_model_are_usual(tmp_path: Path) -> None:
    path = foreign_files.write_tflite(tmp_path / "m.tflite", TENSORS)
    path.write_bytes(path.read_bytes() + zipped(**{"labels.txt": b"cat\n"}))
    assert [f.message for f in read_checkpoint(path).findings if f.severity != "info"] == []


def test_the_answer_of_a_hub_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b'{"error": "Repository not found"}')
    assert "Repository not found" in read_checkpoint(path).findings[0].message


def test_a_page_is_shown_by_its_title(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(b"<html><head><title>Sign &amp; log in</title></head>")
    assert "“Sign & log in”" in read_checkpoint(path).findings[0].message


def test_a_pointer_says_how_large_the_file_is(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(CONTENTS["pointer"][1])
    assert "5 bytes" in read_checkpoint(path).findings[0].message


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=300), start=st.sampled_from(list(CONTENTS)))
def test_any_bytes_are_survived(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, start: str
) -> None:
    path = tmp_path_factory.mktemp("m") / "m.bin"
    path.write_bytes(CONTENTS[start][1][:600] + data)
    assert read_checkpoint(path).path == path


@settings(max_examples=100, deadline=None)
@given(place=st.integers(0, 2000), value=st.integers(0, 2**32 - 1), name=st.sampled_from("abcd"))
def test_changed_numbers_are_survived(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int, name: str
) -> None:
    folder = tmp_path_factory.mktemp("m")
    write = {
        "a": foreign_files.write_onnx,
        "b": foreign_files.write_tflite,
        "c": foreign_files.write_gguf,
        "d": foreign_files.write_npz,
    }[name]
    path = write(folder / "m.bin", TENSORS)
    data = bytearray(path.read_bytes())
    place %= len(data) - 4
    data[place : place + 4] = struct.pack("<I", value)
    path.write_bytes(data)
    assert read_checkpoint(path).size == len(data)
