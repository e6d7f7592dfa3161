"""Moving averages that lie within the same state dict as the weights that they average.

OpenMMLab's EMA hook registers a buffer for each parameter under its name with `ema_` before it and
underscores for dots (`mmcv/runner/hooks/ema.py`): `backbone.conv1.weight` stands beside
`ema_backbone_conv1_weight`.
"""

from __future__ import annotations

from collections.abc import Iterator

from mycloset.checkpoints.contents import TensorGroup
from mycloset.checkpoints.tensors import TensorTable

PREFIX = "ema_"
_SHARE = 0.9
"""Of the keys with the prefix, how many must be copies of others."""


def separated(groups: tuple[TensorGroup, ...]) -> tuple[TensorGroup, ...]:
    """The groups, with underscored averages as groups of their own behind the weights."""
    return tuple(part for group in groups for part in _separated(group))


def _separated(group: TensorGroup) -> Iterator[TensorGroup]:
    copies = _copies(group.table) if group.role == "weights" else {}
    if not copies:
        yield group
        return
    table = group.table
    plain = TensorTable(entry for key, entry in table.items() if key not in copies)
    averages = TensorTable(table[copy]._replace(key=key) for copy, key in copies.items())
    yield TensorGroup(group.wrapper, plain, group.role, group.kind, group.class_name)
    yield TensorGroup((*group.wrapper, PREFIX), averages, "ema", group.kind, group.class_name)


def _copies(table: TensorTable) -> dict[str, str]:
    """Key of each copy -> key of what it is a copy of."""
    named = [key for key in table if key.startswith(PREFIX)]
    if not named:
        return {}
    originals = {PREFIX + key.replace(".", "_"): key for key in table if not key.startswith(PREFIX)}
    found = {
        copy: originals[copy]
        for copy in named
        if copy in originals and table[copy].shape == table[originals[copy]].shape
    }
    return found if len(found) >= _SHARE * len(named) else {}
