"""FlatBuffers, read in place with every offset checked: tables, vectors and texts.

Source: the FlatBuffers documentation, "Internals": a table points back to a vtable that says where
its fields lie; vectors and texts begin with their length.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from mycloset.checkpoints.source import DamagedError

VECTOR_LIMIT = 5_000_000


class Table:
    """One table within a buffer.

    Args:
        buffer: the whole file.
        place: where the table begins.

    Raises:
        DamagedError: it, or its vtable, lies outside the buffer.
    """

    __slots__ = ("buffer", "place", "size", "vtable")

    def __init__(self, buffer: memoryview, place: int) -> None:
        self.buffer = buffer
        self.place = place
        self.vtable = place - _read("<i", buffer, place)
        self.size = _read("<H", buffer, self.vtable)

    def number(self, field: int, code: str, default: int = 0) -> int:
        """A scalar field by its number; `code` as in `struct`."""
        place = self._field(field)
        return default if place is None else _read(f"<{code}", self.buffer, place)

    def table(self, field: int) -> Table | None:
        """A field that is a table."""
        place = self._pointed(field)
        return None if place is None else Table(self.buffer, place)

    def text(self, field: int, limit: int = 4096) -> str:
        """A field that is a text, shortened to a limit; "" where it is absent."""
        place = self._pointed(field)
        if place is None:
            return ""
        length = _read("<I", self.buffer, place)
        if place + 4 + length > len(self.buffer):
            raise DamagedError("a text reaches beyond the file", place=place)
        start = place + 4
        return bytes(self.buffer[start : start + min(length, limit)]).decode("utf-8", "replace")

    def vector(self, field: int, width: int) -> tuple[int, int]:
        """First place and number of elements of `width` bytes; (0, 0) where it is absent."""
        place = self._pointed(field)
        if place is None:
            return 0, 0
        length = _read("<I", self.buffer, place)
        if length > VECTOR_LIMIT and width > 1:
            raise DamagedError(f"a vector has {length} elements", place=place)
        if place + 4 + length * width > len(self.buffer):
            raise DamagedError(f"a vector of {length} reaches beyond the file", place=place)
        return place + 4, length

    def numbers(self, field: int, code: str) -> list[int]:
        """A field that is a vector of scalars."""
        start, length = self.vector(field, struct.calcsize(f"<{code}"))
        return list(struct.unpack_from(f"<{length}{code}", self.buffer, start)) if length else []

    def tables(self, field: int) -> Iterator[Table]:
        """A field that is a vector of tables."""
        start, length = self.vector(field, 4)
        for index in range(length):
            place = start + 4 * index
            yield Table(self.buffer, place + _read("<I", self.buffer, place))

    def _field(self, field: int) -> int | None:
        slot = 4 + 2 * field
        if slot + 2 > self.size:
            return None
        offset = _read("<H", self.buffer, self.vtable + slot)
        return self.place + offset if offset else None

    def _pointed(self, field: int) -> int | None:
        place = self._field(field)
        return None if place is None else place + _read("<I", self.buffer, place)


def root(buffer: memoryview) -> Table:
    """The table that the file begins with."""
    return Table(buffer, _read("<I", buffer, 0))


def _read(form: str, buffer: memoryview, place: int) -> int:
    if place < 0 or place + struct.calcsize(form) > len(buffer):
        raise DamagedError("an offset points outside the file", place=place)
    found: int = struct.unpack_from(form, buffer, place)[0]
    return found
