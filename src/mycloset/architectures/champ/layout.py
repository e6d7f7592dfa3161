"""What files of Champ look like: reference UNet, UNet for videos, guidance encoders, all in one.

Source: fudan-generative-vision/champ@02e5533, `models/`.
"""

from __future__ import annotations

from collections.abc import Iterator

from mycloset.architectures.animatediff.layout import config as motion_config
from mycloset.architectures.animatediff.layout import positions
from mycloset.architectures.champ import guidance
from mycloset.architectures.champ.guidance import Guidance
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.latent_diffusion import (
    autoencoder,
    kinds,
    unet,
    unet_reading,
    vision_towers,
)
from mycloset.architectures.latent_diffusion.motion import Motion
from mycloset.architectures.latent_diffusion.unet import UNet
from mycloset.architectures.reading import supported

_NETWORKS = ("reference_unet.", "denoising_unet.")
_GUIDES = ("depth", "normal", "semantic_map", "dwpose")


def read(shapes: Shapes) -> Claim:
    """Say which of Champ's networks a table is.

    Raises:
        NotThisError: it is none.
    """
    return supported(_read(shapes), shapes)


def examples() -> Iterator[Claim]:
    """The published networks."""
    yield _unet(kinds.SD15._replace(out_channels=None))
    for frames in (32, None):
        yield _unet(kinds.SD15._replace(motion=Motion(frames, middle=True)))
    yield _guidance(Guidance(3, (16, 32, 96, 256), 320))


def _read(shapes: Shapes) -> Claim:
    if any(f"{start}conv_in.weight" in shapes for start in _NETWORKS):
        return _read_model(shapes)
    if "time_embedding.linear_1.weight" in shapes or "time_embedding.linear_2.weight" in shapes:
        net = unet_reading.read(shapes, "diffusers")
        require(
            net.out_channels is not None or "conv_norm_out.weight" not in shapes,
            "`conv_norm_out.weight`, but no `conv_out.weight`: a damaged UNet",
        )
        return _unet(net)
    return _guidance(guidance.read(shapes))


def _unet(net: UNet) -> Claim:
    require(net.prompts is None, "image prompts beside the text")
    if net.motion is None:
        require(net.out_channels is None, "a UNet without motion modules, as SD 1.x's")
        return _reference(net)
    require(net.out_channels is not None, "no last convolution")
    require(net.motion.middle, "no motion module in the middle, as in AnimateDiff v1 and v3")
    require(net.motion.frames in (32, None), f"positions for {net.motion.frames} frames, not 32")
    kind = kinds.kind_of(net)
    tensors = unet.tensors(net, "diffusers")
    return Claim(
        variant="denoising-unet",
        title=f"Champ's UNet for videos, of {kind.title}",
        config={**kinds.config(net), **motion_config(net.motion), "use_inflated_groupnorm": True},
        tensors=tensors,
        evidence=(
            f"`conv_in.weight` is {[net.widths[0], net.in_channels, 3, 3]}",
            "motion modules stand between the blocks, one in the middle",
            f"positions for {net.motion.frames} frames"
            if net.motion.frames is not None
            else "no tables of positions",
        ),
        undecidable=(
            "SD 1.5 with AnimateDiff v2's modules, and AnimateAnyone's UNet, have the same tensors",
            *kinds.undecidable(net),
        ),
        task="person animation",
        steps=("animation.denoising",),
        input_channels=net.in_channels,
        output_channels=net.out_channels,
        buffers=positions(tensors),
        confidence=1.0 if kind.exact else 0.9,
    )


def _reference(net: UNet) -> Claim:
    require(not net.linear, "linear projections, unlike SD 1.x's")
    kind = kinds.kind_of(net)
    last: dict[str, Shape | None] = {
        "conv_norm_out.weight": (net.widths[0],),
        "conv_norm_out.bias": (net.widths[0],),
        "conv_out.weight": (4, net.widths[0], 3, 3),
        "conv_out.bias": (4,),
    }
    return Claim(
        variant="reference-unet",
        title=f"reference UNet of Champ, of {kind.title}",
        config=kinds.config(net),
        tensors=unet.tensors(net, "diffusers"),
        layout="diffusers",
        optional=last,
        evidence=(
            "no `conv_norm_out.weight` and no `conv_out.weight`: only its features are read",
            f"`conv_in.weight` is {[net.widths[0], net.in_channels, 3, 3]}",
        ),
        undecidable=(
            "whose it is: Champ's and AnimateAnyone's reference UNets have the same tensors",
            *kinds.undecidable(net),
        ),
        task="person animation",
        steps=("animation.reference",),
        input_channels=net.in_channels,
        output_channels=net.widths[0],
        confidence=1.0 if kind.exact else 0.9,
    )


