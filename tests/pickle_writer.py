"""Writes pickles opcode by opcode, laid out as by Python's pickler, from inert descriptions."""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ITEMSIZE = {
    "float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int64": 8, "int32": 4, "int16": 2,
    "int8": 1, "uint8": 1, "bool": 1, "complex64": 8, "complex128": 16, "float8_e4m3fn": 1,
    "float8_e5m2": 1, "uint16": 2, "uint32": 4, "uint64": 8,
}  # fmt: skip

STORAGE_CLASS = {
    "float64": "DoubleStorage", "float32": "FloatStorage", "float16": "HalfStorage",
    "bfloat16": "BFloat16Storage", "int64": "LongStorage", "int32": "IntStorage",
    "int16": "ShortStorage", "int8": "CharStorage", "uint8": "ByteStorage", "bool": "BoolStorage",
    "complex64": "ComplexFloatStorage", "complex128": "ComplexDoubleStorage",
}  # fmt: skip
"""Dtypes that are not here are written with an untyped storage, as torch does since 2.1."""


@dataclass(eq=False)
class Tensor:
    """A tensor to be written.

    Args:
        dtype: PyTorch's name.
        shape: sizes.
        data: little-endian bytes of its whole storage; None for zeros, which take no disk space.
        storage: a name that tensors of one storage share; None for a storage of its own.
        offset: elements from the storage's start.
        stride: in elements; None for C order.
        parameter: written as an `nn.Parameter`.
        elements: of its storage, where that is more than what the tensor reaches.
    """

    dtype: str
    shape: tuple[int, ...]
    data: bytes | None = None
    storage: str | None = None
    offset: int = 0
    stride: tuple[int, ...] | None = None
    parameter: bool = False
    elements: int | None = None

    @property
    def strides(self) -> tuple[int, ...]:
        """The stride, C order filled in."""
        if self.stride is not None:
            return self.stride
        steps, step = [], 1
        for size in reversed(self.shape):
            steps.append(step)
            step *= max(size, 1)
        return tuple(reversed(steps))

    @property
    def reach(self) -> int:
        """Elements that its storage must have at least."""
        if self.data is not None:
            return len(self.data) // ITEMSIZE[self.dtype]
        if self.elements is not None:
            return self.elements
        if 0 in self.shape:
            return self.offset
        steps = zip(self.shape, self.strides, strict=True)
        return self.offset + 1 + sum((size - 1) * step for size, step in steps)


@dataclass(eq=False)
class Global:
    """A name to be written by GLOBAL: "module attribute"."""

    module: str
    name: str


@dataclass(eq=False)
class Call:
    """An object that a call makes: REDUCE, or NEWOBJ where `new`; then its items, then BUILD."""

    function: Global
    args: Any = ()
    state: Any = None
    items: Mapping[Any, Any] | None = None
    appended: Sequence[Any] = ()
    new: bool = False


@dataclass(eq=False)
class Persistent:
    """What BINPERSID names."""

    key: Any


@dataclass
class Module:
    """A pickled `nn.Module`: its class and what its `__dict__` holds."""

    class_name: str
    parameters: dict[str, Tensor | None] = field(default_factory=dict)
    buffers: dict[str, Tensor | None] = field(default_factory=dict)
    modules: dict[str, Module | None] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    transient: frozenset[str] = frozenset()


def state_dict(tensors: Mapping[str, Any], *, metadata: bool = True) -> Call:
    """An OrderedDict with `_metadata`, as `Module.state_dict()` gives it."""
    modules = dict.fromkeys(key.rpartition(".")[0] for key in tensors)
    versions = OrderedDict((name, {"version": 1}) for name in ("", *filter(None, modules)))
    state = {"_metadata": versions} if metadata else None
    return Call(Global("collections", "OrderedDict"), (), state, dict(tensors))


