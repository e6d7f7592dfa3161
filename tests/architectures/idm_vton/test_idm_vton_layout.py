"""What is said of IDM-VTON's UNets."""

from __future__ import annotations

import pytest

import golden_files
from mycloset.architectures.comparison import compare
from mycloset.architectures.family import NotThisError
from mycloset.architectures.idm_vton.layout import FAMILY


def test_the_published_unets_tensors_in_the_files_order() -> None:
    table = golden_files.shapes("idm_vton/idm_vton_unet")
    assert list(FAMILY.read(table).tensors.items()) == list(table.items())


def test_the_published_configuration() -> None:
    found = FAMILY.read(golden_files.shapes("idm_vton/idm_vton_unet")).config
    wanted = golden_files.manifest("idm_vton/idm_vton_unet")["config"]
    common = [key for key in found if key in wanted]
    assert {key: found[key] for key in common} == {key: wanted[key] for key in common}
    assert found["resampler"] == {
        "dim": 1280,
        "depth": 4,
        "heads": 20,
        "dim_head": 64,
        "num_queries": 16,
        "embedding_dim": 1280,
        "output_dim": 2048,
        "ff_mult": 4,
    }


def test_both_unets_in_one_table() -> None:
    table = golden_files.shapes("idm_vton/idm_vton_tiny")
    found = FAMILY.read(table)
    assert compare(found, table).exact
    assert found.parts == ("unet.", "unet_encoder.")
    assert found.config["unet"]["transformer_layers_per_block"] == [1, 1, 2]


def test_the_garment_unet_is_plain_sdxl() -> None:
    with pytest.raises(NotThisError):
        FAMILY.read(golden_files.shapes("idm_vton/idm_vton_unet_encoder"))
