"""What is said of a bare UNet: which generation it is, what its channels mean, who else has it."""

from __future__ import annotations

from mycloset.architectures.family import Claim, Shapes, require
from mycloset.architectures.latent_diffusion import kinds, unet, unet_reading
from mycloset.architectures.latent_diffusion.blocks import Naming
from mycloset.architectures.latent_diffusion.unet import UNet

PURPOSE = {
    4: ("", "noisy latent 4", "image generation"),
    5: ("-depth", "noisy latent 4, depth 1", "image generation after depth"),
    7: ("-upscaler", "noisy latent 4, small picture 3", "image upscaling"),
    8: ("-instruct-pix2pix", "noisy latent 4, latent of a picture 4", "image editing"),
    9: (
        "-inpainting",
        "noisy latent 4, mask 1, masked latent 4: inpainting",
        "image inpainting",
    ),
}
"""Input channels -> the variant's suffix, what enters, the task."""


def purpose(net: UNet) -> tuple[str, str, str]:
    """The variant's suffix, what enters the first convolution, the task."""
    number = net.in_channels
    return PURPOSE.get(number, (f"-{number}ch", f"{number} channels", "image generation"))


def read(shapes: Shapes, naming: Naming) -> Claim:
    """Say what a bare UNet is.

    Raises:
        NotThisError: it is none, or one that another system's family names.
    """
    net = unet_reading.read(shapes, naming)
    require(net.motion is None, "motion modules between its blocks: a UNet for videos")
    require(net.prompts is None, "image prompts (`encoder_hid_proj.latents`): IDM-VTON's UNet")
    require(net.out_channels is not None, "no last convolution: a reference UNet")
    require(net.in_channels != 12, "12 input channels: Leffa's UNet")
    if naming == "diffusers" and not net.linear:
        require(net.in_channels != 8, "8 input channels: OOTDiffusion's or InstructPix2Pix's UNet")
    return claim(net, naming, _framed(shapes) if naming == "diffusers" else False)


def claim(net: UNet, naming: Naming, framed: bool = False) -> Claim:
    """The claim for a UNet of these sizes.

    Args:
        net: its sizes.
        naming: how its keys are named.
        framed: whether its keys stand in the order of UNets for videos.
    """
    kind = kinds.kind_of(net)
    suffix, enters, task = purpose(net)
    first = "conv_in.weight" if naming == "diffusers" else "input_blocks.0.0.weight"
    shape = [net.widths[0], net.in_channels, 3, 3]
    evidence = [f"`{first}` is {shape}: {enters}", *generation_evidence(net)]
    if framed:
        evidence.append("norms stand after their attentions, as in Champ's UNet for videos")
    return Claim(
        variant=f"{kind.name}{suffix}-unet",
        title=f"{kind.title}, {suffix.strip('-') + ' ' if suffix else ''}UNet",
        config=kinds.config(net),
        tensors=unet.tensors(net, naming),
        layout=naming,
        evidence=tuple(evidence),
        undecidable=(*_others(kind.name, net.in_channels), *kinds.undecidable(net)),
        also=_also(net),
        task=task,
        steps=_steps(kind.name, net.in_channels, framed),
        input_channels=net.in_channels,
        output_channels=net.out_channels,
        licence=kind.licence,
        confidence=1.0 if kind.exact else 0.9,
    )


def generation_evidence(net: UNet) -> tuple[str, ...]:
    """What shows the generation: features of a text token, projections, added embedding."""
    told = [f"text tokens have {net.context} features (`attn2.to_k.weight`)"]
    told.append(
        "`proj_in.weight` is 2-dimensional: linear, as in SD 2.x and XL"
        if net.linear
        else "`proj_in.weight` is 4-dimensional: a 1x1 convolution, as in SD 1.x"
    )
    if net.addition is not None:
        told.append(f"{net.addition} features enter beside the time embedding, as in SDXL")
    return tuple(told)


def _others(kind: str, channels: int) -> tuple[str, ...]:
    if kind == "sd15" and channels == 4:
        return (
            "whose it is: SD 1.x and its fine-tunes, OOTDiffusion's unet_garm, Champ's denoising"
            " UNet of stage 1 and Leffa's reference UNet have the same tensors",
        )
    if kind == "sd15" and channels == 9:
        return ("whether it is the plain inpainting UNet or has CatVTON's attention merged in",)
    if kind == "sdxl" and channels == 4:
        return ("whether it is SDXL's own, a fine-tune, or IDM-VTON's garment UNet",)
    return ()


def _also(net: UNet) -> tuple[str, ...]:
    """Systems that publish this very network among their files, in any width."""
    if net.linear:
        return ("idm_vton", "leffa") if net.in_channels == 4 else ()
    return {4: ("champ", "leffa", "ootdiffusion"), 9: ("catvton",)}.get(net.in_channels, ())


def _steps(kind: str, channels: int, framed: bool) -> tuple[str, ...]:
    if kind == "sd15" and channels == 4:
        return ("animation.denoising",) if framed else ("virtual_fitting", "animation.denoising")
    if (kind == "sd15" and channels == 9) or (kind in ("sdxl", "sdxl-bare") and channels == 4):
        return ("virtual_fitting",)
    return ()


def _framed(shapes: Shapes) -> bool:
    """Whether the first transformer's first norm stands between its attentions."""
    start = "down_blocks.0.attentions.0.transformer_blocks.0."
    places = {}
    for place, key in enumerate(shapes):
        if key.startswith(start):
            places[key[len(start) :]] = place
            if len(places) >= 12:
                break
    wanted = ("attn1.to_q.weight", "norm1.weight", "attn2.to_q.weight")
    found = [places.get(key, -1) for key in wanted]
    return -1 < found[0] < found[1] < found[2]
