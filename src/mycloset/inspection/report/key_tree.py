"""A file's tensors as a person reads them: repeated layers on one line, `layers.{0..11}.weight`."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Generic, NamedTuple, TypeVar

from mycloset.checkpoints.contents import Checkpoint, TensorGroup
from mycloset.checkpoints.tensors import Shape
from mycloset.inspection.report.text import Line, Span, printable, width_of
from mycloset.inspection.report.wording import plural, shape_text

_Label = TypeVar("_Label", bound=Hashable)
_Texts = tuple[str | None, ...]

MOST_NUMBERS = 6
"""Numbers of a key that are folded; further ones stand as they are (keys are anybody's text)."""

_LONGEST_NUMBER = 9
_WIDEST_KEY = 72
"""Columns up to which keys are padded, so that shapes stand below each other."""


class Folded(NamedTuple, Generic[_Label]):
    """Keys that differ only in numbers or in their last name, and carry the same label.

    Attributes:
        pattern: the key with its numbers folded, `layers.{0..11}.norm.{weight,bias}`.
        label: what is true of all of them (dtype and shape, say).
        keys: the keys, in the order given.
    """

    pattern: str
    label: _Label
    keys: tuple[str, ...]


def fold(labels: Mapping[str, _Label]) -> list[Folded[_Label]]:
    """Keys folded where the label is the same and only whole numbers between dots differ, or the
    last names of one module.

    Every key is in exactly one of the results, which come in the order of their first keys.
    """
    found: dict[_Texts, dict[_Label, dict[tuple[int, ...], str]]] = {}
    for key, label in labels.items():
        texts, numbers = _apart(key)
        found.setdefault(texts, {}).setdefault(label, {})[numbers] = key
    order = {key: place for place, key in enumerate(labels)}
    modules: dict[tuple[str, str, _Label, int], list[tuple[str, list[str]]]] = {}
    for texts, by_label in found.items():
        for label, members in by_label.items():
            for block, keys in _blocks(members, order):
                parent, dot, name = _pattern(texts, block).rpartition(".")
                # A name with signs of its own could be read as a folded one: it stands alone.
                alone = "" if name.isidentifier() else name
                modules.setdefault((parent + dot, alone, label, len(keys)), []).append((name, keys))
    folded = []
    for (parent, _, label, _), names in modules.items():
        names.sort(key=lambda item: order[item[1][0]])
        every = sorted((key for _, keys in names for key in keys), key=order.__getitem__)
        folded.append(Folded(parent + _names_text(names), label, tuple(every)))
    return sorted(folded, key=lambda item: order[item.keys[0]])


def key_lines(group: TensorGroup) -> list[Line]:
    """One line a folded tensor: key, shape, dtype, how many; what the line before had is dim."""
    folded = fold({key: (entry.shape, entry.dtype) for key, entry in group.table.items()})
    shown = [printable(item.pattern) for item in folded]
    width = min(_WIDEST_KEY, max(map(width_of, shown), default=0))
    lines: list[Line] = []
    before = ""
    for pattern, item in zip(shown, folded, strict=True):
        same = _common(before, pattern)
        before = pattern
        shape: Shape = item.label[0]
        many = f"  ×{len(item.keys)}" if len(item.keys) > 1 else ""
        blanks = " " * (max(0, width - width_of(pattern)) + 2)
        lines.append(
            [
                Span(pattern[:same], "dim"),
                Span(pattern[same:] + blanks + shape_text(shape)),
                Span(f"  {item.label[1]}{many}", "dim"),
            ]
        )
    return lines


def group_title(group: TensorGroup) -> str:
    """What a group is and where it lies, in one line."""
    what = {"ema": "moving average", "optimizer": "optimizer state", "other": "other tensors"}.get(
        group.role, group.kind
    )
    name = f" {group.class_name}" if group.class_name else ""
    where = f" under {'.'.join(group.wrapper)}" if group.wrapper else ""
    return f"{what}{name}{where}: {plural(len(group.table), 'tensor')}"


def checkpoint_lines(checkpoint: Checkpoint) -> list[Line]:
    """The tensors of all groups of a file, each below its title."""
    lines: list[Line] = []
    for group in checkpoint.groups:
        if lines:
            lines.append([])
        lines += [[Span(group_title(group), "bold")], *key_lines(group)]
    return lines or [[Span("no tensors", "dim")]]


def groups_json(checkpoint: Checkpoint) -> list[dict[str, Any]]:
    """Every tensor of every group, nothing folded, ready for JSON."""
    return [
        {
            "wrapper": ".".join(group.wrapper),
            "role": group.role,
            "kind": group.kind,
            "class_name": group.class_name,
            "tensors": [
                {
                    "key": key,
                    "dtype": entry.dtype,
                    "shape": list(entry.shape),
                    "bytes": entry.nbytes,
                    "range": list(entry.byte_range) if entry.byte_range else None,
                    "file": entry.storage.file,
                }
                for key, entry in group.table.items()
            ],
        }
        for group in checkpoint.groups
    ]


def _apart(key: str) -> tuple[_Texts, tuple[int, ...]]:
    """A key's texts, and the numbers between them; a number's place holds None among the texts."""
    parts: list[str | None] = [*key.split(".")]
    numbers: list[int] = []
    for place, part in enumerate(parts):
        if part is not None and len(numbers) < MOST_NUMBERS and _is_number(part):
            numbers.append(int(part))
            parts[place] = None
    return tuple(parts), tuple(numbers)


def _is_number(part: str) -> bool:
    return (
        part.isascii()
        and part.isdigit()
        and len(part) <= _LONGEST_NUMBER
        and (part == "0" or part[0] != "0")
    )


def _blocks(
    members: Mapping[tuple[int, ...], str], order: Mapping[str, int]
) -> Iterable[tuple[tuple[tuple[int, ...], ...], list[str]]]:
    """The members as products of sets of numbers, with their keys in order."""
    for block in _products(frozenset(members)):
        keys = [members[numbers] for numbers in _expanded(block)]
        yield block, sorted(keys, key=order.__getitem__)


def _products(tuples: frozenset[tuple[int, ...]]) -> list[tuple[tuple[int, ...], ...]]:
    """Tuples of numbers, all of one length, as disjoint products of sets.

    First numbers that are followed by the very same rests stand together.
    """
    if tuples == {()}:
        return [()]
    rests: dict[int, set[tuple[int, ...]]] = {}
    for first, *rest in tuples:
        rests.setdefault(first, set()).add(tuple(rest))
    together: dict[frozenset[tuple[int, ...]], list[int]] = {}
    for first, rest_set in rests.items():
        together.setdefault(frozenset(rest_set), []).append(first)
    return [
        (tuple(sorted(firsts)), *block)
        for rest_sets, firsts in together.items()
        for block in _products(rest_sets)
    ]


def _expanded(block: tuple[tuple[int, ...], ...]) -> Iterable[tuple[int, ...]]:
    if not block:
        yield ()
        return
    for first in block[0]:
        for rest in _expanded(block[1:]):
            yield (first, *rest)


def _pattern(texts: _Texts, block: tuple[tuple[int, ...], ...]) -> str:
    numbers = iter(block)
    return ".".join(_numbers_text(next(numbers)) if text is None else text for text in texts)


def _names_text(names: Sequence[tuple[str, object]]) -> str:
    last = ",".join(name for name, _ in names)
    return f"{{{last}}}" if len(names) > 1 else last


def _numbers_text(numbers: tuple[int, ...]) -> str:
    """Sorted numbers as runs: `7`, `{0..11}`, `{0..3,5,7..9}`, `{0..10..2}`."""
    if len(numbers) == 1:
        return str(numbers[0])
    step = numbers[1] - numbers[0]
    if len(numbers) > 2 and all(b - a == step for a, b in pairwise(numbers)):
        return f"{{{numbers[0]}..{numbers[-1]}{f'..{step}' if step > 1 else ''}}}"
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [f"{run[0]}..{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs]
    return f"{{{','.join(parts)}}}"


def _common(before: str, pattern: str) -> int:
    """Length of the leading components that both have."""
    cut = 0
    for place, (one, other) in enumerate(zip(before, pattern, strict=False)):
        if one != other:
            break
        if one == ".":
            cut = place + 1
    return cut
