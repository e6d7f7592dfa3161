"""The three ways in which files name the parts of an RRDB network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mycloset.architectures.blocks import conv
from mycloset.architectures.family import Shape, Shapes, require
from mycloset.architectures.reading import numbered, ratio, root, size


@dataclass(frozen=True)
class Sizes:
    """What an RRDB network is built of.

    Attributes:
        inputs: channels that the first convolution takes.
        outputs: channels of the result.
        features: of the trunk.
        blocks: residual-in-residual dense blocks.
        growth: features that each dense convolution adds.
        steps: how often the picture is doubled.
        plus: whether dense blocks have the shortcut of ESRGAN+.
        shuffled: whether doubling is by pixel shuffle rather than by the nearest pixel.
    """

    inputs: int = 3
    outputs: int = 3
    features: int = 64
    blocks: int = 23
    growth: int = 32
    steps: int = 2
    plus: bool = False
    shuffled: bool = False

    @property
    def folding(self) -> int:
        """Side of the squares of pixels that are folded into channels first; 1 without."""
        if self.inputs % self.outputs or self.inputs // self.outputs not in (4, 16):
            return 1
        return root(self.inputs // self.outputs) or 1

    @property
    def scale(self) -> int | float:
        """By how much the result is larger than the picture."""
        return ratio(1 << self.steps, self.folding)


@dataclass(frozen=True)
class Names:
    """What a layout with one name a part calls them.

    Attributes:
        layout: its name.
        trunk: the blocks' list.
        dense: a dense block within a block, before its number.
        after: the convolution after the blocks.
        up: the convolutions after each doubling, before their numbers.
        late: the convolution at full size.
    """

    layout: str
    trunk: str
    dense: str
    after: str
    up: str
    late: str


NEW = Names("basicsr", "body", "rdb", "conv_body", "conv_up", "conv_hr")
MIDDLE = Names("esrgan", "RRDB_trunk", "RDB", "trunk_conv", "upconv", "HRconv")


def read_named(shapes: Shapes, names: Names) -> Sizes:
    """Sizes of a network in a layout that names every part.

    Raises:
        NotThisError: the table holds none.
    """
    dense = f"{names.trunk}.0.{names.dense}1"
    growth, features = _dense_sizes(shapes, dense, "", "conv_first")
    return Sizes(
        inputs=size(shapes, ("conv_first.weight", 1)),
        outputs=size(shapes, ("conv_last.weight", 0), ("conv_last.bias", 0), default=3),
        features=features,
        blocks=numbered(shapes, f"{names.trunk}."),
        growth=growth,
        steps=_last_number(shapes, names.up),
        plus=f"{dense}.conv1x1.weight" in shapes,
    )


def named_tensors(sizes: Sizes, names: Names) -> dict[str, Shape]:
    """Every tensor in a layout that names every part, in the file's order."""
    features = sizes.features
    tensors = conv("conv_first", features, sizes.inputs, 3)
    tensors |= _trunk(f"{names.trunk}.", sizes, names.dense, "")
    tensors |= conv(names.after, features, features, 3)
    for step in range(1, sizes.steps + 1):
        tensors |= conv(f"{names.up}{step}", features, features, 3)
    tensors |= conv(names.late, features, features, 3)
    return tensors | conv("conv_last", sizes.outputs, features, 3)


