"""A golden's inputs and outputs by name, for CLIP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """Features of both towers, of length 1 and not, and what lies within."""
    network = model.network
    image = inputs.get("image", inputs.get("pixel_values"))
    text = inputs.get("text", inputs.get("input_ids"))
    told: dict[str, torch.Tensor] = {}
    if image is not None:
        taps = {"visual.ln_pre": "visual.ln_pre"} if hasattr(network.visual, "ln_pre") else {}
        with captured(network, taps) as seen:
            told["image_features"] = network.encode_image(image)
        told |= seen
        if taps:
            tokens = network.visual.tokens(image)
            told["visual_tokens_before_ln_post (N,L,C)"] = tokens
            told["last_hidden_state"] = tokens
        told["image_embeds"] = told["image_features"]
    if text is not None:
        told["text_hidden_states (ln_final)"] = network.hidden_states(text)
        told["text_features"] = network.encode_text(text)
        told["text_embeds"] = told["text_features"]
    if image is not None and text is not None:
        told |= network(image, text)
    return told
