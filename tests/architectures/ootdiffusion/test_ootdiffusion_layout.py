"""What is said of OOTDiffusion's UNets."""

from __future__ import annotations

import pytest

import golden_files
from mycloset.architectures.family import NotThisError
from mycloset.architectures.latent_diffusion import unet
from mycloset.architectures.latent_diffusion.kinds import SD15
from mycloset.architectures.ootdiffusion.layout import FAMILY


def test_the_published_unets_tensors_in_the_files_order() -> None:
    table = golden_files.shapes("ootdiffusion/ootd_unet_vton")
    assert list(FAMILY.read(table).tensors.items()) == list(table.items())


def test_instruct_pix2pix_cannot_be_told_from_it() -> None:
    found = FAMILY.read(golden_files.shapes("ootdiffusion/ootd_unet_vton"))
    assert "InstructPix2Pix" in found.undecidable[0]
    assert found.confidence < 0.9


def test_other_widths_are_read() -> None:
    net = SD15._replace(in_channels=8, widths=(32, 64, 96, 96), context=24, embedding=128)
    found = FAMILY.read(unet.tensors(net, "diffusers"))
    assert found.config["block_out_channels"] == [32, 64, 96, 96]


def test_the_garment_unet_is_plain_stable_diffusion() -> None:
    with pytest.raises(NotThisError):
        FAMILY.read(golden_files.shapes("ootdiffusion/ootd_unet_garm"))
