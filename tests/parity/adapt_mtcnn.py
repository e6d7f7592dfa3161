"""A golden's inputs and outputs by name, for MTCNN's three networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """What the heads say."""
    found: dict[str, torch.Tensor] = model.network(**inputs)
    return found
