"""What files of Stable Diffusion 1.x, 2.x and XL look like.

Sources: CompVis/stable-diffusion@21f890f, Stability-AI/stablediffusion@cf1d67a and
generative-models@0ad7de9 ("ldm"), diffusers 0.24.0 and 0.29.2, lllyasviel/ControlNet@ed85cd1,
kohya-ss/sd-scripts@48d368f (LoRA).
"""

from __future__ import annotations

from collections.abc import Iterator

from mycloset.architectures.family import Claim, Family, Published, Shapes
from mycloset.architectures.latent_diffusion import autoencoder, blocks, unet
from mycloset.architectures.latent_diffusion.autoencoder import FLUX_VAE, SD_VAE
from mycloset.architectures.latent_diffusion.controlnet import ControlNet
from mycloset.architectures.latent_diffusion.kinds import (
    OPENRAIL_M,
    SD15,
    SD21,
    SDXL,
    SDXL_REFINER,
)
from mycloset.architectures.latent_diffusion.text_encoders import (
    CLIP_L,
    OPENCLIP_BIGG,
    OPENCLIP_H,
)
from mycloset.architectures.reading import supported
from mycloset.architectures.stable_diffusion import (
    autoencoders,
    controlnets,
    embeddings,
    lora_spellings,
    loras,
    single_files,
    unets,
)

_HINT = (16, 32, 96, 256)


def read(shapes: Shapes) -> Claim:
    """Say which file of Stable Diffusion a table is.

    Raises:
        NotThisError: it is none.
    """
    return supported(_read(shapes), shapes)


def examples() -> Iterator[Claim]:
    """The published networks."""
    for net in (SD15, _inpainting(SD15), SD21, _inpainting(SD21), SDXL, SDXL_REFINER):
        for naming in _NAMINGS:
            yield unets.claim(net, naming)
    yield unets.claim(SD15._replace(in_channels=8), "ldm")
    yield unets.claim(_inpainting(SDXL), "diffusers")
    yield unets.claim(SDXL._replace(addition=None), "diffusers")
    for vae_naming in _VAE_NAMINGS:
        yield autoencoders.claim(SD_VAE, vae_naming)
    yield autoencoders.claim(FLUX_VAE, "diffusers")
    yield autoencoders.claim(FLUX_VAE, "ldm")
    for net in (SD15, SD21, SDXL):
        half = net._replace(up=(), out_channels=None)
        for naming in _NAMINGS:
            yield controlnets.claim(ControlNet(half, 3, _HINT), naming)
    kept = single_files.SCHEDULE[:12]
    clip = ("cond_stage_model.transformer.", CLIP_L)
    for net in (SD15, _inpainting(SD15), SD15._replace(in_channels=8)):
        yield single_files.claim(net, SD_VAE, (clip,), kept=kept)
    open_clip = ("cond_stage_model.model.", OPENCLIP_H)
    for net in (SD21, _inpainting(SD21)):
        yield single_files.claim(net, SD_VAE, (open_clip,), kept=kept)
    both = (
        ("conditioner.embedders.0.transformer.", CLIP_L),
        ("conditioner.embedders.1.model.", OPENCLIP_BIGG),
    )
    yield single_files.claim(SDXL, SD_VAE, both)
    refiner = (("conditioner.embedders.0.model.", OPENCLIP_BIGG),)
    yield single_files.claim(SDXL_REFINER, SD_VAE, refiner)


def _read(shapes: Shapes) -> Claim:
    if _any(shapes, f"{single_files.UNET}input_blocks.0.0.", f"{single_files.UNET}out.2."):
        return single_files.read(shapes)
    if _any(shapes, *_CONTROL):
        return controlnets.read(shapes)
    if _any(shapes, "input_blocks.0.0.", "out.2."):
        return unets.read(shapes, "ldm")
    if _any(shapes, "time_embedding.linear_1.", "time_embedding.linear_2."):
        return unets.read(shapes, "diffusers")
    if _any(shapes, "encoder.conv_in.", "decoder.conv_in."):
        return autoencoders.read(shapes)
    if embeddings.there(shapes):
        return embeddings.read(shapes)
    return loras.read(shapes)


