"""What a GFPGAN is built of, read from shapes."""

from __future__ import annotations

from dataclasses import dataclass

from mycloset.architectures.family import NotThisError, Shapes, require
from mycloset.architectures.reading import numbered, ratio, size

STYLE = "stylegan_decoder"
FULL = 512
"""Features of StyleGAN2 up to 32x32 pixels, if it is not made narrower."""


@dataclass(frozen=True)
class Sizes:
    """What a GFPGAN is built of.

    Attributes:
        clean: whether it is the later form of plain convolutions (1.2 to 1.4).
        steps: how often the picture is halved, down to 4x4 pixels.
        low: the encoder's features up to 32x32 pixels.
        high: its features at full size.
        style_low: the generator's features up to 32x32 pixels.
        style_high: its features at full size.
        style: features of a style.
        mapping: layers of the network that maps noise to styles.
        separate: whether each layer has a style of its own.
        half: whether conditions change only half of the generator's features.
    """

    clean: bool = True
    steps: int = 7
    low: int = 256
    high: int = 32
    style_low: int = 512
    style_high: int = 64
    style: int = 512
    mapping: int = 8
    separate: bool = True
    half: bool = True

    @property
    def out(self) -> int:
        """Side of the picture in pixels."""
        return 4 << self.steps

    def encoder(self, side: int) -> int:
        """The encoder's features at a size."""
        return self.low if side <= 32 else self.high * (self.out // side)

    def generator(self, side: int) -> int:
        """The generator's features at a size."""
        return self.style_low if side <= 32 else self.style_high * (self.out // side)

    @property
    def narrow(self) -> int | float:
        """The constructor's factor for all features."""
        return ratio(self.style_low, FULL)

    @property
    def multiplier(self) -> int | float:
        """The constructor's factor for features beyond 32x32 pixels; 2 where there are none."""
        if self.out <= 32:
            return 2
        # One channel at 16384 pixels: 256 at 64, 32 at 512.
        return ratio(self.style_high * self.out * FULL, 16384 * self.style_low)


def read_sizes(shapes: Shapes) -> Sizes:
    """Sizes of the network that a table holds.

    Raises:
        NotThisError: it holds none.
    """
    clean = "conv_body_first.weight" in shapes or "conv_body_down.0.conv1.weight" in shapes
    steps = numbered(shapes, "conv_body_down.", most=12)
    require(steps > 0, "no `conv_body_down.0`")
    inner = "" if clean else ".0"
    layers = numbered(shapes, f"{STYLE}.style_mlp.", most=128)
    last = f"{STYLE}.style_convs.{2 * steps - 1}.modulated_conv"
    low = size(
        shapes,
        (f"final_conv{inner}.weight", 0),
        (f"conv_body_up.0.conv1{inner}.weight", 0),
        ("toRGB.0.weight", 1),
    )
    style = size(
        shapes,
        (f"{STYLE}.style_mlp.1.weight", 1),
        (f"{STYLE}.style_conv1.modulated_conv.modulation.weight", 1),
    )
    sizes = Sizes(
        clean=clean,
        steps=steps,
        low=low,
        high=size(shapes, (f"conv_body_first{inner}.weight", 0), (f"toRGB.{steps - 1}.weight", 1)),
        style_low=size(
            shapes,
            (f"{STYLE}.constant_input.weight", 1),
            (f"{STYLE}.style_conv1.modulated_conv.weight", 1),
        ),
        style_high=size(shapes, (f"{last}.weight", 1), (f"{last}.weight", 2)),
        style=style,
        mapping=layers // 2 if clean else max(0, layers - 1),
        separate=size(
            shapes, ("final_linear.weight", 0), ("final_linear.bias", 0), default=2 * style
        )
        > style,
        half=size(shapes, ("condition_scale.0.2.weight", 0), default=low) <= low,
    )
    if sizes.style_high * sizes.out > 2**24:
        raise NotThisError(f"`{last}.weight` has {sizes.style_high} features")
    return sizes
