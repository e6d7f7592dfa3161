"""Prompt encoder and mask decoder of Segment Anything, which MobileSAM shares.

Sources: segment_anything/modeling/{prompt_encoder,mask_decoder,transformer}.py;
SysCV/sam-hq, segment_anything/modeling/mask_decoder_hq.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from mycloset.architectures.blocks import conv, linear, norm
from mycloset.architectures.family import Shape, Shapes
from mycloset.architectures.reading import numbered, size

GAUSSIAN = "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"
"""Random constant of training, which lies in the file though it is no parameter."""

_EARLY = "mask_decoder.compress_vit_feat"


@dataclass(frozen=True)
class DecoderSizes:
    """What a prompt encoder and a mask decoder are built of.

    Attributes:
        width: features of prompts and pictures.
        mask_width: features within the encoder of mask prompts.
        layers: blocks of the two-way transformer.
        hidden: features within its feed-forward layers.
        inner: features within its attention between tokens and picture.
        masks: mask tokens: one more than the masks of an ambiguous prompt.
        score_depth: layers of the head that rates masks.
        score_hidden: its features.
        head_layers: layers of the networks that turn tokens into masks.
        early: features of an early block of the picture encoder, from which HQ-SAM's finer mask is
            made; 0 without that mask.
    """

    width: int = 256
    mask_width: int = 16
    layers: int = 2
    hidden: int = 2048
    inner: int = 128
    masks: int = 4
    score_depth: int = 3
    score_hidden: int = 256
    head_layers: int = 3
    early: int = 0


def read_decoder(shapes: Shapes) -> DecoderSizes:
    """Sizes of the decoder that a table holds.

    Raises:
        NotThisError: it holds none.
    """
    layer = "mask_decoder.transformer.layers.0"
    head = "mask_decoder.iou_prediction_head.layers"
    return DecoderSizes(
        width=size(shapes, ("mask_decoder.mask_tokens.weight", 1), (f"{layer}.norm1.weight", 0)),
        mask_width=size(
            shapes,
            ("prompt_encoder.mask_downscaling.3.weight", 0),
            ("prompt_encoder.mask_downscaling.4.weight", 0),
        ),
        layers=numbered(shapes, "mask_decoder.transformer.layers.", most=16),
        hidden=size(shapes, (f"{layer}.mlp.lin1.weight", 0), (f"{layer}.mlp.lin1.bias", 0)),
        inner=size(
            shapes,
            (f"{layer}.cross_attn_token_to_image.q_proj.weight", 0),
            (f"{layer}.cross_attn_image_to_token.q_proj.weight", 0),
        ),
        masks=size(shapes, ("mask_decoder.mask_tokens.weight", 0)),
        score_depth=numbered(shapes, f"{head}.", most=16),
        score_hidden=size(shapes, (f"{head}.0.weight", 0), (f"{head}.1.weight", 1)),
        head_layers=numbered(shapes, "mask_decoder.output_hypernetworks_mlps.0.layers.", most=16),
        early=size(shapes, (f"{_EARLY}.0.weight", 0)) if f"{_EARLY}.0.weight" in shapes else 0,
    )


def decoder_tensors(sizes: DecoderSizes) -> dict[str, Shape]:
    """Every tensor of the prompt encoder and the mask decoder, in the file's order."""
    return _prompt_encoder(sizes) | _mask_decoder(sizes) | _fine_mask(sizes)


def attention(name: str, width: int, inner: int) -> dict[str, Shape]:
    """Attention of the two-way transformer; `inner` features for queries, keys and values."""
    return {
        **linear(f"{name}.q_proj", inner, width),
        **linear(f"{name}.k_proj", inner, width),
        **linear(f"{name}.v_proj", inner, width),
        **linear(f"{name}.out_proj", width, inner),
    }


