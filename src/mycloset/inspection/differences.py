"""What differs between two model files: tensors, shapes, dtypes, and values where asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from mycloset.checkpoints.contents import Checkpoint, TensorGroup
from mycloset.checkpoints.tensors import TensorEntry
from mycloset.errors import InputError

_DEEPEST_PREFIX = 6
_MOST_GROUPS = 12
"""Groups up to which every one of a file is held against every one of the other."""


class Change(NamedTuple):
    """A tensor that both files have, in two forms.

    Attributes:
        key: its name, without what was taken off.
        a: as the first file has it.
        b: as the second file has it.
    """

    key: str
    a: TensorEntry
    b: TensorEntry


class ValueDifference(NamedTuple):
    """A tensor of equal shape whose numbers differ.

    Attributes:
        key: its name, without what was taken off.
        shape: its shape.
        elements: numbers in it.
        differing: how many of them differ; two NaN are equal. None where the dtype's numbers
            cannot be read here: then only the bytes were compared.
        largest: the largest absolute difference; inf where one of the two is Inf or NaN.
        relative: the largest of |a-b| / max(|a|, |b|), 0..2; None where `differing` is None.
    """

    key: str
    shape: tuple[int, ...]
    elements: int
    differing: int | None
    largest: float | None
    relative: float | None


@dataclass(frozen=True)
class CheckpointDifference:
    """What differs between two files.

    Attributes:
        a: the first file.
        b: the second file.
        tensors_a: tensors compared of the first.
        tensors_b: tensors compared of the second.
        only_a: tensors that only the first has; their keys without what was taken off.
        only_b: tensors that only the second has.
        shapes: tensors whose shapes differ.
        dtypes: tensors whose dtypes differ.
        values: tensors whose numbers differ; empty where values were not read.
        unread: key and reason of tensors whose values could not be read.
        equal: tensors in which nothing that was compared differs.
        notes: what was taken off the keys and what was left out, in words.
        deep: whether values were read.
        strict: whether keys were compared as they stand.
    """

    a: Path
    b: Path
    tensors_a: int
    tensors_b: int
    only_a: tuple[TensorEntry, ...]
    only_b: tuple[TensorEntry, ...]
    shapes: tuple[Change, ...]
    dtypes: tuple[Change, ...]
    values: tuple[ValueDifference, ...]
    unread: tuple[tuple[str, str], ...]
    equal: int
    notes: tuple[str, ...]
    deep: bool
    strict: bool

    @property
    def differs(self) -> bool:
        """Whether a difference was found."""
        return bool(self.only_a or self.only_b or self.shapes or self.dtypes or self.values)

    @property
    def same(self) -> bool:
        """Whether everything that was to be compared could be, and is equal."""
        return not self.differs and not self.unread

    def to_json(self) -> dict[str, Any]:
        """JSON values; an infinite difference is the text "inf"."""
        return {
            "a": str(self.a),
            "b": str(self.b),
            "same": self.same,
            "tensors_a": self.tensors_a,
            "tensors_b": self.tensors_b,
            "equal": self.equal,
            "only_a": [_tensor_json(entry) for entry in self.only_a],
            "only_b": [_tensor_json(entry) for entry in self.only_b],
            "shapes": [
                {"key": key, "a": list(one.shape), "b": list(other.shape)}
                for key, one, other in self.shapes
            ],
            "dtypes": [
                {"key": key, "a": one.dtype, "b": other.dtype} for key, one, other in self.dtypes
            ],
            "values": [
                {**value._asdict(), "shape": list(value.shape), "largest": _number(value.largest)}
                for value in self.values
            ],
            "unread": [{"key": key, "reason": reason} for key, reason in self.unread],
            "notes": list(self.notes),
            "deep": self.deep,
            "strict": self.strict,
        }


def diff_checkpoints(
    a: Checkpoint, b: Checkpoint, *, deep: bool = False, strict: bool = False
) -> CheckpointDifference:
    """Compare two files tensor by tensor.

    Unless `strict`, what merely wraps a state dict makes no difference: the wrapper, a prefix that
    most keys have (`module.`), and an optimizer's state beside it.

    Args:
        a: the first file.
        b: the second file.
        deep: also compare numbers, in pieces: memory stays the same for any size.
        strict: compare all keys as they stand, wrapper included.

    Raises:
        InputError: one of the files holds no tensors.
    """
    for checkpoint in (a, b):
        if not checkpoint.tensors:
            said = " ".join(finding.message for finding in checkpoint.findings[:1])
            raise InputError(f"{checkpoint.path} holds no tensors. {said}".strip())
    one, other, notes = _as_they_stand(a, b) if strict else _unwrapped(a, b)
    common = [(key, entry, other[key]) for key, entry in one.items() if key in other]
    values: list[ValueDifference] = []
    unread: list[tuple[str, str]] = []
    if deep:
        from mycloset.inspection.values import compare_values

        alike = [change for change in common if change[1].shape == change[2].shape]
        for found in compare_values(alike, a, b):
            if isinstance(found, ValueDifference):
                values.append(found)
            else:
                unread.append(found)
    shapes = tuple(Change(*item) for item in common if item[1].shape != item[2].shape)
    dtypes = tuple(Change(*item) for item in common if item[1].dtype != item[2].dtype)
    unequal = {change.key for change in (*shapes, *dtypes)}
    unequal |= {value.key for value in values} | {key for key, _ in unread}
    return CheckpointDifference(
        a=a.path,
        b=b.path,
        tensors_a=len(one),
        tensors_b=len(other),
        only_a=tuple(entry._replace(key=key) for key, entry in one.items() if key not in other),
        only_b=tuple(entry._replace(key=key) for key, entry in other.items() if key not in one),
        shapes=shapes,
        dtypes=dtypes,
        values=tuple(values),
        unread=tuple(unread),
        equal=len(common) - len(unequal),
        notes=tuple(notes),
        deep=deep,
        strict=strict,
    )


_Entries = dict[str, TensorEntry]


def _as_they_stand(a: Checkpoint, b: Checkpoint) -> tuple[_Entries, _Entries, list[str]]:
    def every(checkpoint: Checkpoint) -> _Entries:
        return {
            ".".join((*group.wrapper, key)): entry
            for group in checkpoint.groups
            for key, entry in group.table.items()
        }

    return every(a), every(b), []


def _unwrapped(a: Checkpoint, b: Checkpoint) -> tuple[_Entries, _Entries, list[str]]:
    """Tensors of both by comparable keys: groups that belong together get the same name."""
    notes: list[str] = []
    groups_a, groups_b = _compared(a, "A", notes), _compared(b, "B", notes)
    pairs = list(_pairs(groups_a, groups_b))
    rest_a = [group for group in groups_a if all(group is not pair[0] for pair in pairs)]
    rest_b = [group for group in groups_b if all(group is not pair[1] for pair in pairs)]
    one: _Entries = {}
    other: _Entries = {}
    for number, (first, second, prefix_a, prefix_b) in enumerate(pairs):
        # Only where there are several is the group a part of the name.
        name = f"{'.'.join(first.wrapper)}: " if number or len(pairs) > 1 else ""
        one.update({name + key: entry for key, entry in _stripped(first, prefix_a).items()})
        other.update({name + key: entry for key, entry in _stripped(second, prefix_b).items()})
        if first.wrapper != second.wrapper or prefix_a != prefix_b:
            notes += _taken_off("A", first, prefix_a) + _taken_off("B", second, prefix_b)
    for entries, rest in ((one, rest_a), (other, rest_b)):
        for group in rest:
            name = f"{'.'.join(group.wrapper)}: "
            entries.update({name + key: entry for key, entry in group.table.items()})
    return one, other, notes


def _compared(checkpoint: Checkpoint, side: str, notes: list[str]) -> list[TensorGroup]:
    groups = [group for group in checkpoint.groups if len(group.table)]
    kept = [group for group in groups if group.role != "optimizer"]
    if not kept:
        return groups
    for group in groups:
        if group.role == "optimizer":
            where = ".".join(group.wrapper) or "the outermost object"
            notes.append(f"left out: {side}'s optimizer state ({len(group.table):,}) in {where}")
    return kept


def _pairs(
    groups_a: Sequence[TensorGroup], groups_b: Sequence[TensorGroup]
) -> Iterator[tuple[TensorGroup, TensorGroup, str, str]]:
    """Groups that belong together, most alike first, each once, with the prefixes to take off."""
    found = []
    for place_a, one in enumerate(groups_a[:_MOST_GROUPS]):
        for place_b, other in enumerate(groups_b[:_MOST_GROUPS]):
            score, prefix_a, prefix_b = _alike(one, other)
            rank = (score, one.role == other.role, one.wrapper == other.wrapper)
            found.append((rank, -place_a, -place_b, prefix_a, prefix_b))
    taken_a: set[int] = set()
    taken_b: set[int] = set()
    for _, place_a, place_b, prefix_a, prefix_b in sorted(found, reverse=True):
        if -place_a not in taken_a and -place_b not in taken_b:
            taken_a.add(-place_a)
            taken_b.add(-place_b)
            yield groups_a[-place_a], groups_b[-place_b], prefix_a, prefix_b


def _alike(one: TensorGroup, other: TensorGroup) -> tuple[tuple[int, int], str, str]:
    """How many keys agree (with their shapes, and at all) under the best pair of prefixes."""
    best: tuple[tuple[int, int], str, str] = ((-1, -1), "", "")
    seconds = [(prefix, _stripped(other, prefix)) for prefix in _prefixes(other)]
    for prefix_a in _prefixes(one):
        first = _stripped(one, prefix_a)
        for prefix_b, second in seconds:
            common = first.keys() & second.keys()
            fitting = sum(first[key].shape == second[key].shape for key in common)
            if (fitting, len(common)) > best[0]:
                best = ((fitting, len(common)), prefix_a, prefix_b)
    return best


def _prefixes(group: TensorGroup) -> list[str]:
    """The dotted beginnings that at least half of the keys have, the empty one first."""
    found = [""]
    while len(found) <= _DEEPEST_PREFIX:
        prefix = found[-1]
        heads = Counter(
            key[len(prefix) :].partition(".")[0]
            for key in group.table
            if key.startswith(prefix) and "." in key[len(prefix) :]
        )
        head, count = heads.most_common(1)[0] if heads else ("", 0)
        if count * 2 < len(group.table):
            break
        found.append(f"{prefix}{head}.")
    # A prefix must not make two keys one.
    return [prefix for prefix in found if len(_stripped(group, prefix)) == len(group.table)]


def _stripped(group: TensorGroup, prefix: str) -> Mapping[str, TensorEntry]:
    return {key.removeprefix(prefix): entry for key, entry in group.table.items()}


def _taken_off(side: str, group: TensorGroup, prefix: str) -> list[str]:
    parts = []
    if group.wrapper:
        parts.append(f"wrapper {'.'.join(group.wrapper)}")
    if prefix:
        parts.append(f"prefix {prefix}")
    return [f"taken off {side}'s keys: {', '.join(parts)}"] if parts else []


def _tensor_json(entry: TensorEntry) -> dict[str, Any]:
    return {"key": entry.key, "dtype": entry.dtype, "shape": list(entry.shape)}


def _number(value: float | None) -> float | str | None:
    return "inf" if value == float("inf") else value
