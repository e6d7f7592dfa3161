"""Protocol buffers' wire format, walked in place: fields of a message without decoding the rest.

Source: protobuf.dev, "Encoding": varints, and length-delimited fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mycloset.checkpoints.source import DamagedError, Source

VARINT = 0
FIXED64 = 1
BYTES = 2
FIXED32 = 5

FIELDS = 800_000
"""Fields that a walk visits at most: a graph of 50,000 nodes has about half a million."""

_HEAD = 20
"""Bytes that a tag and a length, or a tag and a number, can take."""
_SMALL, _LARGE = 4096, 65536


class Field(NamedTuple):
    """One field of a message.

    Attributes:
        number: the field's number.
        wire: its wire type.
        value: of a varint or fixed number; of bytes, how many.
        start: where its bytes begin in the file; of a varint, where they end.
    """

    number: int
    wire: int
    value: int
    start: int


class Window:
    """A file whose messages are walked; bytes are read in small pages, as the walk needs them.

    No mapping: a file that becomes shorter in the meantime would end the process.

    Args:
        source: the file.
        budget: fields that are walked before the file is called unreasonable.
    """

    def __init__(self, source: Source, budget: int = FIELDS) -> None:
        self._source = source
        self._left = budget
        self._page = b""
        self._begin = 0
        self._length = _SMALL

    def fields(self, start: int, end: int) -> Iterator[Field]:
        """The fields of the message that lies in start..end.

        Raises:
            DamagedError: a field reaches beyond the message, has an unknown wire type, or there
                are too many.
        """
        page, begin = self._around(start, end)
        top = begin + len(page)
        place = start
        while place < end:
            if place + _HEAD > top and top < end:
                page, begin = self._around(place, end)
                top = begin + len(page)
            self._left -= 1
            if self._left < 0:
                raise DamagedError("it has more fields than any model needs", place=place)
            at = place - begin
            limit = min(end, top) - begin
            tag = page[at]
            at += 1
            if tag > 0x7F:
                tag, at = _varint(page, at - 1, limit, begin)
            wire = tag & 7
            number = tag >> 3
            if wire == BYTES:
                if at < limit and page[at] < 0x80:
                    value = page[at]
                    at += 1
                else:
                    value, at = _varint(page, at, limit, begin)
                place = begin + at
                if value > end - place:
                    raise DamagedError(
                        f"field {number} states {value} bytes, but {end - place} are left",
                        place=place,
                    )
                yield Field(number, wire, value, place)
                place += value
            elif wire == VARINT:
                value, at = _varint(page, at, limit, begin)
                place = begin + at
                yield Field(number, wire, value, place)
            elif wire in (FIXED64, FIXED32):
                size = 8 if wire == FIXED64 else 4
                if size > limit - at:
                    raise DamagedError(f"field {number} is cut off", place=begin + at)
                value = int.from_bytes(page[at : at + size], "little")
                yield Field(number, wire, value, begin + at)
                place = begin + at + size
            else:
                raise DamagedError(f"field {number} has the unknown wire type {wire}", place=place)

    def text(self, field: Field, limit: int = 4096) -> str:
        """A field's bytes as text, shortened to a limit."""
        return self._bytes(field.start, min(field.value, limit)).decode("utf-8", "replace")

    def integers(self, field: Field, limit: int) -> list[int]:
        """A repeated integer field: one number, or a packed run of at most `limit`.

        Raises:
            DamagedError: more of them, or one that does not end within the field.
        """
        if field.wire != BYTES:
            return [field.value]
        found = []
        packed = self._bytes(field.start, min(field.value, 10 * limit + 10))
        at = 0
        while at < len(packed):
            value, at = _varint(packed, at, len(packed), field.start)
            found.append(value)
            if len(found) > limit:
                raise DamagedError(
                    f"field {field.number} has more than {limit} numbers", place=field.start
                )
        return found

    def _bytes(self, start: int, length: int) -> bytes:
        at = start - self._begin
        if at >= 0 and at + length <= len(self._page):
            return self._page[at : at + length]
        return self._source.read(start, length)

    def _around(self, place: int, end: int) -> tuple[bytes, int]:
        """A page in which a field's head at `place` lies, and where the page begins."""
        top = self._begin + len(self._page)
        if self._begin <= place < top and (place + _HEAD <= top or top >= end):
            return self._page, self._begin
        # Read on in growing pages, but little behind a jump across somebody's weights.
        onward = self._begin <= place <= top
        self._length = min(2 * self._length, _LARGE) if onward else _SMALL
        length = min(self._length, self._source.size - place)
        self._page = self._source.read(place, length)
        self._begin = place
        return self._page, place


def _varint(page: bytes, at: int, limit: int, begin: int) -> tuple[int, int]:
    """A varint's value, and the place behind it in the page."""
    value = shift = 0
    while at < limit:
        byte = page[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            break
    raise DamagedError("a number does not end where it should", place=begin + at)
