"""The roster: what can be said of every family without importing it.

A file is asked of by its marker keys and its name; both stand in `roster.json`, so that analysing
one file imports one family and not sixty. `python -m mycloset.architectures.index` writes it anew;
a test holds it and the folders together.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mycloset.architectures.family import Claim, Family, Published, Shapes

if TYPE_CHECKING:
    from mycloset.architectures.layouts import NetworkLayout, TensorSpec

PACKAGE = "mycloset.architectures"


def read_roster() -> Iterator[Family]:
    """The families as the roster that ships with the package says, each deferred."""
    text = Path(__file__).with_name("roster.json").read_text("utf-8")
    for entry in json.loads(text):
        yield _family(entry)


def build_roster(found: Iterable[Family]) -> list[dict[str, Any]]:
    """The roster of these families as JSON values."""
    return [
        {
            "name": family.name,
            "title": family.title,
            "task": family.task,
            "steps": list(family.steps),
            "markers": [list(group) for group in family.markers],
            "published": [file._asdict() for file in family.published],
            "licence": family.licence,
            "source": family.source,
            "graphs": json.loads(json.dumps([asdict(graph) for graph in family.graphs])),
            "aliases": list(family.aliases),
        }
        for family in found
    ]


def discover() -> tuple[Family, ...]:
    """Every family that has a folder with a `layout.py` that says FAMILY, by name.

    Raises:
        ValueError: a family does not go by its folder's name.
    """
    import pkgutil  # Here and below: what reading the roster does without.

    found = []
    package = importlib.import_module(PACKAGE)
    for module in pkgutil.iter_modules(package.__path__):
        place = f"{PACKAGE}.{module.name}.layout"
        try:
            layout = importlib.import_module(place) if module.ispkg else None
        except ModuleNotFoundError as error:
            if error.name != place:
                raise
            continue  # A folder that families share.
        family = getattr(layout, "FAMILY", None)
        if family is not None:
            if family.name != module.name:
                raise ValueError(f"{place} names its family {family.name}")
            found.append(family)
    return tuple(sorted(found, key=lambda family: family.name))


def _family(entry: dict[str, Any]) -> Family:
    name: str = entry["name"]

    def read(shapes: Shapes) -> Claim:
        return _own(name).read(shapes)

    def examples() -> Iterable[Claim]:
        return _own(name).examples()

    return Family(
        name=name,
        title=entry["title"],
        task=entry["task"],
        steps=tuple(entry["steps"]),
        markers=tuple(tuple(group) for group in entry["markers"]),
        read=read,
        examples=examples,
        published=tuple(Published(**file) for file in entry["published"]),
        licence=entry["licence"],
        source=entry["source"],
        graphs=tuple(_graph(graph) for graph in entry["graphs"]),
        aliases=tuple(entry["aliases"]),
    )


def _own(name: str) -> Family:
    family: Family = importlib.import_module(f"{PACKAGE}.{name}.layout").FAMILY
    return family


def _graph(entry: dict[str, Any]) -> NetworkLayout:
    from mycloset.architectures.layouts import NetworkLayout

    outputs = tuple(_spec(spec) for spec in entry["outputs"])
    return NetworkLayout(entry["name"], _spec(entry["input"]), outputs)


def _spec(entry: dict[str, Any]) -> TensorSpec:
    from mycloset.architectures.layouts import TensorSpec

    return TensorSpec(entry["role"], entry["name"], tuple(entry["shape"]))
