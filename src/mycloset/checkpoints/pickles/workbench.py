"""Workbench: the stack and memo of a walk, and the opcodes that are seldom or that build."""

from __future__ import annotations

from struct import Struct
from typing import Any, Literal

from mycloset.checkpoints.pickles import operands
from mycloset.checkpoints.pickles.nodes import (
    HIDDEN,
    Blob,
    Build,
    Call,
    Global,
    Hazard,
    Key,
    Persistent,
    Tape,
)
from mycloset.checkpoints.source import DamagedError

MEMORY = 120_000_000
"""Bytes that a description may take, by rough count."""

LINE = 1 << 16
"""Bytes of a line that are looked at."""

TEXT, BYTES, NUMBER = 1 << 20, 4096, 256
"""Bytes from which strings, bytes and whole numbers are passed over."""

COSTLY_KEYS = 20_000
"""Tuples that may be dictionary keys: unlike strings, they can be made to collide."""

FAR = 1 << 24
"""A place of the memo that no pickler reaches."""

_I4, _F8 = Struct("<i").unpack_from, Struct(">d").unpack_from
_PLAIN_KEYS = frozenset({str, bool, type(None), bytes, Global, Call, Persistent, Key, Blob})


class BrokenPickleError(Exception):
    """No unpickler gets further, or this one does not want to."""

    def __init__(self, message: str, kind: Literal["damage", "limit"] = "damage") -> None:
        super().__init__(message)
        self.kind = kind


def text(raw: bytes) -> str:
    """What BINUNICODE says; single surrogates pass, as in Python."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        try:
            return raw.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise BrokenPickleError("has text that is not UTF-8") from None


def string(raw: bytes) -> str | bytes:
    """A string of Python 2: text where it is UTF-8, else bytes."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


