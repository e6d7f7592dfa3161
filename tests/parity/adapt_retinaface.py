"""A golden's inputs and outputs by name, for RetinaFace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from mycloset.architectures.retinaface.priors import decoded_boxes, decoded_points, priors
from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """What the heads say, the anchors, and boxes and points in pixels."""
    found = model.network(**inputs)
    height, width = inputs["image"].shape[2:]
    anchors = priors(height, width, model.info.choices["min_sizes"])
    loc, landms = found["loc"][0].numpy(), found["landms"][0].numpy()
    points = decoded_points(landms, anchors, height, width).reshape(-1, 10)
    return {
        **found,
        "priors": torch.from_numpy(anchors),
        "boxes_px_image0": torch.from_numpy(decoded_boxes(loc, anchors, height, width)),
        "landms_px_image0": torch.from_numpy(points),
    }
