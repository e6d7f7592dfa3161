"""TFLite: a FlatBuffers graph with its tensors, operators and constant buffers.

Source: TensorFlow Lite's schema.fbs, version 3 (field numbers and TensorType).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import islice
from math import isfinite, prod
from typing import Any

from mycloset.checkpoints.contents import Checkpoint, Finding, TensorGroup, limited
from mycloset.checkpoints.flatbuffers import Pages, Table, root
from mycloset.checkpoints.formats.tflite_operators import OPERATORS
from mycloset.checkpoints.source import DamagedError, Source
from mycloset.checkpoints.tensors import BITS, Storage, TensorEntry, TensorTable

FORMAT = "tflite"

DTYPES: Mapping[int, str] = {
    0: "float32",
    1: "float16",
    2: "int32",
    3: "uint8",
    4: "int64",
    5: "string",
    6: "bool",
    7: "int16",
    8: "complex64",
    9: "int8",
    10: "float64",
    11: "complex128",
    12: "uint64",
    13: "resource",
    14: "variant",
    15: "uint32",
    16: "uint16",
    17: "int4",
    18: "bfloat16",
    19: "int2",
    20: "uint4",
    21: "float8_e4m3fn",
    22: "float8_e5m2",
}
DIMENSIONS = 64
BORDER = 10_000
"""Inputs or outputs that are listed."""
CHANNELS = 1_000_000
"""Scales of one quantised tensor."""

_BELOW_BYTE = {"int4": 4, "uint4": 4, "int2": 2}
_CUSTOM = 32
_PLACEHOLDER = 127


def read(source: Source) -> Checkpoint:
    """List a TFLite file's graph.

    Raises:
        DamagedError: an offset points outside the file.
    """
    try:
        return _read(source, root(Pages(source)))
    except DamagedError as error:
        text = f"{source.path.name} is no whole TFLite model: {error.message}."
        raise DamagedError(text, place=error.place) from error


def _read(source: Source, model: Table) -> Checkpoint:
    buffers = [_place(table, source) for table in model.tables(4)]
    operators = [_operator(code) for code in model.tables(1)]
    entries: list[TensorEntry] = []
    findings: list[Finding] = []
    counts: Counter[str] = Counter()
    metadata: dict[str, Any] = {
        "version": model.number(0, "I"),
        "description": model.text(3),
        "metadata": [table.text(0, 200) for table in islice(model.tables(6), 100)],
    }
    seen: set[str] = set()
    quantised = 0
    for number, graph in enumerate(model.tables(2)):
        tensors = list(graph.tables(0))
        for tensor in tensors:
            entry = _entry(tensor, buffers, findings)
            if entry is not None:
                # Names are for people here: graphs refer to tensors by number.
                key = entry.key if entry.key not in seen else f"{entry.key}:{len(entries)}"
                seen.add(key)
                entries.append(entry._replace(key=key))
                quantised += _scales(tensor) is not None
        if number == 0:
            metadata["inputs"] = _border(graph, 1, tensors)
            metadata["outputs"] = _border(graph, 2, tensors)
        for operator in graph.tables(3):
            index = operator.number(0, "I")
            counts[operators[index] if index < len(operators) else f"operator {index}"] += 1
    if quantised:
        metadata["quantised_tensors"] = quantised
    metadata["operators"] = dict(counts.most_common())
    if custom := sorted(name for name in counts if name.startswith("custom:")):
        metadata["custom_operators"] = custom
    group = TensorGroup((), TensorTable(entries), kind="arrays")
    return Checkpoint(
        source.path,
        FORMAT,
        source.size,
        (group,) if entries else (),
        (source.path.name,),
        metadata=metadata,
        findings=tuple(limited(findings)),
    )


def _place(table: Table, source: Source) -> tuple[int, int]:
    """Where a buffer's bytes lie and how many they are: within, or behind the FlatBuffers part."""
    start, length = table.vector(0, 1)
    offset, size = table.number(1, "Q"), table.number(2, "Q")
    if not length and offset > 1:
        if offset + size > source.size:
            raise DamagedError("a buffer lies beyond the end of the file", place=offset)
        return offset, size
    return start, length


def _operator(code: Table) -> str:
    old, new = code.number(0, "b"), code.number(3, "i")
    number = new if old == _PLACEHOLDER or new else old
    if number == _CUSTOM:
        return f"custom:{code.text(1, 200)}"
    return OPERATORS[number] if 0 <= number < len(OPERATORS) else f"operator {number}"


def _entry(
    tensor: Table, buffers: list[tuple[int, int]], findings: list[Finding]
) -> TensorEntry | None:
    """A constant tensor; None for those that the graph computes."""
    index = tensor.number(2, "I")
    if index >= len(buffers):
        raise DamagedError(f"a tensor names buffer {index} of {len(buffers)}", place=tensor.place)
    start, length = buffers[index]
    if not length:
        return None
    key = tensor.text(3)
    dtype = DTYPES.get(tensor.number(1, "b"), "unknown")
    shape = tuple(tensor.numbers(0, "i", DIMENSIONS))
    bits = _BELOW_BYTE.get(dtype, BITS.get(dtype, 0))
    wanted = (prod(shape) * bits + 7) // 8
    sparse = tensor.table(6) is not None
    if any(size < 0 for size in shape) or (bits and wanted != length and not sparse):
        text = f"`{key}` has {length} bytes; {list(shape)} of {dtype} take {wanted}."
        findings.append(Finding("corrupt", "error", text, {"key": key}))
    return TensorEntry(key, dtype, shape, Storage(str(index), length, start), 0, None, length)


def _border(graph: Table, field: int, tensors: list[Table]) -> list[dict[str, Any]]:
    found = []
    for index in graph.numbers(field, "i", BORDER):
        if not 0 <= index < len(tensors):
            raise DamagedError(f"the graph names tensor {index} of {len(tensors)}", place=0)
        tensor = tensors[index]
        item: dict[str, Any] = {
            "name": tensor.text(3),
            "dtype": DTYPES.get(tensor.number(1, "b"), "unknown"),
            "shape": tensor.numbers(0, "i", DIMENSIONS),
        }
        if scales := _scales(tensor):
            item["scale"], item["zero_point"] = scales
        found.append(item)
    return found


def _scales(tensor: Table) -> tuple[list[float], list[int]] | None:
    """The first scales and zero points of a quantised tensor."""
    stated = tensor.table(4)
    if stated is None or not stated.vector(2, 4)[1]:
        return None
    scales = [number for number in stated.numbers(2, "f", CHANNELS)[:8] if isfinite(number)]
    return scales, stated.numbers(3, "q", CHANNELS)[:8]
