"""The eight steps of a try-on by name and order: what families say that they can serve."""

from __future__ import annotations

TRY_ON_STEPS = (
    "human_parsing",
    "pose_estimation",
    "cloth_segmentation",
    "geometric_matching",
    "cloth_warping",
    "virtual_fitting",
    "post_processing",
    "quality_assessment",
)
