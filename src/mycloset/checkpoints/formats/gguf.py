"""GGUF: key-values and tensor infos of llama.cpp's format, versions 2 and 3.

Source: ggml-org/ggml, docs/gguf.md and ggml.h (types with their block sizes).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from math import isfinite, prod
from typing import Any, Literal

from mycloset.checkpoints.contents import Checkpoint, Finding, TensorGroup, limited
from mycloset.checkpoints.source import DamagedError, Source
from mycloset.checkpoints.tensors import Storage, TensorEntry, TensorTable

FORMAT = "gguf"
TENSORS_LIMIT = 65_536
VALUES_LIMIT = 100_000
ARRAY_LIMIT = 200_000_000
HEADER_LIMIT = 64_000_000
STRING_LIMIT = 1_000_000
TEXTS_LIMIT = 3_000_000
"""Texts in arrays that are walked over: a vocabulary and its merges have up to a million."""
MAX_ALIGNMENT = 1 << 20
_TOLD = 8

TYPES: Mapping[int, tuple[str, int, int]] = {
    0: ("float32", 1, 4),
    1: ("float16", 1, 2),
    2: ("q4_0", 32, 18),
    3: ("q4_1", 32, 20),
    6: ("q5_0", 32, 22),
    7: ("q5_1", 32, 24),
    8: ("q8_0", 32, 34),
    9: ("q8_1", 32, 36),
    10: ("q2_k", 256, 84),
    11: ("q3_k", 256, 110),
    12: ("q4_k", 256, 144),
    13: ("q5_k", 256, 176),
    14: ("q6_k", 256, 210),
    15: ("q8_k", 256, 292),
    16: ("iq2_xxs", 256, 66),
    17: ("iq2_xs", 256, 74),
    18: ("iq3_xxs", 256, 98),
    19: ("iq1_s", 256, 50),
    20: ("iq4_nl", 32, 18),
    21: ("iq3_s", 256, 110),
    22: ("iq2_s", 256, 82),
    23: ("iq4_xs", 256, 136),
    24: ("int8", 1, 1),
    25: ("int16", 1, 2),
    26: ("int32", 1, 4),
    27: ("int64", 1, 8),
    28: ("float64", 1, 8),
    29: ("iq1_m", 256, 56),
    30: ("bfloat16", 1, 2),
    31: ("q4_0_4_4", 32, 18),
    32: ("q4_0_4_8", 32, 18),
    33: ("q4_0_8_8", 32, 18),
    34: ("tq1_0", 256, 54),
    35: ("tq2_0", 256, 66),
    39: ("mxfp4", 32, 17),
}
"""ggml type -> name, elements and bytes of a block."""

_SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_STRING = 8
_ARRAY = 9


def read(source: Source) -> Checkpoint:
    """List a GGUF file's key-values and tensors.

    Raises:
        DamagedError: its header is cut off or states impossible numbers.
    """
    return _Reader(source).read()


class _Reader:
    """Reads on from a place; the file is read in blocks as the header needs them."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.block = b""
        self.begin = 0
        self.place = 4
        self.order = "<"
        self.texts_left = TEXTS_LIMIT

    def read(self) -> Checkpoint:
        version = self.number("I")
        if version > 0xFFFF:
            self.order = ">"
            version = struct.unpack(">I", struct.pack("<I", version))[0]
        if version == 1:
            self.fail("has version 1 of the format, which is not read")
        if version not in (2, 3):
            self.fail(f"has version {version}; 2 and 3 are known")
        tensors, values = self.number("Q"), self.number("Q")
        if tensors > TENSORS_LIMIT or values > VALUES_LIMIT:
            self.fail(f"states {tensors} tensors and {values} values: more than are read")
        metadata: dict[str, Any] = {}
        findings: list[Finding] = []
        for _ in range(values):
            key = self.string()
            if key in metadata:
                findings.append(_corrupt(key, "is stated twice"))
            metadata[key] = self.value(self.number("I"), 0)
        metadata["version"] = version
        metadata["byteorder"] = "big" if self.order == ">" else "little"
        infos = [self.info() for _ in range(tensors)]
        alignment = metadata.get("general.alignment", 32)
        if type(alignment) is not int or not 0 < alignment <= MAX_ALIGNMENT:
            self.fail(f"states the impossible alignment {alignment!r}")
        start = -(-self.place // alignment) * alignment
        entries = []
        for key, shape, kind, offset in infos:
            name, per_block, size = TYPES.get(kind, (f"ggml:{kind}", 1, 0))
            if kind not in TYPES:
                text = f"`{key[:200]}` has the type {kind}, whose size is not known here."
                findings.append(Finding("unusual", "warning", text, {"key": key[:200]}))
            if offset % alignment:
                findings.append(_corrupt(key, f"begins at {offset}, no multiple of {alignment}"))
            elements = prod(shape)
            nbytes = elements // per_block * size
            if elements % per_block:
                findings.append(
                    _corrupt(key, f"has {elements} elements, no multiple of {per_block}")
                )
            if start + offset + nbytes > self.source.size:
                findings.append(_corrupt(key, f"ends beyond the file's {self.source.size} bytes"))
            storage = Storage(key, nbytes, start + offset)
            entries.append(TensorEntry(key, name, shape, storage, 0, None, nbytes))
        table = TensorTable(entries)
        if len(table) < len(entries):
            findings.append(Finding("corrupt", "error", "Some tensors have the same name."))
        return Checkpoint(
            self.source.path,
            FORMAT,
            self.source.size,
            (TensorGroup((), table),) if entries else (),
            (self.source.path.name,),
            metadata=metadata,
            findings=tuple(limited(findings)),
        )

    def info(self) -> tuple[str, tuple[int, ...], int, int]:
        key = self.string()
        dims = self.number("I")
        if dims > 8:
            self.fail(f"gives `{key[:60]}` {dims} dimensions")
        # ggml names the fastest dimension first.
        shape = tuple(reversed([self.number("Q") for _ in range(dims)]))
        return key, shape, self.number("I"), self.number("Q")

    def value(self, kind: int, depth: int) -> Any:
        if kind in _SCALARS:
            return _finite(self.number(_SCALARS[kind]))
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY or depth > 2:
            self.fail(f"has a value of the unknown type {kind}")
        inner, length = self.number("I"), self.number("Q")
        if length > ARRAY_LIMIT:
            self.fail(f"has an array of {length} values")
        told = []
        if inner in _SCALARS:
            size = struct.calcsize(f"{self.order}{_SCALARS[inner]}")
            for _ in range(min(length, _TOLD)):
                told.append(_finite(self.number(_SCALARS[inner])))
            self.skip((length - len(told)) * size)
        elif inner == _STRING:
            told = self.texts(length)
        else:
            self.texts_left -= length
            if self.texts_left < 0:
                self.fail(f"has arrays of more than {TEXTS_LIMIT} values")
            for place in range(length):
                item = self.value(inner, depth + 1)
                if place < _TOLD:
                    told.append(item)
        return told if length <= _TOLD else {"length": length, "first": told}

    def texts(self, length: int) -> list[Any]:
        """The first of so many texts; the others are walked over."""
        self.texts_left -= length
        if self.texts_left < 0:
            self.fail(f"has arrays of more than {TEXTS_LIMIT} texts")
        told: list[Any] = [self.string() for _ in range(min(length, _TOLD))]
        order: Literal["little", "big"] = "little" if self.order == "<" else "big"
        for _ in range(length - len(told)):
            at = self.place - self.begin
            size = int.from_bytes(self.block[at : at + 8], order)
            if at + 8 + size <= len(self.block):
                self.place += 8 + size
            else:
                self.string()
        return told

    def string(self) -> str:
        length = self.number("Q")
        if length > STRING_LIMIT:
            self.fail(f"has a text of {length} bytes")
        return self.take(length).decode("utf-8", "replace")

    def number(self, code: str) -> Any:
        form = self.order + code
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def skip(self, length: int) -> None:
        if self.place + length > self.source.size:
            self.fail("is cut off within its header")
        self.place += length

    def take(self, length: int) -> bytes:
        start = self.place - self.begin
        if start < 0 or start + length > len(self.block):
            if self.place + length > self.source.size:
                self.fail("is cut off within its header")
            if self.place > HEADER_LIMIT:
                self.fail(f"has a header of more than {HEADER_LIMIT} bytes")
            size = min(max(length, 1 << 20), self.source.size - self.place)
            self.block = self.source.read(self.place, size)
            self.begin = self.place
            start = 0
        self.place += length
        return self.block[start : start + length]

    def fail(self, what: str) -> None:
        raise DamagedError(f"{self.source.path.name} {what}.", place=self.place)


def _finite(number: Any) -> Any:
    """A number that JSON can hold; NaN and infinities as text."""
    return number if not isinstance(number, float) or isfinite(number) else str(number)


def _corrupt(key: str, what: str) -> Finding:
    return Finding("corrupt", "error", f"`{key[:200]}` {what}.", {"key": key[:200]})
