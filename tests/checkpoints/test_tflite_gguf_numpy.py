from __future__ import annotations

import io
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import foreign_files
from foreign_files import gguf_text, npy_header
from mycloset.checkpoints.contents import Checkpoint
from mycloset.checkpoints.reading import read_checkpoint

TENSORS = [("a.weight", "float32", (4, 3)), ("b", "float16", (5,))]


def listed(checkpoint: Checkpoint) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(e.key, e.dtype, e.shape) for e in checkpoint.groups[0].table.values()]


def messages(checkpoint: Checkpoint) -> str:
    return " ".join(finding.message for finding in checkpoint.findings)


def test_constants_of_tflite_are_listed(tmp_path: Path) -> None:
    found = read_checkpoint(foreign_files.write_tflite(tmp_path / "m.pth", TENSORS))
    assert listed(found) == TENSORS
    assert found.findings == ()


def test_the_graph_of_tflite_is_told(tmp_path: Path) -> None:
    found = read_checkpoint(foreign_files.write_tflite(tmp_path / "m.tflite", TENSORS))
    assert found.metadata["operators"] == {"CONV_2D": 1, "ADD": 1}
    assert found.metadata["inputs"][0]["shape"] == [1, 64, 64, 3]
    assert found.metadata["version"] == 3


def test_the_embedded_networks_are_whole(embedded_models: list[Path]) -> None:
    for path in embedded_models:
        found = read_checkpoint(path)
        assert (found.format, found.findings) == ("tflite", ())
        assert found.tensors > 50


def test_a_tflite_file_cut_off_anywhere_is_damage(tmp_path: Path) -> None:
    path = foreign_files.write_tflite(tmp_path / "m.tflite", TENSORS)
    data = path.read_bytes()
    for length in range(8, len(data) - 16, 16):
        path.write_bytes(data[:length])
        assert [f.kind for f in read_checkpoint(path).findings] == ["corrupt"], length


def test_a_tflite_tensor_of_another_size_than_its_buffer_is_damage(tmp_path: Path) -> None:
    path = foreign_files.write_tflite(tmp_path / "m.tflite", [("w", "float32", (7, 11))])
    data = path.read_bytes().replace(struct.pack("<2i", 7, 11), struct.pack("<2i", 7, 12))
    path.write_bytes(data)
    assert "`w` has 308 bytes; [7, 12] of float32 take 336" in messages(read_checkpoint(path))


def test_tflite_tables_that_point_at_one_another_are_not_walked_for_ever(tmp_path: Path) -> None:
    path = foreign_files.write_tflite(tmp_path / "m.tflite", TENSORS)
    data = bytearray(path.read_bytes())
    place = len(data)
    count = 400_000
    # The vector of buffers (field 4 of the model) becomes one of very many.
    root = struct.unpack_from("<I", data)[0]
    vtable = root - struct.unpack_from("<i", data, root)[0]
    slot = root + struct.unpack_from("<H", data, vtable + 4 + 2 * 4)[0]
    struct.pack_into("<I", data, slot, place - slot)
    vector = [place + 4 + 4 * n for n in range(count)]
    data += struct.pack("<I", count)
    data += b"".join(struct.pack("<I", (root - at) & 0xFFFFFFFF) for at in vector)
    path.write_bytes(data)
    assert read_checkpoint(path).findings[0].kind == "corrupt"


@pytest.mark.parametrize("order", ["<", ">"])
def test_gguf_is_listed_in_either_byte_order(tmp_path: Path, order: str) -> None:
    found = read_checkpoint(foreign_files.write_gguf(tmp_path / "m.bin", TENSORS, order=order))
    assert listed(found) == TENSORS
    assert found.metadata["general.architecture"] == "llama"
    assert found.metadata["byteorder"] == {"<": "little", ">": "big"}[order]
    assert found.findings == ()


def test_blocks_of_gguf_take_what_their_type_says(tmp_path: Path) -> None:
    tensors = [("q", "q4_k", (2, 512)), ("r", "q8_0", (64,))]
    found = read_checkpoint(foreign_files.write_gguf(tmp_path / "m.gguf", tensors))
    assert [e.nbytes for e in found.groups[0].table.values()] == [576, 68]


def array(key: str, kind: int, length: int, content: bytes) -> bytes:
    return gguf_text(key) + struct.pack("<IIQ", 9, kind, length) + content


def test_long_arrays_of_gguf_are_shortened(tmp_path: Path) -> None:
    words = b"".join(gguf_text(f"w{n}") for n in range(1000))
    more = [array("tokens", 8, 1000, words), array("scores", 6, 9, struct.pack("<9f", *range(9)))]
    found = read_checkpoint(foreign_files.write_gguf(tmp_path / "m.gguf", TENSORS, more=more))
    assert found.metadata["tokens"]["length"] == 1000
    assert found.metadata["tokens"]["first"][:2] == ["w0", "w1"]
    assert listed(found) == TENSORS


