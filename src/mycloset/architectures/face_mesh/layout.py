"""What the face mesh's file takes and gives.

Source: MediaPipe's `face_landmark_cpu.pbtxt` and `tensors_to_face_landmarks.pbtxt`.
"""

from __future__ import annotations

from mycloset.architectures.family import graph_family
from mycloset.architectures.layouts import NetworkLayout, TensorSpec

VERTICES = 468

FACE_MESH = NetworkLayout(
    "face_landmark",
    TensorSpec("picture", "input_1", (1, 192, 192, 3)),
    (
        TensorSpec("vertices", "conv2d_21", (1, 1, 1, 3 * VERTICES)),
        TensorSpec("presence", "conv2d_31", (1, 1, 1, 1)),
    ),
)
"""RGB 0..1, a square region turned so that the eyes are level."""

OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""Vertices of the face's outline in order, from the forehead's middle to the person's left.

Source: MediaPipe's `face_mesh_connections.py`, FACEMESH_FACE_OVAL.
"""

FAMILY = graph_family(
    name="face_mesh",
    title="Face Mesh",
    task="face landmarks",
    steps=("human_parsing",),
    graphs=(FACE_MESH,),
    licence="Apache-2.0",
    source="MediaPipe, modules/face_landmark",
    aliases=("face_landmark",),
    digests=("1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",),
)
