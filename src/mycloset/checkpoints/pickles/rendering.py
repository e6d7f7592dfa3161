"""Short readable text for nodes, whatever their size and shape."""

from __future__ import annotations

from typing import Any

from mycloset.checkpoints.pickles.nodes import Blob, Call, Global, Key, Persistent

WIDTH = 160
"""Characters that a text has at most, roughly."""

_STRING = 80
_PARTS = 8
_DEPTH = 5


def shown(node: Any, width: int = WIDTH) -> str:
    """A node as Python would write it, shortened: "os.system('touch x')"."""
    return _Text(width).of(node, 0)


class _Text:
    def __init__(self, width: int) -> None:
        self._left = width

    def of(self, node: Any, depth: int) -> str:
        if self._left <= 0 or depth > _DEPTH:
            return "…"
        self._left -= 1
        if isinstance(node, Call):
            return self._call(node, depth)
        for kind, opening, closing in ((tuple, "(", ")"), (list, "[", "]")):
            if isinstance(node, kind) and not isinstance(node, Blob):
                last = "," if kind is tuple and len(node) == 1 else ""
                return f"{opening}{self._parts(node, depth)}{last}{closing}"
        if isinstance(node, dict):
            return "{" + self._pairs(node, depth, ": ") + "}"
        if isinstance(node, set | frozenset):
            return "{" + self._parts(list(node)[: _PARTS + 1], depth) + "}"
        return self._spent(_plain(node))

    def _spent(self, text: str) -> str:
        self._left -= len(text)
        return text

    def _call(self, node: Call, depth: int) -> str:
        function = self.of(node.function, depth + 1)
        args = node.args
        inner = self._parts(args, depth) if isinstance(args, tuple) else self.of(args, depth + 1)
        if isinstance(node.options, dict) and node.options:
            inner = ", ".join(filter(None, (inner, self._pairs(node.options, depth, "="))))
        return f"{function}({inner})"

    def _parts(self, nodes: Any, depth: int) -> str:
        texts = [self.of(part, depth + 1) for part in nodes[:_PARTS]]
        if len(nodes) > _PARTS:
            texts.append("…")
        return ", ".join(texts)

    def _pairs(self, nodes: dict[Any, Any], depth: int, between: str) -> str:
        texts = []
        for count, (key, value) in enumerate(nodes.items()):
            if count == _PARTS:
                texts.append("…")
                break
            name = key if between == "=" and isinstance(key, str) else self.of(key, depth + 1)
            texts.append(f"{name}{between}{self.of(value, depth + 1)}")
        return ", ".join(texts)


def _plain(node: Any) -> str:
    if isinstance(node, str | bytes):
        return repr(node) if len(node) <= _STRING else f"{node[:_STRING]!r}…"
    if isinstance(node, bool | float | None.__class__):
        return repr(node)
    if isinstance(node, int):
        return str(node) if node.bit_length() < 200 else f"<number of {node.bit_length()} bits>"
    if isinstance(node, Global):
        return node.path[:_STRING]
    if isinstance(node, Persistent):
        return "<supplied by the file>"
    if isinstance(node, Blob):
        return f"<{node.length} bytes of {node.kind}>"
    if isinstance(node, Key):
        return "<unhashable>"
    return f"<{type(node).__name__}>"
