"""A golden's inputs and outputs by name, for SegFormers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """The logits of the one input, whatever it is called, and each stage's features."""
    (image,) = inputs.values()
    with captured(model.network, {"encoder": "segformer.encoder"}) as seen:
        found = model.network(image)
    stages = {f"stage_{number}": features for number, features in enumerate(seen["encoder"])}
    return {**stages, **found}
