"""From a pickle's description to state dicts, module trees, and what lies beside them.

How a nest of containers is read:

- A mapping with tensors among its values is a state dict at its place; mappings beside those
  tensors are state dicts of their own.
- Mappings whose keys are all without dots, down to tensors and nothing else, are not: they are
  levels of one state dict (`{"conv": {"weight": …}}`, as flax and hand-written savers nest), and
  their keys are joined by dots; unless they are named like a whole (`model`, `netG`, `params_ema`).
- A pickled module is walked by `_modules`, `_parameters` and `_buffers`, a TorchScript object by
  its attributes, to the keys that its `state_dict()` would have.
- What lies under `optimizer` and the like, or looks like an optimizer's state, is one group.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from mycloset.checkpoints import containers
from mycloset.checkpoints.arrays import scalar_of
from mycloset.checkpoints.contents import Finding, Role, TensorGroup
from mycloset.checkpoints.pickles.rendering import shown
from mycloset.checkpoints.rebuilding import Rebuilder
from mycloset.checkpoints.tensors import TensorEntry, TensorTable

DEPTH = 64
"""Levels of containers that are looked into."""

VISITS = 300_000
"""Nodes that are looked at; shared ones count each time."""

VALUES = 300
"""Values beside the tensors that are kept."""

_OPTIMIZER = re.compile(r"(?i)(.*_)?(optim|opt(_|$)|lr_?sched|sched|.*scaler|amp(_|$)|swa_state)")
_EMA = re.compile(r"(?i)(.*[._])?(ema|shadow_params|averaged)([._].*)?$")
_WHOLE = re.compile(
    r"(?i)(.*state_?dict.*|.*model.*|params.*|net.*|network|.*ema.*|generator.*|discriminator.*"
    r"|weights?_?dict|module|teacher|student|backbone_sd|gen|dis|gmm|tom|g|d|batch_stats)$"
)


class Contents(NamedTuple):
    """What an object holds.

    Attributes:
        groups: its state dicts and module trees, in their order.
        values: scalars beside them, and short descriptions of what else there is.
        findings: tensors that cannot be as described, and what was too much.
    """

    groups: tuple[TensorGroup, ...]
    values: dict[str, Any]
    findings: tuple[Finding, ...]


def build_tree(value: Any, rebuilder: Rebuilder, wrapper: tuple[str, ...] = ()) -> Contents:
    """The state dicts of an object that a pickle describes.

    Args:
        value: a pickle's value.
        rebuilder: tells tensors from other nodes, and where their bytes lie.
        wrapper: what leads to `value`, where it is not the outermost object.
    """
    tree = _Tree(rebuilder)
    tree.walk(value, wrapper, 0)
    if not tree.groups and not wrapper and containers.mapping_of(value) == {}:
        tree.add(wrapper, [], "weights")
    return Contents(_with_roles(tree.groups), tree.values, (*rebuilder.findings, *tree.findings))


class _Tree:
    def __init__(self, rebuilder: Rebuilder) -> None:
        self.groups: list[TensorGroup] = []
        self.values: dict[str, Any] = {}
        self.findings: list[Finding] = []
        self._rebuilder = rebuilder
        self._is_tensor = rebuilder.is_tensor
        self._open: set[int] = set()
        # Nodes that were looked into and hold no tensor: shared ones need no second look.
        self._barren: set[int] = set()
        self._visits = 0
        self._levels: dict[int, bool] = {}

    def walk(self, node: Any, path: tuple[str, ...], depth: int) -> None:
        """Add the groups and values of a node."""
        if id(node) in self._barren or not self._enter(node, depth):
            return
        before = len(self.groups)
        if self._is_tensor(node):
            self.add(path, [(path[-1] if path else "tensor", node)], "other")
        elif containers.is_module(node):
            self._module(node, path)
        elif containers.is_script(node):
            self._script(node, path)
        elif (elements := containers.sequence_of(node)) is not None:
            self._sequence(elements, path, depth)
        elif (items := containers.mapping_of(node)) is not None:
            self._mapping(items, path, depth)
        self._open.discard(id(node))
        if len(self.groups) == before:
            self._barren.add(id(node))

    def add(
        self,
        path: tuple[str, ...],
        tensors: list[tuple[str, Any]],
        role: Role,
        kind: str = "state dict",
        class_name: str = "",
    ) -> None:
        """Add the group of these tensors."""
        self._group(path, self._rebuilder.entries(tensors), role, kind, class_name)

    def _group(
        self,
        path: tuple[str, ...],
        entries: list[TensorEntry],
        role: Role,
        kind: str,
        class_name: str = "",
    ) -> None:
        if entries and all(entry.storage.name == "array" for entry in entries):
            kind = "arrays"
        self.groups.append(TensorGroup(path, TensorTable(entries), role, kind, class_name))

    def _enter(self, node: Any, depth: int) -> bool:
        """Whether to look into a node: not within itself, not too deep, not too much in all."""
        self._visits += 1
        if self._visits > VISITS or depth > DEPTH:
            what = "more than is looked at" if depth <= DEPTH else "containers nested too deeply"
            finding = Finding("suspicious", "warning", f"The file holds {what}.")
            if finding not in self.findings:
                self.findings.append(finding)
            return False
        if id(node) in self._open:
            return False
        self._open.add(id(node))
        return True

    def _mapping(self, items: dict[Any, Any], path: tuple[str, ...], depth: int) -> None:
        if self._is_optimizer(items, path):
            tensors: list[tuple[str, Any]] = []
            for key, value in items.items():
                if value.__class__ not in _SCALARS:
                    tensors += self._all_tensors(value, f"{containers.label(key)}.", depth + 1)
            if tensors:
                self.add(path, tensors, "optimizer")
                self._settings(path, items)
            else:
                self._note(path, items)
            return
        is_tensor = self._is_tensor
        own: list[tuple[str, Any]] = []
        levels: list[tuple[str, Any]] = []
        rest: list[tuple[str, Any]] = []
        order: list[tuple[str, Any]] = []
        for key, value in items.items():
            name = key if key.__class__ is str else containers.label(key)
            if is_tensor(value):
                own.append((name, value))
                order.append((name, value))
            elif value.__class__ in _SCALARS:
                self._value((*path, name), value)
            elif not _WHOLE.match(name) and "." not in name and self._is_level(value, depth + 1):
                levels.append((name, value))
                order.append((name, value))
            else:
                rest.append((name, value))
        if levels and not own and len(levels) == 1:
            rest += levels
            order = []
        self._visits += len(own)
        if order:
            tensors = own
            if levels:
                tensors = []
                for name, value in order:
                    tensors += self._all_tensors(value, f"{name}.", depth)
            before = len(self.groups)
            self.add(path, tensors, "weights")
        for name, value in rest:
            self._child(value, (*path, name), depth)
        if order and not any("." in name for name, _ in tensors):
            # A mean beside a state dict is no state dict.
            others = self.groups[before + 1 :]
            if any(group.role == "weights" for group in others) and len(tensors) <= 8:
                self.groups[before] = with_role(self.groups[before], "other")

    def _child(self, value: Any, path: tuple[str, ...], depth: int) -> None:
        before = len(self.groups)
        self.walk(value, path, depth + 1)
        if len(self.groups) == before:
            self._note(path, value)

    def _sequence(
        self, elements: list[Any] | tuple[Any, ...], path: tuple[str, ...], depth: int
    ) -> None:
        tensors = []
        for index, value in enumerate(elements):
            if value.__class__ in _SCALARS:
                continue
            if self._is_tensor(value):
                tensors.append((str(index), value))
            else:
                self._child(value, (*path, str(index)), depth)
        if tensors:
            optimizer = bool(path) and any(_OPTIMIZER.match(part) for part in path)
            self.add(path, tensors, "optimizer" if optimizer else "other")

    def _module(self, node: Any, path: tuple[str, ...]) -> None:
        entries: list[TensorEntry] = []
        for key, tensor, trainable in self._module_tensors(node, "", 0):
            found = self._rebuilder.entry(key, tensor, trainable)
            if found is not None:
                entries.append(found)
        self._group(path, entries, "weights", "module", containers.class_of(node))
        for name, value in (containers.attributes_of(node) or {}).items():
            if isinstance(name, str) and not name.startswith("_") and name != "training":
                if value.__class__ in _SCALARS and value is not None:
                    self._value((*path, name), value)
                elif name in _TELLING:
                    self._note((*path, name), value)

    def _module_tensors(
        self, node: Any, prefix: str, depth: int
    ) -> Iterator[tuple[str, Any, bool]]:
        for name, value, trainable in containers.module_parts(node):
            self._visits += 1
            if self._is_tensor(value):
                yield prefix + name, value, trainable
        for name, child in containers.submodules(node):
            if containers.is_module(child) and self._enter(child, depth):
                yield from self._module_tensors(child, f"{prefix}{name}.", depth + 1)
                self._open.discard(id(child))

    def _script(self, node: Any, path: tuple[str, ...]) -> None:
        tensors = list(self._script_tensors(node, "", 0))
        if tensors or not path:
            name = containers.class_of(node).removeprefix("__torch__.")
            self.add(path, tensors, "weights", "script", name)
        for key, value in (containers.attributes_of(node) or {}).items():
            if value.__class__ in _SCALARS and value is not None and key != "training":
                self._value((*path, containers.label(key)), value)

    def _script_tensors(self, node: Any, prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
        attributes = containers.attributes_of(node)
        if attributes is None:
            # Packed parameters of quantised layers have a tuple as their state.
            yield from self._all_tensors(node.state, prefix, depth)
            return
        for key, value in attributes.items():
            name = prefix + containers.label(key)
            if self._is_tensor(value):
                self._visits += 1
                yield name, value
            elif containers.is_script(value) and self._enter(value, depth):
                yield from self._script_tensors(value, f"{name}.", depth + 1)
                self._open.discard(id(value))

    def _all_tensors(self, node: Any, prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
        """Every tensor below a node, whatever leads to it."""
        if self._is_tensor(node):
            self._visits += 1
            yield prefix.removesuffix("."), node
            return
        items: Any = containers.mapping_of(node)
        if items is not None:
            items = items.items()
        else:
            elements = containers.sequence_of(node)
            items = enumerate(elements) if elements is not None else ()
        if not items or not self._enter(node, depth):
            return
        for key, value in items:
            if value.__class__ not in _SCALARS:
                yield from self._all_tensors(value, f"{prefix}{containers.label(key)}.", depth + 1)
        self._open.discard(id(node))

    def _is_optimizer(self, items: dict[Any, Any], path: tuple[str, ...]) -> bool:
        if path and _OPTIMIZER.match(path[-1]):
            return True
        return "param_groups" in items and "state" in items

    def _is_level(self, node: Any, depth: int) -> bool:
        """Whether a node is a mapping of tensors, and of such mappings, by names without dots."""
        if depth > DEPTH:
            return False
        known = self._levels.get(id(node))
        if known is not None:
            return known
        # Until it is known, a mapping within itself is none.
        self._levels[id(node)] = False
        if containers.is_module(node) or containers.is_script(node) or self._is_tensor(node):
            return False
        items = containers.mapping_of(node)
        if not items or "param_groups" in items:
            return False
        for key, value in items.items():
            if "." in containers.label(key):
                return False
            if not self._is_tensor(value) and not self._is_level(value, depth + 1):
                return False
        self._levels[id(node)] = True
        return True

    def _settings(self, path: tuple[str, ...], items: dict[Any, Any]) -> None:
        """Keep what an optimizer's first group of parameters is set to."""
        groups = containers.sequence_of(items.get("param_groups"))
        first = containers.mapping_of(groups[0]) if groups else None
        for key, value in list((first or {}).items())[:20]:
            if value.__class__ in _SCALARS and value is not None:
                self._value((*path, containers.label(key)), value)

    def _note(self, path: tuple[str, ...], node: Any) -> None:
        """Keep what a node without tensors says, one level of it."""
        if len(self.values) >= VALUES or len(path) > 8:
            return
        items = containers.mapping_of(node)
        if items is not None and len(items) <= 100:
            told = False
            for key, value in items.items():
                scalar = value if value.__class__ in _SCALARS else scalar_of(value)
                if scalar is not None:
                    self._value((*path, containers.label(key)), scalar)
                    told = True
            if told or not items:
                return
        scalar = scalar_of(node)
        if scalar is not None:
            self._value(path, scalar)
            return
        size = items if items is not None else containers.sequence_of(node)
        if size is not None and len(size) > 8:
            kind = "dict" if items is not None else "list"
            self._value(path, f"{kind} of {len(size)}")
        else:
            self._value(path, shown(node))

    def _value(self, path: tuple[str, ...], value: Any) -> None:
        if len(self.values) >= VALUES:
            return
        if isinstance(value, str) and len(value) > 300:
            value = value[:300] + "…"
        if isinstance(value, bytes) or (isinstance(value, int) and value.bit_length() > 64):
            value = shown(value)
        self.values[".".join(path)] = value


_SCALARS = frozenset({str, int, float, bool, type(None), bytes})
_TELLING = frozenset({"names", "yaml", "args", "config", "hparams"})
"""Attributes of modules that say what a network is for."""


def _with_roles(groups: list[TensorGroup]) -> tuple[TensorGroup, ...]:
    """Averages beside plain weights are called so; alone they are the weights."""
    averages = [
        group.role == "weights" and any(_EMA.match(part) for part in group.wrapper)
        for group in groups
    ]
    plain = any(
        group.role == "weights" and not average and len(group.table)
        for group, average in zip(groups, averages, strict=True)
    )
    if not plain:
        return tuple(groups)
    return tuple(
        with_role(group, "ema") if average else group
        for group, average in zip(groups, averages, strict=True)
    )


def with_role(group: TensorGroup, role: Role) -> TensorGroup:
    """The same group in another role."""
    return TensorGroup(group.wrapper, group.table, role, group.kind, group.class_name)
