"""ONNX: a graph with its inputs, outputs, operators and initialisers, without reading weights.

Source: onnx/onnx, onnx.proto (field numbers of ModelProto, GraphProto, TensorProto, …).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import PurePosixPath
from typing import Any

from mycloset.checkpoints.contents import Checkpoint, Finding, TensorGroup, limited
from mycloset.checkpoints.protobuf import BYTES, Field, Window
from mycloset.checkpoints.source import DamagedError, Source
from mycloset.checkpoints.tensors import BITS, Storage, TensorEntry, TensorTable

FORMAT = "onnx"
DEPTH_LIMIT = 16
"""How deep graphs may lie in attributes of nodes."""
FILES_LIMIT = 1000
"""Files of external data that are looked for."""
TOLD_LIMIT = 10_000
"""Inputs, outputs, properties and operators that are listed."""
_ATTRIBUTE = 16
"""Bytes below which an attribute holds no graph with weights."""
DIMS_LIMIT = 64

DTYPES: Mapping[int, str] = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    8: "string",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    14: "complex64",
    15: "complex128",
    16: "bfloat16",
    17: "float8_e4m3fn",
    18: "float8_e4m3fnuz",
    19: "float8_e5m2",
    20: "float8_e5m2fnuz",
    21: "uint4",
    22: "int4",
    23: "float4_e2m1fn_x2",
}
"""TensorProto.DataType by PyTorch's names."""

_PLAIN = {4: "float32", 10: "float64"}
_HALF_BYTE = frozenset({"uint4", "int4", "float4_e2m1fn_x2"})


def read(source: Source) -> Checkpoint:
    """List an ONNX file's graph and initialisers.

    Raises:
        DamagedError: it is cut off, or no ModelProto.
    """
    try:
        return _Reader(source, Window(source)).read()
    except DamagedError as error:
        text = f"{source.path.name} is no whole ONNX model: {error.message} (byte {error.place})."
        raise DamagedError(text, place=error.place) from error


@dataclass
class _Graph:
    inputs: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    entries: list[TensorEntry] = field(default_factory=list)
    operators: Counter[str] = field(default_factory=Counter)
    domains: set[str] = field(default_factory=set)


@dataclass
class _Typed:
    """The fields of a tensor in which its numbers lie one by one."""

    fields: int = 0
    bytes: int = 0
    packed: Field | None = None

    def add(self, item: Field) -> None:
        self.fields += 1
        self.bytes += item.value if item.wire == BYTES else 8
        if item.wire == BYTES:
            self.packed = item


