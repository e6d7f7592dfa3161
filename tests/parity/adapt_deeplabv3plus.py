"""A golden's inputs and outputs by name, for DeepLabv3+."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """Logits at the picture's size, and the features on the way."""
    with captured(model.network, {"stages": "backbone", "aspp": "aspp"}) as seen:
        found = model.network.at_full_size(inputs["image"])
    stages = seen.pop("stages")
    return {**seen, "backbone": stages[-1], "low_level": stages[0], **found}
