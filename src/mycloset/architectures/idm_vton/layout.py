"""What IDM-VTON's files look like: an SDXL UNet with image prompts, alone or with a second one.

Source: yisol/IDM-VTON@0d5f3ec, `src/unet_hacked_tryon.py` and `ip_adapter/`. The garment UNet
alone is a plain SDXL UNet (family stable_diffusion).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.latent_diffusion import kinds, unet, unet_reading
from mycloset.architectures.latent_diffusion.image_prompts import ImagePrompts
from mycloset.architectures.latent_diffusion.unet import UNet
from mycloset.architectures.reading import supported

_PROMPTS = ImagePrompts(features=1280, queries=16, width=1280, depth=4, inner=1280, hidden=5120)
_MEANING = {13: ": noisy latent 4, mask 1, masked latent 4, latent of the body surface 4"}


def read(shapes: Shapes) -> Claim:
    """Say whether a table is IDM-VTON's try-on UNet, alone or with the garment UNet.

    Raises:
        NotThisError: it is neither.
    """
    return supported(_read(shapes), shapes)


def examples() -> Iterator[Claim]:
    """The published UNet."""
    yield claim(kinds.SDXL._replace(in_channels=13, prompts=_PROMPTS))


def _read(shapes: Shapes) -> Claim:
    if "encoder_hid_proj.latents" in shapes or "encoder_hid_proj.proj_in.weight" in shapes:
        return claim(_known(unet_reading.read(shapes, "diffusers"), shapes, ""))
    return claim(
        _known(unet_reading.read(shapes, "diffusers", "unet."), shapes, "unet."),
        unet_reading.read(shapes, "diffusers", "unet_encoder."),
    )


def claim(net: UNet, garment: UNet | None = None) -> Claim:
    """The claim for a try-on UNet of these sizes, and the garment UNet beside it."""
    prompts = net.prompts
    require(prompts is not None, "no image prompts (`encoder_hid_proj.latents`)")
    assert prompts is not None
    require(net.out_channels is not None, "no last convolution")
    require(net.motion is None, "motion modules between the UNet's blocks")
    start = "unet." if garment is not None else ""
    kind = kinds.kind_of(net)
    config = kinds.config(net)
    config["resampler"] = {
        "dim": prompts.width,
        "depth": prompts.depth,
        "heads": max(1, prompts.inner // 64),
        "dim_head": 64,
        "num_queries": prompts.queries,
        "embedding_dim": prompts.features,
        "output_dim": net.context,
        "ff_mult": max(1, prompts.hidden // prompts.width),
    }
    shape = [net.widths[0], net.in_channels, 3, 3]
    tensors = unet.tensors(net, "diffusers")
    return Claim(
        variant="tryon-unet" if garment is None else "tryon-and-garment-unet",
        title=f"IDM-VTON's try-on UNet, of {kind.title}",
        config=config
        if garment is None
        else {"unet": config, "unet_encoder": kinds.config(garment)},
        tensors=tensors if garment is None else _both(net, garment),
        layout="diffusers",
        evidence=(
            f"`{start}conv_in.weight` is {shape}{_MEANING.get(net.in_channels, '')}",
            f"`{start}encoder_hid_proj.latents` is {[1, prompts.queries, prompts.width]}:"
            f" {prompts.queries} image prompts",
        ),
        undecidable=kinds.undecidable(net),
        input_channels=net.in_channels,
        output_channels=net.out_channels,
        parts=() if garment is None else ("unet.", "unet_encoder."),
        confidence=1.0 if net.in_channels == 13 else 0.7,
    )


def _known(net: UNet, shapes: Shapes, start: str) -> UNet:
    """With the published input channels where the first convolution is lost."""
    return net if f"{start}conv_in.weight" in shapes else net._replace(in_channels=13)


@lru_cache(maxsize=4)
def _both(net: UNet, garment: UNet) -> Mapping[str, Shape]:
    found: dict[str, Shape] = {}
    for start, half in (("unet.", net), ("unet_encoder.", garment)):
        found.update({start + key: shape for key, shape in unet.tensors(half, "diffusers").items()})
    return found


FAMILY = Family(
    name="idm_vton",
    title="IDM-VTON",
    task="virtual try-on",
    steps=("virtual_fitting",),
    markers=tuple(
        keys
        for start in ("", "unet.")
        for keys in (
            (f"{start}encoder_hid_proj.latents", f"{start}conv_in.weight"),
            (f"{start}encoder_hid_proj.proj_in.weight", f"{start}conv_out.weight"),
        )
    ),
    read=read,
    examples=examples,
    published=(Published("IDM-VTON/unet/diffusion_pytorch_model.bin", "tryon-unet"),),
    licence="CC-BY-NC-SA-4.0, on SDXL inpainting (CreativeML OpenRAIL++-M)",
    source="yisol/IDM-VTON, src/unet_hacked_tryon.py",
    aliases=("idm_vton", "idm-vton", "idm"),
)
