"""The geometric matching module: person and garment in, a thin-plate spline's grid out.

Source: sergeywong/cp-vton@fbaf333 and shadow2496/VITON-HD@02afa4b, networks.py (GMM); after
ignacio-rocco/cnngeometric_pytorch. What differs between them is an argument here.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.garment_networks.grids import spline_grid


class MatchingNetwork(nn.Module):
    """Two extractors, the correlation of their features, a regression of control points.

    Args:
        person: channels of the person's representation.
        cloth: channels of the garment.
        widths: output channels of the extractors' convolutions.
        kernels: their kernel sizes; one of 4 halves the picture, one of 3 keeps it.
        correlation: places of the feature map.
        regression: output channels of the regression's convolutions.
        regression_kernels: their kernel sizes.
        features: numbers that enter the last layer.
        control: control points along a side.
        span: the control points and the grid lie between -span and span.
        epsilon: what is added to the features' squared length; 0 for a plain norm.
        size: height and width of the grid.
    """

    def __init__(
        self,
        *,
        person: int,
        cloth: int,
        widths: Sequence[int],
        kernels: Sequence[int],
        correlation: int,
        regression: Sequence[int],
        regression_kernels: Sequence[int],
        features: int,
        control: int,
        span: float,
        epsilon: float,
        size: tuple[int, int],
    ) -> None:
        super().__init__()
        self.extractionA = _Extraction(person, widths, kernels)
        self.extractionB = _Extraction(cloth, widths, kernels)
        self.regression = _Regression(
            correlation, regression, regression_kernels, features, 2 * control * control
        )
        self.control = control
        self.span = span
        self.epsilon = epsilon
        self.size = size

    def forward(self, person: torch.Tensor, cloth: torch.Tensor) -> dict[str, torch.Tensor]:
        """Where each pixel of the target lies in the garment's picture.

        Args:
            person: (N, person, h, w).
            cloth: (N, cloth, h, w), of the same size.

        Returns:
            theta: (N, 2 * control^2) offsets of the control points, x before y, in -1..1;
            grid: (N, H, W, 2) float32, x and y, -1..1 across the garment's picture.
        """
        first = self._unit(self.extractionA(person))
        second = self._unit(self.extractionB(cloth))
        theta = self.regression(_correlation(first, second))
        grid = spline_grid(theta, size=self.size, control=self.control, span=self.span)
        return {"theta": theta, "grid": grid}

    def match(
        self,
        person: torch.Tensor,
        cloth: torch.Tensor,
        picture: torch.Tensor,
        mask: torch.Tensor,
        align_corners: bool,
        mask_border: bool,
    ) -> dict[str, torch.Tensor]:
        """`forward`, and what its grid makes of the garment.

        Args:
            person, cloth: as for `forward`.
            picture: (N, 3, h, w) and mask: (N, 1, h, w), of any size.
            align_corners: as for `warp`.
            mask_border: whether the mask's border is continued outside of it.

        Returns:
            theta, grid; warped: (N, 4, H, W), picture and mask.
        """
        found = self(person, cloth)
        parts = [
            self.warp(part, found["grid"], align_corners, border)
            for part, border in ((picture, True), (mask, mask_border))
        ]
        return {**found, "warped": torch.cat(parts, dim=1)}

    def warp(
        self,
        picture: torch.Tensor,
        grid: torch.Tensor,
        align_corners: bool = False,
        border: bool = True,
    ) -> torch.Tensor:
        """A picture seen through a grid.

        Args:
            picture: (N, C, h, w).
            grid: (N, H, W, 2), of `forward`.
            align_corners: whether -1 and 1 are the centres of the outermost pixels rather than
                their outer edges.
            border: whether the border is continued outside of the picture; else it is 0 there.

        Returns:
            (N, C, H, W).
        """
        # In half precision, places would be whole pixels.
        seen = functional.grid_sample(
            picture.float(),
            grid.float(),
            padding_mode="border" if border else "zeros",
            align_corners=align_corners,
        )
        return seen.to(picture.dtype)

    def _unit(self, features: torch.Tensor) -> torch.Tensor:
        if self.epsilon == 0.0:
            return functional.normalize(features, dim=1)
        length = features.square().sum(dim=1, keepdim=True).add(self.epsilon).sqrt()
        return features / length


class _Extraction(nn.Module):
    """Convolution, ReLU, batch norm; no norm behind the last."""

    def __init__(self, inputs: int, widths: Sequence[int], kernels: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width, kernel in zip(widths, kernels, strict=True):
            layers += [_convolution(inputs, width, kernel), nn.ReLU(), nn.BatchNorm2d(width)]
            inputs = width
        self.model = nn.Sequential(*layers[:-1])

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.model(picture)
        return found


class _Regression(nn.Module):
    """Convolution, batch norm, ReLU; then one linear layer and the hyperbolic tangent."""

    def __init__(
        self,
        inputs: int,
        widths: Sequence[int],
        kernels: Sequence[int],
        features: int,
        outputs: int,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width, kernel in zip(widths, kernels, strict=True):
            layers += [_convolution(inputs, width, kernel), nn.BatchNorm2d(width), nn.ReLU()]
            inputs = width
        self.conv = nn.Sequential(*layers)
        self.linear = nn.Linear(features, outputs)

    def forward(self, correlation: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.linear(self.conv(correlation).flatten(1))
        return found.tanh()


def _convolution(inputs: int, outputs: int, kernel: int) -> nn.Conv2d:
    stride = 2 if kernel % 2 == 0 else 1
    return nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=(kernel - 1) // 2)


def _correlation(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """(N, h * w, h, w): channel x * h + y is the likeness to `first` at (x, y)."""
    number, channels, height, width = first.shape
    columns = first.transpose(2, 3).reshape(number, channels, height * width)
    likeness = columns.transpose(1, 2) @ second.reshape(number, channels, height * width)
    return likeness.reshape(number, height * width, height, width)
