"""What follows each opcode of a pickle, and how the written-out numbers and strings are read."""

from __future__ import annotations

import re

FIXED: dict[int, tuple[str, int]] = {
    0x28: ("MARK", 0), 0x29: ("EMPTY_TUPLE", 0), 0x2E: ("STOP", 0), 0x30: ("POP", 0),
    0x31: ("POP_MARK", 0), 0x32: ("DUP", 0), 0x47: ("BINFLOAT", 8), 0x4A: ("BININT", 4),
    0x4B: ("BININT1", 1), 0x4D: ("BININT2", 2), 0x4E: ("NONE", 0), 0x51: ("BINPERSID", 0),
    0x52: ("REDUCE", 0), 0x5D: ("EMPTY_LIST", 0), 0x61: ("APPEND", 0), 0x62: ("BUILD", 0),
    0x64: ("DICT", 0), 0x65: ("APPENDS", 0), 0x68: ("BINGET", 1), 0x6A: ("LONG_BINGET", 4),
    0x6C: ("LIST", 0), 0x6F: ("OBJ", 0), 0x71: ("BINPUT", 1), 0x72: ("LONG_BINPUT", 4),
    0x73: ("SETITEM", 0), 0x74: ("TUPLE", 0), 0x75: ("SETITEMS", 0), 0x7D: ("EMPTY_DICT", 0),
    0x80: ("PROTO", 1), 0x81: ("NEWOBJ", 0), 0x82: ("EXT1", 1), 0x83: ("EXT2", 2),
    0x84: ("EXT4", 4), 0x85: ("TUPLE1", 0), 0x86: ("TUPLE2", 0), 0x87: ("TUPLE3", 0),
    0x88: ("NEWTRUE", 0), 0x89: ("NEWFALSE", 0), 0x8F: ("EMPTY_SET", 0), 0x90: ("ADDITEMS", 0),
    0x91: ("FROZENSET", 0), 0x92: ("NEWOBJ_EX", 0), 0x93: ("STACK_GLOBAL", 0),
    0x94: ("MEMOIZE", 0), 0x95: ("FRAME", 8), 0x97: ("NEXT_BUFFER", 0),
    0x98: ("READONLY_BUFFER", 0),
}  # fmt: skip
"""Name and number of operand bytes."""

COUNTED: dict[int, tuple[str, int]] = {
    0x42: ("BINBYTES", 4), 0x43: ("SHORT_BINBYTES", 1), 0x54: ("BINSTRING", 4),
    0x55: ("SHORT_BINSTRING", 1), 0x58: ("BINUNICODE", 4), 0x8A: ("LONG1", 1),
    0x8B: ("LONG4", 4), 0x8C: ("SHORT_BINUNICODE", 1), 0x8D: ("BINUNICODE8", 8),
    0x8E: ("BINBYTES8", 8), 0x96: ("BYTEARRAY8", 8),
}  # fmt: skip
"""Name and width of the little-endian count that precedes as many bytes."""

LINES: dict[int, tuple[str, int]] = {
    0x46: ("FLOAT", 1), 0x49: ("INT", 1), 0x4C: ("LONG", 1), 0x50: ("PERSID", 1),
    0x53: ("STRING", 1), 0x56: ("UNICODE", 1), 0x63: ("GLOBAL", 2), 0x67: ("GET", 1),
    0x69: ("INST", 2), 0x70: ("PUT", 1),
}  # fmt: skip
"""Name and number of lines that follow."""


def name(opcode: int) -> str:
    """The opcode's name, or its byte."""
    for table in (FIXED, COUNTED, LINES):
        if opcode in table:
            return table[opcode][0]
    return f"{opcode:#04x}"


def wanted(data: bytes, start: int, longest: int) -> int:
    """How many bytes the opcode at `start` needs, as far as `data` shows.

    Args:
        data: what of the pickle is at hand.
        start: place of the opcode in it.
        longest: what to ask for where a line's end is not in sight.
    """
    if start >= len(data):
        return 1
    opcode = data[start]
    if opcode in FIXED:
        return 1 + FIXED[opcode][1]
    if opcode in COUNTED:
        width = COUNTED[opcode][1]
        after = start + 1 + width
        if after > len(data):
            return 1 + width
        return 1 + width + int.from_bytes(data[start + 1 : after], "little")
    place = start
    for _ in range(LINES.get(opcode, ("", 0))[1]):
        place = data.find(b"\n", place + 1)
        if place < 0:
            return longest
    return place - start + 1


def whole_number(line: bytes) -> int | bool:
    """What INT says: C's `strtol` with any base, then Python's own rules.

    Raises:
        ValueError: no number.
    """
    if line in (b"00", b"01"):
        return line == b"01"
    text = line.decode("ascii").strip()
    # strtol reads "017" as octal, which int() refuses.
    if re.fullmatch(r"[+-]?0[0-7]+", text):
        return int(text, 8)
    return int(text, 0)


def long_number(line: bytes) -> int:
    """What LONG says: a number of any base with or without its L.

    Raises:
        ValueError: no number.
    """
    return int(line.removesuffix(b"L").decode("ascii"), 0)


def quoted(line: bytes) -> bytes:
    """The bytes of a STRING, which Python 2 wrote as its `repr`.

    Raises:
        ValueError: not in quotes, or a broken escape.
    """
    line = line.strip()
    if len(line) < 2 or line[0] != line[-1] or line[:1] not in (b"'", b'"'):
        raise ValueError
    return _ESCAPE.sub(_unescaped, line[1:-1])


_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|([\s\S])|\Z)")
_SIMPLE = dict(zip(b"\\'\"abfnrtv", b"\\'\"\a\b\f\n\r\t\v", strict=True))


def _unescaped(match: re.Match[bytes]) -> bytes:
    octal, hexadecimal, simple = match.groups()
    if octal:
        return bytes([int(octal, 8) & 0xFF])
    if hexadecimal:
        return bytes([int(hexadecimal, 16)])
    if not simple or simple == b"x":
        raise ValueError
    if simple == b"\n":
        return b""
    return bytes([_SIMPLE[simple[0]]]) if simple[0] in _SIMPLE else match[0]
