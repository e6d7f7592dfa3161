"""Graphonomy files for one, two or three sets of labels, of any width and depth."""

from __future__ import annotations

from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.family import NotThisError
from mycloset.architectures.graphonomy.layout import _XCEPTION, FAMILY, _sizes
from mycloset.architectures.graphonomy.tensors import Graphs, Sizes, Xception, tensors

GOLDEN = golden_files.shapes("graphonomy/inference")


def test_the_published_layout_is_generated_tensor_by_tensor() -> None:
    claim = family_checks.read_golden(FAMILY, "graphonomy/inference")
    assert list(claim.tensors) == list(GOLDEN)
    assert claim.variant == "transfer"
    assert (claim.config["n_classes"], claim.config["source_classes"]) == (20, 7)


def test_the_universal_network_has_the_tensors_and_parameters_that_were_counted() -> None:
    universal = next(claim for claim in FAMILY.examples() if claim.variant == "universal")
    parameters = sum(
        prod(shape)
        for key, shape in family_checks.listed(universal.tensors)
        if not key.endswith(("running_mean", "running_var"))
    )
    assert (len(universal.tensors), parameters) == (927, 41_960_775)


@pytest.mark.parametrize(
    ("graphs", "variant"),
    [(None, "deeplab"), (Graphs(128, 0, 0, frugal=True, learned=False), "base")],
)
def test_networks_with_fewer_graphs_are_named(graphs: Graphs | None, variant: str) -> None:
    assert family_checks.read_back(FAMILY, tensors(_sizes(20, graphs))).variant == variant


_WIDTHS = st.integers(1, 900)


@given(
    xception=st.builds(
        Xception,
        st.integers(1, 9),
        st.tuples(_WIDTHS, _WIDTHS),
        st.tuples(_WIDTHS, _WIDTHS, _WIDTHS),
        st.integers(0, 20),
        _WIDTHS,
        st.tuples(_WIDTHS, _WIDTHS, _WIDTHS),
    ),
    branches=st.integers(1, 6),
    widths=st.lists(_WIDTHS, min_size=5, max_size=5),
    classes=st.integers(1, 99),
    graphs=st.builds(
        Graphs, _WIDTHS, st.integers(1, 60), st.integers(0, 60), st.booleans(), st.booleans()
    ),
)
@settings(max_examples=40, deadline=None)
def test_any_width_depth_and_class_count_is_read_from_shapes(
    xception: Xception, branches: int, widths: list[int], classes: int, graphs: Graphs
) -> None:
    width, joined, low, first, second = widths
    sizes = Sizes(xception, branches, width, joined, low, (first, second), classes, graphs)
    table = tensors(sizes)
    config = FAMILY.read(table).config
    assert list(FAMILY.read(table).tensors.items()) == list(table.items())
    assert config["xception"]["middle_blocks"] == xception.middle
    assert config["xception"]["entry"] == list(xception.entry)
    assert (config["n_classes"], config["hidden_layers"]) == (classes, graphs.hidden)
    assert config["source_classes"] == graphs.source
    assert config["middle_classes"] == (graphs.middle or None)
    assert config["saves_memory"] is graphs.frugal


@given(lost=st.sampled_from([key for key in GOLDEN if key != "transpose_graph.adj"]))
@settings(max_examples=60, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(lost: str) -> None:
    assert family_checks.recovers(FAMILY, GOLDEN, lost)


def test_a_network_without_the_pyramid_is_refused() -> None:
    with pytest.raises(NotThisError, match="aspp1"):
        FAMILY.read({"xception_features.conv1.weight": (32, _XCEPTION.inputs, 3, 3)})
