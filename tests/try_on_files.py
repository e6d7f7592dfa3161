"""Small files of CP-VTON's and VITON-HD's networks, and a person for them to dress."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

import golden_weights
from mycloset.architectures.cp_vton import layout as cp_vton
from mycloset.architectures.family import Shape
from mycloset.architectures.garment_networks import alias, matching
from mycloset.architectures.garment_networks.alias import Alias
from mycloset.architectures.garment_networks.matching import Matching
from mycloset.architectures.viton_hd import layout as viton_hd
from mycloset.images import RGB
from mycloset.tasks.label_tables import LIP_20
from mycloset.tasks.masks import Mask
from mycloset.tasks.parsing import HumanParsing
from mycloset.tasks.poses import OPENPOSE_18, Pose

GMM = matching.PUBLISHED._replace(
    widths=(8,) * 6, regression=(8, 8, 8, 8), features=96, theta=50
)
TOM_WIDTHS = (8, 8, 8)
ALIAS = Alias(9, 4, (16, 16, 16, 8, 8, 8, 8, 8), (8,) * 5 + (7,) * 3, 4, 3, True)


def write(path: Path, shapes: Mapping[str, Shape]) -> Path:
    """A checkpoint of these tensors, filled like the goldens."""
    torch.save({key: golden_weights.fill(key, shape) for key, shape in shapes.items()}, path)
    return path


def gmm(path: Path, net: Matching = GMM) -> Path:
    """A matching module; by default CP-VTON's."""
    return write(path, matching.tensors(net))


def tom(path: Path, inputs: int = 25, widths: tuple[int, ...] = TOM_WIDTHS) -> Path:
    """CP-VTON's try-on module."""
    return write(path, cp_vton._tom_tensors(inputs, 4, widths))


def seg(path: Path, widths: tuple[int, ...] = (8, 8, 8, 8, 8)) -> Path:
    """VITON-HD's segmentation generator."""
    return write(path, viton_hd._seg_tensors(21, 13, widths))


def generator(path: Path, net: Alias = ALIAS) -> Path:
    """An ALIAS generator."""
    return write(path, alias.tensors(net))


def person(height: int = 320, width: int = 240) -> tuple[RGB, HumanParsing, Pose]:
    """A figure of rectangles: hair, face, shirt, arms, trousers; with its joints."""
    rgb = np.full((height, width, 3), 200, np.uint8)
    labels = np.zeros((height, width), np.uint8)
    for label, (left, top, right, bottom), color in (
        ("upper-clothes", (0.3, 0.28, 0.7, 0.62), (180, 30, 30)),
        ("pants", (0.32, 0.62, 0.68, 1.0), (30, 30, 120)),
        ("right-arm", (0.2, 0.3, 0.3, 0.65), (230, 180, 150)),
        ("left-arm", (0.7, 0.3, 0.8, 0.65), (230, 180, 150)),
        ("hair", (0.4, 0.05, 0.6, 0.12), (60, 40, 20)),
        ("face", (0.4, 0.12, 0.6, 0.26), (230, 190, 160)),
    ):
        rows = slice(round(top * height), round(bottom * height))
        columns = slice(round(left * width), round(right * width))
        rgb[rows, columns] = color
        labels[rows, columns] = LIP_20.index(label)
    places = np.array(
        [
            (0.5, 0.2), (0.5, 0.3), (0.32, 0.3), (0.25, 0.46), (0.25, 0.62), (0.68, 0.3),
            (0.75, 0.46), (0.75, 0.62), (0.42, 0.64), (0.42, 0.85), (0.42, 0.99), (0.58, 0.64),
            (0.58, 0.85), (0.58, 0.99), (0.46, 0.17), (0.54, 0.17), (0.42, 0.19), (0.58, 0.19),
        ],
        np.float32,
    )  # fmt: skip
    points = places * np.array([width, height], np.float32)
    sure = np.ones(len(points), np.float32)
    return rgb, HumanParsing(labels, LIP_20), Pose(OPENPOSE_18, points, sure, 1.0)


def garment(height: int = 200, width: int = 180) -> tuple[RGB, Mask]:
    """A blue shirt on grey ground, with its mask."""
    rgb = np.full((height, width, 3), 210, np.uint8)
    alpha = np.zeros((height, width), np.float32)
    alpha[height // 10 : -(height // 10), width // 5 : -(width // 5)] = 1
    alpha[height // 10 : height // 3, width // 12 : -(width // 12)] = 1
    rgb[alpha > 0] = (20, 60, 160)
    return rgb, Mask(alpha)
