"""The ALIAS generator: residual blocks that label maps modulate, fed the picture at every size.

Sources: shadow2496/VITON-HD@02afa4b, networks.py (ALIASGenerator, ALIASResBlock, ALIASNorm,
MaskNorm); sangyun884/HR-VITON@2715bdd, network_generator.py (SPADEGenerator), the same without
MaskNorm. Choi et al. 2021, "VITON-HD"; Park et al. 2019, "Semantic image synthesis with
spatially-adaptive normalization".
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.garment_networks.alias import BLOCKS

SLOPE = 0.2


class AliasGenerator(nn.Module):
    """The generator; keys as published.

    Args:
        inputs: channels of the picture that is fed at every size.
        side: channels of its features from the second level on.
        widths: output channels of the blocks, from the smallest level upwards.
        labels: channels of the label map that modulates each block; a block with more than the
            last one has the misaligned region among them, and normalises both regions apart.
        hidden: channels within a modulation.
        outputs: channels of the picture that comes out.
        spectral: whether convolutions carry a spectral norm.
    """

    def __init__(
        self,
        *,
        inputs: int,
        side: int,
        widths: Sequence[int],
        labels: Sequence[int],
        hidden: int,
        outputs: int,
        spectral: bool,
    ) -> None:
        super().__init__()
        names = [*BLOCKS, *(f"up_{place}" for place in range(len(widths) - len(BLOCKS)))]
        entering = widths[0]
        for level, (name, width, number) in enumerate(zip(names, widths, labels, strict=True)):
            first = widths[0] if level == 0 else side
            self.add_module(f"conv_{level}", nn.Conv2d(inputs, first, 3, padding=1))
            block = _Block(
                inputs=entering + (side if level else 0),
                outputs=width,
                labels=number,
                hidden=hidden,
                masked=number > labels[-1],
                spectral=spectral,
            )
            self.add_module(name, block)
            entering = width
        self.conv_img = nn.Conv2d(entering, outputs, 3, padding=1)
        self.names = names

    def forward(
        self,
        picture: torch.Tensor,
        labels: torch.Tensor,
        divided: torch.Tensor | None = None,
        misaligned: torch.Tensor | None = None,
        seed: int | None = None,
    ) -> dict[str, torch.Tensor]:
        """A picture of the person in the garment.

        Args:
            picture: (N, 9, H, W): agnostic person, pose and warped garment, -1..1; H and W are
                multiples of 2^(levels - 1), 128 as published.
            labels: (N, 7, H, W), 0 or 1.
            divided: (N, 8, H, W), the same with the misaligned region apart; None where no block
                takes it.
            misaligned: (N, 1, H, W), 1 where the garment should be and is not; likewise.
            seed: of the noise that each block adds, as `torch.manual_seed(seed)` and the published
                code on a CPU draw it; None for no noise.

        Returns:
            pre_tanh: (N, 3, H, W); image: the same within -1..1.
        """
        noise = None if seed is None else torch.Generator().manual_seed(seed)
        height, width = picture.shape[-2:]
        last = len(self.names) - 1
        features = None
        for level, name in enumerate(self.names):
            size = height >> (last - level), width >> (last - level)
            own = self.get_submodule(f"conv_{level}")(functional.interpolate(picture, size=size))
            if features is not None:
                features = functional.interpolate(features, scale_factor=2.0)
                own = torch.cat([features, own], dim=1)
            block = self.get_submodule(name)
            assert isinstance(block, _Block)
            features = block(own, divided if block.masked else labels, misaligned, noise)
        assert features is not None
        pre_tanh = self.conv_img(functional.leaky_relu(features, SLOPE))
        return {"pre_tanh": pre_tanh, "image": pre_tanh.tanh()}


class _Block(nn.Module):
    def __init__(
        self,
        *,
        inputs: int,
        outputs: int,
        labels: int,
        hidden: int,
        masked: bool,
        spectral: bool,
    ) -> None:
        super().__init__()
        middle = min(inputs, outputs)
        self.masked = masked
        self.shortcut = inputs != outputs
        self.conv_0 = _convolution(inputs, middle, 3, spectral=spectral)
        self.conv_1 = _convolution(middle, outputs, 3, spectral=spectral)
        self.norm_0 = _Modulation(inputs, labels, hidden, masked=masked)
        self.norm_1 = _Modulation(middle, labels, hidden, masked=masked)
        if self.shortcut:
            self.conv_s = _convolution(inputs, outputs, 1, spectral=spectral, bias=False)
            self.norm_s = _Modulation(inputs, labels, hidden, masked=masked)

    def forward(
        self,
        features: torch.Tensor,
        labels: torch.Tensor,
        region: torch.Tensor | None,
        noise: torch.Generator | None,
    ) -> torch.Tensor:
        size = features.shape[-2:]
        labels = functional.interpolate(labels, size=size)
        if self.masked:
            assert region is not None
            region = functional.interpolate(region, size=size)
        kept = features
        # The order in which the published code draws its noise.
        if self.shortcut:
            kept = self.conv_s(self.norm_s(features, labels, region, noise))
        found = self.norm_0(features, labels, region, noise)
        found = self.conv_0(functional.leaky_relu(found, SLOPE))
        found = self.norm_1(found, labels, region, noise)
        found = self.conv_1(functional.leaky_relu(found, SLOPE))
        summed: torch.Tensor = kept + found
        return summed


class _Modulation(nn.Module):
    """Instance norm of features with noise, scaled and shifted by what the label map says."""

    def __init__(self, channels: int, labels: int, hidden: int, *, masked: bool) -> None:
        super().__init__()
        self.masked = masked
        self.noise_scale = nn.Parameter(torch.empty(channels))
        self.conv_shared = nn.Sequential(nn.Conv2d(labels, hidden, 3, padding=1), nn.ReLU())
        self.conv_gamma = nn.Conv2d(hidden, channels, 3, padding=1)
        self.conv_beta = nn.Conv2d(hidden, channels, 3, padding=1)

    def forward(
        self,
        features: torch.Tensor,
        labels: torch.Tensor,
        region: torch.Tensor | None,
        noise: torch.Generator | None,
    ) -> torch.Tensor:
        if noise is not None:
            number, _, height, width = features.shape
            drawn = torch.randn(number, width, height, 1, generator=noise).permute(0, 3, 2, 1)
            drawn = drawn.to(features)
            features = torch.addcmul(features, drawn, self.noise_scale[:, None, None])
        if self.masked:
            assert region is not None
            normed = _apart(features, region)
        else:
            normed = functional.instance_norm(features)
        shared = self.conv_shared(labels)
        scaled = torch.addcmul(normed, normed, self.conv_gamma(shared))
        return scaled.add_(self.conv_beta(shared))


def _apart(features: torch.Tensor, region: torch.Tensor) -> torch.Tensor:
    """A region and the rest of the picture, each normalised by its own pixels."""
    return _normed_within(features, region) + _normed_within(features, 1 - region)


def _normed_within(features: torch.Tensor, region: torch.Tensor) -> torch.Tensor:
    places = features.shape[-2] * features.shape[-1]
    pixels = region.sum(dim=(2, 3), keepdim=True)
    pixels = torch.where(pixels == 0, torch.ones_like(pixels), pixels)
    inside = features * region
    mean = inside.sum(dim=(2, 3), keepdim=True) / pixels
    normed = functional.instance_norm(torch.addcmul(inside, 1 - region, mean))
    return normed.mul_((pixels / places).sqrt())


class SpectralConv2d(nn.Conv2d):
    """A convolution whose weight is divided by its largest singular value, as it was estimated.

    The estimate is that of PyTorch's older `spectral_norm` in evaluation mode: u . (W v) with the
    vectors of the last training step, W as a matrix of (outputs, the rest).
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, *, padding: int, bias: bool) -> None:
        super().__init__(inputs, outputs, kernel, padding=padding, bias=bias)
        del self.weight
        self.weight_orig = nn.Parameter(torch.empty(outputs, inputs, kernel, kernel))
        self.register_buffer("weight_u", torch.empty(outputs))
        self.register_buffer("weight_v", torch.empty(inputs * kernel * kernel))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        matrix = self.weight_orig.flatten(1)
        largest = self.get_buffer("weight_u") @ (matrix @ self.get_buffer("weight_v"))
        found: torch.Tensor = self._conv_forward(features, self.weight_orig / largest, self.bias)
        return found


def _convolution(
    inputs: int, outputs: int, kernel: int, *, spectral: bool, bias: bool = True
) -> nn.Module:
    make = SpectralConv2d if spectral else nn.Conv2d
    return make(inputs, outputs, kernel, padding=kernel // 2, bias=bias)
