"""Thin-plate splines: the smoothest map of the plane that takes given points to given points.

After Bookstein, "Principal Warps: Thin-Plate Splines and the Decomposition of Deformations" (1989);
the regularisation is the smoothing-spline one of Wahba (1990), which the geometric matching
networks of the try-on literature share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class ThinPlate:
    """A map of the plane: an affine part, and bending that is zero far from the control points.

    Attributes:
        centre: (2,) float64, mean of the control points' sources.
        scale: their spread; points are normalised by both before they are mapped.
        controls: (N, 2) float64, normalised sources.
        weights: (N, 2) float64, how much each control point bends the plane.
        affine: (3, 2) float64, offset, and gain of normalised x and y.
    """

    centre: NDArray[np.float64]
    scale: float
    controls: NDArray[np.float64]
    weights: NDArray[np.float64]
    affine: NDArray[np.float64]

    def __call__(self, points: ArrayLike) -> NDArray[np.float64]:
        """Map (M, 2) points -> (M, 2) float64."""
        normal = (np.asarray(points, np.float64).reshape(-1, 2) - self.centre) / self.scale
        bent = _kernel(normal, self.controls) @ self.weights
        mapped: NDArray[np.float64] = bent + self.affine[0] + normal @ self.affine[1:]
        return mapped

    def dense(self, height: int, width: int, step: int = 8) -> NDArray[np.float32]:
        """The map of every pixel of a picture, as cv2.remap wants it.

        It is evaluated at every `step`-th pixel and interpolated between by Catmull-Rom's cubics,
        which keep affine maps exact; elsewhere the error is some hundredths of a pixel.

        Returns:
            (height, width, 2) float32: where pixel (x, y), at its centre, is mapped to.
        """
        step = max(1, step)
        xs, across = _between(width, step)
        ys, down = _between(height, step)
        grid = np.stack(np.meshgrid(xs, ys), axis=-1)
        nodes = self(grid.reshape(-1, 2)).reshape(len(ys), len(xs), 2)
        # Offsets from the plain pixel position are small numbers: float32 holds them better.
        offsets = (nodes - grid).astype(np.float32)
        out = np.empty((height, width, 2), np.float32)
        for channel in range(2):
            out[..., channel] = down @ offsets[..., channel] @ across.T
        out[..., 0] += np.arange(width, dtype=np.float32)
        out[..., 1] += np.arange(height, dtype=np.float32)[:, None]
        return out

    def folding(self, points: ArrayLike) -> float:
        """Share of (M, 2) points at which the map turns the plane over (0: a good warp)."""
        determinant = self.jacobian(points)
        # Which way round the whole map goes is the majority's business: a mirror is no fold.
        negative = float(np.mean(determinant <= 0.0))
        return min(negative, 1.0 - negative)

    def jacobian(self, points: ArrayLike) -> NDArray[np.float64]:
        """(M,) determinant of the map's Jacobian: by how much it enlarges areas there."""
        normal = (np.asarray(points, np.float64).reshape(-1, 2) - self.centre) / self.scale
        difference = normal[:, None, :] - self.controls[None, :, :]
        square = np.maximum((difference**2).sum(axis=2), 1e-18)
        # d/dx of r^2 log r^2 is 2 x (log r^2 + 1).
        slope = 2.0 * difference * (np.log(square) + 1.0)[..., None]
        bent = np.einsum("mnd,nk->mdk", slope, self.weights) + self.affine[1:][None]
        determinant: NDArray[np.float64] = np.linalg.det(bent) / self.scale**2
        return determinant


def fit(source: ArrayLike, target: ArrayLike, regularisation: float = 0.0) -> ThinPlate:
    """Fit the map that takes `source` to `target`.

    Args:
        source: (N, 2), N >= 3, not all on one line.
        target: (N, 2).
        regularisation: 0 goes exactly through the targets; larger values trade that for less
            bending, and very large ones leave the affine map of least squares. It does not depend
            on the size of the picture.

    Raises:
        ValueError: shapes that differ, fewer than three points, points on one line, two sources
            at the same place with regularisation 0, or values that are not finite.
    """
    sources, targets = np.asarray(source, np.float64), np.asarray(target, np.float64)
    if sources.ndim != 2 or sources.shape[1] != 2 or sources.shape != targets.shape:
        raise ValueError(f"source {sources.shape} and target {targets.shape}: need (N, 2) twice")
    if len(sources) < 3:
        raise ValueError(f"a thin-plate spline needs 3 points, got {len(sources)}")
    if not (np.isfinite(sources).all() and np.isfinite(targets).all()):
        raise ValueError("the control points hold values that are not finite")
    if regularisation < 0:
        raise ValueError(f"regularisation {regularisation} is negative")
    centre = sources.mean(axis=0)
    scale = float(np.sqrt(((sources - centre) ** 2).sum(axis=1).mean()))
    controls = (sources - centre) / max(scale, 1e-300)
    if scale == 0 or np.linalg.svd(controls, compute_uv=False)[1] < 1e-7 * np.sqrt(len(sources)):
        raise ValueError("the control points lie on one line")
    count = len(controls)
    system = np.zeros((count + 3, count + 3), np.float64)
    system[:count, :count] = _kernel(controls, controls)
    system[:count, :count] += regularisation * np.eye(count)
    system[:count, count] = 1.0
    system[:count, count + 1 :] = controls
    system[count:, :count] = system[:count, count:].T
    right = np.zeros((count + 3, 2), np.float64)
    right[:count] = targets
    try:
        solved: NDArray[np.float64] = np.asarray(np.linalg.solve(system, right), np.float64)
    except np.linalg.LinAlgError as error:
        raise ValueError("two control points lie at the same place") from error
    return ThinPlate(centre, scale, controls, solved[:count], solved[count:])


def _between(length: int, step: int) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Nodes every `step` pixels around 0..length - 1, and (length, nodes) weights of them."""
    count = -(-(length - 1) // step) + 4
    nodes = (np.arange(count, dtype=np.float64) - 1.0) * step
    place = np.arange(length) / step
    first = np.floor(place).astype(np.intp)
    t = place - first
    cubic = np.stack(
        [
            ((2.0 - t) * t - 1.0) * t / 2.0,
            ((3.0 * t - 5.0) * t * t + 2.0) / 2.0,
            ((4.0 - 3.0 * t) * t + 1.0) * t / 2.0,
            (t - 1.0) * t * t / 2.0,
        ],
        axis=1,
    )
    weights = np.zeros((length, count), np.float32)
    np.put_along_axis(weights, first[:, None] + np.arange(4), cubic.astype(np.float32), axis=1)
    return nodes, weights


def _kernel(points: NDArray[np.float64], controls: NDArray[np.float64]) -> NDArray[np.float64]:
    """(M, N) values of r^2 log r^2 between points and controls; 0 at r = 0."""
    square = (
        (points**2).sum(axis=1)[:, None]
        + (controls**2).sum(axis=1)[None, :]
        - 2.0 * points @ controls.T
    )
    square = np.maximum(square, 0.0)
    values: NDArray[np.float64] = square * np.log(np.maximum(square, 1e-300))
    return values
