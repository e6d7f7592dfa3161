"""What files of Segment Anything look like: ViT-B, ViT-L, ViT-H and any other size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes
from mycloset.architectures.sam import transformers_decoder as other
from mycloset.architectures.sam.decoder import (
    GAUSSIAN,
    DecoderSizes,
    decoder_tensors,
    read_decoder,
)
from mycloset.architectures.sam.encoder import (
    ORIGINAL,
    TRANSFORMERS,
    EncoderSizes,
    encoder_tensors,
    read_encoder,
)

_VARIANTS = {(768, 12): "vit_b", (1024, 24): "vit_l", (1280, 32): "vit_h"}


def read(shapes: Shapes) -> Claim:
    """The model that a table holds.

    Raises:
        NotThisError: it holds none.
    """
    if "vision_encoder.patch_embed.projection.weight" in shapes:
        encoder = read_encoder(shapes, TRANSFORMERS)
        return _claim(encoder, other.read_decoder(shapes), "transformers")
    return _claim(read_encoder(shapes, ORIGINAL), read_decoder(shapes), "original")


def examples() -> Iterator[Claim]:
    """The published models, as their authors and transformers lay them out."""
    for width, depth, head, step in ((768, 12, 64, 3), (1024, 24, 64, 6), (1280, 32, 80, 8)):
        tables = tuple(
            (127, 127) if number % step == step - 1 else (27, 27) for number in range(depth)
        )
        encoder = EncoderSizes(width, 4 * width, 256, tables, head, (64, 64), 16, 3)
        yield _claim(encoder, DecoderSizes(), "original")
        yield _claim(encoder, DecoderSizes(early=width), "original")
        yield _claim(encoder, DecoderSizes(), "transformers")


def _claim(encoder: EncoderSizes, decoder: DecoderSizes, layout: str) -> Claim:
    original = layout == "original"
    names = ORIGINAL if original else TRANSFORMERS
    blocks = f"{names.root}.{names.blocks}"
    evidence = [
        f"`{names.root}.patch_embed.{names.patch}.weight` is"
        f" {[encoder.width, encoder.channels, encoder.patch, encoder.patch]}:"
        f" {encoder.width} features for patches of {encoder.patch} pixels",
        f"{encoder.depth} blocks lie under `{blocks}`",
    ]
    if encoder.relative:
        evidence.append(
            f"`{blocks}.0.attn.rel_pos_h` has {encoder.head_width} columns: {encoder.heads} heads;"
            f" the tables of blocks {', '.join(map(str, encoder.global_blocks)) or 'none'}"
            " span the whole picture"
        )
    undecidable = ["the number of heads in the mask decoder (taken for 8)"]
    if not encoder.relative:
        undecidable.append("the number of heads in the encoder (taken for width / 64)")
        undecidable.append("which of its blocks see the whole picture")
    if decoder.early:
        evidence.append("`mask_decoder.hf_token.weight` is there: the finer mask of HQ-SAM")
    title, name = _named(encoder, decoder)
    return Claim(
        variant=name,
        title=title,
        config=encoder.config | _config(decoder),
        tensors=_tensors(encoder, decoder, original),
        layout=layout,
        optional={} if original else {other.SHARED: (2, decoder.width // 2)},
        buffers=frozenset((GAUSSIAN,) if original else (other.GAUSSIAN, other.SHARED)),
        evidence=tuple(evidence),
        undecidable=tuple(undecidable),
        input_channels=encoder.channels,
        output_channels=decoder.masks,
    )


def _named(encoder: EncoderSizes, decoder: DecoderSizes) -> tuple[str, str]:
    """Title and variant."""
    title, name = ("HQ-SAM", "hq_") if decoder.early else ("Segment Anything", "")
    known = _VARIANTS.get((encoder.width, encoder.depth))
    if known is not None:
        return f"{title} ViT-{known[-1].upper()}", name + known
    sizes = f"ViT of {encoder.depth} blocks and {encoder.width} features"
    return f"{title}, {sizes}", f"{name}vit_{encoder.width}x{encoder.depth}"


def _config(decoder: DecoderSizes) -> dict[str, Any]:
    return {
        "prompt_embed_dim": decoder.width,
        "mask_in_chans": decoder.mask_width,
        "num_multimask_outputs": decoder.masks - 1,
        "decoder_depth": decoder.layers,
        "decoder_mlp_dim": decoder.hidden,
        "iou_head_depth": decoder.score_depth,
        "iou_head_hidden_dim": decoder.score_hidden,
        "decoder_inner_dim": decoder.inner,
        "hypernetwork_depth": decoder.head_layers,
        **({"vit_dim": decoder.early} if decoder.early else {}),
    }


def _tensors(encoder: EncoderSizes, decoder: DecoderSizes, original: bool) -> dict[str, Shape]:
    if original:
        return encoder_tensors(encoder, ORIGINAL) | decoder_tensors(decoder)
    return {
        other.GAUSSIAN: (2, decoder.width // 2),
        **encoder_tensors(encoder, TRANSFORMERS),
        **other.prompt_encoder_tensors(decoder),
        **other.mask_decoder_tensors(decoder),
    }


FAMILY = Family(
    name="sam",
    title="Segment Anything",
    task="image segmentation",
    steps=("cloth_segmentation",),
    markers=(
        ("image_encoder.patch_embed.proj.weight", "mask_decoder.mask_tokens.weight"),
        ("image_encoder.neck.0.weight", "image_encoder.blocks.0.norm1.weight", GAUSSIAN),
        ("vision_encoder.patch_embed.projection.weight", "mask_decoder.mask_tokens.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("sam_vit_b_01ec64.pth", "vit_b"),
        Published("sam_vit_l_0b3195.pth", "vit_l"),
        Published("sam_vit_h_4b8939.pth", "vit_h"),
        Published("sam_vit_b*.pth", "vit_b"),
        Published("sam_vit_l*.pth", "vit_l"),
        Published("sam_vit_h*.pth", "vit_h"),
        Published("sam_hq_vit_b.pth", "hq_vit_b"),
        Published("sam_hq_vit_l.pth", "hq_vit_l"),
        Published("sam_hq_vit_h.pth", "hq_vit_h"),
    ),
    licence="Apache-2.0",
    source="facebookresearch/segment-anything, build_sam.py; transformers, models/sam",
    aliases=("sam", "sam_hq", "segment-anything", "segment_anything", "sam_vit"),
)
