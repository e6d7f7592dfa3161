"""What files of GFPGAN look like: its first form, and the later one of plain convolutions."""

from __future__ import annotations

from collections.abc import Iterator

from mycloset.architectures.family import Claim, Family, Published, Shapes
from mycloset.architectures.gfpgan.sizes import STYLE, Sizes, read_sizes
from mycloset.architectures.gfpgan.tensors import noises, tensors

_CLEAN = Sizes()
_FIRST = Sizes(clean=False, high=16, style_high=32)


def read(shapes: Shapes) -> Claim:
    """The network that a table holds.

    Raises:
        NotThisError: it holds none.
    """
    return _claim(read_sizes(shapes))


def examples() -> Iterator[Claim]:
    """The published networks."""
    yield _claim(_CLEAN)
    yield _claim(_FIRST)


def _claim(sizes: Sizes) -> Claim:
    usual = sizes.out == 512
    form = "v1Clean" if sizes.clean else "v1"
    title = "GFPGAN 1.2 to 1.4" if sizes.clean else "GFPGAN 1.0"
    if not usual:
        title += f" for {sizes.out} pixels"
    first = "conv_body_first.weight" if sizes.clean else "conv_body_first.0.weight"
    undecidable = ["whether its generator was fixed in training"]
    if sizes.clean:
        undecidable.insert(0, "which of versions 1.2, 1.3 and 1.4 it is")
    return Claim(
        variant=f"GFPGAN{form}" if usual else f"GFPGAN{form}_{sizes.out}",
        title=title,
        config={
            "out_size": sizes.out,
            "num_style_feat": sizes.style,
            "channel_multiplier": sizes.multiplier,
            "decoder_load_path": None,
            "fix_decoder": not sizes.clean,
            "num_mlp": sizes.mapping,
            "input_is_latent": True,
            "different_w": sizes.separate,
            "narrow": sizes.narrow,
            "sft_half": sizes.half,
        },
        tensors=tensors(sizes),
        layout="clean" if sizes.clean else "original",
        buffers=frozenset(noises(sizes)),
        evidence=(
            f"`{first}` is there: {'plain' if sizes.clean else 'equalised'} convolutions",
            f"{sizes.steps} halvings lie under `conv_body_down`: {sizes.out} pixels",
            f"`{STYLE}.style_convs.{2 * sizes.steps - 1}.modulated_conv.weight` gives"
            f" {sizes.style_high} features: channel multiplier {sizes.multiplier}",
        ),
        undecidable=tuple(undecidable),
        input_channels=3,
        output_channels=3,
    )


FAMILY = Family(
    name="gfpgan",
    title="GFPGAN",
    task="face restoration",
    steps=("post_processing",),
    markers=(
        ("conv_body_first.weight", f"{STYLE}.constant_input.weight", "final_linear.weight"),
        ("conv_body_first.0.weight", f"{STYLE}.constant_input.weight", "final_linear.weight"),
        ("conv_body_down.0.conv1.weight", "condition_scale.0.0.weight", "toRGB.0.weight"),
        ("conv_body_down.0.conv1.0.weight", "condition_scale.0.0.weight", "toRGB.0.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published(
            "GFPGANv1.4.pth",
            "GFPGANv1Clean",
            "e2cd4703ab14f4d01fd1383a8a8b266f9a5833dacee8e6a79d3bf21a1b6be5ad",
            348632874,
        ),
        Published(
            "GFPGANv1.3.pth",
            "GFPGANv1Clean",
            "c953a88f2727c85c3d9ae72e2bd4846bbaf59fe6972ad94130e23e7017524a70",
        ),
        Published("GFPGANCleanv1-NoCE-C2.pth", "GFPGANv1Clean"),
        Published("GFPGANv1.pth", "GFPGANv1"),
        Published("GFPGAN.pth", "GFPGANv1"),
    ),
    licence="Apache-2.0",
    source="TencentARC/GFPGAN, gfpgan/archs",
    aliases=("gfpgan",),
)
