"""Single files: UNet, autoencoder and text towers under their prefixes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from mycloset.architectures.family import Claim, Shape, Shapes, require
from mycloset.architectures.latent_diffusion import (
    autoencoder,
    controlnet,
    kinds,
    text_encoders,
    unet,
    unet_reading,
)
from mycloset.architectures.latent_diffusion.autoencoder import Autoencoder
from mycloset.architectures.latent_diffusion.controlnet import ControlNet
from mycloset.architectures.latent_diffusion.text_encoders import TextTower
from mycloset.architectures.latent_diffusion.unet import UNet
from mycloset.architectures.reading import common_size
from mycloset.architectures.stable_diffusion.unets import generation_evidence, purpose

UNET = "model.diffusion_model."
VAE = "first_stage_model."
CONTROL = "control_model."
TOWERS: tuple[tuple[str, text_encoders.Naming], ...] = (
    ("cond_stage_model.transformer.", "transformers"),
    ("cond_stage_model.model.", "open_clip"),
    ("conditioner.embedders.0.transformer.", "transformers"),
    ("conditioner.embedders.0.model.", "open_clip"),
    ("conditioner.embedders.1.model.", "open_clip"),
)
SCHEDULE = (
    "betas",
    "alphas_cumprod",
    "alphas_cumprod_prev",
    "sqrt_alphas_cumprod",
    "sqrt_one_minus_alphas_cumprod",
    "log_one_minus_alphas_cumprod",
    "sqrt_recip_alphas_cumprod",
    "sqrt_recipm1_alphas_cumprod",
    "posterior_variance",
    "posterior_log_variance_clipped",
    "posterior_mean_coef1",
    "posterior_mean_coef2",
    "logvar",
    "denoiser.sigmas",
)
"""Constants of the noise schedule that some files keep."""
_ANY: dict[str, Shape | None] = {
    "scale_factor": None,
    "cond_stage_model.logit_scale": None,
    "cond_stage_model.text_projection": None,
    "cond_stage_model.transformer.text_projection.weight": None,
    "conditioner.embedders.0.logit_scale": None,
    "conditioner.embedders.0.text_projection": None,
    "conditioner.embedders.0.transformer.text_projection.weight": None,
    "model_ema.decay": None,
    "model_ema.num_updates": None,
    "first_stage_model.model_ema.decay": None,
    "first_stage_model.model_ema.num_updates": None,
}
_SPARE = ("embeddings.position_ids", "logit_scale")

Tower = tuple[str, TextTower]


def read(shapes: Shapes) -> Claim:
    """Say what a single file is.

    Raises:
        NotThisError: there is no UNet under the single files' prefix.
    """
    net = unet_reading.read(shapes, "ldm", UNET)
    vae = _vae(shapes)
    towers = tuple(
        (start, text_encoders.read(shapes, naming, start))
        for start, naming in TOWERS
        if _has_tower(shapes, naming, start)
    )
    control = None
    if f"{CONTROL}zero_convs.0.0.weight" in shapes:
        control = controlnet.read(shapes, "ldm", CONTROL)
    require(
        vae is not None or bool(towers) or control is not None,
        f"nothing but the UNet below `{UNET}`",
    )
    kept = tuple(key for key in SCHEDULE if key in shapes)
    steps = common_size(shapes, (kept[0], 0)) if kept else 1000
    return claim(net, vae, towers, control, kept, steps, shapes)


def claim(
    net: UNet,
    vae: Autoencoder | None,
    towers: tuple[Tower, ...],
    control: ControlNet | None = None,
    kept: tuple[str, ...] = (),
    steps: int = 1000,
    shapes: Shapes | None = None,
) -> Claim:
    """The claim for a file of these networks.

    Args:
        net: the UNet's sizes.
        vae: the autoencoder's; None where the file has none.
        towers: text towers, each with its prefix.
        control: a ControlNet that lies in the same file.
        kept: schedule constants in the file.
        steps: of the schedule.
        shapes: the file's table, by which spare keys are left out; None: all are there.
    """
    kind = kinds.kind_of(net)
    suffix, enters, task = purpose(net)
    tensors: Shapes = _table(net, vae, towers, control, kept, steps)
    optional = dict(_ANY)
    buffers = set(kept)
    if shapes is not None:
        spare = [key for key in tensors if key.endswith(_SPARE) and key not in shapes]
        if spare:
            optional.update({key: tensors[key] for key in spare})
            tensors = {key: tensors[key] for key in tensors if key not in optional}
        if "model_ema.decay" in shapes or "model_ema.num_updates" in shapes:
            averages = _averages(net)
            optional.update(averages)
            buffers.update(averages, ("model_ema.decay",))
    parts = [UNET]
    if vae is not None:
        parts.append(VAE)
    parts += [start for start, _ in towers]
    if control is not None:
        parts.append(CONTROL)
    evidence = [
        f"`{UNET}input_blocks.0.0.weight` is {[net.widths[0], net.in_channels, 3, 3]}: {enters}",
        *generation_evidence(net),
    ]
    evidence += [f"a text tower of width {tower.width} below `{start}`" for start, tower in towers]
    config: dict[str, Any] = {"unet": kinds.config(net)}
    if vae is not None:
        config["vae"] = autoencoder.config(vae)
    for number, (_, tower) in enumerate(towers):
        name = "text_encoder" if number == 0 else f"text_encoder_{number + 1}"
        config[name] = text_encoders.config(tower)
    if control is not None:
        config["controlnet"] = controlnet.config(control)
    lacking = [
        name
        for name, there in (("VAE", vae is not None), ("text tower", bool(towers)))
        if not there
    ]
    title = kind.title + (f", {suffix.strip('-')}" if suffix else "") + ", single file"
    return Claim(
        variant=kind.name + suffix + ("-controlnet" if control is not None else ""),
        title=title + (f" without {' and '.join(lacking)}" if lacking else ""),
        config=config,
        tensors=tensors,
        layout="ldm",
        optional=optional,
        evidence=tuple(evidence),
        undecidable=("which fine-tune it is", *kinds.undecidable(net)),
        task=task,
        steps=("virtual_fitting",) if kind.name == "sd15" and net.in_channels == 9 else (),
        input_channels=net.in_channels,
        output_channels=net.out_channels,
        licence=kind.licence,
        parts=tuple(parts),
        buffers=frozenset(buffers),
        confidence=1.0 if kind.exact else 0.9,
    )


def _vae(shapes: Shapes) -> Autoencoder | None:
    if (
        f"{VAE}decoder.conv_in.weight" not in shapes
        and f"{VAE}encoder.conv_in.weight" not in shapes
    ):
        return None
    return autoencoder.read(shapes, "ldm", VAE)


def _has_tower(shapes: Shapes, naming: text_encoders.Naming, start: str) -> bool:
    if naming == "open_clip":
        return f"{start}token_embedding.weight" in shapes
    key = "embeddings.token_embedding.weight"
    return f"{start}text_model.{key}" in shapes or f"{start}{key}" in shapes


@lru_cache(maxsize=16)
def _table(
    net: UNet,
    vae: Autoencoder | None,
    towers: tuple[Tower, ...],
    control: ControlNet | None,
    kept: tuple[str, ...],
    steps: int,
) -> Mapping[str, Shape]:
    """Every tensor in the file's order."""
    found: dict[str, Shape] = dict.fromkeys(kept, (steps,))
    found.update({UNET + key: shape for key, shape in unet.tensors(net, "ldm").items()})
    if vae is not None:
        found.update({VAE + key: shape for key, shape in autoencoder.tensors(vae, "ldm").items()})
    for start, tower in towers:
        found.update({start + key: shape for key, shape in text_encoders.tensors(tower).items()})
    if control is not None:
        halves = controlnet.tensors(control, "ldm")
        found.update({CONTROL + key: shape for key, shape in halves.items()})
    return MappingProxyType(found)


@lru_cache(maxsize=4)
def _averages(net: UNet) -> Mapping[str, Shape]:
    """The UNet's moving average: its keys with the dots left out (`LitEma`)."""
    return {
        "model_ema.diffusion_model" + key.replace(".", ""): shape
        for key, shape in unet.tensors(net, "ldm").items()
    }
