from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import foreign_files
from foreign_files import message, scalar, varint
from mycloset.checkpoints.contents import Checkpoint
from mycloset.checkpoints.reading import read_checkpoint

TENSORS = [("a.weight", "float32", (4, 3)), ("n", "int64", ()), ("e", "float16", (0, 2))]


def model(path: Path, *graph: bytes, more: bytes = b"") -> Checkpoint:
    """What is read from a graph of these fields."""
    start = scalar(1, 8) + message(2, b"hand") + message(8, scalar(2, 17))
    path.write_bytes(start + message(7, b"".join(graph)) + more)
    return read_checkpoint(path)


def tensor(name: str, dims: tuple[int, ...], *fields: bytes, dtype: int = 1) -> bytes:
    head = b"".join(scalar(1, dim) for dim in dims) + scalar(2, dtype)
    return head + b"".join(fields) + message(8, name.encode())


def outside(location: str, **more: str) -> bytes:
    stated = {"location": location, **more}
    pairs = [message(1, key.encode()) + message(2, text.encode()) for key, text in stated.items()]
    return b"".join(message(13, pair) for pair in pairs) + scalar(14, 1)


def messages(checkpoint: Checkpoint) -> str:
    return " ".join(finding.message for finding in checkpoint.findings)


def test_initialisers_are_listed(tmp_path: Path) -> None:
    found = read_checkpoint(foreign_files.write_onnx(tmp_path / "m.pth", TENSORS))
    assert [(e.key, e.dtype, e.shape) for e in found.groups[0].table.values()] == TENSORS
    assert found.findings == ()


def test_the_graph_is_told(tmp_path: Path) -> None:
    found = read_checkpoint(foreign_files.write_onnx(tmp_path / "m.onnx", TENSORS))
    told: dict[str, Any] = dict(found.metadata)
    assert told.pop("inputs")[0]["shape"] == [1, 3, "height", "width"]
    assert told.pop("outputs")[0]["name"] == "logits"
    assert told == {
        "ir_version": 8,
        "producer": "mycloset",
        "opset": {"ai.onnx": 17},
        "operators": {"Conv": 1, "Relu": 1},
    }


def test_raw_data_has_a_place_in_the_file(tmp_path: Path) -> None:
    raw = struct.pack("<2f", 1, 2)
    found = model(tmp_path / "m.onnx", message(5, tensor("w", (2,), message(9, raw))))
    begin, end = found.groups[0].table["w"].byte_range or (0, 0)
    assert found.path.read_bytes()[begin:end] == raw


def test_packed_floats_have_a_place_in_the_file(tmp_path: Path) -> None:
    raw = struct.pack("<2f", 1, 2)
    found = model(tmp_path / "m.onnx", message(5, tensor("w", (2,), message(4, raw))))
    begin, end = found.groups[0].table["w"].byte_range or (0, 0)
    assert found.path.read_bytes()[begin:end] == raw


def test_numbers_of_varying_length_have_none(tmp_path: Path) -> None:
    found = model(tmp_path / "m.onnx", message(5, tensor("n", (2,), message(7, b"\1\2"), dtype=7)))
    assert found.groups[0].table["n"].byte_range is None
    assert found.findings == ()


def test_weights_in_a_file_beside_have_their_places_there(tmp_path: Path) -> None:
    path = foreign_files.write_onnx(tmp_path / "m.onnx", TENSORS, external="m.data")
    found = read_checkpoint(path)
    assert found.groups[0].table["n"].storage.file == "m.data"
    assert found.groups[0].table["n"].byte_range == (48, 56)
    assert (found.files, found.findings) == (("m.onnx", "m.data"), ())


def test_a_missing_file_of_weights_is_damage(tmp_path: Path) -> None:
    path = foreign_files.write_onnx(tmp_path / "m.onnx", TENSORS, external="m.data")
    (tmp_path / "m.data").unlink()
    assert "m.data, which holds its weights, is missing" in messages(read_checkpoint(path))


def test_a_file_of_weights_that_is_cut_off_is_damage(tmp_path: Path) -> None:
    path = foreign_files.write_onnx(tmp_path / "m.onnx", TENSORS, external="m.data")
    (tmp_path / "m.data").write_bytes(b"")
    assert "`a.weight` lies beyond the end of m.data" in messages(read_checkpoint(path))


@pytest.mark.parametrize("location", ["../w", "/etc/passwd", "a/../../w", "C:\\w", "..\\w"])
def test_weights_outside_the_folder_are_dangerous(tmp_path: Path, location: str) -> None:
    found = model(tmp_path / "m.onnx", message(5, tensor("w", (2,), outside(location))))
    assert [finding.kind for finding in found.findings] == ["dangerous"]


@pytest.mark.parametrize("offset", ["-1", "x", "9" * 30])
def test_an_impossible_place_is_damage(tmp_path: Path, offset: str) -> None:
    found = model(tmp_path / "m.onnx", message(5, tensor("w", (2,), outside("w", offset=offset))))
    assert "impossible place" in messages(found)


