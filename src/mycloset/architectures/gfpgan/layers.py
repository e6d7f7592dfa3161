"""Layers of StyleGAN2 as GFPGAN 1.0 has them: weights scaled at run time, a blur, activations.

Source: Karras et al. 2020, "Analyzing and improving the image quality of StyleGAN"; BasicSR,
archs/stylegan2_arch.py.
"""

from __future__ import annotations

from math import sqrt

import torch
from torch import nn
from torch.nn import functional

SLOPE = 0.2
"""Of all activations below zero."""

_TAPS = (1.0, 3.0, 3.0, 1.0)


class EqualConv(nn.Module):
    """A convolution whose weights are multiplied by 1 / sqrt(fan-in).

    Args:
        inp, out: channels.
        kernel, stride, padding: as in a convolution.
        bias: whether it has one.
    """

    def __init__(
        self,
        *,
        inp: int,
        out: int,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.padding = padding
        self.gain = 1 / sqrt(inp * kernel**2)
        self.weight = nn.Parameter(torch.empty(out, inp, kernel, kernel))
        self.bias = nn.Parameter(torch.empty(out)) if bias else None

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return functional.conv2d(
            image, self.weight * self.gain, self.bias, self.stride, self.padding
        )


class EqualLinear(nn.Module):
    """A linear layer whose weights are multiplied by 1 / sqrt(inputs)."""

    def __init__(self, *, inp: int, out: int) -> None:
        super().__init__()
        self.gain = 1 / sqrt(inp)
        self.weight = nn.Parameter(torch.empty(out, inp))
        self.bias = nn.Parameter(torch.empty(out))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return functional.linear(values, self.weight * self.gain, self.bias)


class Activation(nn.Module):
    """LeakyReLU times sqrt(2), after a bias for each channel where `channels` says so."""

    def __init__(self, *, channels: int | None) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.empty(channels)) if channels is not None else None

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        if self.bias is not None:
            image = image + self.bias.view(1, -1, 1, 1)
        return functional.leaky_relu(image, SLOPE) * sqrt(2)


class Blur(nn.Module):
    """The filter (1, 3, 3, 1) in both directions, after a border of zeros.

    Args:
        border: before and after, in pixels.
        gain: what the result is multiplied by.
    """

    def __init__(self, *, border: tuple[int, int], gain: float = 1.0) -> None:
        super().__init__()
        self.border = (*border, *border)
        self.gain = gain

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        taps = image.new_tensor(_TAPS)
        kernel = torch.outer(taps, taps) * (self.gain / sum(_TAPS) ** 2)
        channels = image.shape[1]
        padded = functional.pad(image, self.border)
        return functional.conv2d(padded, kernel.expand(channels, 1, 4, 4), groups=channels)


class Doubling(nn.Module):
    """Twice the size by zeros between pixels and the blur."""

    def __init__(self) -> None:
        super().__init__()
        self.blur = Blur(border=(2, 1), gain=4)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        number, channels, height, width = image.shape
        wide = image.new_zeros(number, channels, height, 2, width, 2)
        wide[:, :, :, 0, :, 0] = image
        found: torch.Tensor = self.blur(wide.view(number, channels, 2 * height, 2 * width))
        return found


class ConvUp(nn.Module):
    """A convolution after doubling the size; its activation has the bias."""

    def __init__(self, *, inp: int, out: int, kernel: int, activate: bool) -> None:
        super().__init__()
        self.padding = kernel // 2
        self.gain = 1 / sqrt(inp * kernel**2)
        self.weight = nn.Parameter(torch.empty(out, inp, kernel, kernel))
        self.activation = Activation(channels=out) if activate else None

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        found = functional.conv2d(resized(image, 2), self.weight * self.gain, padding=self.padding)
        return found if self.activation is None else self.activation(found)


def conv_layer(
    *, inp: int, out: int, kernel: int, halving: bool = False, activate: bool = True
) -> nn.Sequential:
    """A convolution with what goes before (a blur, where it halves the size) and after."""
    layers: list[nn.Module] = []
    if halving:
        border = 2 + kernel - 1
        layers.append(Blur(border=((border + 1) // 2, border // 2)))
    layers.append(
        EqualConv(
            inp=inp,
            out=out,
            kernel=kernel,
            stride=2 if halving else 1,
            padding=0 if halving else kernel // 2,
            bias=False,
        )
    )
    if activate:
        layers.append(Activation(channels=out))
    return nn.Sequential(*layers)


def resized(image: torch.Tensor, factor: float) -> torch.Tensor:
    """Bilinear, with pixels' middles as they are."""
    return functional.interpolate(image, scale_factor=factor, mode="bilinear", align_corners=False)
