"""Groups of Swin blocks as SwinIR has them: attention within windows, every other one shifted."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

_FAR = -100.0
"""What is added to the scores of pixels that are neighbours only because of the shift."""

Size = tuple[int, int]


def offsets_index(window: int) -> torch.Tensor:
    """(window², window²) int64: which row of the table holds the bias of two pixels' offset."""
    ticks = torch.arange(window)
    rows, columns = torch.meshgrid(ticks, ticks, indexing="ij")
    places = torch.stack([rows.flatten(), columns.flatten()])
    apart = places[:, :, None] - places[:, None, :] + (window - 1)
    return apart[0] * (2 * window - 1) + apart[1]


def shift_mask(height: int, width: int, window: int) -> torch.Tensor:
    """(windows, window², window²) float32: 0 where two pixels of a shifted window belong together,
    -100 where they do not; Liu et al. 2021, "Swin Transformer"."""
    shift = window // 2

    def regions(length: int) -> torch.Tensor:
        # The last window is cut into what was there and what came around.
        ticks = torch.arange(length)
        return (ticks >= length - window).long() + (ticks >= length - shift).long()

    labels = 3 * regions(height)[:, None] + regions(width)[None]
    cut = labels.view(height // window, window, width // window, window)
    flat = cut.permute(0, 2, 1, 3).reshape(-1, window**2)
    return (flat[:, None, :] != flat[:, :, None]).float() * _FAR


def residual(width: int, kind: str) -> nn.Module:
    """What ends a group: one convolution, or three through a quarter of the features."""
    if kind == "1conv":
        return nn.Conv2d(width, width, 3, padding=1)
    few = width // 4
    return nn.Sequential(
        nn.Conv2d(width, few, 3, padding=1),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(few, few, 1),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(few, width, 3, padding=1),
    )


class Group(nn.Module):
    """Blocks, a convolution, and a shortcut around them.

    Args:
        width, depth, heads, hidden, window, training, biased, residual_kind: as in SwinIR.
    """

    def __init__(
        self,
        *,
        width: int,
        depth: int,
        heads: int,
        hidden: int,
        window: int,
        training: int,
        biased: bool,
        residual_kind: str,
    ) -> None:
        super().__init__()
        self.residual_group = nn.Module()
        self.blocks = [
            Block(
                width=width,
                heads=heads,
                hidden=hidden,
                window=window,
                training=training if number % 2 else None,
                biased=biased,
            )
            for number in range(depth)
        ]
        self.residual_group.blocks = nn.ModuleList(self.blocks)
        self.conv = residual(width, residual_kind)

    def forward(self, tokens: torch.Tensor, size: Size) -> torch.Tensor:
        """(N, H * W, C) of a picture of that size, to the same."""
        found = tokens
        for block in self.blocks:
            found = block(found, size)
        grid = found.transpose(1, 2).reshape(found.shape[0], found.shape[2], *size)
        added: torch.Tensor = self.conv(grid)
        return added.flatten(2).transpose(1, 2) + tokens


class Block(nn.Module):
    """Attention within windows and a feed-forward layer, each behind a norm.

    Args:
        width, heads, hidden, window, biased: as in SwinIR.
        training: side of the pictures of training where windows are shifted; None where not.
    """

    attn_mask: torch.Tensor

    def __init__(
        self,
        *,
        width: int,
        heads: int,
        hidden: int,
        window: int,
        training: int | None,
        biased: bool,
    ) -> None:
        super().__init__()
        self.window = window
        self.training_side = training
        self.shift = window // 2 if training is not None else 0
        if training is not None:
            count = (training // window) ** 2
            self.register_buffer("attn_mask", torch.empty(count, window**2, window**2))
        self.norm1 = nn.LayerNorm(width)
        self.attn = Attention(width=width, heads=heads, window=window, biased=biased)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = FeedForward(width=width, hidden=hidden)

    def forward(self, tokens: torch.Tensor, size: Size) -> torch.Tensor:
        """(N, H * W, C) of a picture of that size, to the same."""
        height, width = size
        number, _, channels = tokens.shape
        side = self.window
        grid = self.norm1(tokens).view(number, height, width, channels)
        if self.shift:
            grid = torch.roll(grid, (-self.shift, -self.shift), (1, 2))
        cut = grid.view(number, height // side, side, width // side, side, channels)
        windows = cut.permute(0, 1, 3, 2, 4, 5).reshape(-1, side**2, channels)
        seen = self.attn(windows, self._mask(size, tokens) if self.shift else None)
        cut = seen.view(number, height // side, width // side, side, side, channels)
        grid = cut.permute(0, 1, 3, 2, 4, 5).reshape(number, height, width, channels)
        if self.shift:
            grid = torch.roll(grid, (self.shift, self.shift), (1, 2))
        tokens = tokens + grid.view(tokens.shape)
        added: torch.Tensor = self.mlp(self.norm2(tokens))
        return tokens + added

    def _mask(self, size: Size, like: torch.Tensor) -> torch.Tensor:
        """The file's mask for pictures of its size, a fresh one for others."""
        if size == (self.training_side, self.training_side):
            return self.attn_mask
        return _MASKS.of(size, self.window, like)


class FeedForward(nn.Module):
    """Two linear layers and a GELU."""

    def __init__(self, *, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.fc2(functional.gelu(self.fc1(tokens)))
        return made


class Attention(nn.Module):
    """Attention of a window's pixels, with a bias for each offset between two of them.

    Args:
        width, heads, window, biased: as in SwinIR.
    """

    relative_position_index: torch.Tensor

    def __init__(self, *, width: int, heads: int, window: int, biased: bool) -> None:
        super().__init__()
        self.heads = heads
        self.relative_position_bias_table = nn.Parameter(torch.empty((2 * window - 1) ** 2, heads))
        index = torch.empty(window**2, window**2, dtype=torch.long)
        self.register_buffer("relative_position_index", index)
        self.qkv = nn.Linear(width, 3 * width, bias=biased)
        self.proj = nn.Linear(width, width)

    def forward(self, windows: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Windows after attention.

        Args:
            windows: (N * windows, window², C).
            mask: (windows, window², window²), added to the scores.
        """
        count, area, channels = windows.shape
        heads = self.heads
        index = self.relative_position_index.flatten()
        bias = self.relative_position_bias_table[index].view(area, area, heads).permute(2, 0, 1)
        query, key, value = (
            self.qkv(windows).view(count, area, 3, heads, channels // heads).permute(2, 0, 3, 1, 4)
        )
        added = bias[None] if mask is None else bias[None] + mask[:, None]
        if mask is not None and count > len(mask):
            added = added.repeat(count // len(mask), 1, 1, 1)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=added)
        made: torch.Tensor = self.proj(seen.transpose(1, 2).reshape(count, area, channels))
        return made


class _Masks:
    """The masks of the last few sizes that came, which all blocks of all networks share."""

    def __init__(self, most: int = 8) -> None:
        self._most = most
        self._kept: dict[tuple[object, ...], torch.Tensor] = {}

    def of(self, size: Size, window: int, like: torch.Tensor) -> torch.Tensor:
        """The mask of pictures of a size, where and of what type `like` is."""
        key = (*size, window, like.dtype, like.device)
        found = self._kept.get(key)
        if found is None:
            with torch.inference_mode(False):
                found = shift_mask(*size, window).to(dtype=like.dtype, device=like.device)
            kept = {**self._kept, key: found}
            # Replaced whole, so that threads never see it half changed.
            self._kept = dict(list(kept.items())[-self._most :])
        return found


_MASKS = _Masks()
