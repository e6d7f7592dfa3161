"""What holds other things among a pickle's nodes: mappings, lists, objects, module trees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mycloset.checkpoints.pickles.nodes import Call, Global, Key, Persistent
from mycloset.checkpoints.pickles.rendering import shown


def mapping_of(node: Any) -> dict[Any, Any] | None:
    """The items of a dict or of an object like one, else an object's attributes; None for others.

    An object that has both (an EasyDict, an OrderedDict with `_metadata`) counts by its items.
    """
    if node.__class__ is dict:
        found: dict[Any, Any] = node
        return found
    if node.__class__ is not Call:
        return None
    if node.items is not None:
        items: dict[Any, Any] = node.items
        return items
    args = node.args
    if isinstance(args, tuple) and args and isinstance(node.function, Global):
        last = args[-1]
        if isinstance(last, dict):
            # Counter({...}), copyreg._reconstructor(cls, dict, {...}).
            return last
        if node.function.name == "OrderedDict" and isinstance(last, list | tuple):
            # Python 2 wrote OrderedDict([[key, value], ...]).
            return _pairs(last)
    if isinstance(node.function, Global) and node.function.name in ("OrderedDict", "defaultdict"):
        return {}
    return attributes_of(node)


def attributes_of(node: Any) -> dict[Any, Any] | None:
    """What BUILD put into an object's `__dict__` and slots."""
    if node.__class__ is not Call:
        return None
    state = node.state
    if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):
        slots = state[1]
        return {**state[0], **slots} if isinstance(state[0], dict) else slots
    if isinstance(state, Call):
        return mapping_of(state) if state is not node and state.items is not None else None
    return state if isinstance(state, dict) else None


def sequence_of(node: Any) -> list[Any] | tuple[Any, ...] | None:
    """The elements of a list, tuple, or object that was appended to."""
    if node.__class__ is list or node.__class__ is tuple:
        found: list[Any] | tuple[Any, ...] = node
        return found
    if node.__class__ is Call and node.appended is not None:
        appended: list[Any] = node.appended
        return appended
    return None


def is_module(node: Any) -> bool:
    """Whether a node is a pickled `nn.Module`, whatever its class."""
    if node.__class__ is not Call:
        return False
    state = attributes_of(node)
    return state is not None and "_modules" in state and "_parameters" in state


def is_script(node: Any) -> bool:
    """Whether a node is an object of a TorchScript archive."""
    return class_of(node).startswith("__torch__.")


def class_of(node: Any) -> str:
    """The class of an object, dotted; "" where it has none or it is not named."""
    if node.__class__ is not Call:
        return ""
    function = node.function
    if isinstance(function, Persistent):
        # Old files name a module's class by a persistent id, its source code beside it.
        key = function.key if isinstance(function.key, tuple) else ()
        function = next((part for part in key[:2] if isinstance(part, Global)), None)
    if function.__class__ is not Global:
        return ""
    if function.name == "_reconstructor" and isinstance(node.args, tuple) and node.args:
        function = node.args[0]
    return function.path if isinstance(function, Global) else ""


def module_parts(node: Call) -> Iterator[tuple[str, Any, bool]]:
    """Name, node and whether it is a parameter, of a module's own persistent tensors."""
    state = attributes_of(node) or {}
    for name, value in (mapping_of(state.get("_parameters")) or {}).items():
        if value is not None:
            yield label(name), value, True
    transient = transient_of(state.get("_non_persistent_buffers_set"))
    for name, value in (mapping_of(state.get("_buffers")) or {}).items():
        if value is not None and not (isinstance(name, str) and name in transient):
            yield label(name), value, False


def submodules(node: Call) -> Iterator[tuple[str, Any]]:
    """Name and node of a module's children."""
    state = attributes_of(node) or {}
    for name, value in (mapping_of(state.get("_modules")) or {}).items():
        if value is not None:
            yield label(name), value


def transient_of(node: Any) -> frozenset[str]:
    """The strings of a set, as `set([...])` wrote it before protocol 4 or as a set itself."""
    if isinstance(node, Call):
        args = node.args
        node = args[0] if isinstance(args, tuple) and len(args) == 1 else ()
    if not isinstance(node, set | frozenset | list | tuple):
        return frozenset()
    return frozenset(part for part in node if isinstance(part, str))


def label(key: Any) -> str:
    """A dictionary key as a part of a dotted name."""
    if key.__class__ is str:
        text: str = key
        return text
    if isinstance(key, bytes):
        return key.decode("utf-8", "replace")
    return shown(key.value if isinstance(key, Key) else key, 60)


def _pairs(nodes: list[Any] | tuple[Any, ...]) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for pair in nodes:
        if isinstance(pair, list | tuple) and len(pair) == 2:
            key = pair[0]
            found[key if isinstance(key, str | bytes | int | float) else Key(key)] = pair[1]
    return found
