"""What OOTDiffusion's try-on UNet looks like: SD 1.5's with eight input channels.

Source: levihsu/OOTDiffusion@13ef0fa, `ootd/pipelines_ootd/`. Its garment UNet is a plain SD 1.5
UNet (family stable_diffusion).
"""

from __future__ import annotations

from collections.abc import Iterator

from mycloset.architectures.family import Claim, Family, Published, Shapes, require
from mycloset.architectures.latent_diffusion import kinds, unet, unet_reading
from mycloset.architectures.latent_diffusion.unet import UNet
from mycloset.architectures.reading import supported

_CHANNELS = 8


def read(shapes: Shapes) -> Claim:
    """Say whether a table is OOTDiffusion's try-on UNet.

    Raises:
        NotThisError: it is another UNet.
    """
    return supported(_read(shapes), shapes)


def examples() -> Iterator[Claim]:
    """The published UNet."""
    yield claim(kinds.SD15._replace(in_channels=_CHANNELS))


def _read(shapes: Shapes) -> Claim:
    first = shapes.get("conv_in.weight", ())
    require(
        len(first) != 4 or first[1] == _CHANNELS, f"`conv_in.weight` is {list(first)}, not of 8"
    )
    net = unet_reading.read(shapes, "diffusers")
    require(net.in_channels == _CHANNELS, f"{net.in_channels} input channels, not {_CHANNELS}")
    require(not net.linear, "linear projections, unlike SD 1.x's")
    require(net.motion is None, "motion modules between the UNet's blocks")
    require(net.prompts is None, "image prompts beside the text")
    require(net.out_channels is not None, "no last convolution")
    return claim(net)


def claim(net: UNet) -> Claim:
    """The claim for a UNet of these sizes."""
    kind = kinds.kind_of(net)
    return Claim(
        variant="unet-vton",
        title="OOTDiffusion's try-on UNet (or InstructPix2Pix')",
        config=kinds.config(net),
        tensors=unet.tensors(net, "diffusers"),
        layout="diffusers",
        evidence=(
            f"`conv_in.weight` is {[net.widths[0], _CHANNELS, 3, 3]}:"
            " noisy latent 4, latent of the person 4",
            f"text tokens have {net.context} features (`attn2.to_k.weight`)",
        ),
        undecidable=(
            "whether it is OOTDiffusion's or InstructPix2Pix': they have the same tensors",
            "half-body (hd) or full-body (dc) training",
            *kinds.undecidable(net),
        ),
        also=("stable_diffusion",),
        input_channels=net.in_channels,
        output_channels=net.out_channels,
        confidence=0.7 if kind.exact else 0.6,
    )


FAMILY = Family(
    name="ootdiffusion",
    title="OOTDiffusion",
    task="virtual try-on",
    steps=("virtual_fitting",),
    markers=(
        ("conv_in.weight", "time_embedding.linear_1.weight", "up_blocks.0.resnets.0.conv1.weight"),
        (
            "conv_out.weight",
            "time_embedding.linear_2.weight",
            "down_blocks.0.resnets.0.conv1.weight",
        ),
    ),
    read=read,
    examples=examples,
    published=(Published("unet_vton/diffusion_pytorch_model.safetensors", "unet-vton"),),
    licence="CC-BY-NC-SA-4.0, on SD 1.5 (CreativeML OpenRAIL-M)",
    source="levihsu/OOTDiffusion, ootd/pipelines_ootd/unet_vton_2d_condition.py",
    aliases=("ootdiffusion", "ootd", "unet_vton"),
)
