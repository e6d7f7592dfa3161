"""The SimpleBaseline network: a ResNet, then transposed convolutions up to heatmaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan
from mycloset.architectures.resnet.network import ResNet
from mycloset.architectures.top_down import input_size

_PLANES = (64, 128, 256, 512)

_BACKBONE = tuple(
    (f"^backbone.{name}", name)
    for name in ("conv1", "bn1", *(f"layer{number}" for number in range(1, 5)))
)


def _head(name: str) -> tuple[tuple[str, str], ...]:
    return tuple((f"^{name}.{part}", part) for part in ("deconv_layers", "final_layer"))


KEYMAPS: Mapping[str, KeyMap] = {
    "original": KeyMap(),
    "mmpose-0.x": KeyMap(renames=(*_BACKBONE, *_head("keypoint_head"))),
    "mmpose-1.x": KeyMap(renames=(*_BACKBONE, *_head("head"))),
}


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How a SimpleBaseline is built; `config` as in its claim.

    Choices as of HRNets: `input_size`, which the file's name may tell, and `udp`.
    """
    file = config.get("file", "")
    return NetworkPlan(
        lambda: PoseResNet(
            bottleneck=config["block"] == "BOTTLENECK",
            layers=config["blocks"],
            filters=config["num_deconv_filters"],
            kernels=config["num_deconv_kernels"],
            biased=config["deconv_with_bias"],
            joints=config["num_joints"],
            kernel=config["final_conv_kernel"],
        ),
        KEYMAPS[layout],
        choices={
            "input_size": input_size(config["num_joints"], file),
            "udp": "udp" in file.lower(),
        },
    )


class PoseResNet(ResNet):
    """Xiao et al. 2018, "Simple baselines for human pose estimation"; the authors' key names.

    Args:
        bottleneck: whether blocks have three convolutions.
        layers: blocks of each stage.
        filters, kernels: outputs and side of each transposed convolution.
        biased: whether they have a bias.
        joints: heatmaps.
        kernel: side of the last convolution.
    """

    def __init__(
        self,
        *,
        bottleneck: bool,
        layers: Sequence[int],
        filters: Sequence[int],
        kernels: Sequence[int],
        biased: bool,
        joints: int,
        kernel: int,
    ) -> None:
        super().__init__(
            bottleneck=bottleneck,
            layers=layers,
            planes=_PLANES,
            groups=1,
            base_width=64,
            stem_channels=64,
            stem_kernel=7,
            input_channels=3,
            classes=0,
        )
        width = _PLANES[-1] * (4 if bottleneck else 1)
        steps: list[nn.Module] = []
        for out, side in zip(filters, kernels, strict=True):
            # Whatever the kernel, maps become twice as large.
            padding, more = (side - 1) // 2, side % 2
            steps += [
                nn.ConvTranspose2d(width, out, side, 2, padding, more, bias=biased),
                nn.BatchNorm2d(out),
                nn.ReLU(inplace=True),
            ]
            width = out
        self.deconv_layers = nn.Sequential(*steps)
        self.final_layer = nn.Conv2d(width, joints, kernel, padding=kernel // 2)

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Heatmaps.

        Args:
            image: (N, 3, H, W), normalised; H and W multiples of 32.

        Returns:
            heatmaps: (N, joints, H/4, W/4) with three transposed convolutions.
        """
        features = super().forward(image)["features"]
        return {"heatmaps": self.final_layer(self.deconv_layers(features))}
