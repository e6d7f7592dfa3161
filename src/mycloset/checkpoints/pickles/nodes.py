"""What a pickle is described with: names, calls and persistent ids that nobody resolves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Self

from mycloset.checkpoints.source import Source


class Global:
    """A Python name that a pickle wants imported.

    Attributes:
        module: as written; "" where the name is computed or stands in a registry.
        name: as written, dots included.
        offset: of its opcode.
    """

    __slots__ = ("module", "name", "offset")

    def __init__(self, module: str, name: str, offset: int) -> None:
        self.module = module
        self.name = name
        self.offset = offset

    @property
    def path(self) -> str:
        """ "module.name"."""
        return f"{self.module}.{self.name}"

    def __repr__(self) -> str:
        return f"<{self.path}>"


class Call:
    """An object that a pickle would make by calling something.

    Attributes:
        function: what is called: a Global, or what another node stands for.
        args: its arguments; a tuple unless the pickle is odd.
        offset: of the opcode that calls.
        how: "reduce", "new" (`cls.__new__`), "object" (OBJ and INST).
        options: keyword arguments (NEWOBJ_EX), or None.
        state: what BUILD hands it, or None.
        items: what SETITEM put into it, or None.
        appended: what APPEND and ADDITEMS put into it, or None.
    """

    # Most calls are only made and read: what they lack costs nothing.
    how: str = "reduce"
    options: Any = None
    state: Any = None
    items: dict[Any, Any] | None = None
    appended: list[Any] | None = None

    def __init__(self, function: Any, args: Any, offset: int) -> None:
        self.function = function
        self.args = args
        self.offset = offset

    def __repr__(self) -> str:
        return f"<call of {self.function!r}>" if isinstance(self.function, Global) else "<call>"


class Persistent:
    """What the file itself has to supply: a tensor's storage, mostly.

    Attributes:
        key: as the pickle has it.
    """

    __slots__ = ("key",)

    def __init__(self, key: Any) -> None:
        self.key = key


class Blob(NamedTuple):
    """A long string, run of bytes or whole number that was passed over.

    Attributes:
        kind: what it is.
        start: its first byte, on the tape.
        length: how many bytes.
    """

    kind: Literal["str", "bytes", "bytearray", "int"]
    start: int
    length: int


class Key:
    """Stands for a dictionary key that has no hash, or one too costly to compute."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


HIDDEN = "(computed)"
"""The name of a Global whose name cannot be known before the pickle runs."""


class Build(NamedTuple):
    """A BUILD: the target's `__setstate__` is called, or its `__dict__` filled."""

    target: Any
    state: Any
    offset: int


class Hazard(NamedTuple):
    """Something about a pickle that a person should know.

    Attributes:
        kind: "damage" (no unpickler gets past it), "limit" (more than is read), "odd" (real
            unpicklers differ, or refuse).
        message: a clause that has the pickle as its subject.
        offset: of the opcode.
    """

    kind: Literal["damage", "limit", "odd"]
    message: str
    offset: int


class Pickle(NamedTuple):
    """One pickle's description.

    Attributes:
        value: the object that it stands for, or as much of it as was there.
        start: place of its first byte.
        end: place after its STOP, or where the walk ended.
        whole: STOP was reached.
        globals: every name, in the order of the opcodes.
        calls: every call, except tensors of the usual layout.
        builds: every BUILD.
        persistents: every persistent id.
        hazards: what is wrong with it.
    """

    value: Any
    start: int
    end: int
    whole: bool
    globals: list[Global]
    calls: list[Call]
    builds: list[Build]
    persistents: list[Persistent]
    hazards: list[Hazard]


class Tape:
    """Bytes with pickles in them, read as they are needed.

    Attributes:
        end: place after the last byte.
        origin: what to add to a place to get the byte's place in the file; None where the bytes
            do not lie in the file as they are.
        chunk: how many bytes to read at a time.
    """

    def __init__(
        self,
        read: Callable[[int, int], bytes],
        end: int,
        origin: int | None,
        chunk: int = 1 << 18,
    ) -> None:
        self.read = read
        self.end = end
        self.origin = origin
        self.chunk = chunk

    @classmethod
    def of(cls, data: bytes, origin: int | None = None) -> Self:
        """Bytes in memory; `origin` is where they lie in the file."""
        return cls(lambda start, length: data[start : start + length], len(data), origin)

    @classmethod
    def over(
        cls, source: Source, start: int = 0, end: int | None = None, chunk: int = 1 << 18
    ) -> Self:
        """A part of a file; places on the tape count from its start."""
        stop = source.size if end is None else end
        return cls(lambda at, length: source.read(start + at, length), stop - start, start, chunk)
