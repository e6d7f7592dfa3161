"""A golden's inputs and outputs by name, for Segment Anything and MobileSAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn import functional

from mycloset.hub.model import Model


def outputs(
    model: Model, inputs: Mapping[str, torch.Tensor], manifest: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """The embedding, and what each kind of prompt gives."""
    network = model.network
    embedding = network.encode(inputs["image"])
    told = {"image_embedding": embedding, "dense_pe": network.prompt_encoder.dense_pe()}
    point = {"points": inputs["point_coords"].float(), "labels": inputs["point_labels"]}
    box = {"boxes": inputs["box"].float()}
    # With the box the goldens give the same point as one that lies outside.
    outside = {**point, "labels": torch.zeros_like(point["labels"])}
    everything = {**outside, **box, "masks": inputs["mask_input"]}
    for name, prompt in (("point", point), ("box", box), ("point_box_mask", everything)):
        sparse, _ = network.prompt_encoder(
            *(prompt.get(kind) for kind in ("points", "labels", "boxes", "masks"))
        )
        found = network.decode(embedding, **prompt)
        for kind, part in (("single", slice(0, 1)), ("multi", slice(1, None))):
            told[f"{name}_{kind}.sparse"] = sparse
            told[f"{name}_{kind}.low_res_masks"] = found["masks"][:, part]
            told[f"{name}_{kind}.iou"] = found["iou"][:, part]
    for output in manifest["outputs"]:
        if output["name"].endswith(".masks_original_size"):
            low = told[output["name"].replace("masks_original_size", "low_res_masks")]
            told[output["name"]] = _full(low, output["shape"][2:])
    return told


def _full(masks: torch.Tensor, size: list[int]) -> torch.Tensor:
    """Logits at the picture's size, as the published predictor enlarges them."""
    height, width = size
    scale = 1024 / max(height, width)
    shown = int(height * scale + 0.5), int(width * scale + 0.5)
    whole = functional.interpolate(masks, (1024, 1024), mode="bilinear", align_corners=False)
    cut = whole[..., : shown[0], : shown[1]]
    return functional.interpolate(cut, (height, width), mode="bilinear", align_corners=False)
