"""What is said of Champ's networks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import golden_files
from diffusion_tables import goldens_of
from mycloset.architectures.champ import guidance
from mycloset.architectures.champ.guidance import Guidance
from mycloset.architectures.champ.layout import FAMILY
from mycloset.architectures.comparison import compare
from mycloset.architectures.family import NotThisError


@pytest.mark.parametrize("name", goldens_of("champ"))
def test_a_goldens_tensors_in_the_files_order(name: str) -> None:
    table = golden_files.shapes(name)
    claimed = dict(FAMILY.read(table).tensors)
    assert list(claimed.items()) == list(table.items())


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("reference_unet", "animation.reference"),
        ("denoising_unet_motion", "animation.denoising"),
        ("guidance_encoder", "animation.guidance"),
    ],
)
def test_the_part_of_an_animation(name: str, step: str) -> None:
    assert FAMILY.read(golden_files.shapes(f"champ/{name}")).steps == (step,)


@pytest.mark.parametrize("name", ["reference_unet", "denoising_unet_motion", "guidance_encoder"])
def test_the_configuration_is_the_references(name: str) -> None:
    found = FAMILY.read(golden_files.shapes(f"champ/{name}")).config
    wanted = golden_files.manifest(f"champ/{name}")["config"]
    common = [key for key in found if key in wanted]
    assert {key: found[key] for key in common} == {key: wanted[key] for key in common}
    assert len(common) >= 3


def test_networks_in_one_file_are_its_parts() -> None:
    found = FAMILY.read(golden_files.shapes("champ/champ_tiny_pipeline"))
    assert found.parts == (
        "vae.",
        "image_encoder.",
        "reference_unet.",
        "denoising_unet.",
        "guidance_encoder_depth.",
        "guidance_encoder_normal.",
        "guidance_encoder_semantic_map.",
        "guidance_encoder_dwpose.",
    )
    assert found.config["vae"]["block_out_channels"] == [32, 32, 32, 32]


def test_a_part_is_read_by_itself() -> None:
    table = golden_files.shapes("champ/champ_tiny")
    start = "denoising_unet."
    part = {key[len(start) :]: shape for key, shape in table.items() if key.startswith(start)}
    assert FAMILY.read(part).variant == "denoising-unet"


def test_motion_modules_without_positions() -> None:
    table = golden_files.shapes("champ/denoising_unet_motion")
    bare = {key: shape for key, shape in table.items() if not key.endswith(".pe")}
    assert compare(FAMILY.read(bare), bare).exact


def test_a_unet_that_lost_its_last_convolution_is_no_reference_unet() -> None:
    table = golden_files.shapes("stable_diffusion/sd15_unet_diffusers")
    for part in ("weight", "bias"):
        del table[f"conv_out.{part}"]
    with pytest.raises(NotThisError, match="damaged"):
        FAMILY.read(table)


@given(st.integers(1, 9), st.lists(st.integers(1, 99), min_size=2, max_size=6), st.integers(1, 999))
def test_a_guidance_encoder_of_any_widths(inp: int, widths: list[int], out: int) -> None:
    sizes = Guidance(inp, tuple(widths), out)
    assert guidance.read(guidance.tensors(sizes)) == sizes
