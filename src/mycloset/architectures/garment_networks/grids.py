"""Grids of thin-plate splines, from the offsets of their control points.

Source: sergeywong/cp-vton@fbaf333, networks.py (TpsGridGen); Bookstein 1989. A spline's kernel is
r^2 log r^2; its control points stand on a regular grid and are counted column by column.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray


def spline_grid(
    theta: torch.Tensor, *, size: tuple[int, int], control: int, span: float
) -> torch.Tensor:
    """The grid that a spline with moved control points makes of a regular one.

    Args:
        theta: (N, 2 * control^2), how far each control point is moved, x before y.
        size: height and width of the grid.
        control: control points along a side.
        span: both grids lie between -span and span.

    Returns:
        (N, H, W, 2) float32, x and y.
    """
    points = control_points(control, span)
    number = len(points)
    device = theta.device
    base = torch.from_numpy(points.astype(np.float32)).to(device)
    moved = theta.float().reshape(-1, 2, number).transpose(1, 2) + base
    # Spline weights and affine part of each coordinate, from where the control points went.
    solution = torch.from_numpy(_solution(control, span)).to(device) @ moved
    xs = torch.from_numpy(_axis(size[1], span)).to(device)
    ys = torch.from_numpy(_axis(size[0], span)).to(device)
    across = (xs[:, None] - base[:, 0]).square()
    down = (ys[:, None] - base[:, 1]).square()
    apart = (down[:, None] + across[None]).reshape(-1, number)
    apart = torch.where(apart == 0, torch.ones_like(apart), apart)
    bent = (apart * apart.log()) @ solution[:, :number]
    flat = solution[:, number, None, None]
    flat = flat + solution[:, number + 1, None, None] * xs[:, None]
    flat = flat + solution[:, number + 2, None, None] * ys[:, None, None]
    return bent.reshape(-1, *size, 2) + flat


def control_points(control: int, span: float) -> NDArray[np.float64]:
    """(control^2, 2) x and y of the regular control points, column by column."""
    axis = np.linspace(-span, span, control)
    xs, ys = np.meshgrid(axis, axis, indexing="ij")
    return np.stack([xs.ravel(), ys.ravel()], axis=1)


@lru_cache(maxsize=16)
def _solution(control: int, span: float) -> NDArray[np.float32]:
    """(control^2 + 3, control^2): what makes weights and affine part of moved control points."""
    points = control_points(control, span)
    number = len(points)
    apart = np.square(points[:, None] - points[None]).sum(axis=2)
    apart[apart == 0] = 1.0
    ones = np.ones((number, 1))
    affine = np.concatenate([ones, points], axis=1)
    whole = np.block([[apart * np.log(apart), affine], [affine.T, np.zeros((3, 3))]])
    return np.linalg.inv(whole)[:, :number].astype(np.float32)


def _axis(length: int, span: float) -> NDArray[np.float32]:
    return np.linspace(-span, span, length).astype(np.float32)