class Workbench:
    """What a walk has in hand.

    Attributes:
        at: place of the opcode in question, for what is noted.
        room: bytes that the description may still take.
        stack: what was pushed since the last open mark.
        marked: the stacks below the open marks.
        memo: what was remembered under 0, 1, 2, …
        sparse: what was remembered under other numbers.
    """

    def __init__(self, tape: Tape, start: int) -> None:
        self.tape = tape
        self.at = start
        self.room = MEMORY
        self.stack: list[Any] = []
        self.marked: list[list[Any]] = []
        self.memo: list[Any] = []
        self.sparse: dict[int, Any] = {}
        self.globals: list[Global] = []
        self.calls: list[Call] = []
        self.builds: list[Build] = []
        self.persistents: list[Persistent] = []
        self.hazards: list[Hazard] = []
        self._costly = COSTLY_KEYS
        self._noted: set[str] = set()
        self._frame_end = 0

    def odd(self, message: str) -> None:
        """Note that unpicklers differ here, or refuse; once for each kind."""
        if message not in self._noted:
            self._noted.add(message)
            self.hazards.append(Hazard("odd", message, self.at))

    def more(self, data: bytes, base: int, start: int) -> bytes:
        """Bytes from the opcode at `base + start` on, more than `data` has of it.

        Raises:
            BrokenPickleError: the pickle ends there, or it was not for want of bytes.
        """
        here, end = base + start, self.tape.end
        if here >= end:
            raise BrokenPickleError("ends without a STOP")
        longest = min(LINE, end - here)
        needed = operands.wanted(data, start, longest)
        opcode = operands.name(data[start]) if start < len(data) else ""
        if here + needed > end:
            raise BrokenPickleError(f"ends in the middle of {opcode}")
        if start + needed <= len(data):
            if data[start] in operands.LINES and data.find(b"\n", start) < 0:
                raise BrokenPickleError(f"has a {opcode} without the end of its line")
            raise BrokenPickleError(f"has a {opcode} that needs more than there is on the stack")
        try:
            return self.tape.read(here, min(max(needed, self.tape.chunk), end - here))
        except DamagedError as error:
            raise BrokenPickleError(f"cannot be read on: {error.message}") from None

    def put(self, index: int, value: Any) -> None:
        """Remember `value` under a number."""
        if index < len(self.memo):
            self.memo[index] = value
        elif index == len(self.memo):
            self.sparse.pop(index, None)
            self.memo.append(value)
        else:
            if index >= FAR:
                self.odd("remembers something under a number that no pickler gives")
            self.room -= 110
            self.sparse[index] = value

    def get(self, index: int) -> Any:
        """What was remembered under a number beyond the memo's regular part."""
        if index in self.sparse:
            return self.sparse[index]
        raise BrokenPickleError(f"asks for number {index}, which nothing was remembered under")

    def named(self, module: bytes, name: bytes) -> Global:
        """The global of GLOBAL's or INST's two lines."""
        try:
            found = Global(module.decode(), name.decode(), self.at)
        except UnicodeDecodeError:
            raise BrokenPickleError("names a global in bytes that are no text") from None
        self.globals.append(found)
        self.room -= 250
        return found

    def looked_up(self, module: Any, name: Any) -> Global:
        """The global of STACK_GLOBAL's two operands."""
        if module.__class__ is str and name.__class__ is str:
            found = Global(module, name, self.at)
        else:
            parts = [part if isinstance(part, str) else HIDDEN for part in (module, name)]
            found = Global(parts[0], parts[1], self.at)
            self.odd("names a global by something that is no string")
        self.globals.append(found)
        self.room -= 250
        return found

    def key(self, value: Any) -> Any:
        """`value`, where it can be a dictionary key; else a Key that stands for it."""
        kind = value.__class__
        if kind in _PLAIN_KEYS:
            return value
        if kind is int:
            # Larger ones can be made to have equal hashes.
            return value if -(1 << 60) < value < 1 << 60 else Key(value)
        if kind is float:
            return value
        if kind is tuple and self._costly > 0 and _simple(value, 3):
            self._costly -= 1
            return value
        if kind in (list, dict, set):
            self.odd(f"uses a {kind.__name__} as a key")
        return Key(value)

    def fill(self, target: Any, keys: list[Any], values: list[Any]) -> None:
        """Put pairs into a dict, or into what stands for an object with items."""
        kind = target.__class__
        self.room -= 60 + 40 * len(keys)
        if kind is Call:
            if target.items is None:
                target.items = {}
                self.room -= 240
            target = target.items
        elif kind is not dict:
            if kind is list:
                self._set_places(target, keys, values)
            else:
                self.odd(f"sets items of {_what(target)}")
            return
        if all(key.__class__ is str for key in keys):
            target.update(zip(keys, values, strict=True))
        else:
            target.update(zip(map(self.key, keys), values, strict=True))

    def _set_places(self, target: list[Any], keys: list[Any], values: list[Any]) -> None:
        self.odd("sets items of a list")
        for key, value in zip(keys, values, strict=True):
            if key.__class__ is int and -len(target) <= key < len(target):
                target[key] = value

    def extend(self, target: Any, items: list[Any]) -> None:
        """Append to a list, or to what stands for an object that can be appended to."""
        kind = target.__class__
        if kind is list:
            target.extend(items)
        elif kind is Call:
            if target.appended is None:
                target.appended = []
                self.room -= 96
            target.appended.extend(items)
        else:
            self.odd(f"appends to {_what(target)}")

    def build(self, target: Any, state: Any) -> None:
        """Note what BUILD would hand over."""
        self.builds.append(Build(target, state, self.at))
        self.room -= 200
        if target.__class__ is Call:
            if target.state is not None:
                self.odd("hands an object its state twice")
            target.state = state
        else:
            self.odd(f"sets the state of {_what(target)}")

    def long_text(self, data: bytes, base: int, start: int, size: int) -> str | Blob:
        """A string of more than a few bytes; a long one is passed over."""
        if size > TEXT:
            return self.blob("str", base + start, size)
        if start + size > len(data):
            raise IndexError
        self.room -= 4 * size
        return text(data[start : start + size])

    def blob(
        self, kind: Literal["str", "bytes", "bytearray", "int"], start: int, size: int
    ) -> Blob:
        """What stands for bytes that are not read."""
        if start + size > self.tape.end:
            raise IndexError
        self.room -= 120
        return Blob(kind, start, size)

    def seldom(self, op: int, data: bytes, base: int, pos: int, stack: list[Any]) -> int:
        """Every opcode that is not in the loop; gives the place after it."""
        self.room -= 100
        if op in operands.COUNTED:
            return self._counted(op, data, base, pos, stack)
        if op in operands.LINES:
            end = data.find(b"\n", pos, pos + LINE)
            if end < 0:
                raise IndexError
            self._line(op, data[pos:end], stack)
            return end + 1
        if op not in operands.FIXED:
            raise BrokenPickleError(f"has {op:#04x} where an opcode should be")
        end = pos + operands.FIXED[op][1]
        if end > len(data):
            raise IndexError
        operand = int.from_bytes(data[pos:end], "little")
        if op == 0x80:  # PROTO
            if operand > 5:
                raise BrokenPickleError(f"is of protocol {operand}, which there is none of")
        elif op == 0x8F:  # EMPTY_SET
            stack.append(set())
            self.room -= 240
        elif op == 0x95:  # FRAME
            self._frame(operand, base + end)
        elif op in (0x82, 0x83, 0x84):  # EXT1, EXT2, EXT4
            found = Global("copyreg", f"extension {operand}", self.at)
            self.globals.append(found)
            stack.append(found)
            self.room -= 250
        elif op == 0x97:  # NEXT_BUFFER
            self.odd("wants a buffer that is not in it")
            stack.append(Persistent("buffer"))
        else:  # READONLY_BUFFER
            self.odd("wants a buffer that is not in it")
            if not stack:
                raise IndexError
        return end

    def _frame(self, length: int, start: int) -> None:
        if start < self._frame_end:
            self.odd("has a frame within a frame")
        self._frame_end = start + length
        if self._frame_end > self.tape.end:
            # Unpicklers stop here; what follows is walked all the same.
            self.odd("has a frame that is longer than what is there")

    def _counted(self, op: int, data: bytes, base: int, pos: int, stack: list[Any]) -> int:
        width = operands.COUNTED[op][1]
        if pos + width > len(data):
            raise IndexError
        size = int.from_bytes(data[pos : pos + width], "little", signed=op in (0x54, 0x8B))
        if size < 0:
            raise BrokenPickleError("has a negative length")
        start = pos + width
        end = start + size
        name = operands.COUNTED[op][0]
        if name.endswith("UNICODE8"):
            stack.append(self.long_text(data, base, start, size))
            return end
        number = name.startswith("LONG")
        kind: Any = "int" if number else "bytearray" if op == 0x96 else "bytes"
        if size > (NUMBER if number else BYTES):
            stack.append(self.blob(kind, base + start, size))
            return end
        if end > len(data):
            raise IndexError
        raw = data[start:end]
        self.room -= size
        if number:
            stack.append(int.from_bytes(raw, "little", signed=True))
        else:
            stack.append(string(raw) if op == 0x54 else raw)
        return end

    def _line(self, op: int, line: bytes, stack: list[Any]) -> None:
        try:
            if op == 0x67:  # GET
                index = int(line)
                memo = self.memo
                stack.append(memo[index] if 0 <= index < len(memo) else self.get(index))
            elif op == 0x70:  # PUT
                index = int(line)
                if index < 0 or not stack:
                    raise ValueError
                self.put(index, stack[-1])
            elif op == 0x49:  # INT
                stack.append(operands.whole_number(line))
            elif op == 0x4C:  # LONG
                stack.append(operands.long_number(line))
            elif op == 0x46:  # FLOAT
                stack.append(float(line))
            elif op == 0x53:  # STRING
                stack.append(string(operands.quoted(line)))
            elif op == 0x56:  # UNICODE
                stack.append(line.decode("raw_unicode_escape"))
            else:  # PERSID
                found = Persistent(line.decode("ascii"))
                stack.append(found)
                self.persistents.append(found)
                self.room -= 64
        except ValueError:
            message = f"has a {operands.name(op)} that does not say what it should"
            raise BrokenPickleError(message) from None
        self.room -= 4 * len(line)

    def salvage(self) -> Any:
        """The outermost object as far as it was built when the walk ended."""
        stack, known = self.stack, len(self.hazards)
        while self.marked:
            items, stack = stack, self.marked.pop()
            if items and isinstance(items[-1], Global):
                items.pop()  # the function of a call that never came
            target = stack[-1] if stack else None
            if isinstance(target, dict | Call):
                pairs = len(items) // 2
                self.fill(target, items[: 2 * pairs : 2], items[1 : 2 * pairs : 2])
            elif isinstance(target, list):
                target.extend(items)
        del self.hazards[known:]  # what is not read may not be complained about
        return stack[0] if stack else None


def _simple(value: tuple[Any, ...], depth: int) -> bool:
    """Whether a tuple's hash takes few steps."""
    if len(value) > 16:
        return False
    for part in value:
        if part.__class__ is tuple:
            if depth == 0 or not _simple(part, depth - 1):
                return False
        elif part.__class__ not in _PLAIN_KEYS and part.__class__ not in (int, float):
            return False
    return True


def _what(node: Any) -> str:
    if isinstance(node, Global):
        return "a class or function"
    if isinstance(node, Persistent):
        return "what the file supplies"
    return f"a value of type {type(node).__name__}"
