"""What is said of Stable Diffusion's UNets, autoencoders, ControlNets and single files."""

from __future__ import annotations

from typing import Any

import pytest

import golden_files
from diffusion_tables import goldens_of
from mycloset.architectures.comparison import compare
from mycloset.architectures.family import NotThisError, Shape
from mycloset.architectures.latent_diffusion import unet
from mycloset.architectures.latent_diffusion.kinds import SD15, SDXL
from mycloset.architectures.stable_diffusion.layout import FAMILY

IN_ANOTHER_ORDER = {"champ/denoising_unet"}


@pytest.mark.parametrize("name", goldens_of("stable_diffusion"))
def test_a_goldens_tensors_in_the_files_order(name: str) -> None:
    table = golden_files.shapes(name)
    claimed = dict(FAMILY.read(table).tensors)
    assert claimed == table
    assert list(claimed) == list(table) or name in IN_ANOTHER_ORDER


UNETS = {
    "catvton/catvton_unet": (),
    "catvton/catvton_unet_tiny": ("attention_head_dim", "norm_num_groups"),
    "idm_vton/idm_vton_unet_encoder": (),
    "ootdiffusion/ootd_unet_garm": (),
    "stable_diffusion/sd15_unet_diffusers": (),
    "stable_diffusion/sd15_inpainting_unet_diffusers": (),
    "stable_diffusion/sdxl_unet_diffusers": (),
    "stable_diffusion/controlnet_diffusers": (),
    "stable_diffusion/vae_diffusers": (),
    "stable_diffusion/vae_diffusers_deprecated": (),
}
"""Golden -> what shapes cannot tell of its configuration."""


@pytest.mark.parametrize("name", UNETS)
def test_the_configuration_is_the_references(name: str) -> None:
    found = FAMILY.read(golden_files.shapes(name)).config
    wanted: dict[str, Any] = golden_files.manifest(name)["config"]
    common = [key for key in found if key in wanted and key not in UNETS[name]]
    assert {key: found[key] for key in common} == {key: wanted[key] for key in common}
    assert len(common) >= 5


@pytest.mark.parametrize("name", goldens_of("stable_diffusion"))
def test_parameters_without_constants_are_as_many_as_in_the_reference(name: str) -> None:
    table = golden_files.tensors(name)
    buffers = FAMILY.read(golden_files.shapes(name)).buffers
    counted = 0
    for key, dtype, shape in table:
        if key not in buffers and dtype.startswith("float"):
            size = 1
            for side in shape:
                size *= side
            counted += size
    assert counted == golden_files.manifest(name)["parameters"]


def test_the_refiner() -> None:
    claims = {claim.variant: claim for claim in FAMILY.examples() if claim.layout == "diffusers"}
    config = claims["sdxl-refiner-unet"].config
    assert config["transformer_layers_per_block"] == 4
    assert config["projection_class_embeddings_input_dim"] == 2560
    assert len(claims["sdxl-refiner-unet"].tensors) == 1220


@pytest.mark.parametrize(
    ("channels", "variant"),
    [(5, "sd15-depth-unet"), (7, "sd15-upscaler-unet"), (9, "sd15-inpainting-unet")],
)
def test_the_first_convolution_tells_what_a_unet_is_for(channels: int, variant: str) -> None:
    table = unet.tensors(SD15._replace(in_channels=channels), "diffusers")
    assert FAMILY.read(table).variant == variant


def test_a_distilled_unet_is_named_as_pruned() -> None:
    up = ((4, 4, 10), (2, 1, 1), (0, 0, 0))
    net = SDXL._replace(down=((0, 0), (2, 2), (4, 4)), up=up, middle=0)
    found = FAMILY.read(unet.tensors(net, "diffusers"))
    assert found.variant == "sdxl-pruned-unet"
    assert found.config["reverse_transformer_layers_per_block"] == [list(level) for level in up]
    assert found.config["mid_block_type"] == "UNetMidBlock2D"


def test_the_order_of_keys_tells_a_unet_for_videos() -> None:
    plain = FAMILY.read(golden_files.shapes("stable_diffusion/sd15_unet_diffusers"))
    framed = FAMILY.read(golden_files.shapes("champ/denoising_unet"))
    assert not any("videos" in text for text in plain.evidence)
    assert any("videos" in text for text in framed.evidence)


def single(name: str = "sd15") -> dict[str, Shape]:
    return golden_files.shapes(f"stable_diffusion/{name}_single_file")


def test_a_single_file_lists_its_networks() -> None:
    assert FAMILY.read(single("sdxl")).parts == (
        "model.diffusion_model.",
        "first_stage_model.",
        "conditioner.embedders.0.transformer.",
        "conditioner.embedders.1.model.",
    )


SPARE = ("betas", "alphas", "sqrt", "log_", "posterior", "position_ids", "logit_scale")


@pytest.mark.parametrize("name", ["sd15", "sd21", "sdxl"])
def test_a_single_file_without_constants_is_whole(name: str) -> None:
    table = {
        key: shape
        for key, shape in single(name).items()
        if not key.startswith(SPARE) and not key.endswith(SPARE)
    }
    assert compare(FAMILY.read(table), table).exact


def test_a_single_file_without_its_vae_says_so() -> None:
    table = {key: shape for key, shape in single().items() if not key.startswith("first_stage")}
    found = FAMILY.read(table)
    assert compare(found, table).exact
    assert "without VAE" in found.title


def test_a_moving_average_beside_the_weights_is_no_parameter() -> None:
    table = single()
    averages = {
        "model_ema." + key.removeprefix("model.").replace(".", ""): shape
        for key, shape in table.items()
        if key.startswith("model.")
    }
    table |= {"model_ema.decay": (), "model_ema.num_updates": (), **averages}
    found = FAMILY.read(table)
    assert compare(found, table).exact
    assert averages.keys() <= found.buffers


def test_a_first_text_tower_before_transformers_named_its_root() -> None:
    table = {
        key.replace("transformer.text_model.", "transformer."): shape
        for key, shape in single().items()
    }
    assert compare(FAMILY.read(table), table).exact


def test_a_controlnet_beside_the_whole_of_stable_diffusion() -> None:
    table = single() | golden_files.shapes("stable_diffusion/controlnet_v11_sd15")
    found = FAMILY.read(table)
    assert compare(found, table).exact
    assert found.parts[-1] == "control_model."


def test_an_autoencoder_may_keep_its_losss_tensors() -> None:
    table = golden_files.shapes("stable_diffusion/vae_ldm_standalone")
    table |= {"loss.logvar": (), "loss.discriminator.main.0.weight": (64, 3, 4, 4)}
    assert compare(FAMILY.read(table), table).exact


@pytest.mark.parametrize(
    ("table", "variant"),
    [
        ({"emb_params": (8, 768)}, "sd15-embedding"),
        ({"*": (2, 1024)}, "sd21-embedding"),
        ({"clip_l": (4, 768), "clip_g": (4, 1280)}, "sdxl-embedding"),
    ],
)
def test_a_textual_inversion(table: dict[str, Shape], variant: str) -> None:
    assert FAMILY.read(table).variant == variant


def test_one_tensor_of_another_width_is_no_textual_inversion() -> None:
    with pytest.raises(NotThisError):
        FAMILY.read({"*": (2, 512)})
