"""KeyMapper: one layout's keys to the network's keys, as data with an inverse, with statistics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from math import prod
from typing import Literal

from mycloset.architectures.family import Shape, Shapes

COUNTER = "num_batches_tracked"
"""Last component of a batch norm's counter, which plays no part once training is over."""


@dataclass(frozen=True)
class Split:
    """One tensor of the file is several of the network, along a dimension.

    Attributes:
        source: the file's key after the renames, as a template ("{at*}.in_proj_weight").
        targets: the network's keys, in order, with the template's fields.
        dim: along which it is cut.
        sizes: of the parts; equal ones where it is empty.
    """

    source: str
    targets: tuple[str, ...]
    dim: int = 0
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Merge:
    """Several tensors of the file, one behind the other, are one of the network.

    Attributes:
        sources: the file's keys after the renames, in order, as templates.
        target: the network's key, with the templates' fields.
        dim: along which they are joined.
        sizes: of the parts, for the way back; equal ones where it is empty.
    """

    sources: tuple[str, ...]
    target: str
    dim: int = 0
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Permute:
    """A tensor whose dimensions the file has in another order, or which it has in another shape.

    Attributes:
        key: the network's key, as a template.
        dims: which of the file's dimensions becomes each of the network's; () for none.
        squeeze: dimensions of size 1 that the file has and the network lacks.
        flatten: whether all dimensions but the first become one (a convolution over the whole of
            its input that the network has as a linear layer).
    """

    key: str
    dims: tuple[int, ...] = ()
    squeeze: tuple[int, ...] = ()
    flatten: bool = False


@dataclass(frozen=True)
class KeyMap:
    """How one layout's keys become the network's: data, no code.

    A template is dotted. `{name}` in it stands for a part of one component, `{name*}` for one or
    more whole components. A rename rewrites every run of whole components that its left side
    describes, wherever it stands in a key (`^` at its front: only at the key's beginning; `$` at
    its end: only at the key's end); renames work one after the other.

    Attributes:
        renames: left and right side.
        splits, merges, permutes: after the renames.
        drops: templates of the file's keys (as they stand there) that the network does without.
    """

    renames: tuple[tuple[str, str], ...] = ()
    splits: tuple[Split, ...] = ()
    merges: tuple[Merge, ...] = ()
    permutes: tuple[Permute, ...] = ()
    drops: tuple[str, ...] = ()

    def renamed(self, key: str) -> str:
        """The key after all renames."""
        for pattern, replacement in self._forward:
            key = pattern.sub(replacement, key)
        return key

    def restored(self, key: str) -> str:
        """The file's key of a network's key: the renames backwards."""
        for pattern, replacement in self._backward:
            key = pattern.sub(replacement, key)
        return key

    def dropped(self, key: str) -> bool:
        """Whether the network does without this key of the file."""
        return any(_whole(drop).fullmatch(key) for drop in self.drops)

    @property
    def inverse(self) -> KeyMap:
        """From the network's keys to the file's; what was dropped stays dropped.

        Splits become merges and the other way round; the keys that they name are those of the
        file's side after its renames, so that they come first and the renames last.
        """
        return KeyMap(
            renames=tuple((_swap(new, old), _plain(old)) for old, new in reversed(self.renames)),
            splits=tuple(
                Split(_like(m.target, m.sources[0]), m.sources, m.dim, m.sizes) for m in self.merges
            ),
            merges=tuple(
                Merge(tuple(_like(t, s.source) for t in s.targets), s.source, s.dim, s.sizes)
                for s in self.splits
            ),
            permutes=tuple(
                Permute(p.key, tuple(p.dims.index(place) for place in range(len(p.dims))))
                for p in self.permutes
                if p.dims
            ),
        )

    @cached_property
    def _forward(self) -> list[tuple[re.Pattern[str], str]]:
        return [(_run(old), _replacement(new)) for old, new in self.renames]

    @cached_property
    def _backward(self) -> list[tuple[re.Pattern[str], str]]:
        return [
            (_run(_swap(new, old)), _replacement(_plain(old)))
            for old, new in reversed(self.renames)
        ]


IDENTITY = KeyMap()

Kind = Literal["take", "split", "merge", "permute"]


