"""What BlazeFace's files take and give.

Source: MediaPipe's `face_detection.pbtxt`, `face_detection_short_range.pbtxt` and
`face_detection_full_range.pbtxt`.
"""

from __future__ import annotations

from mycloset.architectures.family import graph_family
from mycloset.architectures.layouts import NetworkLayout, SsdLayout, TensorSpec

SHORT_RANGE = NetworkLayout(
    "face_detection_short_range",
    TensorSpec("picture", "input", (1, 128, 128, 3)),
    (
        TensorSpec("regressors", "regressors", (1, 896, 16)),
        TensorSpec("scores", "classificators", (1, 896, 1)),
    ),
)
"""RGB -1..1, letterboxed on black; for faces that fill a good part of the square."""

SHORT_RANGE_SSD = SsdLayout(size=128, strides=(8, 16, 16, 16), per_layer=2, keypoints=6)

KEYPOINTS = ("right_eye", "left_eye", "nose", "mouth", "right_ear", "left_ear")
"""Order of a detection's key points; right and left are the person's."""

FAMILY = graph_family(
    name="blazeface",
    title="BlazeFace",
    task="face detection",
    steps=("pose_estimation",),
    graphs=(SHORT_RANGE,),
    licence="Apache-2.0",
    source="MediaPipe, modules/face_detection",
    aliases=("face_detection",),
    digests=("bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",),
)
