"""What files of AnimateDiff's motion modules look like.

Source: guoyww/AnimateDiff@e92bd56, `animatediff/models/motion_module.py` and `unet.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mycloset.architectures.family import Claim, Family, Published, Shapes, require
from mycloset.architectures.latent_diffusion import kinds, motion, unet, unet_reading
from mycloset.architectures.latent_diffusion.motion import Motion
from mycloset.architectures.reading import common_size, counted

_SD = (320, 640, 1280, 1280)
_MODULE = "temporal_transformer."
_LEVELS = 8
_MODULES = 16


def read(shapes: Shapes) -> Claim:
    """Say whether a table holds motion modules: all of a UNet's, one of them, or a UNet with them.

    Raises:
        NotThisError: it holds none, or a UNet of Champ's.
    """
    if "conv_in.weight" in shapes:
        return _read_unet(shapes)
    if f"{_MODULE}proj_in.weight" in shapes or f"{_MODULE}proj_out.weight" in shapes:
        return _read_block(shapes)
    sizes = unet_reading.read_motion(shapes)
    require(sizes is not None, "no `down_blocks.0.motion_modules.0`")
    assert sizes is not None
    down = _counts(shapes, "down_blocks.")
    up = _counts(shapes, "up_blocks.")
    require(len(up) == len(down), f"motion modules on {len(down)} levels down, but {len(up)} up")
    widths = tuple(_width(shapes, f"down_blocks.{level}.") for level in range(len(down)))
    return _claim(sizes, widths, down, up)


def examples() -> Iterator[Claim]:
    """The published files, with and without their tables of positions."""
    down, up = (2, 2, 2, 2), (3, 3, 3, 3)
    for frames in (32, None):
        yield _claim(Motion(frames, middle=True), _SD, down, up)
    for frames in (24, 32, None):
        yield _claim(Motion(frames, middle=False), _SD, down, up)
    yield _claim(Motion(32, middle=False), _SD[:3], down[:3], up[:3])


def config(sizes: Motion) -> dict[str, Any]:
    """Arguments of the original code; heads are 8 in every published file."""
    return {
        "use_motion_module": True,
        "motion_module_mid_block": sizes.middle,
        "motion_module_type": "Vanilla",
        "motion_module_kwargs": {
            "num_attention_heads": 8,
            "num_transformer_block": sizes.blocks,
            "attention_block_types": ["Temporal_Self"] * sizes.attentions,
            "temporal_position_encoding": sizes.frames is not None,
            "temporal_position_encoding_max_len": sizes.frames,
            "temporal_attention_dim_div": 1,
        },
    }


def positions(tensors: Shapes) -> frozenset[str]:
    """The keys of tables of positions."""
    return frozenset(key for key in tensors if key.endswith(".pos_encoder.pe"))


def _claim(
    sizes: Motion, widths: tuple[int, ...], down: tuple[int, ...], up: tuple[int, ...]
) -> Claim:
    tensors = motion.tensors(sizes, widths, down, up)
    variant, title, whose = _version(sizes, widths)
    told = ", ".join(str(width) for width in widths)
    resolutions = [2**level for level, number in enumerate(down) if number]
    return Claim(
        variant=variant,
        title=title,
        config={
            **config(sizes),
            "motion_module_resolutions": resolutions,
            "block_out_channels": list(widths),
            "use_inflated_groupnorm": variant != "v1",
        },
        tensors=tensors,
        optional={},
        evidence=(
            f"motion modules of widths {told}, {'one' if sizes.middle else 'none'} in the middle",
            f"`….{motion.POSITIONS}` is [1, {sizes.frames}, {widths[0]}]: {sizes.frames} frames"
            if sizes.frames is not None
            else "no tables of positions",
        ),
        undecidable=(*whose, "heads (8 in every published file)"),
        steps=("animation.motion",),
        buffers=positions(tensors),
        confidence=1.0 if widths in (_SD, _SD[:3]) else 0.9,
    )


def _version(sizes: Motion, widths: tuple[int, ...]) -> tuple[str, str, tuple[str, ...]]:
    """Variant, title and what stays open."""
    if len(widths) == 3:
        return "sdxl", "AnimateDiff motion modules for SDXL", ()
    if sizes.middle:
        whose = (
            "AnimateDiff v2's mm_sd_v15_v2 and Champ's motion_module.pth have the same tensors",
        )
        return "v2", "AnimateDiff v2 motion modules (also Champ's)", whose
    if sizes.frames == 24:
        return "v1", "AnimateDiff v1 motion modules", ("for SD 1.4 or 1.5",)
    if sizes.frames is None:
        whose = ("v1 or v3: without tables of positions they have the same tensors",)
        return "v1", "AnimateDiff v1 or v3 motion modules", whose
    if sizes.frames == 32:
        return "v3", "AnimateDiff v3 motion modules", ()
    return "v1", f"AnimateDiff motion modules for {sizes.frames} frames", ()


def _read_unet(shapes: Shapes) -> Claim:
    net = unet_reading.read(shapes, "diffusers")
    sizes = net.motion
    require(sizes is not None, "no motion modules between the UNet's blocks")
    assert sizes is not None
    require(
        not (sizes.middle and sizes.frames in (32, None)),
        "a motion module in the middle, and 32 frames: Champ's UNet",
    )
    kind = kinds.kind_of(net)
    tensors = unet.tensors(net, "diffusers")
    return Claim(
        variant="unet-v2" if sizes.middle else "unet-v3" if sizes.frames == 32 else "unet-v1",
        title=f"{kind.title} UNet with AnimateDiff motion modules",
        config={**kinds.config(net), **config(sizes)},
        tensors=tensors,
        evidence=("motion modules stand between the blocks of a UNet",),
        undecidable=kinds.undecidable(net),
        steps=("animation.denoising",),
        input_channels=net.in_channels,
        output_channels=net.out_channels,
        buffers=positions(tensors),
        confidence=1.0 if kind.exact else 0.9,
    )


def _read_block(shapes: Shapes) -> Claim:
    """One motion module by itself."""
    width = common_size(
        shapes,
        (f"{_MODULE}proj_in.weight", 0),
        (f"{_MODULE}proj_out.weight", 0),
        (f"{_MODULE}norm.weight", 0),
    )
    sizes = unet_reading.read_module(shapes, "", middle=False)
    require(sizes is not None, f"no `{_MODULE}transformer_blocks.0`")
    assert sizes is not None
    tensors = {key[1:]: shape for key, shape in motion.module(sizes, width)}
    return Claim(
        variant="motion-module",
        title=f"one AnimateDiff motion module of width {width}",
        config={**config(sizes), "in_channels": width},
        tensors=tensors,
        evidence=(f"`{_MODULE}proj_in.weight` is {[width, width]}",),
        undecidable=("of which UNet, and where in it", "heads (8 in every published file)"),
        steps=("animation.motion",),
        input_channels=width,
        output_channels=width,
        buffers=positions(tensors),
    )


def _counts(shapes: Shapes, start: str) -> tuple[int, ...]:
    """Motion modules by level."""
    ends = tuple(f".{_MODULE}{end}.weight" for end in ("proj_in", "proj_out", "norm"))
    levels = counted(shapes, start, *(f".motion_modules.0{end}" for end in ends), most=_LEVELS)
    return tuple(
        counted(shapes, f"{start}{level}.motion_modules.", *ends, most=_MODULES)
        for level in range(levels)
    )


def _width(shapes: Shapes, start: str) -> int:
    name = f"{start}motion_modules.0.{_MODULE}"
    return common_size(
        shapes,
        (f"{name}proj_in.weight", 0),
        (f"{name}proj_out.weight", 0),
        (f"{name}norm.weight", 0),
    )


_FIRST = f"down_blocks.0.motion_modules.0.{_MODULE}"
_LAST = f"up_blocks.0.motion_modules.0.{_MODULE}"

FAMILY = Family(
    name="animatediff",
    title="AnimateDiff",
    task="motion of generated video",
    steps=("animation.motion",),
    markers=(
        (f"{_FIRST}proj_in.weight", f"{_LAST}proj_in.weight"),
        (f"{_FIRST}proj_out.weight", f"{_LAST}proj_out.weight"),
        (f"{_MODULE}proj_in.weight", f"{_MODULE}transformer_blocks.0.ff_norm.weight"),
        (f"{_MODULE}proj_out.weight", f"{_MODULE}transformer_blocks.0.norms.0.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("mm_sd_v14.ckpt", "v1"),
        Published("mm_sd_v15.ckpt", "v1"),
        Published("mm_sd_v15_v2.ckpt", "v2"),
        Published("v3_sd15_mm.ckpt", "v3"),
        Published("mm_sdxl_v10_beta.ckpt", "sdxl"),
        Published("motion_module.pth", "v2"),
    ),
    licence="Apache-2.0",
    source="guoyww/AnimateDiff, animatediff/models/motion_module.py",
    aliases=("animatediff", "mm_sd", "motion_module"),
)
