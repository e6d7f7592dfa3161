"""Reads the usual record of a tensor in one step, where opcode by opcode takes twenty-five.

`torch.save` writes every tensor but the first in one layout. What does not have that layout to the
byte is left to the walk, and what has it gives the very nodes and memo that the walk would give.
"""

from __future__ import annotations

import re
from typing import Any

from mycloset.checkpoints.pickles.nodes import Call, Global, Persistent

COST = 2_200
"""Bytes that a tensor takes: its nodes, the member that holds it, and its entry in the table."""

_GET = rb"(h.|j....)"
_PUT = rb"(r....)"
_NUMBER = rb"K.|M..|J...."
_TUPLE = rb"(\)|(?:K.|M..|J....){1,3}[\x85-\x87]|\((?:K.|M..|J....){4,8}t)"
_RECORD = re.compile(
    # ("storage", class, key, place, elements[, None]) as persistent id,
    rb"\(\(" + _GET + _GET + rb"X(.)\0\0\0([0-9]{1,20})" + _PUT + _GET + rb"(" + _NUMBER + rb")"
    # offset, sizes, strides, whether it needs a gradient,
    rb"(N?)t" + _PUT + rb"Q(" + _NUMBER + rb")" + _TUPLE + rb"(r....)?" + _TUPLE + rb"(r....)?"
    # no hooks; what each part is remembered under.
    rb"([\x88\x89])" + _GET + rb"\)(Rr....tr....Rr....)",
    re.DOTALL,
).match
_PAIR = re.compile(rb"r(....)(?:j(....)|h(.))K(.)s", re.DOTALL).match
_PARTS = re.compile(_NUMBER, re.DOTALL).findall
_bytes_number = int.from_bytes


def _expected(layout: bytes) -> tuple[int, int]:
    """For opcodes that remember things under n, n+1, …: what their bytes read as one little-endian
    number are for n = 0, and by how much they grow with n. `r` in the layout is followed by room
    for a number; one equation checks them all."""
    first, growth, index = 0, 0, 0
    place = 0
    while place < len(layout):
        first |= layout[place] << 8 * place
        if layout[place] == 0x72:
            first |= index << 8 * (place + 1)
            growth |= 1 << 8 * (place + 1)
            index += 1
            place += 4
        place += 1
    return first, growth


_HEADS = [_expected(b"r\0\0\0\0" * count) for count in (2, 3, 4)]
_TAIL = _expected(b"Rr\0\0\0\0tr\0\0\0\0Rr\0\0\0\0")


class Records:
    """A reader of tensor records; keeps what sizes and numbers their bytes stand for."""

    def __init__(self) -> None:
        self._tuples: dict[bytes, tuple[int, ...] | None] = {}
        self._numbers: dict[bytes, int] = {}

    def read(
        self,
        data: bytes,
        pos: int,
        base: int,
        memo: list[Any],
        function: Global,
        hooks: Global | None,
    ) -> tuple[int, Call] | None:
        """The tensor whose arguments begin at `pos`, and the place after it.

        The memo grows by what the record puts there. None where the record is not of the usual
        layout; then nothing has changed.

        Args:
            data: bytes at hand.
            pos: place in them after the opcode that fetched the function.
            base: what to add for a place on the tape.
            memo: what was remembered under 0, 1, 2, … so far.
            function: what rebuilds the tensor.
            hooks: `collections.OrderedDict`, as the pickle named it.
        """
        match = _RECORD(data, pos)
        if match is None:
            return None
        (kind, storage, count, key, put1, place, elements, view, put2, offset, sizes, put3,
         strides, put4, gradient, ordered, tail) = match.groups(b"")  # fmt: skip
        known = len(memo)
        remembered = 2 + (1 if put3 else 0) + (1 if put4 else 0)
        first, growth = _HEADS[remembered - 2]
        if _bytes_number(put1 + put2 + put3 + put4, "little") != first + known * growth:
            return None
        first, growth = _TAIL
        if _bytes_number(tail, "little") != first + (known + remembered) * growth:
            return None
        try:
            named = memo[kind[1] if len(kind) == 2 else _index(kind)]
            typed = memo[storage[1] if len(storage) == 2 else _index(storage)]
            where = memo[place[1] if len(place) == 2 else _index(place)]
            free = memo[ordered[1] if len(ordered) == 2 else _index(ordered)]
        except IndexError:
            return None
        shape = self._tuples.get(sizes) or self._tuple(sizes)
        steps = self._tuples.get(strides) or self._tuple(strides)
        if free is not hooks or count[0] != len(key) or shape is None or steps is None:
            return None
        text = key.decode()
        numbers = self._numbers
        number = numbers[elements] if elements in numbers else self._number(elements)
        start = numbers[offset] if offset in numbers else self._number(offset)
        head = (named, typed, text, where, number)
        stored = (*head, None) if view else head
        end = match.end()
        free = Call(hooks, (), base + end - 18)
        args = (Persistent(stored), start, shape, steps, gradient == b"\x88", free)
        call = Call(function, args, base + end - 6)
        if put3 and put4:
            memo += (text, stored, shape, steps, free, args, call)
        else:
            between = (*((shape,) if put3 else ()), *((steps,) if put4 else ()))
            memo += (text, stored, *between, free, args, call)
        return end, call

    def version(self, data: bytes, pos: int, memo: list[Any]) -> tuple[int, dict[Any, Any]] | None:
        """The dict `{"version": 1}` whose EMPTY_DICT ends at `pos`, and the place after it: one
        stands for every module in a state dict's `_metadata`. None for any other dict."""
        match = _PAIR(data, pos)
        if match is None:
            return None
        put, far, near, number = match.groups()
        index = _bytes_number(far or near, "little")
        if _bytes_number(put, "little") != len(memo) or index >= len(memo):
            return None
        key = memo[index]
        if key.__class__ is not str:
            return None
        made = {key: number[0]}
        memo.append(made)
        return match.end(), made

    def _tuple(self, raw: bytes) -> tuple[int, ...] | None:
        try:
            return self._tuples[raw]
        except KeyError:
            parts = _PARTS(raw)
            closing = raw[-1]
            # TUPLE1 to TUPLE3 take so many from the stack; more would stay there.
            fits = closing in b")t" or closing - 0x84 == len(parts)
            made = tuple(map(self._number, parts)) if fits else None
            self._tuples[raw] = made
            return made

    def _number(self, raw: bytes) -> int:
        try:
            return self._numbers[raw]
        except KeyError:
            signed = raw[0] == 0x4A
            number = int.from_bytes(raw[1:], "little", signed=signed)
            self._numbers[raw] = number
            return number


def _index(get: bytes) -> int:
    return get[1] if len(get) == 2 else int.from_bytes(get[1:], "little")