def test_gguf_numbers_that_json_lacks_become_text(tmp_path: Path) -> None:
    more = [gguf_text("x") + struct.pack("<If", 6, float("inf"))]
    found = read_checkpoint(foreign_files.write_gguf(tmp_path / "m.gguf", TENSORS, more=more))
    assert found.metadata["x"] == "inf"


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (struct.pack("<IQQ", 1, 0, 0), "has version 1"),
        (struct.pack("<IQQ", 9, 0, 0), "has version 9"),
        (struct.pack("<IQQ", 3, 1 << 60, 0), "more than are read"),
        (struct.pack("<IQQ", 3, 0, 1 << 60), "more than are read"),
        (struct.pack("<IQQQ", 3, 0, 1, 1 << 50), "text of"),
        (struct.pack("<IQQQ", 3, 0, 1, 100), "cut off within its header"),
        (struct.pack("<IQQ", 3, 0, 1) + gguf_text("a") + struct.pack("<I", 99), "unknown type 99"),
        (struct.pack("<IQQ", 3, 0, 1) + array("a", 8, 1 << 27, b""), "arrays of more than"),
        (
            struct.pack("<IQQ", 3, 0, 1) + array("a", 9, 1, struct.pack("<IQ", 9, 1) * 5),
            "unknown type 9",
        ),
        (
            struct.pack("<IQQ", 3, 0, 1) + gguf_text("general.alignment") + bytes([4] + [0] * 7),
            "impossible alignment 0",
        ),
        (struct.pack("<IQQ", 3, 1, 0) + gguf_text("a") + struct.pack("<I", 99), "99 dimensions"),
    ],
)
def test_impossible_headers_of_gguf_are_damage(tmp_path: Path, head: bytes, said: str) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF" + head)
    assert said in messages(read_checkpoint(path))


def test_a_gguf_file_that_is_cut_off_names_the_tensor(tmp_path: Path) -> None:
    path = foreign_files.write_gguf(tmp_path / "m.gguf", TENSORS)
    path.write_bytes(path.read_bytes()[:-40])
    assert "`b` ends beyond" in messages(read_checkpoint(path))


@pytest.mark.parametrize("compress", [False, True])
def test_arrays_of_npz_are_listed(tmp_path: Path, compress: bool) -> None:
    path = foreign_files.write_npz(tmp_path / "m.pth", TENSORS, compress=compress)
    found = read_checkpoint(path)
    assert (found.format, listed(found)) == ("npz", TENSORS)
    assert found.findings == ()


def test_stored_arrays_have_their_places_in_the_file(tmp_path: Path) -> None:
    path = foreign_files.write_npz(tmp_path / "m.npz", TENSORS, data={"b": b"0123456789"})
    begin, end = read_checkpoint(path).groups[0].table["b"].byte_range or (0, 0)
    assert path.read_bytes()[begin:end] == b"0123456789"


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<i2", "|u1", "|b1", "<c8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numpy_and_the_reader_agree(tmp_path: Path, dtype: str, order: str) -> None:
    array = np.ones((2, 3), dtype, order=order)  # type: ignore[call-overload]
    np.save(tmp_path / "m.npy", array)
    found = read_checkpoint(tmp_path / "m.npy")
    entry = found.groups[0].table["m"]
    assert (entry.shape, entry.dtype, entry.nbytes) == ((2, 3), array.dtype.name, array.nbytes)
    assert entry.stride == (None if order == "C" else (1, 2))


class Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit",))


def test_objects_in_an_array_are_walked_as_the_pickle_they_are(tmp_path: Path) -> None:
    data = npy_header("|O", (1,)) + pickle.dumps([Harmful()])
    (tmp_path / "m.npy").write_bytes(data)
    with zipfile.ZipFile(tmp_path / "m.npz", "w") as archive:
        archive.writestr("a.npy", data)
    assert not read_checkpoint(tmp_path / "m.npy").safe
    assert not read_checkpoint(tmp_path / "m.npz").safe


@pytest.mark.parametrize(
    "header",
    [
        b"\x93NUMPY\1\0\xff\xff{",
        b"\x93NUMPY\1\0\2\0{}",
        b"\x93NUMPY\2\0\xff\xff\xff\x7f{}",
        npy_header("f4", (2,) * 100),
        npy_header("f4", (10**30,)),
        npy_header("f4", (-1,)),
        npy_header("f4", (2, 3)),
    ],
)
def test_impossible_headers_of_numpy_are_damage(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "m.npy"
    path.write_bytes(header)
    assert [finding.kind for finding in read_checkpoint(path).findings] == ["corrupt"]


def test_keras_is_named(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            archive.writestr(name, "{}")
    path = tmp_path / "m.pth"
    path.write_bytes(buffer.getvalue())
    found = read_checkpoint(path)
    assert (found.format, [f.severity for f in found.findings]) == ("keras", ["info"])


@settings(max_examples=100, deadline=None)
@given(data=st.binary(min_size=1, max_size=120), kind=st.sampled_from(["gguf", "tflite", "npy"]))
def test_any_header_is_survived(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, kind: str
) -> None:
    start = {"gguf": b"GGUF\3\0\0\0", "tflite": b"\x10\0\0\0TFL3", "npy": b"\x93NUMPY\1\0"}[kind]
    path = tmp_path_factory.mktemp("m") / "m.bin"
    path.write_bytes(start + data)
    assert read_checkpoint(path).path == path