def _guidance(sizes: Guidance) -> Claim:
    return Claim(
        variant="guidance-encoder",
        title="guidance encoder of Champ",
        config={
            "guidance_embedding_channels": sizes.out,
            "guidance_input_channels": sizes.inp,
            "block_out_channels": list(sizes.widths),
        },
        tensors=guidance.tensors(sizes),
        evidence=(
            f"`conv_in.weight` is {[sizes.widths[0], sizes.inp, 3, 3]}: a guidance picture",
            f"`conv_out.weight` is {[sizes.out, sizes.widths[-1], 3, 3]}: features for a UNet",
        ),
        undecidable=(
            "which guidance it reads: depth, normal, semantic_map and dwpose have the same tensors",
        ),
        task="person animation",
        steps=("animation.guidance",),
        input_channels=sizes.inp,
        output_channels=sizes.out,
    )


def _read_model(shapes: Shapes) -> Claim:
    """All of Champ's networks in one table."""
    parts: list[tuple[str, Claim]] = []
    if "vae.encoder.conv_in.weight" in shapes:
        naming = autoencoder.naming_of(shapes, "vae.")
        vae = autoencoder.read(shapes, naming, "vae.")
        made = Claim("vae", "", autoencoder.config(vae), autoencoder.tensors(vae, naming))
        parts.append(("vae.", made))
    if "image_encoder.vision_model.embeddings.class_embedding" in shapes:
        tower = vision_towers.read(shapes, "image_encoder.")
        made = Claim("clip", "", vision_towers.config(tower), vision_towers.tensors(tower))
        parts.append(("image_encoder.", made))
    for start in _NETWORKS:
        if f"{start}conv_in.weight" in shapes:
            parts.append((start, _unet(unet_reading.read(shapes, "diffusers", start))))
    for name in _guides(shapes):
        start = f"guidance_encoder_{name}."
        parts.append((start, _guidance(guidance.read(shapes, start))))
    tensors: dict[str, Shape] = {}
    optional: dict[str, Shape | None] = {}
    for start, claim in parts:
        tensors.update({start + key: shape for key, shape in claim.tensors.items()})
        optional.update({start + key: shape for key, shape in claim.optional.items()})
    spare = "image_encoder.vision_model.embeddings.position_ids"
    if spare in tensors and spare not in shapes:
        optional[spare] = tensors.pop(spare)
    return Claim(
        variant="model",
        title="Champ, its networks in one file",
        config={start[:-1]: dict(claim.config) for start, claim in parts},
        tensors=tensors,
        optional=optional,
        evidence=(f"networks below {', '.join(f'`{start}`' for start, _ in parts)}",),
        undecidable=("heads of the transformers",),
        task="person animation",
        input_channels=4,
        output_channels=4,
        parts=tuple(start for start, _ in parts),
        buffers=positions(tensors),
        confidence=min(claim.confidence for _, claim in parts),
    )


def _guides(shapes: Shapes) -> list[str]:
    """The kinds of guidance that have an encoder, in the file's order."""
    found = [name for name in _GUIDES if f"guidance_encoder_{name}.conv_in.weight" in shapes]
    others = sum(key.endswith(".guidance_attention.norm.weight") for key in shapes) - len(found)
    if others > 0:
        found += [
            key[len("guidance_encoder_") : -len(".conv_in.weight")]
            for key in shapes
            if key.startswith("guidance_encoder_") and key.endswith(".conv_in.weight")
        ]
    return list(dict.fromkeys(found))


FAMILY = Family(
    name="champ",
    title="Champ",
    task="person animation",
    steps=(
        "animation.reference",
        "animation.denoising",
        "animation.guidance",
    ),
    markers=(
        ("conv_in.weight", "time_embedding.linear_1.weight", "up_blocks.0.resnets.0.conv1.weight"),
        ("conv_in.bias", "time_embedding.linear_2.weight", "mid_block.resnets.0.conv1.weight"),
        ("conv_in.weight", "guidance_attention.norm.weight", "conv_out.weight"),
        ("blocks.0.weight", "attentions.0.proj_in.weight", "guidance_attention.proj_in.weight"),
        ("reference_unet.conv_in.weight", "denoising_unet.conv_in.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("reference_unet.pth", "reference-unet"),
        Published("guidance_encoder_depth.pth", "guidance-encoder"),
        Published("guidance_encoder_normal.pth", "guidance-encoder"),
        Published("guidance_encoder_semantic_map.pth", "guidance-encoder"),
        Published("guidance_encoder_dwpose.pth", "guidance-encoder"),
    ),
    licence="MIT, initialised from SD 1.5 (CreativeML OpenRAIL-M)",
    source="fudan-generative-vision/champ, models/",
    aliases=("champ", "reference_unet", "guidance_encoder"),
)