def _inpainting(net: unet.UNet) -> unet.UNet:
    return net._replace(in_channels=9)


_NAMINGS: tuple[blocks.Naming, ...] = ("diffusers", "ldm")
_VAE_NAMINGS: tuple[autoencoder.Naming, ...] = ("diffusers", "diffusers<0.15", "ldm")
_CONTROL = (
    "control_model.input_hint_block.0.",
    "input_hint_block.0.",
    "controlnet_cond_embedding.conv_in.",
    "controlnet_mid_block.",
)


def _any(shapes: Shapes, *starts: str) -> bool:
    return any(f"{start}{end}" in shapes for start in starts for end in ("weight", "bias"))


_LDM = "model.diffusion_model."
_MARKERS: tuple[tuple[str, ...], ...] = (
    # Single files.
    (f"{_LDM}input_blocks.0.0.weight", f"{_LDM}middle_block.0.in_layers.2.weight"),
    (f"{_LDM}out.2.weight", f"{_LDM}output_blocks.0.0.in_layers.2.weight"),
    # UNets.
    ("input_blocks.0.0.weight", "middle_block.0.in_layers.2.weight", "out.2.weight"),
    ("input_blocks.0.0.bias", "output_blocks.0.0.in_layers.2.weight", "out.2.bias"),
    ("conv_in.weight", "time_embedding.linear_1.weight", "up_blocks.0.resnets.0.conv1.weight"),
    ("conv_out.weight", "time_embedding.linear_2.weight", "down_blocks.0.resnets.0.conv1.weight"),
    # Autoencoders.
    ("encoder.conv_in.weight", "encoder.down_blocks.0.resnets.0.conv1.weight"),
    ("decoder.conv_in.weight", "encoder.down_blocks.0.resnets.0.conv2.weight"),
    ("encoder.conv_in.weight", "encoder.down.0.block.0.conv1.weight"),
    ("decoder.conv_in.weight", "encoder.down.0.block.0.conv2.weight"),
    # ControlNets.
    *((f"{key}weight",) for key in _CONTROL),
)

FAMILY = Family(
    name="stable_diffusion",
    title="Stable Diffusion",
    task="image generation",
    steps=(),
    markers=(*_MARKERS, *embeddings.MARKERS, *lora_spellings.MARKERS),
    read=read,
    examples=examples,
    published=(
        Published("v1-5-pruned*", "sd15"),
        Published("sd-v1-4*", "sd15"),
        Published("realisticVision*", "sd15"),
        Published("sd-v1-5-inpainting*", "sd15-inpainting"),
        Published("v2-1_*", "sd21"),
        Published("512-inpainting-ema*", "sd21-inpainting"),
        Published("sd_xl_base_1.0*", "sdxl"),
        Published("sd_xl_refiner_1.0*", "sdxl-refiner"),
        Published("RealVisXL_V4.0*", "sdxl"),
        Published("vae-ft-mse-840000-ema-pruned*", "vae"),
        Published(
            "sd-vae-ft-mse/diffusion_pytorch_model.safetensors",
            "vae",
            "a1d993488569e928462932c8c38a0760b874d166399b14414135bd9c42df5815",
            334_643_276,
        ),
        Published(
            "stable-diffusion-inpainting/unet/diffusion_pytorch_model.bin",
            "sd15-inpainting-unet",
            "af4e22eecaca7a1c5dd849f51924effdccc1f765141e898c323b775cc80a43b3",
            3_438_412_325,
        ),
        Published("control_v11*_sd15*", "sd15-controlnet"),
        Published("control_sd15_*", "sd15-controlnet"),
        Published("denoising_unet.pth", "sd15-unet"),
    ),
    licence=OPENRAIL_M,
    source="CompVis/stable-diffusion, Stability-AI/generative-models, huggingface/diffusers",
    aliases=("stable_diffusion", "stable-diffusion", "sd15", "sd_xl", "sdxl", "controlnet", "lora"),
)
