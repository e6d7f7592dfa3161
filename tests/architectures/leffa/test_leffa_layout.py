"""What is said of Leffa's files."""

from __future__ import annotations

import pytest

import golden_files
from diffusion_tables import goldens_of
from mycloset.architectures.family import NotThisError
from mycloset.architectures.leffa.layout import FAMILY


@pytest.mark.parametrize("name", goldens_of("leffa"))
def test_a_goldens_tensors_in_the_files_order(name: str) -> None:
    table = golden_files.shapes(name)
    assert list(FAMILY.read(table).tensors.items()) == list(table.items())


@pytest.mark.parametrize("name", goldens_of("leffa"))
def test_three_networks_are_its_parts(name: str) -> None:
    found = FAMILY.read(golden_files.shapes(name))
    assert found.parts == ("vae.", "unet_encoder.", "unet.")
    assert found.config["unet"]["in_channels"] == found.config["new_in_channels"] == 12
    assert found.config["unet_encoder"]["in_channels"] == 4


def test_pose_transfer_is_no_try_on() -> None:
    found = FAMILY.read(golden_files.shapes("leffa/leffa_pose_transfer"))
    assert (found.task, found.steps) == ("pose transfer", ())


def test_its_generative_unet_alone() -> None:
    table = golden_files.shapes("leffa/leffa_tiny")
    alone = {key[5:]: shape for key, shape in table.items() if key.startswith("unet.")}
    assert FAMILY.read(alone).variant == "generative-unet"


@pytest.mark.parametrize("name", ["sd15_unet_diffusers", "sd15_inpainting_unet_diffusers"])
def test_other_unets_are_declined(name: str) -> None:
    with pytest.raises(NotThisError, match="input channels"):
        FAMILY.read(golden_files.shapes(f"stable_diffusion/{name}"))