class Pickler:
    """Protocol 2, with the memo numbers that Python's pickler gives.

    Args:
        persistent: what stands for a tensor's storage, given the tensor.
    """

    def __init__(self, persistent: Callable[[Tensor], Any] | None = None) -> None:
        self._parts: list[bytes] = []
        self._memo: dict[Any, int] = {}
        self._kept: list[Any] = []
        self._persistent = persistent

    def dump(self, thing: Any) -> bytes:
        """The whole pickle of `thing`."""
        self._parts = [b"\x80\x02"]
        self._memo = {}
        self.save(thing)
        return b"".join([*self._parts, b"."])

    def save(self, thing: Any) -> None:
        """The opcodes that push `thing`."""
        write = self._parts.append
        if thing is None or isinstance(thing, bool):
            write({None: b"N", True: b"\x88", False: b"\x89"}[thing])
        elif isinstance(thing, int):
            write(_integer(thing))
        elif isinstance(thing, float):
            write(b"G" + struct.pack(">d", thing))
        elif isinstance(thing, str):
            if not self._known(("str", thing)):
                raw = thing.encode("utf-8", "surrogatepass")
                write(b"X" + struct.pack("<I", len(raw)) + raw)
                self._put(("str", thing))
        elif isinstance(thing, bytes):
            self.save(Call(Global("_codecs", "encode"), (thing.decode("latin1"), "latin1")))
        elif isinstance(thing, tuple):
            self._tuple(thing)
        elif isinstance(thing, Global):
            if not self._known((thing.module, thing.name)):
                write(f"c{thing.module}\n{thing.name}\n".encode())
                self._put((thing.module, thing.name))
        elif isinstance(thing, Persistent):
            self.save(thing.key)
            write(b"Q")
        elif not self._known(id(thing)):
            self._kept.append(thing)
            self._object(thing)

    def _object(self, thing: Any) -> None:
        if isinstance(thing, OrderedDict):
            self._call(Call(Global("collections", "OrderedDict"), (), None, thing), thing)
        elif isinstance(thing, dict):
            self._parts.append(b"}")
            self._put(id(thing))
            self._items(thing)
        elif isinstance(thing, list):
            self._parts.append(b"]")
            self._put(id(thing))
            self._appended(thing)
        elif isinstance(thing, set | frozenset):
            self._call(Call(Global("builtins", type(thing).__name__), (sorted(thing),)), thing)
        elif isinstance(thing, Call):
            self._call(thing, thing)
        elif isinstance(thing, Module):
            self._call(_module_call(thing), thing)
        elif isinstance(thing, Tensor):
            self._tensor(thing)
        else:
            raise TypeError(type(thing))

    def _tensor(self, tensor: Tensor) -> None:
        assert self._persistent is not None
        hooks = Global("collections", "OrderedDict")
        if tensor.parameter and ("bare", id(tensor)) not in self._memo:
            self.save(Global("torch._utils", "_rebuild_parameter"))
            self._rebuild(tensor, ("bare", id(tensor)))
            self.save(True)
            self._call(Call(hooks), object())
            self._parts.append(b"\x87")
            self._put(object())
            self._parts.append(b"R")
            self._put(id(tensor))
        else:
            self._rebuild(tensor, id(tensor))

    def _rebuild(self, tensor: Tensor, memo: Any) -> None:
        assert self._persistent is not None
        typed = tensor.dtype in STORAGE_CLASS
        version = "_rebuild_tensor_v2" if typed else "_rebuild_tensor_v3"
        self.save(Global("torch._utils", version))
        self._parts.append(b"(")
        self.save(Persistent(self._persistent(tensor)))
        # New tuples, as torch makes them: the memo would share one that two tensors have.
        for part in (tensor.offset, (*tensor.shape,), (*tensor.strides,), False):
            self.save(part)
        self._call(Call(Global("collections", "OrderedDict")), object())
        if not typed:
            self.save(Global("torch", tensor.dtype))
        self._parts.append(b"t")
        self._put(object())
        self._parts.append(b"R")
        self._put(memo)

    def _call(self, call: Call, memo: Any) -> None:
        self.save(call.function)
        self.save(call.args)
        self._parts.append(b"\x81" if call.new else b"R")
        self._put(id(memo))
        self._kept.append(memo)
        self._appended(call.appended)
        self._items(call.items or {})
        if call.state is not None:
            self.save(call.state)
            self._parts.append(b"b")

    def _tuple(self, thing: tuple[Any, ...]) -> None:
        if not thing:
            self._parts.append(b")")
            return
        if self._known(id(thing)):
            return
        if len(thing) > 3:
            self._parts.append(b"(")
        for part in thing:
            self.save(part)
        self._parts.append({1: b"\x85", 2: b"\x86", 3: b"\x87"}.get(len(thing), b"t"))
        self._kept.append(thing)
        self._put(id(thing))

    def _items(self, items: Mapping[Any, Any]) -> None:
        pairs = list(items.items())
        for start in range(0, len(pairs), 1000):
            batch = pairs[start : start + 1000]
            self._parts.append(b"(" if len(batch) > 1 else b"")
            for key, value in batch:
                self.save(key)
                self.save(value)
            self._parts.append(b"u" if len(batch) > 1 else b"s")

    def _appended(self, things: Sequence[Any]) -> None:
        for start in range(0, len(things), 1000):
            batch = things[start : start + 1000]
            self._parts.append(b"(" if len(batch) > 1 else b"")
            for thing in batch:
                self.save(thing)
            self._parts.append(b"e" if len(batch) > 1 else b"a")

    def _put(self, key: Any) -> None:
        number = len(self._memo)
        self._memo[key] = number
        short = number < 256
        self._parts.append(b"q%c" % number if short else b"r" + struct.pack("<I", number))

    def _known(self, key: Any) -> bool:
        number = self._memo.get(key)
        if number is None:
            return False
        self._parts.append(b"h%c" % number if number < 256 else b"j" + struct.pack("<I", number))
        return True


def _integer(number: int) -> bytes:
    if 0 <= number < 256:
        return b"K%c" % number
    if 0 <= number < 65536:
        return b"M" + struct.pack("<H", number)
    if -(2**31) <= number < 2**31:
        return b"J" + struct.pack("<i", number)
    raw = number.to_bytes(number.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a%c" % len(raw) + raw


def _module_call(module: Module) -> Call:
    path, _, name = module.class_name.rpartition(".")
    state: dict[str, Any] = {
        "training": False,
        "_parameters": OrderedDict(module.parameters),
        "_buffers": OrderedDict(module.buffers),
        "_non_persistent_buffers_set": set(module.transient),
        "_backward_hooks": OrderedDict(),
        "_modules": OrderedDict(module.modules),
        **module.attributes,
    }
    return Call(Global(path, name), (), state, new=True)
