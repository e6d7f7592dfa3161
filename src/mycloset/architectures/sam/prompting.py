"""Prompt encoder and mask decoder of Segment Anything, which MobileSAM shares."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn import functional

HEADS = 8
"""Attention heads of the two-way transformer; no tensor tells them."""


class LayerNorm2d(nn.Module):
    """A layer norm over the channels of (N, C, H, W), epsilon 1e-6."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise each place."""
        last = x.permute(0, 2, 3, 1)
        normed = functional.layer_norm(last, (x.shape[1],), self.weight, self.bias, 1e-6)
        return normed.permute(0, 3, 1, 2)


class _Mlp(nn.Module):
    """Linear layers with ReLUs between them."""

    def __init__(self, inp: int, hidden: int, out: int, layers: int) -> None:
        super().__init__()
        widths = [inp, *([hidden] * (layers - 1)), out]
        self.layers = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(widths))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for number, layer in enumerate(self.layers):
            x = layer(x)
            if number < len(self.layers) - 1:
                x = torch.relu(x)
        return x


class _Positions(nn.Module):
    """Places in 0..1 as sines and cosines of random projections (Tancik et al. 2020)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.positional_encoding_gaussian_matrix: torch.Tensor
        self.register_buffer("positional_encoding_gaussian_matrix", torch.empty(2, features))

    def forward(self, places: torch.Tensor) -> torch.Tensor:
        matrix = self.positional_encoding_gaussian_matrix
        turned = 2 * math.pi * ((2 * places - 1).to(matrix.dtype) @ matrix)
        return torch.cat([turned.sin(), turned.cos()], -1)

    def grid(self, rows: int, columns: int) -> torch.Tensor:
        """(1, 2 * features, rows, columns): the middle of each cell."""
        like = self.positional_encoding_gaussian_matrix
        y = (torch.arange(rows, device=like.device, dtype=like.dtype) + 0.5) / rows
        x = (torch.arange(columns, device=like.device, dtype=like.dtype) + 0.5) / columns
        places = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)
        found: torch.Tensor = self(places).permute(2, 0, 1)[None]
        return found


class PromptEncoder(nn.Module):
    """Kirillov et al. 2023, "Segment anything"; keys as published.

    Args:
        width: features.
        mask_width: features within the encoder of masks.
        size: pixels along the picture's side.
        grid: cells along the embedding's side.
    """

    def __init__(self, *, width: int, mask_width: int, size: int, grid: int) -> None:
        super().__init__()
        self.size, self.grid = size, grid
        self.pe_layer = _Positions(width // 2)
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, width) for _ in range(4))
        self.not_a_point_embed = nn.Embedding(1, width)
        few = mask_width // 4
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, few, 2, 2),
            LayerNorm2d(few),
            nn.GELU(),
            nn.Conv2d(few, mask_width, 2, 2),
            LayerNorm2d(mask_width),
            nn.GELU(),
            nn.Conv2d(mask_width, width, 1),
        )
        self.no_mask_embed = nn.Embedding(1, width)

    def dense_pe(self) -> torch.Tensor:
        """(1, width, grid, grid): where each cell of the embedding lies."""
        return self.pe_layer.grid(self.grid, self.grid)

    def forward(
        self,
        points: torch.Tensor | None,
        labels: torch.Tensor | None,
        boxes: torch.Tensor | None,
        masks: torch.Tensor | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Sparse (B, tokens, width) and dense (B, width, grid, grid) embeddings.

        Args:
            points: (B, N, 2) x and y in the network's picture.
            labels: (B, N): 1 inside, 0 outside, -1 for padding.
            boxes: (B, 4).
            masks: (B, 1, 4 grid, 4 grid) logits.
        """
        given = next(value for value in (points, boxes, masks) if value is not None)
        count, width = len(given), self.no_mask_embed.weight.shape[1]
        parts = []
        if points is not None and labels is not None:
            parts.append(self._points(points, labels, padded=boxes is None))
        if boxes is not None:
            corners = self.pe_layer((boxes.reshape(-1, 2, 2) + 0.5) / self.size)
            ends = torch.cat([self._kind(2), self._kind(3)])
            parts.append(corners + ends)
        sparse = (
            torch.cat(parts, 1) if parts else self.no_mask_embed.weight.new_zeros(count, 0, width)
        )
        if masks is not None:
            return sparse, self.mask_downscaling(masks)
        plain = self.no_mask_embed.weight.reshape(1, -1, 1, 1)
        return sparse, plain.expand(count, -1, self.grid, self.grid)

    def _kind(self, number: int) -> torch.Tensor:
        kind = self.point_embeddings[number]
        assert isinstance(kind, nn.Embedding)
        return kind.weight

    def _points(self, points: torch.Tensor, labels: torch.Tensor, padded: bool) -> torch.Tensor:
        points = points + 0.5
        if padded:
            points = torch.cat([points, points.new_zeros(len(points), 1, 2)], 1)
            labels = torch.cat([labels, -labels.new_ones(len(labels), 1)], 1)
        found = self.pe_layer(points / self.size)
        kinds = labels[..., None]
        found = torch.where(kinds == -1, self.not_a_point_embed.weight, found)
        found = found + torch.where(kinds == 0, self._kind(0), 0.0)
        return found + torch.where(kinds == 1, self._kind(1), 0.0)


