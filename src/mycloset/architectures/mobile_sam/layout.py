"""What files of MobileSAM look like."""

from __future__ import annotations

from collections.abc import Iterator

from mycloset.architectures.family import Claim, Family, Published, Shapes
from mycloset.architectures.mobile_sam.tiny_vit import (
    ROOT,
    TinyViT,
    read_tiny_vit,
    tiny_vit_tensors,
)
from mycloset.architectures.reading import ratio
from mycloset.architectures.sam.decoder import (
    GAUSSIAN,
    DecoderSizes,
    decoder_tensors,
    read_decoder,
)


def read(shapes: Shapes) -> Claim:
    """The model that a table holds.

    Raises:
        NotThisError: it holds none.
    """
    return _claim(read_tiny_vit(shapes), read_decoder(shapes))


def examples() -> Iterator[Claim]:
    """The published model."""
    yield _claim(TinyViT(), DecoderSizes())
    yield _claim(TinyViT(), DecoderSizes(early=160))


def _claim(encoder: TinyViT, decoder: DecoderSizes) -> Claim:
    usual = encoder.widths == TinyViT().widths and encoder.depths == TinyViT().depths
    stages = "-".join(map(str, encoder.depths))
    name, title = ("hq_vit_t", "HQ-SAM TinyViT") if decoder.early else ("vit_t", "MobileSAM")
    return Claim(
        variant=name if usual else f"{name}_{'x'.join(map(str, encoder.widths))}",
        title=title if usual else f"{title} of {stages} blocks",
        config={
            "image_encoder": "TinyViT",
            "in_chans": encoder.channels,
            "num_classes": encoder.classes,
            "embed_dims": list(encoder.widths),
            "depths": list(encoder.depths),
            # The first stage is convolutional: its heads and windows are arguments without use.
            "num_heads": [max(1, encoder.widths[0] // 32), *encoder.heads],
            "window_sizes": [encoder.windows[0], *encoder.windows],
            "mlp_ratio": ratio(encoder.hidden[0], encoder.widths[1]),
            "mbconv_expand_ratio": ratio(encoder.expanded, encoder.widths[0]),
            "local_conv_size": encoder.local,
            "out_chans": encoder.out,
            "prompt_embed_dim": decoder.width,
            "num_multimask_outputs": decoder.masks - 1,
            "decoder_depth": decoder.layers,
            "decoder_mlp_dim": decoder.hidden,
            "iou_head_depth": decoder.score_depth,
            "iou_head_hidden_dim": decoder.score_hidden,
            "decoder_inner_dim": decoder.inner,
            "hypernetwork_depth": decoder.head_layers,
            "mask_in_chans": decoder.mask_width,
            "stem": encoder.stem,
            "expanded": encoder.expanded,
            "hidden": list(encoder.hidden),
            **({"vit_dim": decoder.early} if decoder.early else {}),
        },
        tensors=tiny_vit_tensors(encoder) | decoder_tensors(decoder),
        buffers=frozenset((GAUSSIAN,)),
        evidence=(
            f"stages of {stages} blocks with {', '.join(map(str, encoder.widths))} features lie"
            f" under `{ROOT}.layers`",
            f"`{ROOT}.layers.1.blocks.0.attn.attention_biases` is"
            f" {[encoder.heads[0], encoder.windows[0] ** 2]}: {encoder.heads[0]} heads, windows of"
            f" {encoder.windows[0]}",
        ),
        undecidable=("the number of heads in the mask decoder (taken for 8)",),
        input_channels=encoder.channels,
        output_channels=decoder.masks,
    )


FAMILY = Family(
    name="mobile_sam",
    title="MobileSAM",
    task="image segmentation",
    steps=("cloth_segmentation",),
    markers=(
        (f"{ROOT}.patch_embed.seq.0.c.weight", "mask_decoder.mask_tokens.weight"),
        (f"{ROOT}.layers.1.blocks.0.attn.attention_biases", f"{ROOT}.neck.0.weight", GAUSSIAN),
    ),
    read=read,
    examples=examples,
    published=(
        Published(
            "mobile_sam.pt",
            "vit_t",
            "6dbb90523a35330fedd7f1d3dfc66f995213d81b29a5ca8108dbcdd4e37d6c2f",
            40728226,
        ),
        Published("sam_hq_vit_tiny.pth", "hq_vit_t"),
    ),
    licence="Apache-2.0",
    source="ChaoningZhang/MobileSAM, mobile_sam/build_sam.py",
    aliases=("mobile_sam", "mobilesam", "mobile-sam"),
)
