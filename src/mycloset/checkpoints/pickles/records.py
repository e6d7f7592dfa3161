"""Reads the usual records of tensors in one step each, where opcode by opcode takes thirty.

`torch.save` writes every tensor but the first in one layout. What does not have that layout to the
byte is left to the walk, and what has it gives the very nodes and memo that the walk would give.
"""

from __future__ import annotations

import re
from typing import Any

from mycloset.checkpoints.pickles.nodes import Call, Global, Persistent

COST = 2_200
"""Bytes that a tensor takes: its nodes, the member that holds it, and its entry in the table."""

_GET = rb"(?:h.|j....)"
_PUT = rb"(r....)"
_NUMBER = rb"(?:K.|M..|J....)"
_TUPLE = rb"(?:\)|" + _NUMBER + rb"{1,3}[\x85-\x87]|\(" + _NUMBER + rb"{4,8}t)"
_RECORD = re.compile(
    # the tensor's key, and what rebuilds it, for all but the first of a run,
    rb"(?:X(.)\0\0\0([!-~]{1,200})" + _PUT + rb"(" + _GET + rb"))?"
    # ("storage", class, key, place, elements[, None]) as persistent id,
    rb"\(\(("
    + _GET
    + _GET
    + rb")X(.)\0\0\0([0-9]{1,20})"
    + _PUT
    + rb"("
    + _GET
    + _NUMBER
    + rb"N?)t"
    # offset, sizes, strides, whether it needs a gradient,
    + _PUT
    + rb"Q("
    + _NUMBER
    + _TUPLE
    + rb")(r....)?("
    + _TUPLE
    + rb")(r....)?"
    # no hooks; what each part is remembered under.
    rb"([\x88\x89]" + _GET + rb")\)(Rr....tr....Rr....)",
    re.DOTALL,
).match
_PAIR = re.compile(rb"r(....)(?:j(....)|h(.))K(.)s", re.DOTALL).match
_PARTS = re.compile(_NUMBER, re.DOTALL).findall
_GETS = re.compile(_GET, re.DOTALL).findall
_WIDTHS = {0x68: 2, 0x6A: 5, 0x4B: 2, 0x4D: 3, 0x4A: 5}
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


_EXPECTED = [
    _expected(b"r\0\0\0\0" * count + b"Rr\0\0\0\0tr\0\0\0\0Rr\0\0\0\0") for count in range(6)
]


class Records:
    """A reader of tensor records; keeps what sizes and numbers their bytes stand for."""

    def __init__(self) -> None:
        self._tuples: dict[bytes, tuple[int, ...] | None] = {}
        self._sizes: dict[bytes, tuple[int, tuple[int, ...] | None]] = {}

    def run(
        self,
        data: bytes,
        pos: int,
        base: int,
        memo: list[Any],
        function: Global,
        hooks: Global | None,
        stack: list[Any],
        persistents: list[Persistent],
    ) -> int:
        """Read the tensor whose arguments begin at `pos`, and the pairs of key and tensor that
        follow; give the place after them.

        Tensors and keys are pushed, the memo grows by what the records put there. Where a record
        is not of the usual layout nothing has changed, and the place is the one before it.

        Args:
            data: bytes at hand.
            pos: place in them after the opcode that fetched the function.
            base: what to add for a place on the tape.
            memo: what was remembered under 0, 1, 2, … so far.
            function: what rebuilds the tensor.
            hooks: `collections.OrderedDict`, as the pickle named it.
            stack: what was pushed since the last mark.
            persistents: every persistent id so far.
        """
        # What fetches from the memo stands for the same all along the run, which only adds to it.
        parts: dict[bytes, Any] = {}
        sizes, tuples, further = self._sizes, self._tuples, False
        while (match := _RECORD(data, pos)) is not None:
            (length, key, put0, maker, head, count, name, put1, middle, put2, sized, put3, strides,
             put4, end, tail) = match.groups(b"")  # fmt: skip
            known = len(memo)
            number = further + 2 + (1 if put3 else 0) + (1 if put4 else 0)
            first, growth = _EXPECTED[number]
            puts = put0 + put1 + put2 + put3 + put4 + tail
            if _bytes_number(puts, "little") != first + known * growth or count[0] != len(name):
                break
            if bool(maker) is not further or (further and length[0] != len(key)):
                break
            try:
                named, typed = parts[head]
                place_and_number = parts[middle]
                gradient = parts[end]
                offset, shape = sizes[sized]
                steps = tuples[strides]
                if further and parts[maker] is not function:
                    break
            except KeyError:
                try:
                    if _fetched(end[1:], memo) is not hooks:
                        break
                    parts[end] = end[0] == 0x88
                    parts[head] = [_fetched(get, memo) for get in _GETS(head)]
                    parts[middle] = _middle(middle, memo)
                    if further:
                        parts[maker] = _fetched(maker, memo)
                except IndexError:
                    break
                sizes[sized] = _sized(sized)
                tuples[strides] = _sized(b"K\0" + strides)[1]
                continue
            if shape is None or steps is None:
                break
            text = name.decode()
            stored = (named, typed, text, *place_and_number)
            pos = match.end()
            free = Call(hooks, (), base + pos - 18)
            persistent = Persistent(stored)
            args = (persistent, offset, shape, steps, gradient, free)
            call = Call(function, args, base + pos - 6)
            if further:
                title = key.decode()
                stack.append(title)
                memo.append(title)
            if put3 and put4:
                memo += (text, stored, shape, steps, free, args, call)
            else:
                between = (*((shape,) if put3 else ()), *((steps,) if put4 else ()))
                memo += (text, stored, *between, free, args, call)
            stack.append(call)
            persistents.append(persistent)
            further = True
        return pos

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


def _sized(raw: bytes) -> tuple[int, tuple[int, ...] | None]:
    """A number, and the tuple after it; None for what would leave something on the stack."""
    cut = _WIDTHS[raw[0]]
    numbers = _PARTS(raw, cut)
    closing = raw[-1]
    # TUPLE1 to TUPLE3 take so many from the stack; more would stay there.
    fits = closing in b")t" or closing - 0x84 == len(numbers)
    return _number(raw[:cut]), tuple(map(_number, numbers)) if fits else None


def _number(raw: bytes) -> int:
    return int.from_bytes(raw[1:], "little", signed=raw[0] == 0x4A)


def _fetched(get: bytes, memo: list[Any]) -> Any:
    return memo[get[1] if len(get) == 2 else int.from_bytes(get[1:], "little")]


def _middle(raw: bytes, memo: list[Any]) -> tuple[Any, ...]:
    """Place and number of elements, and the None that says that the storage is no view."""
    cut = _WIDTHS[raw[0]]
    behind = cut + _WIDTHS[raw[cut]]
    pair = (_fetched(raw[:cut], memo), _number(raw[cut:behind]))
    return pair if behind == len(raw) else (*pair, None)
