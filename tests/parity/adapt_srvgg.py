"""A golden's inputs and outputs by name, for SRVGGNetCompact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """The picture, and the last convolution's features before they are shuffled."""
    last = f"body.{len(model.network.body) - 1}"
    with captured(model.network, {"features_before_shuffle": last}) as seen:
        out = model.network(**inputs)
    return {"out": out, **seen}