@pytest.mark.parametrize(
    ("dims", "data", "said"),
    [
        ((2, 2), message(9, bytes(12)), "has 12 bytes; [2, 2] of float32 take 16"),
        ((2**63 - 1, 2**40), message(9, bytes(4)), "has 4 bytes"),
        ((2**64 - 1,), message(9, bytes(4)), "impossible shape"),
        ((2,), b"", "has a shape, but no data"),
        ((2**40,), message(4, bytes(8)), "has 8 bytes of numbers"),
        ((4,), message(4, bytes(8)), "has 8 bytes; [4] of float32 take 16"),
    ],
)
def test_shapes_that_do_not_fit_the_data_are_damage(
    tmp_path: Path, dims: tuple[int, ...], data: bytes, said: str
) -> None:
    found = model(tmp_path / "m.onnx", message(5, tensor("w", dims, data)))
    assert said in messages(found)


def test_weights_in_branches_and_constants_are_listed(tmp_path: Path) -> None:
    raw = message(9, bytes(8))
    branch = message(5, message(6, message(5, tensor("inner", (2,), raw))))
    node = message(1, message(2, b"y") + message(4, b"If") + branch)
    value = message(5, message(5, tensor("", (2,), raw)))
    constant = message(1, message(2, b"out") + message(4, b"Constant") + value)
    found = model(tmp_path / "m.onnx", node, constant)
    assert list(found.groups[0].table) == ["inner", "out"]
    assert found.metadata["operators"] == {"If": 1, "Constant": 1}


def test_graphs_in_graphs_without_end_are_damage(tmp_path: Path) -> None:
    graph = b""
    for _ in range(40):
        graph = message(
            1, message(4, b"If") + message(5, message(6, graph) + bytes([0x10, 0]) * 20)
        )
    assert "nested deeper" in messages(model(tmp_path / "m.onnx", graph))


def test_operators_of_the_models_own_functions_need_no_library(tmp_path: Path) -> None:
    node = message(1, message(4, b"Mine") + message(7, b"local"))
    function = message(25, message(7, message(4, b"Relu")) + message(10, b"local"))
    assert model(tmp_path / "m.onnx", node, more=function).findings == ()
    assert "local need a library" in messages(model(tmp_path / "m.onnx", node))


def test_properties_are_told(tmp_path: Path) -> None:
    pair = message(14, message(1, b"names") + message(2, b"cat"))
    assert model(tmp_path / "m.onnx", more=pair).metadata["properties"] == {"names": "cat"}


@pytest.mark.parametrize(
    ("graph", "said"),
    [
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "does not end where it should"),
        (b"\x2a\x7f", "states 127 bytes, but 0 are left"),
        (b"\x0b", "unknown wire type 3"),
        (b"\x0d\0", "is cut off"),
    ],
)
def test_what_is_no_protocol_buffer_is_damage(tmp_path: Path, graph: bytes, said: str) -> None:
    assert said in messages(model(tmp_path / "m.onnx", graph))


def test_a_file_that_is_cut_off_is_damage(tmp_path: Path) -> None:
    path = foreign_files.write_onnx(tmp_path / "m.onnx", TENSORS)
    path.write_bytes(path.read_bytes()[:70])
    found = read_checkpoint(path)
    assert (found.format, [finding.kind for finding in found.findings]) == ("onnx", ["corrupt"])


def test_fields_without_number_are_not_walked_for_ever(tmp_path: Path) -> None:
    found = model(tmp_path / "m.onnx", b"\x10\0" * 2_000_001)
    assert "more fields than any model needs" in messages(found)


@settings(max_examples=150, deadline=None)
@given(graph=st.binary(max_size=200))
def test_any_graph_is_survived(tmp_path_factory: pytest.TempPathFactory, graph: bytes) -> None:
    path = tmp_path_factory.mktemp("m") / "m.onnx"
    path.write_bytes(scalar(1, 8) + message(2, b"x") + varint(7 << 3 | 2) + varint(200) + graph)
    assert read_checkpoint(path).path == path


def test_the_reference_reader_agrees(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    path = foreign_files.write_onnx(tmp_path / "m.onnx", TENSORS)
    graph = onnx.load(path).graph
    expected = {item.name: tuple(item.dims) for item in graph.initializer}
    found = read_checkpoint(path)
    assert found.groups[0].table.shapes == expected
    assert [item["name"] for item in found.metadata["inputs"]] == [i.name for i in graph.input]
    assert sum(found.metadata["operators"].values()) == len(graph.node)


def test_models_of_the_reference_writer_are_read(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    weight = helper.make_tensor("w", 1, [2, 2], [1.0, 2.0, 3.0, 4.0])
    count = helper.make_tensor("n", 7, [2], [-1, 3])
    value = helper.make_tensor_value_info("x", 1, ["batch", 2])
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "g", [value], [value], [weight, count])
    onnx.save(helper.make_model(graph, producer_name="reference"), tmp_path / "m.onnx")
    found = read_checkpoint(tmp_path / "m.onnx")
    assert found.groups[0].table.shapes == {"w": (2, 2), "n": (2,)}
    assert found.metadata["producer"] == "reference"
    assert found.findings == ()
