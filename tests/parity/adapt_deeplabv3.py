"""A golden's inputs and outputs by name, for DeepLabv3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """Both heads' logits at the picture's size."""
    found: dict[str, torch.Tensor] = model.network.at_full_size(inputs["image"])
    return found
