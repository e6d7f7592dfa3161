"""The ALIAS generator: SPADE-like residual blocks on a pyramid of resized inputs, by its tensors.

Source: shadow2496/VITON-HD@02afa4b, networks.py (ALIASGenerator); sangyun884/HR-VITON@2715bdd,
network_generator.py (SPADEGenerator), which has the same keys. Convolutions carry the spectral norm
of PyTorch's older kind (`weight_orig`, `weight_u`, `weight_v`), unless it was taken off.
"""

from __future__ import annotations

from typing import NamedTuple

from mycloset.architectures.family import Shape, Shapes, require
from mycloset.architectures.reading import extent, size

BLOCKS = ("head_0", "G_middle_0", "G_middle_1")


class Alias(NamedTuple):
    """Sizes of one generator.

    Attributes:
        inputs: channels of the picture that is fed at every size.
        side: channels of that picture's features from the second level on.
        widths: output channels of the blocks: head, two middle ones, then upwards.
        labels: channels of the label map that modulates each block.
        hidden: channels within a modulation.
        outputs: channels of the picture.
        spectral: whether the spectral norm is on.
    """

    inputs: int
    side: int
    widths: tuple[int, ...]
    labels: tuple[int, ...]
    hidden: int
    outputs: int
    spectral: bool


def published(labels: int) -> Alias:
    """The published generators; they differ in the label maps of the first four blocks."""
    return Alias(
        9, 16, (1024, 1024, 1024, 512, 256, 128, 64, 32), (labels,) * 5 + (7,) * 3, 128, 3, True
    )


def read(shapes: Shapes) -> Alias:
    """The sizes of the generator that a table holds.

    Raises:
        NotThisError: it holds none.
    """
    ups = extent(shapes, "up_{}.conv_0.bias", "up_{}.conv_1.bias", limit=12)
    require(ups > 0, "no `up_0.conv_0.bias`")
    names = _names(ups)
    return Alias(
        inputs=size(shapes, ("conv_0.weight", 1), ("conv_1.weight", 1)),
        side=size(shapes, ("conv_1.weight", 0), ("conv_1.bias", 0)),
        widths=tuple(
            size(
                shapes,
                (f"{name}.conv_1.bias", 0),
                (f"{name}.conv_0.bias", 0),
                (f"{name}.norm_1.noise_scale", 0),
            )
            for name in names
        ),
        labels=tuple(
            size(
                shapes,
                (f"{name}.norm_0.conv_shared.0.weight", 1),
                (f"{name}.norm_1.conv_shared.0.weight", 1),
            )
            for name in names
        ),
        hidden=size(shapes, ("head_0.norm_0.conv_shared.0.weight", 0), default=128),
        outputs=size(shapes, ("conv_img.weight", 0), ("conv_img.bias", 0), default=3),
        spectral="head_0.conv_0.weight_orig" in shapes or "up_0.conv_0.weight_orig" in shapes,
    )


def tensors(net: Alias) -> dict[str, Shape]:
    """Every tensor of a generator, in the file's order."""
    found: dict[str, Shape] = {}
    for place in range(len(net.widths)):
        width = net.widths[0] if place == 0 else net.side
        found[f"conv_{place}.weight"] = (width, net.inputs, 3, 3)
        found[f"conv_{place}.bias"] = (width,)
    entering = net.widths[0]
    for place, name in enumerate(_names(len(net.widths) - len(BLOCKS))):
        out = net.widths[place]
        inputs = entering + (net.side if place else 0)
        _block(found, name, inputs, out, net.labels[place], net)
        entering = out
    found["conv_img.weight"] = (net.outputs, entering, 3, 3)
    found["conv_img.bias"] = (net.outputs,)
    return found


def config(net: Alias) -> dict[str, object]:
    """What a generator's constructor takes beside the names of each system."""
    return {
        "side": net.side,
        "widths": list(net.widths),
        "labels": list(net.labels),
        "hidden": net.hidden,
        "output_nc": net.outputs,
        "spectral": net.spectral,
    }


def buffers(tensors_: Shapes) -> frozenset[str]:
    """The spectral norms' vectors, which are no parameters."""
    return frozenset(key for key in tensors_ if key.endswith(("weight_u", "weight_v")))


MARKERS: tuple[tuple[str, ...], ...] = (
    ("conv_0.weight", "head_0.norm_0.conv_shared.0.weight", "up_0.norm_0.noise_scale"),
    ("conv_img.weight", "G_middle_0.norm_0.noise_scale"),
)


def _names(ups: int) -> list[str]:
    return [*BLOCKS, *(f"up_{place}" for place in range(ups))]


def _block(
    found: dict[str, Shape], name: str, inputs: int, out: int, labels: int, net: Alias
) -> None:
    middle = min(inputs, out)
    _convolution(found, f"{name}.conv_0", middle, inputs, 3, spectral=net.spectral, bias=True)
    _convolution(found, f"{name}.conv_1", out, middle, 3, spectral=net.spectral, bias=True)
    shortcut = inputs != out
    if shortcut:
        _convolution(found, f"{name}.conv_s", out, inputs, 1, spectral=net.spectral, bias=False)
    for norm, width in (("norm_0", inputs), ("norm_1", middle), ("norm_s", inputs)):
        if norm == "norm_s" and not shortcut:
            continue
        start = f"{name}.{norm}."
        found[f"{start}noise_scale"] = (width,)
        found[f"{start}conv_shared.0.weight"] = (net.hidden, labels, 3, 3)
        found[f"{start}conv_shared.0.bias"] = (net.hidden,)
        for part in ("conv_gamma", "conv_beta"):
            found[f"{start}{part}.weight"] = (width, net.hidden, 3, 3)
            found[f"{start}{part}.bias"] = (width,)


def _convolution(
    found: dict[str, Shape],
    name: str,
    out: int,
    inputs: int,
    kernel: int,
    *,
    spectral: bool,
    bias: bool,
) -> None:
    shape = (out, inputs, kernel, kernel)
    if not spectral:
        found[f"{name}.weight"] = shape
    if bias:
        found[f"{name}.bias"] = (out,)
    if spectral:
        found[f"{name}.weight_orig"] = shape
        found[f"{name}.weight_u"] = (out,)
        found[f"{name}.weight_v"] = (inputs * kernel * kernel,)
