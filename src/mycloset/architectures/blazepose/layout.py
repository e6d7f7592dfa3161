"""What BlazePose's two files take and give.

Source: MediaPipe's `pose_detection_cpu.pbtxt` and `pose_landmark_by_roi_cpu.pbtxt`.
"""

from __future__ import annotations

from mycloset.architectures.family import graph_family
from mycloset.architectures.layouts import NetworkLayout, SsdLayout, TensorSpec

DETECTOR = NetworkLayout(
    "pose_detection",
    TensorSpec("picture", "input_1", (1, 224, 224, 3)),
    (
        TensorSpec("regressors", "Identity", (1, 2254, 12)),
        TensorSpec("scores", "Identity_1", (1, 2254, 1)),
    ),
)
"""RGB -1..1, letterboxed on black."""

DETECTOR_SSD = SsdLayout(size=224, strides=(8, 16, 32, 32, 32), per_layer=2, keypoints=4)

LANDMARKS = 33
"""Six more points follow: 33 the hips' middle, 34 the one that says size and tilt, four others."""

LANDMARKER = NetworkLayout(
    "pose_landmark_full",
    TensorSpec("picture", "input_1", (1, 256, 256, 3)),
    (
        TensorSpec("landmarks", "Identity", (1, 195)),
        TensorSpec("presence", "Identity_1", (1, 1)),
        TensorSpec("segmentation", "Identity_2", (1, 256, 256, 1)),
        TensorSpec("heatmaps", "Identity_3", (1, 64, 64, 39)),
        TensorSpec("world", "Identity_4", (1, 117)),
    ),
)
"""RGB 0..1, a square region turned so that the body is upright."""

FAMILY = graph_family(
    name="blazepose",
    title="BlazePose",
    task="pose estimation",
    steps=("pose_estimation", "human_parsing"),
    graphs=(DETECTOR, LANDMARKER),
    licence="Apache-2.0",
    source="MediaPipe, modules/pose_detection and modules/pose_landmark",
    aliases=("blazepose", "pose_landmark", "pose_detection"),
    digests=(
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    ),
)
