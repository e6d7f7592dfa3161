"""The StyleGAN2 generator within GFPGAN, which features of the blurred face steer.

Source: TencentARC/GFPGAN, archs/gfpganv1_arch.py and stylegan2_clean_arch.py; BasicSR,
archs/stylegan2_arch.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.gfpgan.layers import (
    SLOPE,
    Activation,
    Blur,
    Doubling,
    EqualLinear,
    resized,
)

_SMALL = 1e-8


class Generator(nn.Module):
    """From styles to a picture; half of its features are scaled and shifted on the way.

    Args:
        clean: plain convolutions and bilinear resizing instead of StyleGAN2's.
        side: of the picture, in pixels.
        features: channels at a side in pixels.
        style: features of a style.
        mapping: layers that would make styles of noise; they are not run.
        half: whether only half of the features are changed.
    """

    def __init__(
        self,
        *,
        clean: bool,
        side: int,
        features: Callable[[int], int],
        style: int,
        mapping: int,
        half: bool,
    ) -> None:
        super().__init__()
        self.halved = half
        self.steps = side.bit_length() - 3
        self.style_mlp = _mapping(clean, style, mapping)
        inp = features(4)
        self.constant_input = _Constant(channels=inp)
        self.style_conv1 = StyleConv(clean=clean, inp=inp, out=inp, style=style)
        self.to_rgb1 = ToRgb(clean=clean, inp=inp, style=style)
        self.style_convs = nn.ModuleList()
        self.to_rgbs = nn.ModuleList()
        self.noises = nn.Module()
        self.noises.register_buffer("noise0", torch.empty(1, 1, 4, 4))
        for number in range(self.steps):
            size = 8 << number
            out = features(size)
            self.style_convs.append(
                StyleConv(clean=clean, inp=inp, out=out, style=style, doubling=True)
            )
            self.style_convs.append(StyleConv(clean=clean, inp=out, out=out, style=style))
            self.to_rgbs.append(ToRgb(clean=clean, inp=out, style=style))
            for place in (2 * number + 1, 2 * number + 2):
                self.noises.register_buffer(f"noise{place}", torch.empty(1, 1, size, size))
            inp = out

    def forward(
        self,
        styles: torch.Tensor,
        conditions: Sequence[tuple[torch.Tensor, torch.Tensor]],
        random_noise: bool,
    ) -> torch.Tensor:
        """The picture.

        Args:
            styles: (N, layers, S).
            conditions: factor and summand for each size from 8 pixels.
            random_noise: fresh noise rather than the file's.

        Returns:
            (N, 3, side, side), nominally -1..1.
        """
        count = styles.shape[0]

        def noise(place: int) -> torch.Tensor:
            kept = self.noises.get_buffer(f"noise{place}")
            if random_noise:
                return torch.randn_like(kept.expand(count, -1, -1, -1))
            return kept

        features: torch.Tensor = self.constant_input(count)
        features = self.style_conv1(features, styles[:, 0], noise(0))
        picture = self.to_rgb1(features, styles[:, 1], None)
        for number, (factor, summand) in enumerate(conditions):
            place = 2 * number + 1
            features = self.style_convs[place - 1](features, styles[:, place], noise(place))
            if self.halved:
                same, steered = features.chunk(2, 1)
                features = torch.cat((same, steered * factor + summand), 1)
            else:
                features = features * factor + summand
            features = self.style_convs[place](features, styles[:, place + 1], noise(place + 1))
            picture = self.to_rgbs[number](features, styles[:, place + 2], picture)
        found: torch.Tensor = picture
        return found


class _Constant(nn.Module):
    """What every face begins with: features of 4x4 pixels."""

    def __init__(self, *, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(1, channels, 4, 4))

    def forward(self, count: int) -> torch.Tensor:
        return self.weight.expand(count, -1, -1, -1)


class ModulatedConv(nn.Module):
    """A convolution whose weights a style scales, each output channel to unit length.

    Args:
        clean: whether weights are taken as they are.
        inp, out, kernel: of the convolution.
        style: features of a style.
        demodulated: whether outputs' weights are brought to unit length.
        doubling: whether the size is doubled.
    """

    def __init__(
        self,
        *,
        clean: bool,
        inp: int,
        out: int,
        kernel: int,
        style: int,
        demodulated: bool = True,
        doubling: bool = False,
    ) -> None:
        super().__init__()
        self.clean = clean
        self.kernel = kernel
        self.gain = 1.0 if clean else 1 / sqrt(inp * kernel**2)
        self.demodulated = demodulated
        self.doubling = doubling
        self.weight = nn.Parameter(torch.empty(1, out, inp, kernel, kernel))
        self.modulation = nn.Linear(style, inp) if clean else EqualLinear(inp=style, out=inp)
        self.smooth = Blur(border=(1, 1), gain=4) if doubling and not clean else None

    def forward(self, features: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        """(N, in, H, W) and (N, S) to (N, out, H or 2H, W or 2W)."""
        count, inp, height, width = features.shape
        scales = self.modulation(style).view(count, 1, inp, 1, 1)
        weight = self.weight * self.gain * scales
        if self.demodulated:
            weight = weight * torch.rsqrt(weight.square().sum((2, 3, 4), keepdim=True) + _SMALL)
        out = weight.shape[1]
        if self.smooth is not None:
            turned = weight.transpose(1, 2).reshape(count * inp, out, self.kernel, self.kernel)
            wide = functional.conv_transpose2d(
                features.reshape(1, count * inp, height, width), turned, stride=2, groups=count
            )
            found: torch.Tensor = self.smooth(wide.view(count, out, *wide.shape[2:]))
            return found
        if self.doubling:
            features = resized(features, 2)
            height, width = features.shape[2:]
        made = functional.conv2d(
            features.reshape(1, count * inp, height, width),
            weight.view(count * out, inp, self.kernel, self.kernel),
            padding=self.kernel // 2,
            groups=count,
        )
        return made.view(count, out, height, width)


class StyleConv(nn.Module):
    """A modulated convolution, noise, and an activation."""

    def __init__(
        self, *, clean: bool, inp: int, out: int, style: int, doubling: bool = False
    ) -> None:
        super().__init__()
        self.modulated_conv = ModulatedConv(
            clean=clean, inp=inp, out=out, kernel=3, style=style, doubling=doubling
        )
        self.weight = nn.Parameter(torch.empty(1))
        self.bias = nn.Parameter(torch.empty(1, out, 1, 1)) if clean else None
        self.activate = None if clean else Activation(channels=out)

    def forward(
        self, features: torch.Tensor, style: torch.Tensor, noise: torch.Tensor
    ) -> torch.Tensor:
        found: torch.Tensor = self.modulated_conv(features, style)
        if self.bias is not None:
            found = found * sqrt(2) + self.weight * noise + self.bias
            return functional.leaky_relu(found, SLOPE, inplace=True)
        assert self.activate is not None
        activated: torch.Tensor = self.activate(found + self.weight * noise)
        return activated


class ToRgb(nn.Module):
    """What features add to the picture so far, which is doubled."""

    def __init__(self, *, clean: bool, inp: int, style: int) -> None:
        super().__init__()
        self.upsample = None if clean else Doubling()
        self.modulated_conv = ModulatedConv(
            clean=clean, inp=inp, out=3, kernel=1, style=style, demodulated=False
        )
        self.bias = nn.Parameter(torch.empty(1, 3, 1, 1))

    def forward(
        self, features: torch.Tensor, style: torch.Tensor, before: torch.Tensor | None
    ) -> torch.Tensor:
        found: torch.Tensor = self.modulated_conv(features, style) + self.bias
        if before is None:
            return found
        wide = resized(before, 2) if self.upsample is None else self.upsample(before)
        return found + wide


def _mapping(clean: bool, style: int, count: int) -> nn.Sequential:
    """Keys as in the files: number 0 normalises, activations have numbers in the clean form."""
    layers: list[nn.Module] = [nn.Identity()]
    for _ in range(count):
        if clean:
            layers += [nn.Linear(style, style), nn.LeakyReLU(SLOPE)]
        else:
            layers.append(EqualLinear(inp=style, out=style))
    return nn.Sequential(*layers)
