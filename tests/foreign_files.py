"""Writes model files of formats other than PyTorch's; weights are holes, so size costs nothing."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

Tensors = Sequence[tuple[str, str, tuple[int, ...]]]
"""Key, dtype (PyTorch's name) and shape of each."""

SAFETENSORS = {
    "float64": ("F64", 8),
    "float32": ("F32", 4),
    "float16": ("F16", 2),
    "bfloat16": ("BF16", 2),
    "int64": ("I64", 8),
    "int32": ("I32", 4),
    "int8": ("I8", 1),
    "uint8": ("U8", 1),
    "bool": ("BOOL", 1),
}
ONNX = {"float32": (1, 4), "int64": (7, 8), "float16": (10, 2), "int32": (6, 4), "bool": (9, 1)}


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
    for number in range(shards):
        part = tensors[number * len(tensors) // shards : (number + 1) * len(tensors) // shards]
        name = f"model-{number + 1:05d}-of-{shards:05d}.safetensors"
        write_safetensors(folder / name, part)
        weight_map.update({key: name for key, _, _ in part})
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 0}, "weight_map": weight_map}))
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


def gguf_text(text: str) -> bytes:
    """A text as GGUF writes it."""
    return struct.pack("<Q", len(text.encode())) + text.encode()


def write_gguf(path: Path, tensors: Tensors, *, values: Mapping[str, str] | None = None) -> Path:
    """A GGUF file of version 3 with float tensors and text values."""
    kinds = {"float32": (0, 4), "float16": (1, 2)}
    texts = dict(values or {"general.architecture": "llama"})
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(texts))
    for key, text in texts.items():
        head += gguf_text(key) + struct.pack("<I", 8) + gguf_text(text)
    place = 0
    for key, dtype, shape in tensors:
        kind, size = kinds[dtype]
        dims = struct.pack(f"<{len(shape)}Q", *reversed(shape))
        head += gguf_text(key) + struct.pack("<I", len(shape)) + dims
        head += struct.pack("<IQ", kind, place)
        place += -(-prod(shape) * size // 32) * 32
    with path.open("wb") as file:
        file.write(head)
        file.truncate(-(-len(head) // 32) * 32 + place)
    return path
