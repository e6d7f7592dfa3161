"""LPIPS' files are read to the last tensor: its heads alone, and whole modules."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import golden_files
from family_checks import (
    answers,
    config_of,
    damaged,
    parameters,
    read_back,
)
from mycloset.architectures.family import Claim, Shape
from mycloset.architectures.lpips.layout import FAMILY, Module, tensors
from mycloset.architectures.lpips.trunks import TAPS

HEADS = {"lpips/lpips_alex_lin": "alex", "lpips/lpips_vgg_lin": "vgg"}
MODULES = {"lpips/lpips_alex": "alex", "lpips/lpips_vgg": "vgg"}


@pytest.mark.parametrize("name", HEADS | MODULES)
def test_the_published_files_are_read_back(name: str) -> None:
    claim = read_back(FAMILY, golden_files.shapes(name))
    assert claim.variant == (HEADS | MODULES)[name]
    assert claim.config.items() >= config_of(name, "trunk").items()


@pytest.mark.parametrize(
    ("name", "layout"), [(n, "linear heads") for n in HEADS] + [(n, "original") for n in MODULES]
)
def test_heads_alone_are_told_from_whole_modules(name: str, layout: str) -> None:
    assert FAMILY.read(golden_files.shapes(name)).layout == layout


@pytest.mark.parametrize(
    "claim", list(FAMILY.examples()), ids=lambda claim: f"{claim.variant}-{claim.layout}"
)
def test_an_example_gives_itself_back(claim: Claim) -> None:
    assert FAMILY.read(claim.tensors) == claim


@pytest.mark.parametrize(
    ("net", "count", "numbers"),
    [("alex", 22, 2_470_848), ("vgg", 38, 14_716_160), ("squeeze", 66, 724_736)],
)
def test_whole_modules_have_the_published_number_of_parameters(
    net: str, count: int, numbers: int
) -> None:
    (claim,) = (c for c in FAMILY.examples() if c.variant == net and c.layout == "original")
    assert (len(claim.tensors), parameters(claim)) == (count, numbers)


@given(net=st.sampled_from(sorted(TAPS)), repeated=st.booleans(), dropout=st.booleans())
def test_a_module_may_lack_the_list_of_heads_and_the_dropouts(
    net: str, repeated: bool, dropout: bool
) -> None:
    narrow = (16, 16, 32, 32, 48, 48, 64, 64) if net == "squeeze" else ()
    module = Module(net, TAPS[net], True, repeated, dropout, narrow)
    assert read_back(FAMILY, tensors(module)).config["use_dropout"] is dropout


@given(st.lists(st.integers(1, 600), min_size=2, max_size=9).map(tuple))
def test_heads_of_other_widths_stand_on_an_unknown_network(taps: tuple[int, ...]) -> None:
    claim = read_back(FAMILY, tensors(Module(None, taps)))
    assert claim.config["chns"] == list(taps)
    assert (claim.config["net"] is None) == (taps not in TAPS.values())


@given(
    damaged(tensors(Module("alex", TAPS["alex"], True, True)))
    | damaged(tensors(Module("squeeze", TAPS["squeeze"], True, True, True, (16,) * 8)))
)
@settings(max_examples=150)
def test_any_table_is_answered(table: dict[str, Shape]) -> None:
    assert answers(FAMILY, table)
