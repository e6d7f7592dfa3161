"""What Leffa's files look like: autoencoder, reference UNet and generative UNet in one.

Source: franciszzj/Leffa@7848bed, `leffa/model.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.latent_diffusion import autoencoder, kinds, unet, unet_reading
from mycloset.architectures.latent_diffusion.autoencoder import SD_VAE, Autoencoder
from mycloset.architectures.latent_diffusion.unet import UNet
from mycloset.architectures.reading import supported

_CHANNELS = 12
_MEANING = "noisy latent 4, mask 1, masked latent 4, body surface 3"


def read(shapes: Shapes) -> Claim:
    """Say whether a table is Leffa's: the whole, or its generative UNet.

    Raises:
        NotThisError: it is neither.
    """
    return supported(_read(shapes), shapes)


def examples() -> Iterator[Claim]:
    """The published files, and their generative UNets."""
    for net in (kinds.SD15, kinds.SDXL):
        generative = net._replace(in_channels=_CHANNELS)
        yield _whole(SD_VAE, "diffusers", net, generative)
        yield _unet(generative)


def _read(shapes: Shapes) -> Claim:
    if "conv_in.weight" in shapes:
        return _unet(unet_reading.read(shapes, "diffusers"))
    naming = autoencoder.naming_of(shapes, "vae.")
    return _whole(
        autoencoder.read(shapes, naming, "vae."),
        naming,
        unet_reading.read(shapes, "diffusers", "unet_encoder."),
        unet_reading.read(shapes, "diffusers", "unet."),
    )


def _whole(
    vae: Autoencoder, naming: autoencoder.Naming, reference: UNet, generative: UNet
) -> Claim:
    _check(generative)
    kind = kinds.kind_of(generative)
    poses = generative.linear
    task = "pose transfer" if poses else "virtual try-on"
    return Claim(
        variant="pose-transfer" if poses else "virtual-tryon",
        title=f"Leffa, {task} on {kind.title}",
        config={
            "vae": autoencoder.config(vae),
            "unet_encoder": kinds.config(reference),
            "unet": kinds.config(generative),
            "new_in_channels": generative.in_channels,
        },
        tensors=_table(vae, naming, reference, generative),
        layout="diffusers",
        evidence=(
            f"`unet.conv_in.weight` is {[generative.widths[0], _CHANNELS, 3, 3]}: {_MEANING}",
            f"`unet_encoder.conv_in.weight` takes {reference.in_channels} channels",
            f"text tokens of {generative.context} features, though no text is read",
        ),
        undecidable=(
            *(() if poses else ("whether it was trained on VITON-HD or DressCode",)),
            *kinds.undecidable(generative),
        ),
        task=task,
        steps=() if poses else ("virtual_fitting",),
        input_channels=generative.in_channels,
        output_channels=generative.out_channels,
        parts=("vae.", "unet_encoder.", "unet."),
        confidence=1.0 if kind.exact else 0.9,
    )


def _unet(net: UNet) -> Claim:
    _check(net)
    kind = kinds.kind_of(net)
    return Claim(
        variant="generative-unet",
        title=f"Leffa's generative UNet, of {kind.title}",
        config=kinds.config(net),
        tensors=unet.tensors(net, "diffusers"),
        layout="diffusers",
        evidence=(f"`conv_in.weight` is {[net.widths[0], _CHANNELS, 3, 3]}: {_MEANING}",),
        undecidable=kinds.undecidable(net),
        task="pose transfer" if net.linear else None,
        steps=() if net.linear else None,
        input_channels=net.in_channels,
        output_channels=net.out_channels,
        confidence=0.95 if kind.exact else 0.85,
    )


def _check(net: UNet) -> None:
    require(net.in_channels == _CHANNELS, f"{net.in_channels} input channels, not {_CHANNELS}")
    require(net.motion is None, "motion modules between the UNet's blocks")
    require(net.prompts is None, "image prompts beside the text")
    require(net.out_channels is not None, "no last convolution")


@lru_cache(maxsize=4)
def _table(
    vae: Autoencoder, naming: autoencoder.Naming, reference: UNet, generative: UNet
) -> Mapping[str, Shape]:
    found = {f"vae.{key}": shape for key, shape in autoencoder.tensors(vae, naming).items()}
    for start, net in (("unet_encoder.", reference), ("unet.", generative)):
        found.update({start + key: shape for key, shape in unet.tensors(net, "diffusers").items()})
    return found


FAMILY = Family(
    name="leffa",
    title="Leffa",
    task="virtual try-on",
    steps=("virtual_fitting",),
    markers=(
        ("unet.conv_in.weight", "unet_encoder.conv_in.weight", "vae.decoder.conv_in.weight"),
        (
            "unet.conv_out.weight",
            "unet_encoder.time_embedding.linear_1.weight",
            "vae.encoder.conv_in.weight",
        ),
        ("conv_in.weight", "time_embedding.linear_1.weight", "conv_out.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("virtual_tryon.pth", "virtual-tryon"),
        Published("virtual_tryon_dc.pth", "virtual-tryon"),
        Published("pose_transfer.pth", "pose-transfer"),
    ),
    licence="MIT, on Stable Diffusion inpainting (CreativeML OpenRAIL)",
    source="franciszzj/Leffa, leffa/model.py",
    aliases=("leffa", "virtual_tryon", "pose_transfer"),
)
