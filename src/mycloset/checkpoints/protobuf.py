"""Protocol buffers' wire format, walked in place: fields of a message without decoding the rest.

Source: protobuf.dev, "Encoding": varints, and length-delimited fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mycloset.checkpoints.source import DamagedError

VARINT = 0
FIXED64 = 1
BYTES = 2
FIXED32 = 5


class Field(NamedTuple):
    """One field of a message.

    Attributes:
        number: the field's number.
        wire: its wire type.
        value: of a varint or fixed number; of bytes, how many.
        start: where its bytes begin in the buffer (bytes only).
    """

    number: int
    wire: int
    value: int
    start: int


class Window:
    """A buffer that is a part of a file, or a mapping of the whole; places are the buffer's."""

    def __init__(self, buffer: memoryview) -> None:
        self.buffer = buffer

    def varint(self, place: int, end: int) -> tuple[int, int]:
        """A varint's value and the place behind it.

        Raises:
            DamagedError: it does not end within the message or within ten bytes.
        """
        buffer = self.buffer
        value = shift = 0
        while place < end:
            byte = buffer[place]
            place += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, place
            shift += 7
            if shift > 63:
                break
        raise DamagedError("a number does not end where it should", place=place)

    def fields(self, start: int, end: int) -> Iterator[Field]:
        """The fields of the message that lies in start..end.

        Raises:
            DamagedError: a field reaches beyond the message, or has an unknown wire type.
        """
        buffer = self.buffer
        varint = self.varint
        place = start
        while place < end:
            tag = buffer[place]
            if tag < 0x80:
                place += 1
            else:
                tag, place = varint(place, end)
            wire = tag & 7
            number = tag >> 3
            if wire == BYTES:
                if place < end and buffer[place] < 0x80:
                    length = buffer[place]
                    place += 1
                else:
                    length, place = varint(place, end)
                if length > end - place:
                    raise DamagedError(
                        f"field {number} states {length} bytes, but {end - place} are left",
                        place=place,
                    )
                yield Field(number, wire, length, place)
                place += length
            elif wire == VARINT:
                value, place = varint(place, end)
                yield Field(number, wire, value, place)
            elif wire in (FIXED64, FIXED32):
                size = 8 if wire == FIXED64 else 4
                if size > end - place:
                    raise DamagedError(f"field {number} is cut off", place=place)
                number_bytes = bytes(buffer[place : place + size])
                yield Field(number, wire, int.from_bytes(number_bytes, "little"), place)
                place += size
            else:
                raise DamagedError(f"field {number} has the unknown wire type {wire}", place=place)

    def text(self, field: Field, limit: int = 4096) -> str:
        """A field's bytes as text, shortened to a limit."""
        length = min(field.value, limit)
        return bytes(self.buffer[field.start : field.start + length]).decode("utf-8", "replace")

    def integers(self, field: Field, limit: int) -> list[int]:
        """A repeated integer field: one number, or a packed run of at most `limit`."""
        if field.wire != BYTES:
            return [field.value]
        found = []
        place, end = field.start, field.start + field.value
        while place < end:
            value, place = self.varint(place, end)
            found.append(value)
            if len(found) > limit:
                raise DamagedError(
                    f"field {field.number} has more than {limit} numbers", place=place
                )
        return found
