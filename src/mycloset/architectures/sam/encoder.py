"""Picture encoder of Segment Anything: a vision transformer with windows.

Sources: segment_anything/modeling/image_encoder.py; `SamVisionEncoder` of transformers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from mycloset.architectures.blocks import conv, linear, norm
from mycloset.architectures.family import Shape, Shapes
from mycloset.architectures.reading import numbered, ratio, size

HEAD_WIDTH = 64
"""Features of a head, where no table of relative positions tells them (as in ViT-B and ViT-L)."""


@dataclass(frozen=True)
class Names:
    """What a layout calls the encoder's parts."""

    root: str
    patch: str
    blocks: str
    norm: str
    neck: tuple[str, str, str, str]


ORIGINAL = Names("image_encoder", "proj", "blocks", "norm", ("0", "1", "2", "3"))
TRANSFORMERS = Names(
    "vision_encoder",
    "projection",
    "layers",
    "layer_norm",
    ("conv1", "layer_norm1", "conv2", "layer_norm2"),
)


@dataclass(frozen=True)
class EncoderSizes:
    """What a picture encoder is built of.

    Attributes:
        width: features of a patch.
        hidden: features within a block's feed-forward layer.
        out: features that the neck gives.
        tables: rows of each block's tables of relative positions, down and across; 0 without.
        head_width: features of a head.
        grid: patches down and across; None without a table of absolute positions.
        patch: pixels along a patch's side.
        channels: of the picture.
        biased: whether queries, keys and values have biases.
    """

    width: int
    hidden: int
    out: int
    tables: tuple[tuple[int, int], ...]
    head_width: int
    grid: tuple[int, int] | None
    patch: int
    channels: int
    biased: bool = True

    @property
    def depth(self) -> int:
        """Blocks."""
        return len(self.tables)

    @property
    def heads(self) -> int:
        """Attention heads of a block."""
        return max(1, self.width // self.head_width)

    @property
    def relative(self) -> bool:
        """Whether attention knows relative positions."""
        return any(rows for rows, _ in self.tables)

    @property
    def global_blocks(self) -> tuple[int, ...]:
        """Blocks whose tables span the whole grid."""
        if self.grid is not None:
            whole = (2 * self.grid[0] - 1, 2 * self.grid[1] - 1)
        else:
            whole = max(self.tables)
            if min(self.tables) == whole:
                return ()
        return tuple(number for number, rows in enumerate(self.tables) if rows == whole)

    @property
    def window(self) -> int:
        """Patches along a window's side; 0 where no block has windows, or no table tells."""
        everywhere = set(self.global_blocks)
        rows = Counter(
            rows for number, (rows, _) in enumerate(self.tables) if number not in everywhere
        )
        return (rows.most_common(1)[0][0] + 1) // 2 if rows else 0

    @property
    def config(self) -> dict[str, Any]:
        """Arguments under the names that the repository's builders use."""
        return {
            "encoder_embed_dim": self.width,
            "encoder_depth": self.depth,
            "encoder_num_heads": self.heads,
            "encoder_global_attn_indexes": list(self.global_blocks),
            "window_size": self.window,
            "patch": self.patch,
            "out_chans": self.out,
            "mlp_ratio": ratio(self.hidden, self.width),
            "use_rel_pos": self.relative,
            "image_size": self.grid[0] * self.patch if self.grid is not None else None,
            "in_chans": self.channels,
            "use_abs_pos": self.grid is not None,
            "qkv_bias": self.biased,
        }


def read_encoder(shapes: Shapes, names: Names) -> EncoderSizes:
    """Sizes of the encoder that a table holds.

    Raises:
        NotThisError: it holds none.
    """
    patch = f"{names.root}.patch_embed.{names.patch}.weight"
    first = f"{names.root}.{names.blocks}.0"
    tables, head_width = _tables(shapes, f"{names.root}.{names.blocks}.")
    places = shapes.get(f"{names.root}.pos_embed", ())
    whole = len(places) == 4 and min(places) > 0
    return EncoderSizes(
        width=size(shapes, (patch, 0), (f"{first}.attn.proj.weight", 0)),
        hidden=size(shapes, (f"{first}.mlp.lin1.weight", 0), (f"{first}.mlp.lin1.bias", 0)),
        out=size(
            shapes,
            (f"{names.root}.neck.{names.neck[0]}.weight", 0),
            (f"{names.root}.neck.{names.neck[2]}.weight", 0),
        ),
        tables=tables,
        head_width=head_width,
        grid=(places[1], places[2]) if whole else None,
        patch=size(shapes, (patch, 2)),
        channels=size(shapes, (patch, 1)),
        biased=f"{first}.attn.qkv.bias" in shapes or f"{first}.attn.qkv.weight" not in shapes,
    )


def _tables(shapes: Shapes, start: str) -> tuple[tuple[tuple[int, int], ...], int]:
    """Rows of each block's tables, and the width of a head."""
    depth = numbered(shapes, start)
    found: list[tuple[int, int] | None] = []
    widths: Counter[int] = Counter()
    for number in range(depth):
        pair = [shapes.get(f"{start}{number}.attn.rel_pos_{way}", ()) for way in "hw"]
        told = [shape for shape in pair if len(shape) == 2 and min(shape) > 0]
        widths.update(shape[1] for shape in told)
        found.append((told[0][0], told[-1][0]) if told else None)
    usual = Counter(rows for rows in found if rows is not None).most_common(1)
    lost = usual[0][0] if usual else (0, 0)
    rows = tuple(entry if entry is not None else lost for entry in found)
    return rows, widths.most_common(1)[0][0] if widths else HEAD_WIDTH


def encoder_tensors(sizes: EncoderSizes, names: Names) -> dict[str, Shape]:
    """Every tensor of the encoder, in the file's order."""
    width = sizes.width
    root, neck = names.root, f"{names.root}.neck"
    tensors: dict[str, Shape] = {}
    if sizes.grid is not None:
        tensors[f"{root}.pos_embed"] = (1, *sizes.grid, width)
    tensors |= conv(f"{root}.patch_embed.{names.patch}", width, sizes.channels, sizes.patch)
    for number, (down, across) in enumerate(sizes.tables):
        name = f"{root}.{names.blocks}.{number}"
        tensors.update(norm(f"{name}.{names.norm}1", width))
        if down:
            tensors[f"{name}.attn.rel_pos_h"] = (down, sizes.head_width)
            tensors[f"{name}.attn.rel_pos_w"] = (across, sizes.head_width)
        tensors.update(linear(f"{name}.attn.qkv", 3 * width, width, bias=sizes.biased))
        tensors.update(linear(f"{name}.attn.proj", width, width))
        tensors.update(norm(f"{name}.{names.norm}2", width))
        tensors.update(linear(f"{name}.mlp.lin1", sizes.hidden, width))
        tensors.update(linear(f"{name}.mlp.lin2", width, sizes.hidden))
    tensors |= conv(f"{neck}.{names.neck[0]}", sizes.out, width, bias=False)
    tensors |= norm(f"{neck}.{names.neck[1]}", sizes.out)
    tensors |= conv(f"{neck}.{names.neck[2]}", sizes.out, sizes.out, 3, bias=False)
    return tensors | norm(f"{neck}.{names.neck[3]}", sizes.out)
