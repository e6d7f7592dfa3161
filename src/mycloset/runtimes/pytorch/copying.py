"""Copies of networks on the meta device, which take a fraction of the time of building them."""

from __future__ import annotations

import enum
import functools
import types
from collections import OrderedDict
from typing import Any

import torch
from torch import nn


class UncopiedError(Exception):
    """A network holds something of which nobody can say what a copy of it would be."""


def copied(network: nn.Module) -> nn.Module:
    """A network that shares no module and no container with the one that is given.

    Tensors on the meta device, which hold no values, are shared; others are copied.

    Raises:
        UncopiedError: it holds functions that may know its modules, or objects of other kinds than
            modules, tensors, containers and plain values.
    """
    made: nn.Module = _copied(network, {})
    return made


_PLAIN = frozenset(
    {
        *(type(None), bool, int, float, complex, str, bytes, range, slice, type, torch.Size),
        *(torch.dtype, torch.device, torch.layout, torch.memory_format),
        types.BuiltinFunctionType,
    }
)
"""Types of what cannot be changed, and knows of nothing that can."""


def _copied(value: Any, known: dict[int, Any]) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if id(value) in known:
        return known[id(value)]
    made: Any
    if isinstance(value, nn.Module):
        made = known[id(value)] = object.__new__(kind)
        inside = made.__dict__
        for name, held in value.__dict__.items():
            inside[name] = held if type(held) in _PLAIN else _copied(held, known)
        return made
    if kind is dict or kind is OrderedDict:
        made = known[id(value)] = kind()
        for name, held in value.items():
            made[_copied(name, known)] = _copied(held, known)
        return made
    if isinstance(value, torch.Tensor):
        made = known[id(value)] = value if value.is_meta else value.clone()
        return made
    return _copied_rarely(value, known)


def _copied_rarely(value: Any, known: dict[int, Any]) -> Any:
    """A copy of what few modules hold."""
    kind = type(value)
    made: Any
    if kind is list:
        made = known[id(value)] = []
        made.extend(_copied(held, known) for held in value)
        return made
    if kind is tuple:
        return tuple(_copied(held, known) for held in value)
    if kind is set:
        return {_copied(held, known) for held in value}
    if kind is types.MethodType:
        return types.MethodType(value.__func__, _copied(value.__self__, known))
    if kind is functools.partial:
        args, keywords = _copied(value.args, known), _copied(value.keywords, known)
        return functools.partial(_copied(value.func, known), *args, **keywords)
    if isinstance(value, enum.Enum | type) or _is_free(value):
        return value
    raise UncopiedError(f"{kind.__module__}.{kind.__qualname__}")


def _is_free(value: Any) -> bool:
    """Whether it is a function that knows nothing but what its module does."""
    return isinstance(value, types.FunctionType) and value.__closure__ is None
