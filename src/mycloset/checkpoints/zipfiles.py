"""Reads zip archives by their central directory, and says where an archive contradicts itself."""

from __future__ import annotations

import os
import zlib
from struct import Struct
from struct import error as StructError  # noqa: N812
from typing import NamedTuple

from mycloset.checkpoints.contents import Finding
from mycloset.checkpoints.source import DamagedError, Source

STORED, DEFLATED = 0, 8

ENTRIES = 100_000
"""Members that an archive may have."""

DIRECTORY = 12_000_000
"""Bytes that its directory may take."""

_CLOSE = 4096
"""Bytes over which headers are read together."""

_SURVEYED = 50_000
"""Members whose places are found before they are asked for."""

_TAIL = 22 + 65535 + 20
_END = Struct("<4s4H2IH")
_LOCATOR = Struct("<4sIQI")
_END64 = Struct("<4sQ2H2I4Q")
_ENTRY = Struct("<4s4x2H4x3I3H8xI")
_LOCAL = Struct("<4s2x2H4x3I2H").unpack_from
_FULL = 0xFFFFFFFF
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_PATCHED = 0x20


class Member(NamedTuple):
    """One member, as the central directory has it.

    Attributes:
        name: as text; bytes that are no UTF-8 are read as code page 437.
        flags: general purpose bits.
        method: 0 stored, 8 deflated.
        crc: CRC-32 of the unpacked bytes.
        packed: bytes that it takes in the file.
        size: bytes when unpacked.
        header: place of its local header in the file.
        raw: the name's bytes.
    """

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    header: int
    raw: bytes