class _Reader:
    def __init__(self, source: Source, window: Window) -> None:
        self.source = source
        self.window = window
        self.graph = _Graph()
        self.findings: list[Finding] = []
        self.files: dict[str, int] = {}
        self.functions: set[str] = set()
        self.metadata: dict[str, Any] = {}

    def read(self) -> Checkpoint:
        window = self.window
        opset: dict[str, int] = {}
        seen_graph = False
        for item in window.fields(0, self.source.size):
            if item.number == 1 and item.wire != BYTES:
                self.metadata["ir_version"] = item.value
            elif item.wire != BYTES:
                continue
            elif item.number == 2:
                self.metadata["producer"] = window.text(item, 200)
            elif item.number == 3:
                self.metadata["producer_version"] = window.text(item, 200)
            elif item.number == 7:
                seen_graph = True
                self._graph(item, 0)
            elif item.number == 8:
                domain, version = self._opset(item)
                opset[domain or "ai.onnx"] = version
            elif item.number == 14:
                key, value = self._pair(item)
                properties = self.metadata.setdefault("properties", {})
                if len(properties) < TOLD_LIMIT:
                    properties[key] = value
            elif item.number == 25:
                self._function(item)
        if not seen_graph:
            raise DamagedError("it has no graph", place=0)
        graph = self.graph
        known = {entry.key for entry in graph.entries}
        self.metadata |= {
            "opset": opset,
            "inputs": [i for i in graph.inputs if i["name"] not in known][:TOLD_LIMIT],
            "outputs": graph.outputs,
            "operators": dict(graph.operators.most_common(TOLD_LIMIT)),
        }
        foreign = sorted(
            domain
            for domain in graph.domains - self.functions
            if domain and not domain.startswith(("ai.onnx", "com.microsoft"))
        )
        if foreign:
            told = ", ".join(foreign[:5])
            text = f"Operators of {told} need a library of their own to run."
            self.findings.append(Finding("unusual", "info", text, {"domains": foreign[:100]}))
        table = TensorTable(graph.entries)
        if len(table) < len(graph.entries):
            text = f"{len(graph.entries) - len(table)} initialisers have a name that another has."
            self.findings.append(Finding("unusual", "warning", text))
        size = self.source.size + sum(size for size in self.files.values() if size > 0)
        return Checkpoint(
            self.source.path,
            FORMAT,
            size,
            (TensorGroup((), table, kind="arrays"),) if graph.entries else (),
            (self.source.path.name, *self.files),
            metadata=self.metadata,
            findings=tuple(limited(self.findings)),
        )

    def _graph(self, where: Field, depth: int) -> None:
        if depth > DEPTH_LIMIT:
            raise DamagedError(
                f"its graphs are nested deeper than {DEPTH_LIMIT}", place=where.start
            )
        graph, window = self.graph, self.window
        for item in window.fields(where.start, where.start + where.value):
            if item.wire != BYTES:
                continue
            if item.number == 5:
                graph.entries.append(self._tensor(item))
            elif item.number == 1:
                self._node(item, depth)
            elif item.number in (11, 12) and depth == 0:
                listed = graph.inputs if item.number == 11 else graph.outputs
                if len(listed) < TOLD_LIMIT or item.number == 11:
                    listed.append(self._value(item))
            elif item.number == 15:
                # A sparse initialiser: its values 1 carry the name.
                for part in window.fields(item.start, item.start + item.value):
                    if part.number == 1 and part.wire == BYTES:
                        graph.entries.append(self._tensor(part))

    def _node(self, where: Field, depth: int) -> None:
        window = self.window
        operator, domain, outputs = "", "", []
        constants: list[Field] = []
        for item in window.fields(where.start, where.start + where.value):
            if item.wire != BYTES:
                continue
            if item.number == 4:
                operator = window.text(item, 200)
            elif item.number == 7:
                domain = window.text(item, 200)
            elif item.number == 2:
                outputs.append(item)
            elif item.number == 5 and (item.value >= _ATTRIBUTE or operator == "Constant"):
                for part in window.fields(item.start, item.start + item.value):
                    if part.number in (6, 11) and part.wire == BYTES:
                        self._graph(part, depth + 1)
                    elif part.number == 5 and part.wire == BYTES:
                        constants.append(part)
        self.graph.operators[operator] += 1
        self.graph.domains.add(domain)
        if operator == "Constant" and outputs:
            for constant in constants:
                entry = self._tensor(constant)
                if entry.shape and entry.elements > 1:
                    key = window.text(outputs[0])
                    self.graph.entries.append(entry._replace(key=key))

    def _function(self, where: Field) -> None:
        """A FunctionProto: nodes 7, domain 10."""
        for item in self.window.fields(where.start, where.start + where.value):
            if item.number == 7 and item.wire == BYTES:
                self._node(item, 1)
            elif item.number == 10 and item.wire == BYTES:
                self.functions.add(self.window.text(item, 200))

    def _tensor(self, where: Field) -> TensorEntry:
        """A TensorProto: dims 1, data_type 2, name 8, raw_data 9, external_data 13, location 14."""
        window = self.window
        dims: list[int] = []
        dtype, name = "", ""
        data: Field | None = None
        typed = _Typed()
        external: dict[str, str] = {}
        for item in window.fields(where.start, where.start + where.value):
            if item.number == 1:
                dims.extend(window.integers(item, DIMS_LIMIT))
                if len(dims) > DIMS_LIMIT:
                    raise DamagedError(
                        f"a tensor has more than {DIMS_LIMIT} dimensions", place=item.start
                    )
            elif item.number == 2 and item.wire != BYTES:
                dtype = DTYPES.get(item.value, f"onnx:{item.value}")
            elif item.number == 8 and item.wire == BYTES:
                name = window.text(item)
            elif item.number == 9 and item.wire == BYTES:
                data = item
            elif item.number == 13 and item.wire == BYTES:
                key, value = self._pair(item)
                external[key] = value
            elif item.number in (4, 5, 6, 7, 10, 11):
                typed.add(item)
        shape = tuple(dims)
        if any(length >= 2**63 for length in shape):
            self._corrupt(name, f"has the impossible shape {_shown(shape)}")
            shape = tuple(0 if length >= 2**63 else length for length in shape)
        bits = 4 if dtype in _HALF_BYTE else BITS.get(dtype, 8)
        nbytes = (prod(shape) * bits + 7) // 8
        if external:
            return self._external(name, dtype, shape, nbytes, external)
        if data is not None:
            if data.value != nbytes and dtype in BITS:
                self._corrupt(
                    name, f"has {data.value} bytes; {_shown(shape)} of {dtype} take {nbytes}"
                )
            storage = Storage(name, data.value, data.start)
            return TensorEntry(name, dtype, shape, storage, 0, None, data.value)
        return self._numbers(name, dtype, shape, nbytes, typed)

    def _numbers(
        self, name: str, dtype: str, shape: tuple[int, ...], nbytes: int, typed: _Typed
    ) -> TensorEntry:
        """Numbers in fields of their own: packed floats (float_data 4, double_data 10) lie in the
        file as they are; varints are no run of bytes to point at."""
        offset = None
        if not typed.bytes and nbytes:
            self._corrupt(name, "has a shape, but no data")
            nbytes = 0
        elif 2 * typed.bytes < prod(shape):
            what = f"has {typed.bytes} bytes of numbers for the shape {_shown(shape)}"
            self._corrupt(name, what)
            nbytes = typed.bytes
        elif typed.packed is not None and typed.fields == 1:
            number, _, length, start = typed.packed
            if dtype == _PLAIN.get(number):
                offset = start
                if length != nbytes:
                    what = f"has {length} bytes; {_shown(shape)} of {dtype} take {nbytes}"
                    self._corrupt(name, what)
        storage = Storage(name, nbytes, offset)
        return TensorEntry(name, dtype, shape, storage, 0, None, nbytes)

    def _external(
        self, name: str, dtype: str, shape: tuple[int, ...], nbytes: int, stated: Mapping[str, str]
    ) -> TensorEntry:
        file = stated.get("location", "")
        place = PurePosixPath(file.replace("\\", "/"))
        offset = _number(stated.get("offset", "0"))
        length = _number(stated.get("length", str(nbytes)))
        nowhere = TensorEntry(
            name, dtype, shape, Storage(name, nbytes, None, file), 0, None, nbytes
        )
        if not file or place.is_absolute() or ".." in place.parts or ":" in file:
            text = (
                f"`{name[:200]}` points at {file[:200]!r}, outside the model's folder: it is not"
                " read."
            )
            self.findings.append(Finding("dangerous", "error", text, {"key": name}))
            return nowhere
        if offset is None or length is None:
            self._corrupt(
                name, f"has the impossible place {str(dict(stated))[:200]} in {file[:200]}"
            )
            return nowhere
        if file not in self.files and len(self.files) >= FILES_LIMIT:
            self._corrupt(name, f"lies in one file more than the {FILES_LIMIT} that are looked for")
            return nowhere
        if file not in self.files:
            path = self.source.path.parent / file
            self.files[file] = path.stat().st_size if path.is_file() else -1
            if self.files[file] < 0:
                self.findings.append(
                    Finding("corrupt", "error", f"{file}, which holds its weights, is missing.")
                )
        room = self.files[file]
        if room >= 0 and offset + length > room:
            self._corrupt(name, f"lies beyond the end of {file[:200]}")
        if length != nbytes and dtype in BITS:
            self._corrupt(name, f"has {length} bytes; {_shown(shape)} of {dtype} take {nbytes}")
        return TensorEntry(name, dtype, shape, Storage(name, length, offset, file), 0, None, length)

    def _value(self, where: Field) -> dict[str, Any]:
        """A ValueInfoProto: name 1, type 2 (tensor_type 1: elem_type 1, shape 2: dim 1)."""
        window = self.window
        found: dict[str, Any] = {"name": "", "dtype": "", "shape": None}
        for item in window.fields(where.start, where.start + where.value):
            if item.number == 1 and item.wire == BYTES:
                found["name"] = window.text(item)
            elif item.number == 2 and item.wire == BYTES:
                for kind in window.fields(item.start, item.start + item.value):
                    if kind.number == 1 and kind.wire == BYTES:
                        found |= self._type(kind)
        return found

    def _type(self, where: Field) -> dict[str, Any]:
        window = self.window
        found: dict[str, Any] = {}
        for item in window.fields(where.start, where.start + where.value):
            if item.number == 1 and item.wire != BYTES:
                found["dtype"] = DTYPES.get(item.value, f"onnx:{item.value}")
            elif item.number == 2 and item.wire == BYTES:
                found["shape"] = [
                    self._dimension(dim)
                    for dim in window.fields(item.start, item.start + item.value)
                    if dim.number == 1 and dim.wire == BYTES
                ][:DIMS_LIMIT]
        return found

    def _dimension(self, where: Field) -> int | str | None:
        for item in self.window.fields(where.start, where.start + where.value):
            if item.number == 1 and item.wire != BYTES:
                return item.value
            if item.number == 2 and item.wire == BYTES:
                return self.window.text(item, 100)
        return None

    def _opset(self, where: Field) -> tuple[str, int]:
        domain, version = "", 0
        for item in self.window.fields(where.start, where.start + where.value):
            if item.number == 1 and item.wire == BYTES:
                domain = self.window.text(item, 200)
            elif item.number == 2 and item.wire != BYTES:
                version = item.value
        return domain, version

    def _pair(self, where: Field) -> tuple[str, str]:
        """A StringStringEntryProto: key 1, value 2."""
        key = value = ""
        for item in self.window.fields(where.start, where.start + where.value):
            if item.wire == BYTES and item.number == 1:
                key = self.window.text(item, 200)
            elif item.wire == BYTES and item.number == 2:
                value = self.window.text(item, 4000)
        return key, value

    def _corrupt(self, key: str, what: str) -> None:
        text = f"`{key[:200]}` {what}."
        self.findings.append(Finding("corrupt", "error", text, {"key": key[:200]}))


def _shown(shape: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None
