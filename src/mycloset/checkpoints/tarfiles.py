"""Where the members of a tar archive lie; nothing is extracted."""

from __future__ import annotations

from mycloset.checkpoints.contents import Finding
from mycloset.checkpoints.source import DamagedError, Source

MEMBERS = 100_000
"""Members that are listed."""

_BLOCK = 512


def is_tar(head: bytes) -> bool:
    """Whether the first 512 bytes are a tar header: its checksum says so."""
    return len(head) >= _BLOCK and head[:1] != b"\0" and _checked(head[:_BLOCK])


def tar_members(source: Source) -> tuple[dict[str, tuple[int, int]], list[Finding]]:
    """First byte and the one after the last by name, and what is wrong with the archive.

    Raises:
        DamagedError: its first header is broken.
    """
    members: dict[str, tuple[int, int]] = {}
    findings: list[Finding] = []
    place, long_name = 0, ""
    while place + _BLOCK <= source.size and len(members) < MEMBERS:
        head = source.read(place, _BLOCK)
        if head == bytes(_BLOCK):
            return members, findings
        if not _checked(head):
            if not members:
                raise DamagedError(f"{source.path.name}: no tar header at its beginning.")
            findings.append(_corrupt(f"is broken at byte {place}", place))
            return members, findings
        size = _number(head[124:136])
        start = place + _BLOCK
        kind = head[156:157]
        name = _text(head[:100])
        prefix = _text(head[345:500]) if head[257:262] == b"ustar" else ""
        name = long_name or (f"{prefix}/{name}" if prefix else name)
        if size < 0 or start + size > source.size:
            findings.append(_corrupt(f"was cut off in {name!r}", start))
            size = max(0, min(size, source.size - start))
        long_name = ""
        if kind == b"L":
            long_name = _text(source.read(start, min(size, 4096)))
        elif kind in (b"0", b"\0", b"7"):
            if name in members:
                message = f"The archive has two members named {name!r}."
                findings.append(Finding("suspicious", "warning", message))
            # Extracting one over the other leaves the last.
            members[name.removeprefix("./")] = (start, start + size)
        place = start + -(-size // _BLOCK) * _BLOCK
    if len(members) < MEMBERS:
        findings.append(_corrupt("was cut off: its end mark is missing", source.size))
    return members, findings


def _checked(head: bytes) -> bool:
    stated = _number(head[148:156])
    return stated == sum(head) - sum(head[148:156]) + 8 * 0x20


def _number(field: bytes) -> int:
    """An octal number, or GNU's binary one; -1 for neither."""
    if field[0] & 0x80:
        return int.from_bytes(field[1:], "big") if field[0] == 0x80 else -1
    try:
        return int(field.rstrip(b" \0").strip() or b"0", 8)
    except ValueError:
        return -1


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "replace")


def _corrupt(what: str, place: int) -> Finding:
    return Finding("corrupt", "error", f"The archive {what}.", {"offset": place})