class _Attention(nn.Module):
    """Attention whose inner width may be smaller."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.q_proj = nn.Linear(width, inner)
        self.k_proj = nn.Linear(width, inner)
        self.v_proj = nn.Linear(width, inner)
        self.out_proj = nn.Linear(inner, width)

    def forward(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        def split(x: torch.Tensor) -> torch.Tensor:
            return x.view(len(x), -1, HEADS, x.shape[2] // HEADS).transpose(1, 2)

        mixed = functional.scaled_dot_product_attention(
            split(self.q_proj(q)), split(self.k_proj(k)), split(self.v_proj(v))
        )
        found: torch.Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return found


class _Feed(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.lin1 = nn.Linear(width, hidden)
        self.lin2 = nn.Linear(hidden, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.lin2(torch.relu(self.lin1(x)))
        return found


class _TwoWayBlock(nn.Module):
    """Tokens look at each other and at the picture, then the picture at the tokens."""

    def __init__(self, width: int, hidden: int, inner: int, *, first: bool) -> None:
        super().__init__()
        self.self_attn = _Attention(width, width)
        self.norm1 = nn.LayerNorm(width)
        self.cross_attn_token_to_image = _Attention(width, inner)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = _Feed(width, hidden)
        self.norm3 = nn.LayerNorm(width)
        self.norm4 = nn.LayerNorm(width)
        self.cross_attn_image_to_token = _Attention(width, inner)
        self.first = first

    def forward(
        self,
        tokens: torch.Tensor,
        picture: torch.Tensor,
        token_places: torch.Tensor,
        picture_places: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if self.first:
            tokens = self.self_attn(tokens, tokens, tokens)
        else:
            q = tokens + token_places
            tokens = tokens + self.self_attn(q, q, tokens)
        tokens = self.norm1(tokens)
        q, k = tokens + token_places, picture + picture_places
        tokens = self.norm2(tokens + self.cross_attn_token_to_image(q, k, picture))
        tokens = self.norm3(tokens + self.mlp(tokens))
        q = tokens + token_places
        picture = self.norm4(picture + self.cross_attn_image_to_token(k, q, tokens))
        return tokens, picture


class _TwoWay(nn.Module):
    def __init__(self, layers: int, width: int, hidden: int, inner: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            _TwoWayBlock(width, hidden, inner, first=number == 0) for number in range(layers)
        )
        self.final_attn_token_to_image = _Attention(width, inner)
        self.norm_final_attn = nn.LayerNorm(width)

    def forward(
        self, picture: torch.Tensor, places: torch.Tensor, tokens: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        flat, where = picture.flatten(2).transpose(1, 2), places.flatten(2).transpose(1, 2)
        seen = tokens
        for layer in self.layers:
            seen, flat = layer(seen, flat, tokens, where)
        last = self.final_attn_token_to_image(seen + tokens, flat + where, flat)
        return self.norm_final_attn(seen + last), flat


class MaskDecoder(nn.Module):
    """Kirillov et al. 2023; keys as published.

    Args:
        config: `prompt_embed_dim`, `decoder_depth`, `decoder_mlp_dim`, `decoder_inner_dim`,
            `num_multimask_outputs`, `iou_head_depth`, `iou_head_hidden_dim`, `hypernetwork_depth`.
    """

    def __init__(self, *, config: Mapping[str, Any]) -> None:
        super().__init__()
        width = config["prompt_embed_dim"]
        self.masks = config["num_multimask_outputs"] + 1
        self.transformer = _TwoWay(
            config["decoder_depth"], width, config["decoder_mlp_dim"], config["decoder_inner_dim"]
        )
        self.iou_token = nn.Embedding(1, width)
        self.mask_tokens = nn.Embedding(self.masks, width)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(width, width // 4, 2, 2),
            LayerNorm2d(width // 4),
            nn.GELU(),
            nn.ConvTranspose2d(width // 4, width // 8, 2, 2),
            nn.GELU(),
        )
        self.output_hypernetworks_mlps = nn.ModuleList(
            _Mlp(width, width, width // 8, config["hypernetwork_depth"]) for _ in range(self.masks)
        )
        self.iou_prediction_head = _Mlp(
            width, config["iou_head_hidden_dim"], self.masks, config["iou_head_depth"]
        )

    def forward(
        self,
        embedding: torch.Tensor,
        places: torch.Tensor,
        sparse: torch.Tensor,
        dense: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (B, masks, 4 grid, 4 grid) and predicted quality (B, masks); the mask for an
        unambiguous prompt first.

        Args:
            embedding: (1, width, grid, grid) of the picture.
            places: (1, width, grid, grid).
            sparse, dense: the prompts', for B prompts.
        """
        count = len(sparse)
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight])
        tokens = torch.cat([own.expand(count, -1, -1), sparse], 1)
        picture = embedding.expand(count, -1, -1, -1) + dense
        seen, flat = self.transformer(picture, places.expand(count, -1, -1, -1), tokens)
        rows, columns = picture.shape[2:]
        fine = self.output_upscaling(flat.transpose(1, 2).reshape(count, -1, rows, columns))
        weights = torch.stack(
            [mlp(seen[:, 1 + n]) for n, mlp in enumerate(self.output_hypernetworks_mlps)], 1
        )
        masks = torch.einsum("bmc,bchw->bmhw", weights, fine)
        return masks, self.iou_prediction_head(seen[:, 0])


