"""Prompt encoder and mask decoder under the names of transformers' `SamModel`."""

from __future__ import annotations

from mycloset.architectures.blocks import conv, linear, norm
from mycloset.architectures.family import Shape, Shapes
from mycloset.architectures.reading import numbered, size
from mycloset.architectures.sam.decoder import DecoderSizes, attention

GAUSSIAN = "shared_image_embedding.positional_embedding"
SHARED = "prompt_encoder.shared_embedding.positional_embedding"
"""The same tensor once more; files leave it out where tied weights are written once."""


def read_decoder(shapes: Shapes) -> DecoderSizes:
    """Sizes of the decoder that a table holds.

    Raises:
        NotThisError: it holds none.
    """
    layer = "mask_decoder.transformer.layers.0"
    head = "mask_decoder.iou_prediction_head"
    return DecoderSizes(
        width=size(
            shapes, ("mask_decoder.mask_tokens.weight", 1), (f"{layer}.layer_norm1.weight", 0)
        ),
        mask_width=size(
            shapes,
            ("prompt_encoder.mask_embed.conv2.weight", 0),
            ("prompt_encoder.mask_embed.conv3.weight", 1),
        ),
        layers=numbered(shapes, "mask_decoder.transformer.layers.", most=16),
        hidden=size(shapes, (f"{layer}.mlp.lin1.weight", 0), (f"{layer}.mlp.lin1.bias", 0)),
        inner=size(
            shapes,
            (f"{layer}.cross_attn_token_to_image.q_proj.weight", 0),
            (f"{layer}.cross_attn_image_to_token.q_proj.weight", 0),
        ),
        masks=size(shapes, ("mask_decoder.mask_tokens.weight", 0)),
        score_depth=2 + numbered(shapes, f"{head}.layers.", most=16),
        score_hidden=size(shapes, (f"{head}.proj_in.weight", 0), (f"{head}.proj_out.weight", 1)),
        head_layers=2
        + numbered(shapes, "mask_decoder.output_hypernetworks_mlps.0.layers.", most=16),
    )


def prompt_encoder_tensors(sizes: DecoderSizes) -> dict[str, Shape]:
    """Every tensor of the prompt encoder, in the file's order."""
    width, masked = sizes.width, sizes.mask_width
    few = masked // 4
    mask = "prompt_encoder.mask_embed"
    return {
        SHARED: (2, width // 2),
        **conv(f"{mask}.conv1", few, 1, 2),
        **conv(f"{mask}.conv2", masked, few, 2),
        **conv(f"{mask}.conv3", width, masked),
        **norm(f"{mask}.layer_norm1", few),
        **norm(f"{mask}.layer_norm2", masked),
        "prompt_encoder.no_mask_embed.weight": (1, width),
        **{f"prompt_encoder.point_embed.{kind}.weight": (1, width) for kind in range(4)},
        "prompt_encoder.not_a_point_embed.weight": (1, width),
    }


def mask_decoder_tensors(sizes: DecoderSizes) -> dict[str, Shape]:
    """Every tensor of the mask decoder, in the file's order."""
    width, inner = sizes.width, sizes.inner
    tensors: dict[str, Shape] = {
        "mask_decoder.iou_token.weight": (1, width),
        "mask_decoder.mask_tokens.weight": (sizes.masks, width),
    }
    for number in range(sizes.layers):
        name = f"mask_decoder.transformer.layers.{number}"
        tensors |= attention(f"{name}.self_attn", width, width)
        tensors |= norm(f"{name}.layer_norm1", width)
        tensors |= attention(f"{name}.cross_attn_token_to_image", width, inner)
        tensors |= norm(f"{name}.layer_norm2", width)
        tensors |= linear(f"{name}.mlp.lin1", sizes.hidden, width)
        tensors |= linear(f"{name}.mlp.lin2", width, sizes.hidden)
        tensors |= norm(f"{name}.layer_norm3", width)
        tensors |= norm(f"{name}.layer_norm4", width)
        tensors |= attention(f"{name}.cross_attn_image_to_token", width, inner)
    tensors |= attention("mask_decoder.transformer.final_attn_token_to_image", width, inner)
    tensors |= norm("mask_decoder.transformer.layer_norm_final_attn", width)
    for number, (inp, out) in enumerate(((width, width // 4), (width // 4, width // 8)), 1):
        tensors[f"mask_decoder.upscale_conv{number}.weight"] = (inp, out, 2, 2)  # Transposed.
        tensors[f"mask_decoder.upscale_conv{number}.bias"] = (out,)
    tensors |= norm("mask_decoder.upscale_layer_norm", width // 4)
    for mask in range(min(sizes.masks, 64)):
        name = f"mask_decoder.output_hypernetworks_mlps.{mask}"
        tensors |= _feed_forward(name, width, width, width // 8, sizes.head_layers)
    name = "mask_decoder.iou_prediction_head"
    return tensors | _feed_forward(name, width, sizes.score_hidden, sizes.masks, sizes.score_depth)


def _feed_forward(name: str, inp: int, hidden: int, out: int, layers: int) -> dict[str, Shape]:
    tensors = linear(f"{name}.proj_in", hidden, inp) | linear(f"{name}.proj_out", out, hidden)
    for number in range(layers - 2):
        tensors |= linear(f"{name}.layers.{number}", hidden, hidden)
    return tensors
