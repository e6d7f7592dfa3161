"""People's crops into HRNet, joints out; as its authors have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mycloset.architectures.heatmaps import HeatmapProcessing
from mycloset.tasks.poses import COCO_17, COCO_WHOLEBODY_133, MPII_16, numbered_skeleton

SKELETONS = {17: COCO_17, 16: MPII_16, 133: COCO_WHOLEBODY_133}


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> HeatmapProcessing:
    """How an HRNet is used; `input_size` (height, width) is as the file's name tells it."""
    joints = config.get("num_joints", 0)
    return HeatmapProcessing(SKELETONS.get(joints, numbered_skeleton(joints)), config["input_size"])
