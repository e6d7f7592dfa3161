"""FlatBuffers, read in place with every offset checked: tables, vectors and texts.

Source: the FlatBuffers documentation, "Internals": a table points back to a vtable that says where
its fields lie; vectors and texts begin with their length.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from typing import Any

from mycloset.checkpoints.source import DamagedError, Source

TABLES = 300_000
"""Tables of a file that are looked at: a large model has some ten thousand."""

_PAGE = 1 << 14
_PAGES = 256


class Pages:
    """A file's bytes by their places, read in pages as they are asked for.

    No mapping: a file that becomes shorter in the meantime would end the process.

    Args:
        source: the file.
        budget: tables that are looked at before the file is called unreasonable.
    """

    def __init__(self, source: Source, budget: int = TABLES) -> None:
        self.source = source
        self.size = source.size
        self.left = budget
        self._pages: dict[int, bytes] = {}

    def read(self, place: int, length: int) -> bytes:
        """Bytes at a place.

        Raises:
            DamagedError: some lie outside the file.
        """
        if place < 0 or place + length > self.size:
            raise DamagedError("an offset points outside the file", place=place)
        number, at = divmod(place, _PAGE)
        if at + length > _PAGE:
            return self.source.read(place, length)
        page = self._pages.get(number)
        if page is None:
            if len(self._pages) >= _PAGES:
                self._pages.clear()
            begin = number * _PAGE
            page = self.source.read(begin, min(_PAGE, self.size - begin))
            self._pages[number] = page
        return page[at : at + length]

    def number(self, code: str, place: int) -> int:
        """A little-endian number; `code` as in `struct`."""
        form = _form(code)
        found: int = form.unpack(self.read(place, form.size))[0]
        return found


class Table:
    """One table within a file.

    Args:
        pages: the file.
        place: where the table begins.

    Raises:
        DamagedError: it, or its vtable, lies outside the file, or there are too many.
    """

    __slots__ = ("pages", "place", "size", "vtable")

    def __init__(self, pages: Pages, place: int) -> None:
        pages.left -= 1
        if pages.left < 0:
            raise DamagedError("it has more tables than any model needs", place=place)
        self.pages = pages
        self.place = place
        self.vtable = place - pages.number("i", place)
        self.size = pages.number("H", self.vtable)

    def number(self, field: int, code: str, default: int = 0) -> int:
        """A scalar field by its number; `code` as in `struct`."""
        place = self._field(field)
        return default if place is None else self.pages.number(code, place)

    def table(self, field: int) -> Table | None:
        """A field that is a table."""
        place = self._pointed(field)
        return None if place is None else Table(self.pages, place)

    def text(self, field: int, limit: int = 4096) -> str:
        """A field that is a text, shortened to a limit; "" where it is absent."""
        place = self._pointed(field)
        if place is None:
            return ""
        length = self.pages.number("I", place)
        if place + 4 + length > self.pages.size:
            raise DamagedError("a text reaches beyond the file", place=place)
        return self.pages.read(place + 4, min(length, limit)).decode("utf-8", "replace")

    def vector(self, field: int, width: int) -> tuple[int, int]:
        """First place and number of elements of `width` bytes; (0, 0) where it is absent."""
        place = self._pointed(field)
        if place is None:
            return 0, 0
        length = self.pages.number("I", place)
        if place + 4 + length * width > self.pages.size:
            raise DamagedError(f"a vector of {length} reaches beyond the file", place=place)
        return place + 4, length

    def numbers(self, field: int, code: str, limit: int) -> list[Any]:
        """A field that is a vector of scalars.

        Raises:
            DamagedError: it has more than `limit`.
        """
        size = _form(code).size
        start, length = self.vector(field, size)
        if length > limit:
            raise DamagedError(f"a vector has {length} numbers", place=start)
        return list(struct.unpack(f"<{length}{code}", self.pages.read(start, length * size)))

    def tables(self, field: int) -> Iterator[Table]:
        """A field that is a vector of tables."""
        start, length = self.vector(field, 4)
        for index in range(length):
            place = start + 4 * index
            yield Table(self.pages, place + self.pages.number("I", place))

    def _field(self, field: int) -> int | None:
        slot = 4 + 2 * field
        if slot + 2 > self.size:
            return None
        offset = self.pages.number("H", self.vtable + slot)
        return self.place + offset if offset else None

    def _pointed(self, field: int) -> int | None:
        place = self._field(field)
        return None if place is None else place + self.pages.number("I", place)


def root(pages: Pages) -> Table:
    """The table that the file begins with."""
    return Table(pages, pages.number("I", 0))


@cache
def _form(code: str) -> struct.Struct:
    return struct.Struct(f"<{code}")
