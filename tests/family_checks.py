"""What every family of networks is held to: golden layouts, round trips, damaged tables."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import pytest
from hypothesis import strategies as st

import golden_files
from mycloset.architectures.comparison import COUNTER, compare
from mycloset.architectures.family import Claim, Family, NotThisError, Shape, Shapes

_STATISTICS = (".running_mean", ".running_var", COUNTER)
_INTEGERS = (
    "position_ids",
    "relative_position_index",
    "input_resolution",
    "context_length",
    "vocab_size",
)


def is_asked(family: Family, shapes: Shapes) -> bool:
    """Whether one of the family's marker groups is in the table."""
    return any(all(key in shapes for key in group) for group in family.markers)


def listed(shapes: Shapes) -> list[tuple[str, Shape]]:
    """Keys and shapes in order, without counters of batch norms."""
    return [(key, shape) for key, shape in shapes.items() if not key.endswith(COUNTER)]


def read_back(family: Family, tensors: Shapes) -> Claim:
    """The family's claim on a table that is its own, to the last tensor and in its order."""
    assert is_asked(family, tensors)
    claim = family.read(tensors)
    assert list(claim.tensors.items()) == list(tensors.items())
    return claim


def read_golden(family: Family, name: str) -> Claim:
    """The claim on a golden: its tensors in order (counters apart), and its parameters."""
    shapes = golden_files.shapes(name)
    assert is_asked(family, shapes)
    claim = family.read(shapes)
    assert listed(claim.tensors) == listed(shapes)
    manifest = golden_files.manifest(name)
    assert parameters(claim) == manifest["parameters"]
    return claim


def torchvision_shapes(name: str, **options: object) -> dict[str, Shape]:
    """The tensors of a network as torchvision builds it; the test is skipped without it."""
    torch = pytest.importorskip("torch")
    models = pytest.importorskip("torchvision.models")
    with torch.device("meta"):
        network = models.get_model(name, weights=None, **options)
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


def parameters(claim: Claim) -> int:
    """Numbers in a claim's tensors that are neither statistics nor other buffers."""
    return sum(
        prod(shape)
        for key, shape in claim.tensors.items()
        if key not in claim.buffers
        and not key.endswith(_STATISTICS)
        and not key.endswith(_INTEGERS)
    )


def config_of(name: str, *without: str) -> dict[str, object]:
    """A golden's configuration, less what is said there in words."""
    told: Mapping[str, object] = golden_files.manifest(name)["config"]
    return {key: value for key, value in told.items() if key not in without}


def takes_for_its_own(family: Family, shapes: Shapes) -> bool:
    """Whether a family would say "yes" of a table."""
    if not is_asked(family, shapes):
        return False
    try:
        comparison = compare(family.read(shapes), shapes)
    except NotThisError:
        return False
    return comparison.exact or comparison.extended or comparison.rewidened


def answers(family: Family, shapes: Shapes) -> bool:
    """Whether a family gives a claim or a reason, and no other error."""
    try:
        return bool(family.read(shapes).variant)
    except NotThisError as reason:
        return bool(str(reason))


@st.composite
def damaged(draw: st.DrawFn, shapes: Shapes) -> dict[str, Shape]:
    """A table that lost tensors, and in which others have any shape."""
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
