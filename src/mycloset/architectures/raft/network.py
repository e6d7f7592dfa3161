"""RAFT: all pairs of places compared, and a recurrent unit that looks up and corrects the flow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mycloset.architectures.keymapper import KeyMap
from mycloset.architectures.plans import NetworkPlan

_TORCHVISION = (
    ("^feature_encoder", "fnet"),
    ("^context_encoder", "cnet"),
    ("convnormrelu{n}.0", "conv{n}"),
    ("convnormrelu{n}.1", "norm{n}"),
    ("convnormrelu.0", "conv1"),
    ("convnormrelu.1", "norm1"),
    ("^fnet.conv", "fnet.conv2"),
    ("^cnet.conv", "cnet.conv2"),
    ("update_block.motion_encoder", "update_block.encoder"),
    ("convcorr{n}.0", "convc{n}"),
    ("convflow{n}.0", "convf{n}"),
    ("update_block.encoder.conv.0", "update_block.encoder.conv"),
    ("^mask_predictor.convrelu.0", "update_block.mask.0"),
    ("^mask_predictor.conv", "update_block.mask.2"),
)

KEYMAPS: Mapping[str, KeyMap] = {
    "original": KeyMap(),
    "torchvision": KeyMap(
        renames=(
            *_TORCHVISION,
            ("update_block.recurrent_block.convgru{n}.conv{x}", "update_block.gru.conv{x}{n}"),
        )
    ),
}

_ONE_CELL = KeyMap(
    renames=(
        *_TORCHVISION,
        ("update_block.recurrent_block.convgru1.conv{x}", "update_block.gru.conv{x}"),
    )
)


def plan(variant: str, layout: str, config: Mapping[str, Any]) -> NetworkPlan:
    """How a RAFT is built; `config` as in its claim."""
    keymap = KEYMAPS[layout]
    if layout == "torchvision" and len(config["gru_kernels"]) == 1:
        keymap = _ONE_CELL
    return NetworkPlan(lambda: Raft(config=config), keymap)


def _norm(kind: str, channels: int, groups: int) -> nn.Module:
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    if kind == "group":
        return nn.GroupNorm(groups, channels)
    return nn.InstanceNorm2d(channels) if kind == "instance" else nn.Identity()


class _Block(nn.Module):
    """A residual block of two convolutions, or a bottleneck of three (the small network's)."""

    def __init__(self, inp: int, out: int, kind: str, stride: int, *, small: bool) -> None:
        super().__init__()
        quarter = out // 4
        steps = (
            [(inp, quarter, 1, 1), (quarter, quarter, 3, stride), (quarter, out, 1, 1)]
            if small
            else [(inp, out, 3, stride), (out, out, 3, 1)]
        )
        for number, (before, after, kernel, step) in enumerate(steps, start=1):
            conv = nn.Conv2d(before, after, kernel, step, kernel // 2)
            self.add_module(f"conv{number}", conv)
            self.add_module(f"norm{number}", _norm(kind, after, out // 8))
        self.steps = len(steps)
        self.downsample: nn.Sequential | None = None
        if stride > 1:
            # Its norm goes by two names in the published files.
            last = _norm(kind, out, out // 8)
            self.add_module(f"norm{len(steps) + 1}", last)
            self.downsample = nn.Sequential(nn.Conv2d(inp, out, 1, stride), last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = x
        for number in range(1, self.steps + 1):
            found = self.get_submodule(f"conv{number}")(found)
            found = torch.relu(self.get_submodule(f"norm{number}")(found))
        return torch.relu((x if self.downsample is None else self.downsample(x)) + found)


class _Encoder(nn.Module):
    """Features at an eighth of the picture's size."""

    def __init__(
        self, inp: int, widths: Sequence[int], out: int, kind: str, *, small: bool
    ) -> None:
        super().__init__()
        stem, *layers = widths
        self.norm1 = _norm(kind, stem, 8)
        self.conv1 = nn.Conv2d(inp, stem, 7, 2, 3)
        before = stem
        for number, width in enumerate(layers, start=1):
            stride = 1 if number == 1 else 2
            self.add_module(
                f"layer{number}",
                nn.Sequential(
                    _Block(before, width, kind, stride, small=small),
                    _Block(width, width, kind, 1, small=small),
                ),
            )
            before = width
        self.layers = len(layers)
        self.conv2 = nn.Conv2d(before, out, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.norm1(self.conv1(x)))
        for number in range(1, self.layers + 1):
            x = self.get_submodule(f"layer{number}")(x)
        found: torch.Tensor = self.conv2(x)
        return found


class _Motion(nn.Module):
    """What the looked-up correlations and the flow so far say."""

    def __init__(self, planes: int, config: Mapping[str, Any]) -> None:
        super().__init__()
        inp = planes
        for number, out in enumerate(config["corr_widths"], start=1):
            kernel = 1 if number == 1 else 3
            self.add_module(f"convc{number}", nn.Conv2d(inp, out, kernel, padding=kernel // 2))
            inp = out
        seen, inp = inp, 2
        for number, out in enumerate(config["flow_widths"], start=1):
            kernel = 7 if number == 1 else 3
            self.add_module(f"convf{number}", nn.Conv2d(inp, out, kernel, padding=kernel // 2))
            inp = out
        self.conv = nn.Conv2d(seen + inp, config["motion_dim"], 3, padding=1)
        self.lookups, self.flows = len(config["corr_widths"]), len(config["flow_widths"])

    def forward(self, flow: torch.Tensor, correlation: torch.Tensor) -> torch.Tensor:
        seen, moved = correlation, flow
        for number in range(1, self.lookups + 1):
            seen = torch.relu(self.get_submodule(f"convc{number}")(seen))
        for number in range(1, self.flows + 1):
            moved = torch.relu(self.get_submodule(f"convf{number}")(moved))
        return torch.cat([torch.relu(self.conv(torch.cat([seen, moved], 1))), flow], 1)


class _Cells(nn.Module):
    """Convolutional gated recurrent units, one after the other."""

    def __init__(self, hidden: int, inp: int, kernels: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.ends = [str(n + 1) if len(kernels) > 1 else "" for n in range(len(kernels))]
        for end, (high, wide) in zip(self.ends, kernels, strict=True):
            for letter in "zrq":
                conv = nn.Conv2d(hidden + inp, hidden, (high, wide), padding=(high // 2, wide // 2))
                self.add_module(f"conv{letter}{end}", conv)

    def forward(self, hidden: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        for end in self.ends:
            both = torch.cat([hidden, x], 1)
            update = torch.sigmoid(self.get_submodule(f"convz{end}")(both))
            reset = torch.sigmoid(self.get_submodule(f"convr{end}")(both))
            new = self.get_submodule(f"convq{end}")(torch.cat([reset * hidden, x], 1))
            hidden = (1 - update) * hidden + update * torch.tanh(new)
        return hidden


class _FlowHead(nn.Module):
    def __init__(self, inp: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inp, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, 2, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.conv2(torch.relu(self.conv1(x)))
        return found


class _Update(nn.Module):
    def __init__(self, planes: int, config: Mapping[str, Any]) -> None:
        super().__init__()
        hidden = config["hidden_dim"]
        self.encoder = _Motion(planes, config)
        inp = config["context_dim"] + config["motion_dim"] + 2
        self.gru = _Cells(hidden, inp, config["gru_kernels"])
        self.flow_head = _FlowHead(hidden, config["flow_head_dim"])
        self.mask: nn.Sequential | None = None
        if config["mask_dim"]:
            self.mask = nn.Sequential(
                nn.Conv2d(hidden, config["mask_dim"], 3, padding=1),
                nn.ReLU(inplace=True),
                nn.Conv2d(config["mask_dim"], 64 * 9, 1),
            )


class Raft(nn.Module):
    """Teed and Deng 2020, "RAFT"; keys as its authors publish them.

    Args:
        config: as in the claim.
    """

    def __init__(self, *, config: Mapping[str, Any]) -> None:
        super().__init__()
        small = config["small"]
        self.hidden, self.levels = config["hidden_dim"], config["corr_levels"]
        self.radius = config["corr_radius"]
        planes = self.levels * (2 * self.radius + 1) ** 2
        self.context: int = config["context_dim"]
        context = config["hidden_dim"] + self.context
        first, second = config["encoder_layers"], config["context_layers"]
        self.fnet = _Encoder(3, first, config["fnet_dim"], config["fnet_norm"], small=small)
        self.cnet = _Encoder(3, second, context, config["cnet_norm"], small=small)
        self.update_block = _Update(planes, config)

    def forward(
        self,
        first: torch.Tensor,
        second: torch.Tensor,
        iterations: int = 20,
        flow_init: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """Where each pixel of the first picture went in the second.

        In a network of a shorter type, places and how alike they are stay float32: such a type has
        no more than a few thousandths of a picture's width, and far less than a pixel matters.

        Args:
            first, second: (N, 3, H, W) RGB, -1..1; H and W multiples of 8, at least 128.
            iterations: corrections.
            flow_init: (N, 2, H/8, W/8) to begin with, in eighths of the picture's pixels.

        Returns:
            flow: (N, 2, H, W) in pixels, x then y; flow_low: (N, 2, H/8, W/8).
        """
        features = self.fnet(torch.cat([first, second]))
        pyramid = self._pyramid(*features.chunk(2))
        hidden, context = self.cnet(first).split([self.hidden, self._context()], 1)
        hidden, context = torch.tanh(hidden), torch.relu(context)
        count, _, height, width = hidden.shape
        start = _places(height, width, _exact(first)).expand(count, -1, -1, -1)
        coords = start.clone() if flow_init is None else start + flow_init
        for _ in range(iterations):
            seen = self._look_up(pyramid, coords)
            motion = self.update_block.encoder(
                (coords - start).to(hidden.dtype), seen.to(hidden.dtype)
            )
            hidden = self.update_block.gru(hidden, torch.cat([context, motion], 1))
            coords = coords + self.update_block.flow_head(hidden)
        flow = coords - start
        return {"flow": self._upsampled(flow, hidden), "flow_low": flow}

    def _context(self) -> int:
        return self.context

    def _pyramid(self, one: torch.Tensor, two: torch.Tensor) -> list[torch.Tensor]:
        """How alike all pairs of places are, with the second picture's ever coarser."""
        one, two = _exact(one), _exact(two)
        count, width, rows, columns = one.shape
        products = torch.matmul(one.flatten(2).transpose(1, 2), two.flatten(2)) / width**0.5
        level = products.view(count * rows * columns, 1, rows, columns)
        found = [level]
        for _ in range(self.levels - 1):
            level = functional.avg_pool2d(level, 2, 2)
            found.append(level)
        return found

    def _look_up(self, pyramid: list[torch.Tensor], coords: torch.Tensor) -> torch.Tensor:
        """(N, levels * window, h, w): what lies around each place, at each level."""
        count, _, height, width = coords.shape
        side = 2 * self.radius + 1
        offsets = torch.linspace(
            -self.radius, self.radius, side, device=coords.device, dtype=coords.dtype
        )
        # The authors' window runs along x first: offset i belongs to x, j to y.
        window = torch.stack(torch.meshgrid(offsets, offsets, indexing="ij"), -1)
        centres = coords.permute(0, 2, 3, 1).reshape(-1, 1, 1, 2)
        found = []
        for number, level in enumerate(pyramid):
            at = centres / 2**number + window
            rows, columns = level.shape[2:]
            scale = at.new_tensor([2 / (columns - 1), 2 / (rows - 1)])
            sampled = functional.grid_sample(level, at * scale - 1, align_corners=True)
            found.append(sampled.view(count, height, width, side * side))
        return torch.cat(found, -1).permute(0, 3, 1, 2).contiguous()

    def _upsampled(self, flow: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        """The flow at the picture's size: each pixel a mix of nine cells around it."""
        count, _, height, width = flow.shape
        if self.update_block.mask is None:
            size = (8 * height, 8 * width)
            return 8 * functional.interpolate(flow, size, mode="bilinear", align_corners=True)
        mask = 0.25 * _exact(self.update_block.mask(hidden))
        weights = torch.softmax(mask.view(count, 1, 9, 8, 8, height, width), 2)
        cells = functional.unfold(8 * flow, 3, padding=1).view(count, 2, 9, 1, 1, height, width)
        mixed = (weights * cells).sum(2)
        return mixed.permute(0, 1, 4, 2, 5, 3).reshape(count, 2, 8 * height, 8 * width)


def _exact(tensor: torch.Tensor) -> torch.Tensor:
    """Float32 of what is shorter."""
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def _places(height: int, width: int, like: torch.Tensor) -> torch.Tensor:
    """(1, 2, height, width): x and y of each place."""
    rows = torch.arange(height, device=like.device, dtype=like.dtype)
    columns = torch.arange(width, device=like.device, dtype=like.dtype)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([x, y])[None]
