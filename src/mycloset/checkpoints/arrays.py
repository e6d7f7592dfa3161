"""NumPy's arrays and scalars among the nodes of a pickle."""

from __future__ import annotations

import struct
from math import prod
from typing import Any

from mycloset.checkpoints.pickles.nodes import Blob, Call, Global
from mycloset.checkpoints.tensors import Shape, Storage

_CORES = ("numpy.core", "numpy._core")
_RECONSTRUCT = frozenset(f"{core}.multiarray._reconstruct" for core in _CORES)
_FROM_BUFFER = frozenset(f"{core}.numeric._frombuffer" for core in _CORES)
_SCALAR = frozenset(f"{core}.multiarray.scalar" for core in _CORES)
ARRAY_MAKERS = _RECONSTRUCT | _FROM_BUFFER
"""Functions that make an array."""

_KINDS = {
    "f8": "float64", "f4": "float32", "f2": "float16", "i8": "int64", "i4": "int32", "i2": "int16",
    "i1": "int8", "u8": "uint64", "u4": "uint32", "u2": "uint16", "u1": "uint8", "b1": "bool",
    "c16": "complex128", "c8": "complex64",
}  # fmt: skip
_CODES = {
    "float64": "d", "float32": "f", "float16": "e", "int64": "q", "int32": "i", "int16": "h",
    "int8": "b", "uint64": "Q", "uint32": "I", "uint16": "H", "uint8": "B", "bool": "?",
}  # fmt: skip


def array_of(node: Call, origin: int | None) -> tuple[str, Shape, Shape, Storage] | None:
    """Dtype, shape, stride and place of an array of numbers; None for any other array.

    Args:
        node: a call of one of ARRAY_MAKERS.
        origin: what to add to a place in the pickle to get the place in the file, or None.
    """
    function, args, state = node.function, node.args, node.state
    if not isinstance(function, Global) or not isinstance(args, tuple):
        return None
    if function.path in _FROM_BUFFER:
        if len(args) < 4:
            return None
        data, kind, shape, fortran = args[0], args[1], args[2], args[3] == "F"
    else:
        if not isinstance(state, tuple) or len(state) < 5:
            return None
        shape, kind, fortran, data = state[1], state[2], state[3] in (True, 1), state[4]
    dtype, size = _dtype(kind)
    if not dtype or not isinstance(shape, tuple) or len(shape) > 64:
        return None
    if any(part.__class__ is not int or not 0 <= part < 1 << 48 for part in shape):
        return None
    length = _length(data)
    nbytes = prod(shape) * size
    if length is not None and length != nbytes:
        return None
    place = data.start + origin if isinstance(data, Blob) and origin is not None else None
    order = shape if fortran else tuple(reversed(shape))
    steps, step = [], 1
    for part in order:
        steps.append(step)
        step *= max(part, 1)
    stride = tuple(steps) if fortran else tuple(reversed(steps))
    return dtype, shape, stride, Storage("array", nbytes, place)


def scalar_of(node: Any) -> Any:
    """The number that a pickled NumPy scalar is; None for anything else."""
    if not isinstance(node, Call) or not isinstance(node.function, Global):
        return None
    args = node.args
    if node.function.path not in _SCALAR or not isinstance(args, tuple) or len(args) != 2:
        return None
    dtype, size = _dtype(args[0])
    data = _bytes(args[1])
    if data is None or dtype not in _CODES or len(data) != size:
        return None
    order = ">" if isinstance(args[0].state, tuple) and ">" in args[0].state[1:2] else "<"
    return struct.unpack(order + _CODES[dtype], data)[0]


def _dtype(node: Any) -> tuple[str, int]:
    """PyTorch's name and the bytes of what `numpy.dtype("f4")` stands for; "" for other kinds."""
    if isinstance(node, Call) and isinstance(node.function, Global):
        args = node.args
        if node.function.path == "numpy.dtype" and isinstance(args, tuple) and args:
            node = args[0]
    name = node.decode("latin1") if isinstance(node, bytes) else node
    if isinstance(name, Global) and name.module == "numpy":
        return next(((d, _size(k)) for k, d in _KINDS.items() if d == name.name), ("", 0))
    if not isinstance(name, str):
        return "", 0
    dtype = _KINDS.get(name.lstrip("<>|="), "")
    return dtype, _size(name.lstrip("<>|=")) if dtype else 0


def _size(kind: str) -> int:
    return int(kind[1:])


def _bytes(node: Any) -> bytes | None:
    """Bytes, also where protocol 2 wrote them as text to be encoded."""
    if isinstance(node, Call) and isinstance(node.function, Global):
        args = node.args
        usual = node.function.path == "_codecs.encode" and isinstance(args, tuple) and args
        node = args[0] if usual else None
    if isinstance(node, str):
        try:
            return node.encode("latin1")
        except UnicodeEncodeError:
            return None
    return node if isinstance(node, bytes) else None


def _length(node: Any) -> int | None:
    """How many bytes a node holds; None where that cannot be told."""
    if isinstance(node, Blob):
        return node.length if node.kind != "str" else None
    data = _bytes(node)
    return None if data is None else len(data)
