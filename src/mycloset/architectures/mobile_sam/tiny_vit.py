"""TinyViT, the picture encoder of MobileSAM.

Source: ChaoningZhang/MobileSAM, mobile_sam/modeling/tiny_vit_sam.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from mycloset.architectures.blocks import conv, conv_batch_norm, linear, norm
from mycloset.architectures.family import NotThisError, Shape, Shapes, require
from mycloset.architectures.reading import numbered, root, size

ROOT = "image_encoder"


@dataclass(frozen=True)
class TinyViT:
    """What a TinyViT is built of; stages count from 0, and the first is convolutional.

    Attributes:
        widths: features of each stage.
        depths: blocks of each stage.
        heads: attention heads of each stage but the first.
        windows: sides of the windows of each stage but the first.
        expanded: features within a block of the first stage.
        hidden: features within the feed-forward layers of each stage but the first.
        local: side of the convolution between attention and feed-forward layer.
        classes: of the unused classifier; 0 without one.
        out: features that the neck gives.
        channels: of the picture.
        stem: features after the first convolution.
    """

    widths: tuple[int, ...] = (64, 128, 160, 320)
    depths: tuple[int, ...] = (2, 2, 6, 2)
    heads: tuple[int, ...] = (4, 5, 10)
    windows: tuple[int, ...] = (7, 14, 7)
    expanded: int = 256
    hidden: tuple[int, ...] = (512, 640, 1280)
    local: int = 3
    classes: int = 1000
    out: int = 256
    channels: int = 3
    stem: int = 32


def read_tiny_vit(shapes: Shapes) -> TinyViT:
    """The encoder that a table holds.

    Raises:
        NotThisError: it holds none.
    """
    stages = numbered(shapes, f"{ROOT}.layers.", most=12)
    require(stages >= 2, f"fewer than two stages under `{ROOT}.layers`")
    depths = [numbered(shapes, f"{ROOT}.layers.{n}.blocks.", most=64) for n in range(stages)]
    require(all(depths), f"a stage of `{ROOT}.layers` has no blocks")
    first = f"{ROOT}.layers.0.blocks.0"
    later = [f"{ROOT}.layers.{number}.blocks.0" for number in range(1, stages)]
    classes = shapes.get(f"{ROOT}.head.weight", ())
    return TinyViT(
        widths=(
            size(shapes, (f"{ROOT}.patch_embed.seq.2.c.weight", 0), (f"{first}.conv1.c.weight", 1)),
            *(
                size(shapes, (f"{block}.attn.norm.weight", 0), (f"{block}.attn.proj.weight", 0))
                for block in later
            ),
        ),
        depths=tuple(depths),
        heads=tuple(size(shapes, (f"{block}.attn.attention_biases", 0)) for block in later),
        windows=tuple(_window(shapes, f"{block}.attn.attention_biases") for block in later),
        expanded=size(shapes, (f"{first}.conv1.c.weight", 0), (f"{first}.conv3.c.weight", 1)),
        hidden=tuple(
            size(shapes, (f"{block}.mlp.fc1.weight", 0), (f"{block}.mlp.fc1.bias", 0))
            for block in later
        ),
        local=size(shapes, (f"{later[0]}.local_conv.c.weight", 2)),
        classes=classes[0] if len(classes) == 2 else 0,
        out=size(shapes, (f"{ROOT}.neck.0.weight", 0), (f"{ROOT}.neck.2.weight", 0)),
        channels=size(shapes, (f"{ROOT}.patch_embed.seq.0.c.weight", 1)),
        stem=size(shapes, (f"{ROOT}.patch_embed.seq.0.c.weight", 0)),
    )


def _window(shapes: Shapes, key: str) -> int:
    """Side of a window: there is a bias for each distance down and across."""
    distances = size(shapes, (key, 1))
    side = root(distances)
    if side is None:
        raise NotThisError(f"`{key}` has {distances} columns, no square")
    return side


def tiny_vit_tensors(net: TinyViT) -> dict[str, Shape]:
    """Every tensor of the encoder, in the file's order."""
    width = net.widths[0]
    told = _conv_norm(f"{ROOT}.patch_embed.seq.0", net.stem, net.channels, 3)
    told |= _conv_norm(f"{ROOT}.patch_embed.seq.2", width, net.stem, 3)
    for number in range(net.depths[0]):
        told |= _inverted(f"{ROOT}.layers.0.blocks.{number}", width, net.expanded, width)
    for stage in range(1, len(net.widths)):
        below, width = net.widths[stage - 1], net.widths[stage]
        told |= _inverted(f"{ROOT}.layers.{stage - 1}.downsample", below, width, width)
        block = list(_block(net, stage).items())
        for number in range(net.depths[stage]):
            start = f"{ROOT}.layers.{stage}.blocks.{number}."
            told.update((start + key, shape) for key, shape in block)
    told |= norm(f"{ROOT}.norm_head", width)
    if net.classes:
        told |= linear(f"{ROOT}.head", net.classes, width)
    told |= conv(f"{ROOT}.neck.0", net.out, width, bias=False)
    told |= norm(f"{ROOT}.neck.1", net.out)
    told |= conv(f"{ROOT}.neck.2", net.out, net.out, 3, bias=False)
    return told | norm(f"{ROOT}.neck.3", net.out)


def _block(net: TinyViT, stage: int) -> dict[str, Shape]:
    width, hidden = net.widths[stage], net.hidden[stage - 1]
    return {
        "attn.attention_biases": (net.heads[stage - 1], net.windows[stage - 1] ** 2),
        **norm("attn.norm", width),
        **linear("attn.qkv", 3 * width, width),
        **linear("attn.proj", width, width),
        **norm("mlp.norm", width),
        **linear("mlp.fc1", hidden, width),
        **linear("mlp.fc2", width, hidden),
        **_conv_norm("local_conv", width, 1, net.local),
    }


def _inverted(name: str, inp: int, hidden: int, out: int) -> dict[str, Shape]:
    """A 1x1, a depthwise 3x3 and a 1x1 convolution."""
    return {
        **_conv_norm(f"{name}.conv1", hidden, inp, 1),
        **_conv_norm(f"{name}.conv2", hidden, 1, 3),
        **_conv_norm(f"{name}.conv3", out, hidden, 1),
    }


def _conv_norm(name: str, out: int, inp: int, kernel: int) -> dict[str, Shape]:
    return conv_batch_norm(f"{name}.c", f"{name}.bn", out, inp, kernel)
