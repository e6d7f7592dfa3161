"""JSON that a file states of itself, read within bounds of bytes, memory and depth."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from mycloset.checkpoints.source import DamagedError, Source

BYTES = 24_000_000
"""Bytes that are read: 60,000 tensors take some 7 MB; no single file is known to have half."""

PARTS = 750_000
"""Lists, objects and commas that are read; each becomes an object in memory. A tensor takes about
twelve in safetensors' header, and one in an index of shards."""

_BLOCK = 1 << 20


def load_json(source: Source, start: int, length: int, what: str, limit: int = BYTES) -> Any:
    """The JSON value in a stretch of a file.

    Args:
        source: the file.
        start: its first byte.
        length: its bytes.
        what: what messages call it ("header").
        limit: bytes that are read at most.

    Raises:
        DamagedError: it is too large, no UTF-8, no JSON (NaN and Infinity are none), too deep, or
            has one key twice in an object.
    """
    name = source.path.name
    if length > limit:
        raise DamagedError(
            f"{name} has a {what} of {length} bytes; {limit} are read at most.", place=start
        )
    # Counted first: what a text of brackets becomes is fifty times its size.
    parts = 0
    for place in range(start, start + length, _BLOCK):
        block = source.read(place, min(_BLOCK, start + length - place))
        parts += block.count(b"{") + block.count(b"[") + block.count(b",")
    if parts > PARTS:
        raise DamagedError(
            f"{name} has a {what} of more than {PARTS} values, which is not read.", place=start
        )
    try:
        text = source.read(start, length).decode("utf-8")
        found = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(found, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        message = f"has a {what} that is not UTF-8 (byte {start + error.start})"
    except UnicodeEncodeError:
        message = f"has half a character (a lone surrogate) in its {what}"
    except _RepeatedKeyError as error:
        message = f"names {error} twice in its {what}"
    except RecursionError:
        message = f"nests its {what}'s JSON too deeply"
    except ValueError as error:
        message = f"has a {what} that is no JSON ({error})"
    else:
        return found
    raise DamagedError(f"{name} {message}.", place=start)


class _RepeatedKeyError(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen = set()
        for key, _ in pairs:
            if key in seen:
                raise _RepeatedKeyError(f"`{key[:80]}`")
            seen.add(key)
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
