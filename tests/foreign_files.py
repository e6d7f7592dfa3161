"""Writes model files of formats other than PyTorch's; weights are holes, so size costs nothing."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

from flat_writer import Flat, Vector, flatbuffer

Tensors = Sequence[tuple[str, str, tuple[int, ...]]]
"""Key, dtype (PyTorch's name) and shape of each."""

SAFETENSORS = {
    "complex64": ("C64", 8),
    "float64": ("F64", 8),
    "float32": ("F32", 4),
    "float16": ("F16", 2),
    "bfloat16": ("BF16", 2),
    "int64": ("I64", 8),
    "int32": ("I32", 4),
    "int16": ("I16", 2),
    "int8": ("I8", 1),
    "uint8": ("U8", 1),
    "float8_e4m3fn": ("F8_E4M3", 1),
    "float8_e5m2": ("F8_E5M2", 1),
    "bool": ("BOOL", 1),
}
ONNX = {
    "float32": (1, 4),
    "uint8": (2, 1),
    "int8": (3, 1),
    "int32": (6, 4),
    "int64": (7, 8),
    "bool": (9, 1),
    "float16": (10, 2),
    "float64": (11, 8),
    "bfloat16": (16, 2),
}
TFLITE = {"float32": (0, 4), "float16": (1, 2), "int32": (2, 4), "uint8": (3, 1), "int8": (9, 1)}
GGUF = {"float32": (0, 1, 4), "float16": (1, 1, 2), "q4_0": (2, 32, 18), "q8_0": (8, 32, 34),
        "q4_k": (12, 256, 144), "bfloat16": (30, 1, 2)}  # fmt: skip
NUMPY = {"float64": "f8", "float32": "f4", "float16": "f2", "int64": "i8", "int32": "i4",
         "int8": "i1", "uint8": "u1", "bool": "b1"}  # fmt: skip


def write_safetensors(
    path: Path,
    tensors: Tensors,
    *,
    metadata: Mapping[str, str] | None = None,
    data: Mapping[str, bytes] | None = None,
) -> Path:
    """A safetensors file; `data` gives the bytes of some tensors, the others are holes."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata is not None else {}
    place = 0
    for key, dtype, shape in tensors:
        name, size = SAFETENSORS[dtype]
        end = place + prod(shape) * size
        header[key] = {"dtype": name, "shape": list(shape), "data_offsets": [place, end]}
        place = end
    return write_header(path, header, place, data)


def write_header(
    path: Path, header: Any, length: int, data: Mapping[str, bytes] | None = None
) -> Path:
    """Any JSON as the header of a safetensors file with so many bytes of data."""
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    start = 8 + len(text)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(start + length)
        for key, content in (data or {}).items():
            file.seek(start + header[key]["data_offsets"][0])
            file.write(content)
    return path


def write_sharded(folder: Path, tensors: Tensors, shards: int) -> Path:
    """A model in several safetensors files; gives its index."""
    folder.mkdir(parents=True, exist_ok=True)
    weight_map = {}
    total = sum(prod(shape) * SAFETENSORS[dtype][1] for _, dtype, shape in tensors)
    for number in range(shards):
        part = tensors[number * len(tensors) // shards : (number + 1) * len(tensors) // shards]
        name = f"model-{number + 1:05d}-of-{shards:05d}.safetensors"
        write_safetensors(folder / name, part)
        weight_map.update({key: name for key, _, _ in part})
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": total}, "weight_map": weight_map}))
    return index


def varint(value: int) -> bytes:
    """A number as protocol buffers write it."""
    found = b""
    while value > 0x7F:
        found += bytes([value & 0x7F | 0x80])
        value >>= 7
    return found + bytes([value])


def message(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def scalar(number: int, value: int) -> bytes:
    """A varint field."""
    return varint(number << 3) + varint(value)


def onnx_value(name: str, shape: Iterable[int | str], dtype: int = 1) -> bytes:
    """A ValueInfoProto."""
    dims = b"".join(
        message(1, scalar(1, dim) if isinstance(dim, int) else message(2, dim.encode()))
        for dim in shape
    )
    kind = message(1, scalar(1, dtype) + message(2, dims))
    return message(1, name.encode()) + message(2, kind)


def write_onnx(
    path: Path,
    tensors: Tensors,
    *,
    operators: Sequence[str] = ("Conv", "Relu"),
    inputs: Sequence[tuple[str, Sequence[int | str]]] = (("image", (1, 3, "height", "width")),),
    outputs: Sequence[tuple[str, Sequence[int | str]]] = (("logits", (1, 20, "height", "width")),),
    external: str = "",
) -> Path:
    """An ONNX model; with `external` its weights lie in a file of that name beside it."""
    nodes = b"".join(
        message(1, message(1, b"x") + message(2, b"y") + message(4, name.encode()))
        for name in operators
    )
    graph_end = b"".join(message(11, onnx_value(*item)) for item in inputs)
    graph_end += b"".join(message(12, onnx_value(*item)) for item in outputs)
    heads = []
    place = 0
    for key, dtype, shape in tensors:
        code, size = ONNX[dtype]
        length = prod(shape) * size
        head = (
            b"".join(scalar(1, dim) for dim in shape) + scalar(2, code) + message(8, key.encode())
        )
        if external:
            stated = {"location": external, "offset": str(place), "length": str(length)}
            head += b"".join(
                message(13, message(1, name.encode()) + message(2, text.encode()))
                for name, text in stated.items()
            )
            head += scalar(14, 1)
            heads.append((head, 0))
        else:
            heads.append((head + varint(9 << 3 | 2) + varint(length), length))
        place += length
    parts = [(varint(5 << 3 | 2) + varint(len(head) + hole) + head, hole) for head, hole in heads]
    graph = len(nodes) + len(graph_end) + sum(len(head) + hole for head, hole in parts)
    start = scalar(1, 8) + message(2, b"mycloset") + message(8, scalar(2, 17))
    with path.open("wb") as file:
        file.write(start + varint(7 << 3 | 2) + varint(graph) + nodes)
        for head, hole in parts:
            file.write(head)
            file.seek(hole, 1)
        file.write(graph_end)
    if external:
        with (path.parent / external).open("wb") as file:
            file.truncate(place)
    return path


def gguf_text(text: str, order: str = "<") -> bytes:
    """A text as GGUF writes it."""
    return struct.pack(f"{order}Q", len(text.encode())) + text.encode()


def write_gguf(
    path: Path,
    tensors: Tensors,
    *,
    values: Mapping[str, str] | None = None,
    more: Sequence[bytes] = (),
    order: str = "<",
) -> Path:
    """A GGUF file of version 3; `values` are texts, `more` other key-values ready to write."""
    texts = dict(values or {"general.architecture": "llama"})
    head = b"GGUF" + struct.pack(f"{order}IQQ", 3, len(tensors), len(texts) + len(more))
    for key, text in texts.items():
        head += gguf_text(key, order) + struct.pack(f"{order}I", 8) + gguf_text(text, order)
    head += b"".join(more)
    place = 0
    for key, dtype, shape in tensors:
        kind, block, size = GGUF[dtype]
        head += gguf_text(key, order)
        head += struct.pack(f"{order}I{len(shape)}Q", len(shape), *reversed(shape))
        head += struct.pack(f"{order}IQ", kind, place)
        place += -(-prod(shape) // block * size // 32) * 32
    with path.open("wb") as file:
        file.write(head)
        file.truncate(-(-len(head) // 32) * 32 + place)
    return path


def write_npz(
    path: Path,
    tensors: Tensors,
    *,
    compress: bool = False,
    data: Mapping[str, bytes] | None = None,
) -> Path:
    """What `numpy.savez` writes; `data` gives the bytes of some arrays, the others are zeros."""
    packing = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", packing) as archive:
        for key, dtype, shape in tensors:
            code = NUMPY[dtype]
            content = (data or {}).get(key, b"\0" * (prod(shape) * int(code[1:])))
            archive.writestr(f"{key}.npy", npy_header(code, shape) + content)
    return path


def npy_header(code: str, shape: Sequence[int], *, fortran: bool = False) -> bytes:
    """The bytes before an array's own; `code` as "f4" (little-endian), ">f4" or "|O"."""
    code = code if code[0] in "<>|" else f"<{code}"
    text = f"{{'descr': {code!r}, 'fortran_order': {fortran}, 'shape': {tuple(shape)!r}, }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode()


def write_tflite(
    path: Path,
    tensors: Tensors,
    *,
    operators: Sequence[int] = (3, 0),
    inputs: Sequence[tuple[str, str, tuple[int, ...]]] = (("image", "float32", (1, 64, 64, 3)),),
    outputs: Sequence[tuple[str, str, tuple[int, ...]]] = (("mask", "float32", (1, 64, 64, 1)),),
) -> Path:
    """A TFLite model whose constant tensors are holes; operators by their numbers."""
    listed = [*inputs, *outputs, *tensors]
    constant = len(inputs) + len(outputs)
    described = []
    buffers = [Flat({})]
    for place, (key, dtype, shape) in enumerate(listed):
        code, size = TFLITE[dtype]
        dims = Vector(len(shape), struct.pack(f"<{len(shape)}i", *shape))
        fields: dict[int, Any] = {0: dims, 1: struct.pack("<b", code), 3: key}
        if place >= constant:
            fields[2] = struct.pack("<I", len(buffers))
            length = prod(shape) * size
            buffers.append(Flat({0: Vector(length, length)}))
        described.append(Flat(fields))
    border = [Vector(len(inputs), struct.pack(f"<{len(inputs)}i", *range(len(inputs)))),
              Vector(len(outputs), struct.pack(f"<{len(outputs)}i",
                                               *range(len(inputs), constant)))]  # fmt: skip
    nodes = [Flat({0: struct.pack("<I", place)}) for place in range(len(operators))]
    codes = [Flat({0: struct.pack("<b", code)}) for code in operators]
    graph = Flat({0: described, 1: border[0], 2: border[1], 3: nodes, 4: "main"})
    model = {0: struct.pack("<I", 3), 1: codes, 2: [graph], 3: "hand-made", 4: buffers}
    with path.open("w+b") as file:
        flatbuffer(file, Flat(model), b"TFL3")
    return path
