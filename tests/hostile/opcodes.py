"""A small assembler of pickles, for what no pickler would write."""

from __future__ import annotations

import struct


def glob(module: str, name: str) -> bytes:
    """GLOBAL."""
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def stack_glob(module: bytes, name: bytes) -> bytes:
    """STACK_GLOBAL on two operands."""
    return module + name + b"\x93"


def text(value: str) -> bytes:
    """BINUNICODE."""
    raw = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(raw)) + raw


def short(value: str) -> bytes:
    """SHORT_BINUNICODE."""
    raw = value.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


def raw_bytes(value: bytes) -> bytes:
    """BINBYTES."""
    return b"B" + struct.pack("<I", len(value)) + value


def args(*parts: bytes) -> bytes:
    """A tuple."""
    return b"(" + b"".join(parts) + b"t"


def call(function: bytes, *parts: bytes) -> bytes:
    """REDUCE of a function on arguments."""
    return function + args(*parts) + b"R"


def pickle(body: bytes, protocol: int = 2) -> bytes:
    """A whole pickle that leaves one object."""
    start = b"" if protocol < 2 else b"\x80" + bytes([protocol])
    return start + body + b"."
