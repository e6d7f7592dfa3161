"""What is said of FASHN VTON's transformer."""

from __future__ import annotations

import pytest

import golden_files
from diffusion_tables import goldens_of
from mycloset.architectures.comparison import compare
from mycloset.architectures.family import NotThisError, Shape
from mycloset.architectures.fashn_vton.layout import FAMILY


@pytest.mark.parametrize("name", goldens_of("fashn_vton"))
def test_a_goldens_tensors_in_the_files_order(name: str) -> None:
    table = golden_files.shapes(name)
    assert list(FAMILY.read(table).tensors.items()) == list(table.items())


@pytest.mark.parametrize("name", goldens_of("fashn_vton"))
def test_the_configuration_is_the_references(name: str) -> None:
    wanted = golden_files.manifest(name)["config"]
    found = FAMILY.read(golden_files.shapes(name)).config
    assert found == {key: value for key, value in wanted.items() if key in found}
    assert len(found) >= 12


def without(prefix: str) -> dict[str, Shape]:
    """The tiny network without some of its tensors."""
    table = golden_files.shapes("fashn_vton/fashn_vton_tiny")
    return {key: shape for key, shape in table.items() if not key.startswith(prefix)}


def test_a_network_without_patch_mixers() -> None:
    table = {key: shape for key, shape in without("x_patch_mixer.").items() if "token" not in key}
    found = FAMILY.read(table)
    assert compare(found, table).exact
    assert found.config["use_patch_mixer"] is False


def test_a_shallower_network() -> None:
    table = without("double_blocks.1.")
    found = FAMILY.read(table)
    assert compare(found, table).exact
    assert found.config["double_blocks_depth"] == 1


def test_flux_is_declined() -> None:
    table: dict[str, Shape] = {
        "img_in.weight": (3072, 64),
        "double_blocks.0.img_attn.qkv.weight": (9216, 3072),
        "single_blocks.0.linear1.weight": (21504, 3072),
        "final_layer.linear.weight": (64, 3072),
    }
    with pytest.raises(NotThisError):
        FAMILY.read(table)
