"""The ResNet that OpenAI changed for CLIP: a deep stem, pooled strides, attention at the end."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional


class _Bottleneck(nn.Module):
    """Strides are poolings after the 3x3 convolution."""

    def __init__(self, width: int, planes: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.avgpool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.conv3 = nn.Conv2d(planes, planes * 4, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(planes * 4)
        self.downsample: nn.Module | None = None
        if stride > 1 or width != planes * 4:
            self.downsample = nn.Sequential(
                OrderedDict(
                    [
                        ("-1", nn.AvgPool2d(stride)),
                        ("0", nn.Conv2d(width, planes * 4, 1, bias=False)),
                        ("1", nn.BatchNorm2d(planes * 4)),
                    ]
                )
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = torch.relu(self.bn1(self.conv1(x)))
        found = self.avgpool(torch.relu(self.bn2(self.conv2(found))))
        found = self.bn3(self.conv3(found))
        return torch.relu(found + (x if self.downsample is None else self.downsample(x)))


class _AttentionPool(nn.Module):
    """The mean of all places asks all places."""

    def __init__(self, places: int, width: int, heads: int, out: int) -> None:
        super().__init__()
        self.heads = heads
        self.positional_embedding = nn.Parameter(torch.empty(places + 1, width))
        self.k_proj = nn.Linear(width, width)
        self.q_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.c_proj = nn.Linear(width, out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        flat = x.flatten(2).transpose(1, 2)
        tokens = torch.cat([flat.mean(1, keepdim=True), flat], 1) + self.positional_embedding
        count, _, width = tokens.shape

        def split(projected: torch.Tensor) -> torch.Tensor:
            return projected.view(count, -1, self.heads, width // self.heads).transpose(1, 2)

        mixed = functional.scaled_dot_product_attention(
            split(self.q_proj(tokens[:, :1])),
            split(self.k_proj(tokens)),
            split(self.v_proj(tokens)),
        )
        found: torch.Tensor = self.c_proj(mixed.transpose(1, 2).reshape(count, width))
        return found


class ResNetTower(nn.Module):
    """OpenAI's ModifiedResNet (openai/CLIP, clip/model.py).

    Args:
        layers: blocks of each of the four stages.
        width: planes of the first stage.
        heads: of the pooling's attention.
        size: pixels along the picture's side.
        projection: features of the shared space.
        channels: of the picture.
    """

    def __init__(
        self,
        *,
        layers: Sequence[int],
        width: int,
        heads: int,
        size: int,
        projection: int,
        channels: int = 3,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width // 2, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width // 2)
        self.conv2 = nn.Conv2d(width // 2, width // 2, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width // 2)
        self.conv3 = nn.Conv2d(width // 2, width, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        self.avgpool = nn.AvgPool2d(2)
        before = width
        for stage, blocks in enumerate(layers):
            planes = width << stage
            made = []
            for place in range(blocks):
                made.append(_Bottleneck(before, planes, 2 if stage and place == 0 else 1))
                before = planes * 4
            self.add_module(f"layer{stage + 1}", nn.Sequential(*made))
        self.attnpool = _AttentionPool((size // 32) ** 2, before, heads, projection)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(N, projection) of pictures (N, 3, size, size)."""
        x = torch.relu(self.bn1(self.conv1(image)))
        x = torch.relu(self.bn2(self.conv2(x)))
        x = self.avgpool(torch.relu(self.bn3(self.conv3(x))))
        for stage in range(1, 5):
            x = self.get_submodule(f"layer{stage}")(x)
        found: torch.Tensor = self.attnpool(x)
        return found
