"""A golden's inputs and outputs by name, for SCHP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """The three results, the stages, and the pyramid's features."""
    names = [*(f"layer{n}" for n in range(1, 5)), "context_encoding"]
    with captured(model.network, {name: name for name in names}) as seen:
        found = model.network(*inputs.values())
    return {**seen, **found}
