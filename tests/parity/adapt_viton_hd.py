"""A golden's inputs and outputs by name, for VITON-HD's three networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """Channels put together as the manifests' `call` says."""
    config = model.info.config
    if model.info.variant == "seg":
        labels = _one_hot(inputs["parse_agnostic"], config["output_nc"])
        parts = [
            labels if name == "parse_agnostic" else part.float() for name, part in inputs.items()
        ]
        found = model.network(torch.cat(parts, dim=1))
        return {**found, "parse_pred": found["scores"]}
    if model.info.variant == "alias":
        return _alias(model, inputs)
    person = [inputs[name].float() for name in ("parse_cloth", "pose", "agnostic")]
    found = model.network(torch.cat(person, dim=1), inputs["cloth_256"])
    large = next(inputs[name] for name in inputs if name.startswith("cloth_1"))
    return {**found, "warped_cloth": model.network.warp(large, found["grid"])}


def _alias(model: Model, inputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    labels = _one_hot(inputs["parse_labels"], model.info.config["semantic_nc"])
    misaligned = (labels[:, 2:3] - inputs["warped_cloth_mask"].float()).clamp(min=0)
    divided = torch.cat([labels, misaligned], dim=1)
    divided[:, 2:3] -= misaligned
    picture = torch.cat([inputs[name] for name in ("agnostic", "pose", "warped_cloth")], dim=1)
    with captured(model.network, {"head_0": "head_0", "up_1": "up_1"}) as seen:
        found = model.network(picture, labels, divided, misaligned)
    noisy = model.network(picture, labels, divided, misaligned, seed=0)
    return {**seen, **found, "pre_tanh_noise_seed0": noisy["pre_tanh"]}


def _one_hot(labels: torch.Tensor, classes: int) -> torch.Tensor:
    return torch.nn.functional.one_hot(labels[:, 0].long(), classes).permute(0, 3, 1, 2).float()