@dataclass(frozen=True)
class Step:
    """How one tensor of the network is made of the file's.

    Attributes:
        target: the network's key.
        sources: the file's keys; one, but for a merge.
        kind: "take" it as it is; "split" (`start` and `length` along `dim` of the one source);
            "merge" the sources along `dim`; "permute" its dimensions after `squeeze` and
            before `flatten`.
        dim, start, length, dims, squeeze, flatten: see `kind`.
    """

    target: str
    sources: tuple[str, ...]
    kind: Kind = "take"
    dim: int = 0
    start: int = 0
    length: int = 0
    dims: tuple[int, ...] = ()
    squeeze: tuple[int, ...] = ()
    flatten: bool = False


@dataclass(frozen=True)
class Mapped:
    """What a mapping of a file's keys to a network's came to.

    Attributes:
        steps: how each tensor that fits is made.
        unused: the file's keys that the network has no place for.
        missing: the network's keys that the file does not give.
        misshapen: the network's key, the shape that the file gives, the shape wanted.
        misfits: how those would be made.
        dropped: the file's keys that the network does without by rule.
    """

    steps: tuple[Step, ...]
    unused: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    misshapen: tuple[tuple[str, Shape, Shape], ...] = ()
    misfits: tuple[Step, ...] = ()
    dropped: tuple[str, ...] = ()

    @property
    def mapped(self) -> int:
        """Tensors of the network that the file gives."""
        return len(self.steps)

    @property
    def adapted(self) -> int:
        """Those among them that are not the file's as they are."""
        return sum(step.kind != "take" for step in self.steps)

    @property
    def rate(self) -> float:
        """Share of the network's tensors that the file gives, 0..1."""
        wanted = self.mapped + len(self.missing) + len(self.misshapen)
        return self.mapped / wanted if wanted else 1.0

    @property
    def statistics(self) -> dict[str, float]:
        """mapped, unused, missing, misshapen, adapted: counts; rate: 0..1."""
        return {
            "mapped": self.mapped,
            "unused": len(self.unused),
            "missing": len(self.missing),
            "misshapen": len(self.misshapen),
            "adapted": self.adapted,
            "rate": round(self.rate, 6),
        }


@dataclass(frozen=True)
class KeyMapper:
    """Maps a file's tensors to a network's by a KeyMap.

    Attributes:
        keymap: the layout's.
        optional: the network's keys that a file may lack.
    """

    keymap: KeyMap = field(default=IDENTITY)
    optional: frozenset[str] = frozenset()

    def map(self, found: Shapes, wanted: Shapes) -> Mapped:
        """How each tensor of the network is made.

        Args:
            found: the file's shapes by key, without wrapper and prefix.
            wanted: the network's shapes by key.
        """
        dropped = [key for key in found if self.keymap.dropped(key)]
        without = set(dropped)
        left = {self.keymap.renamed(key): key for key in found if key not in without}
        steps: list[Step] = []
        misshapen: list[tuple[str, Shape, Shape]] = []
        misfits: list[Step] = []
        used: set[str] = set()
        for step, shape in self._made(left, found):
            target = wanted.get(step.target)
            if target is None:
                continue
            used.update(step.sources)
            if target == shape:
                steps.append(step)
            else:
                misshapen.append((step.target, shape, target))
                misfits.append(step)
        given = {step.target for step in steps} | {key for key, _, _ in misshapen}
        missing = [
            key
            for key in wanted
            if key not in given and key not in self.optional and not _counts(key)
        ]
        kept = [key for key in left.values() if key not in used]
        counters = [key for key in kept if _counts(key)]
        unused = [key for key in kept if not _counts(key)]
        return Mapped(
            tuple(steps),
            tuple(unused),
            tuple(missing),
            tuple(misshapen),
            tuple(misfits),
            (*dropped, *counters),
        )

    def _made(self, left: Mapping[str, str], found: Shapes) -> Iterable[tuple[Step, Shape]]:
        """Every tensor that the file gives under the network's names, with its shape."""
        taken: set[str] = set()
        for split in self.keymap.splits:
            yield from _split(split, left, found, taken)
        for merge in self.keymap.merges:
            yield from _merge(merge, left, found, taken)
        for key, source in left.items():
            if key in taken:
                continue
            shape = found[source]
            permute = next((p for p in self.keymap.permutes if _whole(p.key).fullmatch(key)), None)
            if permute is None:
                yield Step(key, (source,)), shape
                continue
            step, made = _permuted(permute, key, source, shape)
            yield step, made