class PromptedNetwork(nn.Module):
    """A picture encoder, a prompt encoder and a mask decoder.

    Args:
        encoder: gives (N, width, grid, grid) of (N, C, size, size).
        config: as for MaskDecoder, and `mask_in_chans`.
        size: pixels along the picture's side.
        grid: cells along the embedding's side.
    """

    def __init__(
        self, *, encoder: nn.Module, config: Mapping[str, Any], size: int, grid: int
    ) -> None:
        super().__init__()
        self.image_encoder = encoder
        self.prompt_encoder = PromptEncoder(
            width=config["prompt_embed_dim"],
            mask_width=config["mask_in_chans"],
            size=size,
            grid=grid,
        )
        self.mask_decoder = MaskDecoder(config=config)

    def encode(self, image: torch.Tensor) -> torch.Tensor:
        """(1, width, grid, grid) of one normalised picture (1, C, size, size)."""
        found: torch.Tensor = self.image_encoder(image)
        return found

    def decode(
        self,
        embedding: torch.Tensor,
        points: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        boxes: torch.Tensor | None = None,
        masks: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """masks (B, n, 4 grid, 4 grid) logits and iou (B, n); see the two parts."""
        sparse, dense = self.prompt_encoder(points, labels, boxes, masks)
        found, scores = self.mask_decoder(embedding, self.prompt_encoder.dense_pe(), sparse, dense)
        return {"masks": found, "iou": scores}

    def forward(self, image: torch.Tensor, points: torch.Tensor, labels: torch.Tensor) -> Any:
        """Masks for points in one picture; see `encode` and `decode`."""
        return self.decode(self.encode(image), points, labels)
