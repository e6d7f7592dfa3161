"""Writes FlatBuffers, parents before what they point at."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any


class Flat:
    """A FlatBuffers table for `flatbuffer`: what lies in each field, by the field's number.

    Scalars are bytes; texts, tables and lists of tables are pointed at; `Vector` is a list of
    scalars.
    """

    def __init__(self, fields: Mapping[int, Any]) -> None:
        self.fields = fields


class Vector:
    """So many scalars with their bytes; or a hole of so many zero bytes."""

    def __init__(self, length: int, content: bytes | int) -> None:
        self.length = length
        self.content = content


def flatbuffer(file: Any, root: Flat, identifier: bytes) -> None:
    """Write a FlatBuffers file from its root table."""
    file.write(b"\0\0\0\0" + identifier)
    waiting: list[tuple[int, Any]] = [(0, root)]
    while waiting:
        slot, thing = waiting.pop(0)
        file.seek(-file.tell() % 16 + file.tell())
        start = file.tell()
        if isinstance(thing, Flat):
            start = _flat_table(file, thing, waiting)
        elif isinstance(thing, str):
            file.write(struct.pack("<I", len(thing.encode())) + thing.encode() + b"\0")
        elif isinstance(thing, Vector):
            file.seek(12, 1)
            start = file.tell()
            file.write(struct.pack("<I", thing.length))
            if isinstance(thing.content, int):
                file.seek(thing.content, 1)
            else:
                file.write(thing.content)
        else:
            file.write(struct.pack("<I", len(thing)) + bytes(4 * len(thing)))
            waiting.extend((start + 4 + 4 * place, item) for place, item in enumerate(thing))
        end = file.tell()
        file.seek(slot)
        file.write(struct.pack("<I", start - slot))
        file.seek(end)
    file.truncate()


def _flat_table(file: Any, table: Flat, waiting: list[tuple[int, Any]]) -> int:
    fields = max(table.fields, default=-1) + 1
    offsets, body = [0] * fields, b""
    pointers = []
    for number, value in table.fields.items():
        width = len(value) if isinstance(value, bytes) else 4
        body += bytes(-(4 + len(body)) % width)
        offsets[number] = 4 + len(body)
        if not isinstance(value, bytes):
            pointers.append((4 + len(body), value))
        body += value if isinstance(value, bytes) else bytes(4)
    vtable = struct.pack(f"<HH{fields}H", 4 + 2 * fields, 4 + len(body), *offsets)
    vtable += bytes(-len(vtable) % 8)
    file.write(vtable)
    start: int = file.tell()
    file.write(struct.pack("<i", len(vtable)) + body)
    waiting.extend((start + offset, value) for offset, value in pointers)
    return start