class Archive:
    """A zip archive whose directory was read.

    Args:
        source: the file.

    Attributes:
        members: in the directory's order.
        by_name: the first of each name.
        findings: contradictions seen so far; `place` adds to them.
        start: bytes before the archive's own first byte.
        places: where the bytes of members begin, by the place of their header, as far as asked.

    Raises:
        DamagedError: no end record, or a directory that cannot be read.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.findings: list[Finding] = []
        self.start = 0
        self.members = self._directory()
        self.by_name: dict[str, Member] = {}
        for member in self.members:
            self.by_name.setdefault(member.name, member)
        self.places: dict[int, int] = {}
        self._report()

    def place(self, member: Member) -> int:
        """Where a member's bytes begin in the file, by its local header, which is checked.

        Raises:
            DamagedError: no local header there, or the bytes lie outside the file.
        """
        known = self.places.get(member.header)
        if known is not None:
            return known
        length = 30 + len(member.raw)
        # Read past Source's own checks: there are as many headers as members.
        inside = 0 <= member.header < self.source.size
        head = os.pread(self.source.fileno(), length, member.header) if inside else b""
        try:
            mark, flags, method, crc, packed, size, named, extra = _LOCAL(head)
        except StructError:
            mark = b""
        if mark != b"PK\3\4":
            raise DamagedError(
                f"{self.source.path.name}: {member.name!r} has no header where the directory says.",
                place=member.header,
            )
        start: int = member.header + 30 + named + extra
        if start + member.packed > self._directory_place:
            raise DamagedError(
                f"{self.source.path.name}: {member.name!r} reaches beyond the members' part.",
                place=member.header,
            )
        if (
            head[30:] != member.raw
            or flags != member.flags
            or method != member.method
            or named != len(member.raw)
            or (size and size not in (member.size, _FULL))
            or (packed and packed not in (member.packed, _FULL))
            or (crc and crc != member.crc)
        ):
            self._differs(member, head, flags, method)
        self.places[member.header] = start
        return start

    def survey(self) -> None:
        """Find the places of the first members at once, which takes a third of the time; those
        whose headers are missing, or say otherwise than the directory, are left to `place`."""
        handle, unpack = self.source.fileno(), _LOCAL
        limit, size = self._directory_place, self.source.size
        members = self.members[:_SURVEYED]
        places: dict[int, int] = {}
        left: set[int] = set()
        block, base, reach = b"", 0, 0
        for number, member in enumerate(members):
            _, flags, method, crc, packed, full, header, raw = member
            begin, end = header - base, header - base + 30 + len(raw)
            if begin < 0 or end > reach:
                if not 0 <= header < size:
                    left.add(header)
                    continue
                # Small members stand close together: their headers are read in one go.
                length, following = 30 + len(raw), number + 1
                while following < len(members):
                    other = members[following]
                    least = other[6] - header + 30 + len(other[7])
                    if not length < least <= _CLOSE:
                        break
                    length, following = least, following + 1
                block = os.pread(handle, length, header)
                base, reach, begin, end = header, len(block), 0, 30 + len(raw)
                if end > reach:
                    left.add(header)
                    continue
            mark, flags_, method_, crc_, packed_, full_, named, extra = unpack(block, begin)
            start = header + 30 + named + extra
            if (
                mark == b"PK\3\4"
                and start + packed <= limit
                and flags_ == flags
                and method_ == method
                and named == len(raw)
                and (not full_ or full_ in (full, _FULL))
                and (not packed_ or packed_ in (packed, _FULL))
                and (not crc_ or crc_ == crc)
                and block[begin + 30 : end] == raw
            ):
                places[header] = start
            else:
                left.add(header)
        for header in left:
            places.pop(header, None)
        self.places.update(places)

    def check_overlaps(self) -> None:
        """Note members that lie in one another, among those whose place was asked for."""
        places = self.places
        ranges = sorted(
            (places[member.header], places[member.header] + member.packed, member.name)
            for member in self.members
            if member.header in places and member.packed
        )
        end, before = 0, ""
        for start, stop, name in ranges:
            if start < end:
                self._note("corrupt", "error", f"{before!r} and {name!r} in the same place")
            if stop > end:
                end, before = stop, name

    def read(self, member: Member, limit: int) -> bytes:
        """A member's bytes, unpacked.

        Raises:
            DamagedError: more than `limit` bytes, another packing than deflate, broken.
        """
        name = f"{self.source.path.name}: {member.name!r}"
        if max(member.size, member.packed) > limit:
            raise DamagedError(f"{name} has more than the {limit} bytes that are read of it.")
        packed = self.source.read(self.place(member), member.packed)
        if member.method == STORED:
            return packed
        if member.method != DEFLATED:
            raise DamagedError(f"{name} is packed by method {member.method}, which is not read.")
        unpacker = zlib.decompressobj(-15)
        try:
            data = unpacker.decompress(packed, member.size + 1)
        except zlib.error as error:
            raise DamagedError(f"{name} cannot be unpacked: {error}.") from error
        if len(data) != member.size:
            self._note("corrupt", "error", f"{member.name!r}, whose size is not the one stated")
        return data

    def head(self, member: Member, length: int) -> bytes:
        """The first bytes of a member, unpacked, as many as there are up to `length`.

        Raises:
            DamagedError: not where the directory says.
        """
        packed = self.source.read(self.place(member), min(member.packed, length + 64))
        if member.method == STORED:
            return packed[:length]
        if member.method != DEFLATED:
            return b""
        try:
            return zlib.decompressobj(-15).decompress(packed, length)
        except zlib.error:
            return b""

    def crc_holds(self, member: Member) -> bool:
        """Whether a member's bytes have the CRC-32 and size that the directory states; reads all.

        Raises:
            DamagedError: not where the directory says, or another packing than deflate.
        """
        if member.method not in (STORED, DEFLATED):
            raise DamagedError(f"{member.name!r} is packed by method {member.method}.")
        unpacker = zlib.decompressobj(-15) if member.method == DEFLATED else None
        start, left, crc, size = self.place(member), member.packed, 0, 0
        while left > 0:
            part = self.source.read(start, min(left, 1 << 20))
            start, left = start + len(part), left - len(part)
            while True:
                try:
                    plain = unpacker.decompress(part, 1 << 20) if unpacker else part
                except zlib.error:
                    return False
                crc, size = zlib.crc32(plain, crc), size + len(plain)
                part = unpacker.unconsumed_tail if unpacker else b""
                if not part or size > member.size:
                    break
            if size > member.size:
                return False
        return crc == member.crc and size == member.size

    def _directory(self) -> tuple[Member, ...]:
        source = self.source
        tail = source.tail(_TAIL)
        origin = source.size - len(tail)
        at = tail.rfind(b"PK\5\6", 0, max(len(tail) - 18, 0))
        if at < 0:
            raise DamagedError(
                f"{source.path.name}: the archive's directory is missing: the file was cut off"
                " or its end was overwritten.",
                place=source.size,
            )
        _, _, _, _, count, length, offset, comment = _END.unpack_from(tail, at)
        end = origin + at
        behind = source.size - end - 22
        if behind:
            what = "a comment" if behind == comment else "bytes"
            self._note("unusual", "info", f"{what} of {behind} bytes after the archive's end")
        if at >= 20 and tail.startswith(b"PK\6\7", at - 20):
            count, length, offset, end = self._wide(end - 20, (count, length, offset))
        if count > ENTRIES or length > DIRECTORY:
            raise DamagedError(f"{source.path.name}: the archive's directory is too large.")
        self.start = end - length - offset
        if self.start < 0:
            raise DamagedError(
                f"{source.path.name}: the archive's directory lies outside the file.", place=end
            )
        if self.start:
            self._note("unusual", "warning", f"{self.start} bytes before the archive's beginning")
        self._directory_place = offset + self.start
        raw = source.read(self._directory_place, length)
        return tuple(self._entries(raw, count))

    def _wide(self, place: int, narrow: tuple[int, int, int]) -> tuple[int, int, int, int]:
        """Count, length and offset of a zip64 archive's directory, and where it ends."""
        source = self.source
        _, _, offset, _ = _LOCATOR.unpack(source.read(place, 20))
        # The record stands right before its locator, wherever the archive begins in the file.
        for start in (place - 56, offset):
            if 0 <= start <= source.size - 56:
                fields = _END64.unpack(source.read(start, 56))
                if fields[0] == b"PK\6\6":
                    found = (fields[7], fields[8], fields[9])
                    for here, there in zip(found, narrow, strict=True):
                        if there not in (0xFFFF, _FULL) and here != there:
                            self._note("unusual", "warning", "two end records that differ")
                            break
                    return (*found, start)
        raise DamagedError(f"{source.path.name}: the archive's end record is broken.", place=place)

    def _entries(self, raw: bytes, count: int) -> list[Member]:
        found: list[Member] = []
        place, shift = 0, self.start
        unpack = _ENTRY.unpack_from
        while place + 46 <= len(raw):
            mark, flags, method, crc, packed, size, named, extra, comment, header = unpack(
                raw, place
            )
            if mark != b"PK\1\2":
                break
            start = place + 46
            name = raw[start : start + named]
            if _FULL in (packed, size, header):
                packed, size, header = _wide_numbers(
                    raw[start + named : start + named + extra], packed, size, header
                )
            try:
                text = name.decode()
            except UnicodeDecodeError:
                text = name.decode("cp437")
            fields = (text, flags, method, crc, packed, size, header + shift, name)
            found.append(tuple.__new__(Member, fields))
            place = start + named + extra + comment
        if len(found) != count or place != len(raw):
            message = f"a directory of {len(found)} members where it should have {count}"
            self._note("corrupt", "error", message)
        return found

    def _report(self) -> None:
        twice = len(self.members) - len({member.name.lower() for member in self.members})
        if twice:
            seen: set[str] = set()
            for member in self.members:
                if member.name.lower() in seen:
                    message = (
                        f"two members named {member.name!r}: readers differ in which they take"
                    )
                    self._note("suspicious", "warning", message)
                seen.add(member.name.lower())
        flags = {member.flags for member in self.members}
        for bits, what in ((_ENCRYPTED, "encrypted"), (_PATCHED, "a patch")):
            if not any(flag & bits for flag in flags):
                continue
            marked = [member.name for member in self.members if member.flags & bits]
            if marked:
                message = (
                    f"{marked[0]!r} marked as {what}, which some readers refuse and others ignore"
                )
                self._note("suspicious", "warning", message, members=marked[:20])

    def _differs(self, member: Member, head: bytes, flags: int, method: int) -> None:
        name = head[30:].decode("utf-8", "replace")
        details = {"member": member.name, "name": name, "flags": flags, "method": method}
        message = f"a header of {member.name!r} that says otherwise than the directory"
        self._note("suspicious", "warning", message, **details)

    def _note(self, kind: str, severity: str, what: str, **details: object) -> None:
        if len(self.findings) < 50:
            message = f"The archive has {what}."
            self.findings.append(Finding(kind, severity, message, details))  # type: ignore[arg-type]


def _wide_numbers(extra: bytes, packed: int, size: int, header: int) -> tuple[int, int, int]:
    """The numbers that did not fit in the entry, from its zip64 field."""
    place = 0
    while place + 4 <= len(extra):
        kind = int.from_bytes(extra[place : place + 2], "little")
        length = int.from_bytes(extra[place + 2 : place + 4], "little")
        field = extra[place + 4 : place + 4 + length]
        if kind == 1:
            numbers = [int.from_bytes(field[at : at + 8], "little") for at in range(0, length, 8)]
            given = iter(numbers)
            size = next(given, size) if size == _FULL else size
            packed = next(given, packed) if packed == _FULL else packed
            header = next(given, header) if header == _FULL else header
            break
        place += 4 + length
    return packed, size, header
