"""A golden's inputs and outputs by name, for YOLOv8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from captures import captured, factor

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """`layerN`, `raw_pN` (by stride), `raw_keypoints`, `predictions`, `boxes`, `scores`.

    The calls multiply their inputs; outputs of the second one end in its name's ending.
    """
    times = factor(manifest)
    found: dict[str, torch.Tensor] = {}
    for name, image in inputs.items():
        ending = name.removeprefix("image")
        found |= {
            f"{key}{ending}": value for key, value in _of(model.network, times * image).items()
        }
    return found


def _of(network: Any, image: torch.Tensor) -> dict[str, torch.Tensor]:
    head = network.model[-1]
    classes = head.cv3[0][2].out_channels
    taps = {f"layer{number}": f"model.{number}" for number in range(len(network.model) - 1)}
    with captured(network, taps) as seen:
        levels = network.pyramid(image)
    raw = head(levels)
    extra = head.fourth(levels)
    found = head.decoded(levels, raw, extra)
    predictions = found["predictions"]
    kinds = {"pose": "raw_keypoints", "segment": "raw_masks", "obb": "raw_angles"}
    return {
        **seen,
        **{
            f"raw_p{stride.bit_length() - 1}": level
            for stride, level in zip(head.strides, raw, strict=True)
        },
        **({} if extra is None else {kinds[head.task]: extra}),
        **found,
        "boxes": predictions[:, :4],
        "scores": predictions[:, 4 : 4 + classes],
    }