def _prompt_encoder(sizes: DecoderSizes) -> dict[str, Shape]:
    width, masked = sizes.width, sizes.mask_width
    few = masked // 4
    down = "prompt_encoder.mask_downscaling"
    tensors: dict[str, Shape] = {GAUSSIAN: (2, width // 2)}
    for kind in range(4):
        tensors[f"prompt_encoder.point_embeddings.{kind}.weight"] = (1, width)
    tensors["prompt_encoder.not_a_point_embed.weight"] = (1, width)
    tensors |= conv(f"{down}.0", few, 1, 2)
    tensors |= norm(f"{down}.1", few)
    tensors |= conv(f"{down}.3", masked, few, 2)
    tensors |= norm(f"{down}.4", masked)
    tensors |= conv(f"{down}.6", width, masked)
    tensors["prompt_encoder.no_mask_embed.weight"] = (1, width)
    return tensors


def _mask_decoder(sizes: DecoderSizes) -> dict[str, Shape]:
    width, inner = sizes.width, sizes.inner
    tensors: dict[str, Shape] = {}
    for number in range(sizes.layers):
        name = f"mask_decoder.transformer.layers.{number}"
        tensors |= attention(f"{name}.self_attn", width, width)
        tensors |= norm(f"{name}.norm1", width)
        tensors |= attention(f"{name}.cross_attn_token_to_image", width, inner)
        tensors |= norm(f"{name}.norm2", width)
        tensors |= linear(f"{name}.mlp.lin1", sizes.hidden, width)
        tensors |= linear(f"{name}.mlp.lin2", width, sizes.hidden)
        tensors |= norm(f"{name}.norm3", width)
        tensors |= norm(f"{name}.norm4", width)
        tensors |= attention(f"{name}.cross_attn_image_to_token", width, inner)
    tensors |= attention("mask_decoder.transformer.final_attn_token_to_image", width, inner)
    tensors |= norm("mask_decoder.transformer.norm_final_attn", width)
    tensors["mask_decoder.iou_token.weight"] = (1, width)
    tensors["mask_decoder.mask_tokens.weight"] = (sizes.masks, width)
    tensors |= _enlarging("mask_decoder.output_upscaling", width, width // 4, width // 8)
    for mask in range(min(sizes.masks, 64)):
        name = f"mask_decoder.output_hypernetworks_mlps.{mask}"
        tensors |= _mlp(name, width, width, width // 8, sizes.head_layers)
    name = "mask_decoder.iou_prediction_head"
    return tensors | _mlp(name, width, sizes.score_hidden, sizes.masks, sizes.score_depth)


def _fine_mask(sizes: DecoderSizes) -> dict[str, Shape]:
    """What HQ-SAM adds: one more token, its network, and features of an early block."""
    if not sizes.early:
        return {}
    width = sizes.width
    features = "mask_decoder.embedding_maskfeature"
    return {
        "mask_decoder.hf_token.weight": (1, width),
        **_mlp("mask_decoder.hf_mlp", width, width, width // 8, 3),
        **_enlarging(_EARLY, sizes.early, width, width // 8),
        **_enlarging("mask_decoder.embedding_encoder", width, width // 4, width // 8),
        **conv(f"{features}.0", width // 4, width // 8, 3),
        **norm(f"{features}.1", width // 4),
        **conv(f"{features}.3", width // 8, width // 4, 3),
    }


def _enlarging(name: str, inp: int, middle: int, out: int) -> dict[str, Shape]:
    """Two transposed convolutions, whose weights have their inputs first."""
    return {
        f"{name}.0.weight": (inp, middle, 2, 2),
        f"{name}.0.bias": (middle,),
        **norm(f"{name}.1", middle),
        f"{name}.3.weight": (middle, out, 2, 2),
        f"{name}.3.bias": (out,),
    }


def _mlp(name: str, inp: int, hidden: int, out: int, layers: int) -> dict[str, Shape]:
    tensors: dict[str, Shape] = {}
    for number in range(layers):
        last = number == layers - 1
        tensors |= linear(
            f"{name}.layers.{number}", out if last else hidden, hidden if number else inp
        )
    return tensors
