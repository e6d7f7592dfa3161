"""What is said of CatVTON's attention files."""

from __future__ import annotations

import pytest

import golden_files
from mycloset.architectures.catvton.layout import FAMILY
from mycloset.architectures.comparison import compare
from mycloset.architectures.family import NotThisError, Shape

NAMES = ("catvton_attention", "catvton_attention_tiny")


def saved_twice(name: str) -> dict[str, Shape]:
    """The file with each tensor under all of its names."""
    table = golden_files.shapes(f"catvton/{name}")
    aliases = golden_files.manifest(f"catvton/{name}")["aliases"]
    return table | {alias: table[key] for alias, key in aliases.items()}


@pytest.mark.parametrize("name", NAMES)
def test_a_goldens_tensors_in_the_files_order(name: str) -> None:
    table = golden_files.shapes(f"catvton/{name}")
    assert list(FAMILY.read(table).tensors.items()) == list(table.items())


@pytest.mark.parametrize("name", NAMES)
def test_attentions_are_counted(name: str) -> None:
    found = FAMILY.read(golden_files.shapes(f"catvton/{name}")).config
    assert (found["attentions"], found["module_list"]) == (16, 128)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_saved_again_repeats_its_tensors(name: str) -> None:
    table = saved_twice(name)
    found = FAMILY.read(table)
    assert len(table) == 192
    assert compare(found, table).exact


def test_the_other_names_alone_are_enough() -> None:
    name = "catvton_attention"
    table = saved_twice(name)
    for key in golden_files.shapes(f"catvton/{name}"):
        del table[key]
    for key in [key for key in table if int(key.partition(".")[0]) % 8 == 5]:
        del table[key]
    found = FAMILY.read(table)
    assert compare(found, table).exact


def test_the_middle_in_its_run_order_is_another_file() -> None:
    widths = [320] * 2 + [640] * 2 + [1280] * 2 + [1280] + [1280] * 3 + [640] * 3 + [320] * 3
    table = {f"{8 * place}.to_q.weight": (width, width) for place, width in enumerate(widths)}
    with pytest.raises(NotThisError, match="middle"):
        FAMILY.read(table)


def test_an_anonymous_sequence_is_declined() -> None:
    with pytest.raises(NotThisError):
        FAMILY.read({"0.weight": (128, 6, 3, 3), "1.weight": (128,), "2.weight": (128,)})
