"""A golden's inputs and outputs by name, for FaceNet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """The embedding, the logits, and what lies within."""
    taps = ("conv2d_4b", "repeat_1", "mixed_6a", "mixed_7a", "block8")
    with captured(model.network, {name: name for name in taps}) as seen:
        found = model.network(*inputs.values())
    return {**seen, **found}
