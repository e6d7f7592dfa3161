"""What HR-VITON's files look like.

Source: sangyun884/HR-VITON@2715bdd, networks.py (ConditionGenerator, ResBlock) and
network_generator.py (SPADEGenerator).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mycloset.architectures.blocks import batch_norm, conv
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.garment_networks import alias
from mycloset.architectures.garment_networks.alias import Alias
from mycloset.architectures.reading import size

LABELS = 7
_LEVELS = 5


class Condition(NamedTuple):
    """Sizes of the condition generator.

    Attributes:
        cloth: channels of the garment with its mask.
        pose: channels of the parsed person with the dense pose.
        labels: channels of the segmentation that it gives.
        widths: of the five levels of both encoders.
        up: of the five levels of the decoder.
        middle: of the block between.
        shared: channels into which features are brought for the flow.
        sums: whether the decoder takes the warped sums of features (T1) or the encoder's own.
    """

    cloth: int
    pose: int
    labels: int
    widths: tuple[int, ...]
    up: tuple[int, ...]
    middle: int
    shared: int
    sums: bool = True


PUBLISHED = Condition(4, 16, 13, (96, 192, 384, 384, 384), (384, 384, 192, 96, 96), 768, 384)


def read(shapes: Shapes) -> Claim:
    """Say which network of HR-VITON a table is.

    Raises:
        NotThisError: it is none.
    """
    if "conv_0.weight" in shapes or "conv_img.weight" in shapes:
        net = alias.read(shapes)
        require(
            net.labels[0] == net.labels[-1],
            f"{net.labels[0]} label channels in the first block, {net.labels[-1]} in the last:"
            " VITON-HD's generator",
        )
        return _generator(net)
    return _condition(_read_condition(shapes))


def examples() -> Iterator[Claim]:
    """The two published networks."""
    yield _condition(PUBLISHED)
    yield _generator(alias.published(LABELS))


def _generator(net: Alias) -> Claim:
    tensors = alias.tensors(net)
    return Claim(
        variant="generator",
        title="HR-VITON's image generator",
        config={
            "input_nc": net.inputs,
            "gen_semantic_nc": net.labels[-1],
            "ngf": net.widths[-1] * 2,
            "norm_G": "spectralaliasinstance" if net.spectral else "aliasinstance",
            "num_upsampling_layers": "most",
        },
        tensors=tensors,
        evidence=(
            f"`head_0.norm_0.conv_shared.0.weight` is {[net.hidden, net.labels[0], 3, 3]}:"
            " labels alone (VITON-HD has 8)",
            f"`conv_0.weight` takes {net.inputs} channels",
        ),
        undecidable=("the size of its pictures (1024 x 768 as published)",),
        buffers=alias.buffers(tensors),
        input_channels=net.inputs,
        output_channels=net.outputs,
    )


def _read_condition(shapes: Shapes) -> Condition:
    levels = range(_LEVELS)
    found = Condition(
        cloth=size(shapes, ("ClothEncoder.0.scale.weight", 1), default=PUBLISHED.cloth),
        pose=size(shapes, ("PoseEncoder.0.scale.weight", 1), default=PUBLISHED.pose),
        labels=size(shapes, ("out_layer.scale.weight", 0), ("out_layer.block.0.weight", 0)),
        widths=tuple(
            size(
                shapes,
                (f"ClothEncoder.{level}.block.0.weight", 0),
                (f"PoseEncoder.{level}.block.0.weight", 0),
            )
            for level in levels
        ),
        up=tuple(
            size(
                shapes,
                (f"SegDecoder.{level}.block.0.weight", 0),
                (f"SegDecoder.{level}.scale.1.weight", 0),
            )
            for level in levels
        ),
        middle=size(shapes, ("conv.block.0.weight", 0), ("conv.scale.weight", 0)),
        shared=size(shapes, ("conv1.0.weight", 0), ("conv2.0.weight", 0)),
    )
    last = size(shapes, ("SegDecoder.4.scale.1.weight", 1), default=0)
    return found._replace(sums=last != found.up[3] + 2 * found.widths[0])


def _condition(net: Condition) -> Claim:
    first = net.widths[0]
    return Claim(
        variant="condition-generator",
        title="HR-VITON's try-on condition generator",
        config={
            "input1_nc": net.cloth,
            "input2_nc": net.pose,
            "output_nc": net.labels,
            "ngf": first,
            "warp_feature": "T1" if net.sums else "encoder",
            "out_layer": "relu",
        },
        tensors=condition_tensors(net),
        evidence=(
            f"`ClothEncoder.0.scale.weight` is {[first, net.cloth, 3, 3]}: garment and mask",
            f"`PoseEncoder.0.scale.weight` is {[first, net.pose, 3, 3]}: labels and dense pose",
            f"`out_layer.scale.weight` gives {net.labels} labels",
        ),
        task="geometric matching",
        steps=("geometric_matching", "cloth_warping"),
        input_channels=net.pose,
        output_channels=net.labels,
    )


def condition_tensors(net: Condition) -> dict[str, Shape]:
    """Encoders, the block between, the decoder, then what turns features into flow."""
    found: dict[str, Shape] = {}
    for name, inputs in (("ClothEncoder", net.cloth), ("PoseEncoder", net.pose)):
        for level, width in enumerate(net.widths):
            found |= conv(f"{name}.{level}.scale", width, inputs, 3, bias=False)
            found |= _block(f"{name}.{level}.block", width)
            inputs = width
    found |= conv("conv.scale", net.middle, net.widths[-1], 1)
    found |= _block("conv.block", net.middle)
    # The decoder takes what comes up, the person's features and the warped garment's.
    entering = net.middle
    for level, width in enumerate(net.up):
        if level:
            skip = net.widths[_LEVELS - 1 - level]
            entering = net.up[level - 1] + skip + (net.shared if net.sums else skip)
        found |= conv(f"SegDecoder.{level}.scale.1", width, entering, 1)
        found |= _block(f"SegDecoder.{level}.block", width)
    found |= conv("out_layer.scale", net.labels, net.up[-1] + net.cloth + net.pose, 1)
    found |= _block("out_layer.block", net.labels)
    for name in ("conv1", "conv2"):
        for level in range(_LEVELS - 1):
            found |= conv(f"{name}.{level}", net.shared, net.widths[level], 1)
    for level in range(_LEVELS):
        found |= conv(f"flow_conv.{level}", 2, 2 * net.shared, 3)
    for level in range(_LEVELS - 1):
        found |= conv(f"bottleneck.{level}.0", net.shared, net.up[level], 3)
    return found


def _block(name: str, width: int) -> dict[str, Shape]:
    return {
        **conv(f"{name}.0", width, width, 3, bias=False),
        **batch_norm(f"{name}.1", width),
        **conv(f"{name}.3", width, width, 3, bias=False),
        **batch_norm(f"{name}.4", width),
    }


FAMILY = Family(
    name="hr_viton",
    title="HR-VITON",
    task="virtual try-on",
    steps=("virtual_fitting",),
    markers=(
        ("ClothEncoder.0.scale.weight", "out_layer.scale.weight"),
        ("PoseEncoder.0.scale.weight", "flow_conv.0.weight"),
        *alias.MARKERS,
    ),
    read=read,
    examples=examples,
    published=(
        Published("mtviton.pth", "condition-generator"),
        Published("tocg_final.pth", "condition-generator"),
        Published("gen.pth", "generator"),
        Published("gen_model_final.pth", "generator"),
    ),
    licence="CC BY-NC 4.0",
    source="sangyun884/HR-VITON, networks.py and network_generator.py",
    aliases=("hr_viton", "hrviton", "tocg"),
)
