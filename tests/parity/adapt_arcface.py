"""A golden's inputs and outputs by name, for ArcFace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """The embedding, as it is and of length 1, and the last layer's map."""
    network = model.network
    taps = {"layer4": "layer4"} if hasattr(network, "layer4") else {}
    with captured(network, taps) as seen:
        embedding = network(*inputs.values())["embedding"]
    unit = torch.nn.functional.normalize(embedding)
    return {**seen, "embedding": embedding, "embedding_normalised": unit}
