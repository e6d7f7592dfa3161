"""What the selfie segmentation's file takes and gives.

Source: MediaPipe's `selfie_segmentation_cpu.pbtxt`, model 0 (general).
"""

from __future__ import annotations

from mycloset.architectures.family import graph_family
from mycloset.architectures.layouts import NetworkLayout, TensorSpec

GENERAL = NetworkLayout(
    "selfie_segmentation",
    TensorSpec("picture", "input_1", (1, 256, 256, 3)),
    (TensorSpec("probability", "activation_10", (1, 256, 256, 1)),),
)
"""RGB 0..1, stretched to a square; gives probabilities, not logits."""

FAMILY = graph_family(
    name="selfie_segmentation",
    title="Selfie segmentation",
    task="person segmentation",
    steps=("human_parsing",),
    graphs=(GENERAL,),
    licence="Apache-2.0",
    source="MediaPipe, modules/selfie_segmentation",
    aliases=("selfie_segmentation",),
    digests=("9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",),
)
