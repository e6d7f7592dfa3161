"""Segment Anything of transformers' layout, at sizes that nobody published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    SamConfig,
    SamMaskDecoderConfig,
    SamModel,
    SamPromptEncoderConfig,
    SamVisionConfig,
)

from mycloset.architectures.plans import plan_of
from mycloset.architectures.sam.layout import read
from network_trials import built_at_once, loaded

SIZES = [(64, 2, (1,), 4), (128, 4, (0, 3), 5)]
"""Width, depth, blocks that see the whole picture, window."""


def theirs(width: int, depth: int, whole: tuple[int, ...], window: int) -> Any:
    vision = SamVisionConfig(
        hidden_size=width,
        num_hidden_layers=depth,
        num_attention_heads=width // 32,
        image_size=256,
        patch_size=16,
        window_size=window,
        global_attn_indexes=list(whole),
        mlp_dim=4 * width,
        output_channels=64,
        num_pos_feats=32,
    )
    prompts = SamPromptEncoderConfig(
        hidden_size=64, image_size=256, mask_input_channels=16, image_embedding_size=16
    )
    decoder = SamMaskDecoderConfig(
        hidden_size=64, mlp_dim=128, num_attention_heads=8, iou_head_hidden_dim=32
    )
    torch.manual_seed(0)
    network = SamModel(
        SamConfig(
            vision_config=vision.to_dict(),
            prompt_encoder_config=prompts.to_dict(),
            mask_decoder_config=decoder.to_dict(),
        )
    ).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.08)
    for module in network.mask_decoder.transformer.modules():
        if isinstance(module, torch.nn.LayerNorm):
            module.eps = 1e-5  # The authors'; transformers has 1e-6 here.
    return network


@pytest.mark.parametrize("size", SIZES)
def test_transformers_file_gives_transformers_masks(size: Any, tmp_path: Path) -> None:
    network = theirs(*size)
    image, points = torch.randn(1, 3, 256, 256), torch.tensor([[[50.0, 70.0]]])

    ours = loaded(network.state_dict(), tmp_path).network

    with torch.inference_mode():
        wanted = network(
            pixel_values=image,
            input_points=points[None],
            input_labels=torch.ones(1, 1, 1, dtype=torch.long),
            multimask_output=True,
        )
        found = ours.decode(ours.encode(image), points, torch.ones(1, 1, dtype=torch.long))
    assert torch.allclose(found["masks"][:, 1:], wanted.pred_masks[0], rtol=1e-5, atol=1e-5)
    assert torch.allclose(found["iou"][:, 1:], wanted.iou_scores[0], rtol=1e-5, atol=1e-5)


def test_threads_build_it_without_values() -> None:
    shapes = {key: tuple(t.shape) for key, t in theirs(*SIZES[0]).state_dict().items()}
    claim = read(shapes)
    plan = plan_of("sam", claim.variant, claim.layout, claim.config)
    assert built_at_once(plan.build) == [{"meta"}] * 4
