"""What every family of networks is held to: golden layouts, round trips, damaged tables."""

from __future__ import annotations

from hypothesis import strategies as st

import golden_files
from mycloset.architectures.family import Claim, Family, NotThisError, Shape, Shapes

COUNTER = ".num_batches_tracked"


def is_asked(family: Family, shapes: Shapes) -> bool:
    """Whether a marker group of the family is in the table."""
    return any(all(key in shapes for key in group) for group in family.markers)


def without_counters(shapes: Shapes) -> list[tuple[str, Shape]]:
    """Keys and shapes in order, batch norms' counters left out."""
    return [(key, shape) for key, shape in shapes.items() if not key.endswith(COUNTER)]


def read_golden(family: Family, name: str) -> Claim:
    """The family's claim on a golden, whose tensors must be the golden's, in the same order."""
    shapes = golden_files.shapes(name)
    assert is_asked(family, shapes)
    claim = family.read(shapes)
    assert without_counters(claim.tensors) == without_counters(shapes)
    return claim


def read_back(family: Family, tensors: Shapes) -> Claim:
    """The family's claim on tensors of its own making, which must be all of them, in order."""
    assert is_asked(family, tensors)
    claim = family.read(tensors)
    assert list(claim.tensors.items()) == list(tensors.items())
    return claim


def claims(family: Family, shapes: Shapes) -> bool:
    """Whether the family takes the table for a whole network of its own."""
    if not is_asked(family, shapes):
        return False
    try:
        claim = family.read(shapes)
    except NotThisError:
        return False
    found = dict(without_counters(shapes))
    return all(
        key in claim.optional or found.get(key) == shape
        for key, shape in without_counters(claim.tensors)
    )


def answers(family: Family, shapes: Shapes) -> bool:
    """Whether the family answers with a claim or a reason, whatever the table holds."""
    try:
        return isinstance(family.read(shapes), Claim)
    except NotThisError as reason:
        return bool(str(reason))


@st.composite
def damaged(draw: st.DrawFn, shapes: Shapes) -> dict[str, Shape]:
    """A table with tensors lost, and others of any shape in place of theirs."""
    keys = list(shapes)
    table = dict(shapes)
    for key in draw(st.lists(st.sampled_from(keys), max_size=8)):
        table.pop(key, None)
    shape = st.lists(st.integers(0, 2**40), max_size=5).map(tuple)
    table.update(draw(st.dictionaries(st.sampled_from(keys), shape, max_size=8)))
    return table


def recovers(family: Family, whole: Shapes, lost: str) -> bool:
    """Whether a copy that lost one tensor is still taken for the whole network."""
    broken = {key: shape for key, shape in whole.items() if key != lost}
    return is_asked(family, broken) and family.read(broken).tensors == whole