def read_old(shapes: Shapes) -> Sizes:
    """Sizes of a network in the layout of 2018: a flat list of layers.

    Raises:
        NotThisError: the table holds none.
    """
    growth, features = _dense_sizes(shapes, "model.1.sub.0.RDB1", ".0", "model.0")
    places = {key.split(".")[1] for key in shapes if key.startswith("model.")}
    layers = sorted(int(place) for place in places if place.isdecimal() and len(place) < 4)
    late = [place for place in layers if place > 1]
    require(len(late) >= 2, "no convolutions after `model.1`")
    # Between the blocks and the last two convolutions lie three layers a doubling. A copy that
    # lost the last of all ends two layers earlier.
    last = late[-1] + (2 if late[-1] % 3 == 2 else 0)
    steps, rest = divmod(last - 4, 3)
    require(rest == 0 and 0 <= steps < 6, f"its last layer is `model.{late[-1]}`")
    return Sizes(
        inputs=size(shapes, ("model.0.weight", 1)),
        outputs=size(shapes, (f"model.{last}.weight", 0), (f"model.{last}.bias", 0), default=3),
        features=features,
        blocks=numbered(shapes, "model.1.sub.") - 1,
        growth=growth,
        steps=steps,
        plus="model.1.sub.0.RDB1.conv1x1.weight" in shapes,
        shuffled=steps > 0 and 2 in late and 3 not in late,
    )


def old_tensors(sizes: Sizes) -> dict[str, Shape]:
    """Every tensor in the layout of 2018, in the file's order."""
    features = sizes.features
    tensors = conv("model.0", features, sizes.inputs, 3)
    tensors |= _trunk("model.1.sub.", sizes, "RDB", ".0")
    tensors |= conv(f"model.1.sub.{sizes.blocks}", features, features, 3)
    for step in range(sizes.steps):
        # Convolution, shuffle, activation; or enlargement, convolution, activation.
        place, out = (2, 4 * features) if sizes.shuffled else (3, features)
        tensors |= conv(f"model.{3 * step + place}", out, features, 3)
    tensors |= conv(f"model.{3 * sizes.steps + 2}", features, features, 3)
    return tensors | conv(f"model.{3 * sizes.steps + 4}", sizes.outputs, features, 3)


def config(sizes: Sizes, layout: str) -> dict[str, Any]:
    """Arguments of the constructor, under its own names for them."""
    if layout == NEW.layout:
        told: dict[str, Any] = {
            "num_in_ch": sizes.inputs // sizes.folding**2,
            "num_out_ch": sizes.outputs,
            "num_feat": sizes.features,
            "num_block": sizes.blocks,
            "num_grow_ch": sizes.growth,
            "scale": sizes.scale,
        }
    else:
        told = {
            "in_nc": sizes.inputs,
            "out_nc": sizes.outputs,
            "nf": sizes.features,
            "nb": sizes.blocks,
            "gc": sizes.growth,
            "scale": sizes.scale,
        }
    if sizes.folding > 1:
        told["pixel_unshuffle"] = sizes.folding
    if sizes.plus:
        told["plus"] = True
    if sizes.shuffled:
        told["upsample_mode"] = "pixelshuffle"
    return told


def _dense_sizes(shapes: Shapes, dense: str, inner: str, first: str) -> tuple[int, int]:
    growth = size(shapes, (f"{dense}.conv1{inner}.weight", 0), (f"{dense}.conv2{inner}.weight", 0))
    features = size(
        shapes, (f"{first}.weight", 0), (f"{dense}.conv1{inner}.weight", 1), (f"{first}.bias", 0)
    )
    return growth, features


def _last_number(shapes: Shapes, start: str) -> int:
    """The highest N of the keys `startN.weight` with N up to 6; 0 where there is none."""
    return max((step for step in range(1, 7) if f"{start}{step}.weight" in shapes), default=0)


def _trunk(start: str, sizes: Sizes, dense: str, inner: str) -> dict[str, Shape]:
    features, growth = sizes.features, sizes.growth
    block: dict[str, Shape] = {}
    for unit in range(1, 4):
        if sizes.plus:
            block |= conv(f"{dense}{unit}.conv1x1", growth, features, bias=False)
        for number in range(5):
            out = growth if number < 4 else features
            inp = features + number * growth
            block |= conv(f"{dense}{unit}.conv{number + 1}{inner}", out, inp, 3)
    items = list(block.items())
    return {
        f"{start}{number}.{key}": shape for number in range(sizes.blocks) for key, shape in items
    }
