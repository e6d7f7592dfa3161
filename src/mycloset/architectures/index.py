"""The index of known networks by the shapes of their tensors: for renamed and unknown files.

Run `python -m mycloset.architectures.index` after a family was added or changed: it writes
`index.json`, and the roster of the families beside it, anew. Tests hold both and the families
together.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

from mycloset.architectures.comparison import COUNTER
from mycloset.architectures.family import Claim, Shape, Shapes

FEW = 12
"""A network of fewer tensors is not told by shapes alone: chance could give them."""
ALIKE = 0.35
"""Likeness below which a known network is no neighbour."""


@dataclass(frozen=True)
class Known:
    """One known network.

    Attributes:
        family: its family's name.
        variant: its name there.
        layout: whose key names the example has.
        title: name for people.
        parameters: numbers in its tensors.
        sequence: hash of its shapes in the file's order.
        shapes: how often each shape occurs; 0-dimensional tensors and counters left out.
    """

    family: str
    variant: str
    layout: str
    title: str
    parameters: int
    sequence: str
    shapes: Mapping[str, int]

    @cached_property
    def count(self) -> int:
        """How many tensors it has."""
        return sum(self.shapes.values())


class Twin(NamedTuple):
    """A known network whose tensors have the very shapes of a table, under other names.

    Attributes:
        known: the network.
        ordered: whether they also come in the same order.
    """

    known: Known
    ordered: bool


class Neighbour(NamedTuple):
    """A known network that a table resembles.

    Attributes:
        known: the network.
        likeness: 0..1, shapes in common of all that either has.
        differs: what differs, in words.
    """

    known: Known
    likeness: float
    differs: str


def find_twins(shapes: Shapes) -> tuple[Twin, ...]:
    """Known networks of exactly these shapes; those in the same order first."""
    return twins_of(*summary(shapes))


def twins_of(counts: Mapping[str, int], sequence: str) -> tuple[Twin, ...]:
    """The same for a table's `summary`."""
    if sum(counts.values()) < FEW:
        return ()
    found = [Twin(known, known.sequence == sequence) for known in load() if known.shapes == counts]
    ordered = [twin for twin in found if twin.ordered]
    return tuple(ordered or found)


def find_neighbours(shapes: Shapes, *, most: int = 3) -> tuple[Neighbour, ...]:
    """Known networks that share the most shapes with a table, the likest first; one a variant."""
    return neighbours_of(summary(shapes)[0], most=most)


def neighbours_of(counts: Mapping[str, int], *, most: int = 3) -> tuple[Neighbour, ...]:
    """The same for the counts of a table's `summary`."""
    total = sum(counts.values())
    if total == 0:
        return ()
    shared: dict[int, int] = {}
    for shape, number in counts.items():
        for place, own in _places().get(shape, ()):
            shared[place] = shared.get(place, 0) + min(number, own)
    rated = []
    for place, common in sorted(shared.items()):
        known = load()[place]
        likeness = common / (total + known.count - common)
        if likeness >= ALIKE:
            rated.append((likeness, known))
    rated.sort(key=lambda item: -item[0])
    found: dict[tuple[str, str], Neighbour] = {}
    for likeness, known in rated:
        name = (known.family, known.variant)
        if name not in found:
            found[name] = Neighbour(known, round(likeness, 3), _differs(counts, known))
        if len(found) == most:
            break
    return tuple(found.values())


def summary(shapes: Shapes) -> tuple[dict[str, int], str]:
    """How often each shape occurs, and a hash of their order."""
    kept = [shape for key, shape in shapes.items() if shape and not key.endswith(COUNTER)]
    texts = {shape: "x".join(map(str, shape)) for shape in set(kept)}
    told = [texts[shape] for shape in kept]
    return dict(Counter(told)), hashlib.sha256(" ".join(told).encode()).hexdigest()[:16]


@cache
def _places() -> Mapping[str, list[tuple[int, int]]]:
    """Shape -> which known networks have it, by their place in the index, and how often."""
    found: dict[str, list[tuple[int, int]]] = {}
    for place, known in enumerate(load()):
        for shape, number in known.shapes.items():
            found.setdefault(shape, []).append((place, number))
    return found


@cache
def load() -> tuple[Known, ...]:
    """The index that ships with the package."""
    text = Path(__file__).with_name("index.json").read_text("utf-8")
    return tuple(Known(**entry) for entry in json.loads(text))


def build(claims: Iterable[tuple[str, Claim]]) -> list[dict[str, Any]]:
    """The index of some families' examples, as JSON values.

    Args:
        claims: family name and claim of each example.
    """
    entries = []
    for family, claim in claims:
        counts, sequence = summary(claim.tensors)
        entries.append(
            {
                "family": family,
                "variant": claim.variant,
                "layout": claim.layout,
                "title": claim.title,
                "parameters": sum(_size(shape) for shape in claim.tensors.values()),
                "sequence": sequence,
                "shapes": counts,
            }
        )
    return sorted(entries, key=lambda entry: (entry["family"], entry["variant"], entry["layout"]))


def _differs(counts: Mapping[str, int], known: Known) -> str:
    lacking = Counter(known.shapes) - Counter(counts)
    further = Counter(counts) - Counter(known.shapes)
    told = []
    for what, rest in (("lacks", lacking), ("has besides", further)):
        if rest:
            shape, _ = rest.most_common(1)[0]
            number = sum(rest.values())
            told.append(
                f"{what} {number} tensor{'s' if number > 1 else ''}, such as {_text(shape)}"
            )
    return "; ".join(told) or "the same shapes"


def _text(shape: str) -> str:
    return "[" + shape.replace("x", ", ") + "]"


def _size(shape: Shape) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def _write() -> None:
    from mycloset.architectures.roster import build_roster, discover

    found = discover()
    entries = build((family.name, claim) for family in found for claim in family.examples())
    for name, values in (("index.json", entries), ("roster.json", build_roster(found))):
        lines = ",\n".join(json.dumps(value, separators=(",", ":")) for value in values)
        Path(__file__).with_name(name).write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    _write()
