"""Every golden of a diffusion system is exactly one family's; damaged tables raise nothing else."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import golden_files
from diffusion_tables import GOLDENS, damaged, opinion
from mycloset.architectures.animatediff.layout import FAMILY as ANIMATEDIFF
from mycloset.architectures.catvton.layout import FAMILY as CATVTON
from mycloset.architectures.champ.layout import FAMILY as CHAMP
from mycloset.architectures.family import Family, NotThisError, Shape
from mycloset.architectures.fashn_vton.layout import FAMILY as FASHN_VTON
from mycloset.architectures.idm_vton.layout import FAMILY as IDM_VTON
from mycloset.architectures.leffa.layout import FAMILY as LEFFA
from mycloset.architectures.ootdiffusion.layout import FAMILY as OOTDIFFUSION
from mycloset.architectures.stable_diffusion.layout import FAMILY as STABLE_DIFFUSION

FAMILIES = (
    ANIMATEDIFF,
    CATVTON,
    CHAMP,
    FASHN_VTON,
    IDM_VTON,
    LEFFA,
    OOTDIFFUSION,
    STABLE_DIFFUSION,
)


@pytest.mark.parametrize("name", GOLDENS)
def test_a_golden_is_one_familys_and_no_others(name: str) -> None:
    table = golden_files.shapes(name)
    said = []
    for family in FAMILIES:
        found = opinion(family, table)
        if found is not None and found[1].exact:
            said.append(f"{family.name} {found[0].variant}")
    assert said == [GOLDENS[name]]


OTHERS = sorted({name for name in golden_files.names() if name not in GOLDENS})


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_no_other_golden_is_the_familys(family: Family) -> None:
    claimed = [
        name
        for name in OTHERS
        if (found := opinion(family, golden_files.shapes(name))) is not None
        and (found[1].exact or found[1].extended or found[1].broken)
    ]
    assert claimed == []


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_an_example_gives_itself_back(family: Family) -> None:
    for example in family.examples():
        found = family.read(dict(example.tensors))
        assert found == example


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_an_example_holds_a_marker_group(family: Family) -> None:
    for example in family.examples():
        assert any(all(key in example.tensors for key in group) for group in family.markers)


SMALL = [name for name in GOLDENS if len(golden_files.shapes(name)) < 1300]


@given(damaged(*SMALL), st.sampled_from(FAMILIES))
@settings(max_examples=150, deadline=None)
def test_a_damaged_table_is_read_or_declined(table: dict[str, Shape], family: Family) -> None:
    with suppress(NotThisError):
        assert len(family.read(table).tensors) <= 40 * len(table)


@pytest.mark.parametrize("name", SMALL)
def test_a_table_that_lacks_one_tensor_is_still_its_familys(name: str) -> None:
    table = golden_files.shapes(name)
    lost = []
    step = max(1, len(table) // 40)
    for key in list(table)[::step]:
        rest = {other: shape for other, shape in table.items() if other != key}
        found = [
            f"{family.name} {said[0].variant}"
            for family in FAMILIES
            if (said := opinion(family, rest)) is not None and (said[1].exact or said[1].broken)
        ]
        if (name, key) == ("ootdiffusion/ootd_unet_vton", "conv_in.weight"):
            continue  # All that tells it from SD 1.5's.
        if GOLDENS[name].split()[0] not in {text.split()[0] for text in found}:
            lost.append(key)
    assert lost == []