def _permuted(permute: Permute, key: str, source: str, shape: Shape) -> tuple[Step, Shape]:
    """How a tensor is permuted; as it is where it does not have the dimensions for it."""
    squeezed = tuple(size for place, size in enumerate(shape) if place not in permute.squeeze)
    fits = all(place < len(shape) and shape[place] == 1 for place in permute.squeeze)
    dims = permute.dims or tuple(range(len(squeezed)))
    if not fits or len(dims) != len(squeezed):
        return Step(key, (source,)), shape
    made = tuple(squeezed[place] for place in dims)
    if permute.flatten and made:
        made = (made[0], prod(made[1:]))
    step = Step(
        key, (source,), "permute", dims=dims, squeeze=permute.squeeze, flatten=permute.flatten
    )
    return step, made


def _split(
    split: Split, left: Mapping[str, str], found: Shapes, taken: set[str]
) -> Iterable[tuple[Step, Shape]]:
    pattern = _whole(split.source)
    for key, source in left.items():
        match = pattern.fullmatch(key)
        if match is None or key in taken:
            continue
        shape = found[source]
        if split.dim >= len(shape):
            continue
        sizes = split.sizes or _equal(shape[split.dim], len(split.targets))
        if sum(sizes) != shape[split.dim]:
            continue
        taken.add(key)
        start = 0
        for target, length in zip(split.targets, sizes, strict=True):
            part = (*shape[: split.dim], length, *shape[split.dim + 1 :])
            name = _filled(target, match)
            yield Step(name, (source,), "split", dim=split.dim, start=start, length=length), part
            start += length


def _merge(
    merge: Merge, left: Mapping[str, str], found: Shapes, taken: set[str]
) -> Iterable[tuple[Step, Shape]]:
    pattern = _whole(merge.sources[0])
    for key in left:
        match = pattern.fullmatch(key)
        if match is None or key in taken:
            continue
        names = [_filled(source, match) for source in merge.sources]
        if any(name not in left for name in names):
            continue
        shapes = [found[left[name]] for name in names]
        rests = {(*s[: merge.dim], *s[merge.dim + 1 :]) for s in shapes if merge.dim < len(s)}
        if len(rests) != 1 or any(merge.dim >= len(s) for s in shapes):
            continue
        taken.update(names)
        whole = (
            *shapes[0][: merge.dim],
            sum(shape[merge.dim] for shape in shapes),
            *shapes[0][merge.dim + 1 :],
        )
        sources = tuple(left[name] for name in names)
        yield Step(_filled(merge.target, match), sources, "merge", dim=merge.dim), whole


def _equal(size: int, parts: int) -> tuple[int, ...]:
    return (size // parts,) * parts if size % parts == 0 else ()


def _counts(key: str) -> bool:
    return key.rpartition(".")[2] == COUNTER


_FIELD = re.compile(r"\{(\w+)(\*?)\}")


def _expression(template: str) -> str:
    """A template as a regular expression without anchors."""
    parts: list[str] = []
    end = 0
    seen: set[str] = set()
    for match in _FIELD.finditer(template):
        parts.append(re.escape(template[end : match.start()]))
        name, many = match.groups()
        if name in seen:
            parts.append(f"(?P={name})")
        else:
            parts.append(f"(?P<{name}>{'.+?' if many else '[^.]+?'})")
        seen.add(name)
        end = match.end()
    parts.append(re.escape(template[end:]))
    return "".join(parts)


@lru_cache(4096)
def _whole(template: str) -> re.Pattern[str]:
    return re.compile(_expression(template))


@lru_cache(4096)
def _run(template: str) -> re.Pattern[str]:
    """What finds a run of whole components that a template describes."""
    front = r"^" if template.startswith("^") else r"(?:^|(?<=\.))"
    back = r"$" if template.endswith("$") else r"(?=\.|$)"
    return re.compile(front + _expression(_plain(template)) + back)


def _plain(template: str) -> str:
    return template.removeprefix("^").removesuffix("$")


def _swap(new: str, old: str) -> str:
    """The right side of a rename as a left side, with the anchors of the old one."""
    return ("^" if old.startswith("^") else "") + new + ("$" if old.endswith("$") else "")


def _like(template: str, other: str) -> str:
    """A template whose fields are as wide as those of the same name in another."""
    wide = {match[1] for match in _FIELD.finditer(other) if match[2]}
    return _FIELD.sub(lambda match: f"{{{match[1]}{'*' if match[1] in wide else ''}}}", template)


@lru_cache(4096)
def _replacement(template: str) -> str:
    return _FIELD.sub(lambda match: rf"\g<{match[1]}>", template.replace("\\", r"\\"))


def _filled(template: str, match: re.Match[str]) -> str:
    return _FIELD.sub(lambda field_: match[field_[1]], template)
