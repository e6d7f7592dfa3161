"""Colour models learned from one picture: a few clusters in Lab, and how well a pixel fits them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.images import RGB

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class ColourModel:
    """A mixture of K diagonal Gaussians in Lab.

    Attributes:
        means: (K, 3) L 0..100, a, b.
        deviations: (K, 3).
        weights: (K,) how common each is: its cost is less by the logarithm.
    """

    means: Floats
    deviations: Floats
    weights: Floats

    def in_shade(self, factors: tuple[float, float, float]) -> ColourModel:
        """The same colours where light makes L, a and b so many times smaller."""
        scale = np.asarray(factors, np.float32)
        return replace(self, means=self.means * scale, deviations=self.deviations * scale)

    def beside(self, other: ColourModel, *, cost: float = 0.0) -> ColourModel:
        """A mixture of both; the other's colours cost so much more than their fit."""
        return ColourModel(
            np.concatenate([self.means, other.means]),
            np.concatenate([self.deviations, other.deviations]),
            np.concatenate([self.weights, other.weights * np.float32(np.exp(-cost))]),
        )


def colour_terms(lab: Floats) -> Floats:
    """(7, N) what `colour_costs` needs of (N, 3) Lab colours: squares, values and one."""
    terms = np.empty((7, len(lab)), np.float32)
    terms[3:6] = lab.T
    np.square(terms[3:6], out=terms[:3])
    terms[6] = 1
    return terms


def colour_costs(terms: Floats, models: Sequence[ColourModel]) -> list[Floats]:
    """Negative log likelihood of each pixel under each model, up to a constant.

    Args:
        terms: (7, N) of `colour_terms`.
        models: any number of them; one matrix product serves all.

    Returns:
        (N,) float32 each, in the order of the models.
    """
    if not models:
        return []
    factors = [_quadratics(model) for model in models]
    costs = np.concatenate(factors) @ terms
    ends = np.cumsum([len(factor) for factor in factors])[:-1]
    return [np.asarray(part.min(axis=0), np.float32) for part in np.split(costs, ends)]


def to_lab(rgb: RGB) -> Floats:
    """(H, W, 3) uint8 sRGB to float32 CIE Lab (L 0..100)."""
    unit = np.multiply(rgb, np.float32(1 / 255), dtype=np.float32)
    return np.asarray(cv2.cvtColor(unit, cv2.COLOR_RGB2LAB), np.float32)


def to_rgb(lab: Floats) -> RGB:
    """(H, W, 3) float32 CIE Lab to uint8 sRGB."""
    rgb = cv2.cvtColor(np.ascontiguousarray(lab, np.float32), cv2.COLOR_LAB2RGB)
    return np.asarray(np.clip(rgb * 255.0 + 0.5, 0, 255), np.uint8)


def learn(samples: Floats, clusters: int, *, floor: tuple[float, float, float]) -> ColourModel:
    """Fit a mixture to (N, 3) Lab samples.

    Args:
        clusters: at most so many; fewer where there are few samples.
        floor: least standard deviation of L, a and b: how far light may shift a colour.

    Raises:
        ValueError: fewer than 8 samples.
    """
    if len(samples) < 8:
        raise ValueError(f"{len(samples)} samples are too few for a colour model")
    stride = max(1, len(samples) // 1500)
    data = np.ascontiguousarray(samples[::stride], np.float32)
    clusters = max(1, min(clusters, len(data) // 8))
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 0.5)
    cv2.setRNGSeed(7)
    start = np.zeros((len(data), 1), np.int32)
    _, labels, _ = cv2.kmeans(data, clusters, start, criteria, 1, cv2.KMEANS_PP_CENTERS)
    means, deviations, weights = [], [], []
    for number in range(clusters):
        members = data[labels[:, 0] == number]
        if len(members) < max(4, 0.01 * len(data)):
            continue
        means.append(np.median(members, axis=0))
        deviations.append(np.maximum(members.std(axis=0), floor))
        weights.append(len(members) / len(data))
    total = np.asarray(weights, np.float32)
    return ColourModel(
        np.asarray(means, np.float32), np.asarray(deviations, np.float32), total / total.sum()
    )


def _quadratics(model: ColourModel) -> Floats:
    """(K, 7) coefficients of each Gaussian's cost in the terms."""
    precision = 0.5 / np.square(model.deviations)
    constant = (
        (precision * np.square(model.means)).sum(axis=1)
        + np.log(model.deviations).sum(axis=1)
        - np.log(model.weights)
    )
    return np.concatenate(
        [precision, -2 * precision * model.means, constant[:, None]], axis=1
    ).astype(np.float32)
