"""What torchvision's FCN files look like, of any ResNet and class count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mycloset.architectures.blocks import batch_norm, conv
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.reading import size
from mycloset.architectures.resnet.layout import name_of
from mycloset.architectures.resnet.trunk import Trunk, put_trunk, read_trunk, standard


class Network(NamedTuple):
    """A whole network.

    Attributes:
        trunk: the ResNet.
        hidden: channels of the head.
        auxiliary: channels of the head that only training needs; 0 where there is none.
        classes: labels.
    """

    trunk: Trunk
    hidden: int
    auxiliary: int
    classes: int


def read(shapes: Shapes) -> Claim:
    """What an FCN table is.

    Raises:
        NotThisError: it lacks the ResNet or the head.
    """
    trunk = read_trunk(shapes, "backbone.")
    require(len(trunk.stages) == 4, f"{len(trunk.stages)} residual stages, not 4")
    head = shapes.get("classifier.0.weight")
    require(head is None or head[2:] == (3, 3), "`classifier.0.weight` is no 3x3 convolution")
    auxiliary = 0
    if any(f"aux_classifier.{part}.weight" in shapes for part in (0, 1, 4)):
        auxiliary = size(shapes, ("aux_classifier.0.weight", 0), ("aux_classifier.1.weight", 0))
    return _claim(
        Network(
            trunk=trunk,
            hidden=size(shapes, ("classifier.0.weight", 0), ("classifier.1.weight", 0)),
            auxiliary=auxiliary,
            classes=size(shapes, ("classifier.4.weight", 0), ("classifier.4.bias", 0)),
        )
    )


def examples() -> Iterator[Claim]:
    """The published networks, and the same without the head that only training needs."""
    for layers in ((3, 4, 6, 3), (3, 4, 23, 3)):
        for auxiliary in (256, 0):
            yield _claim(Network(standard(layers, deep=True), 512, auxiliary, 21))


def tensors(network: Network) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    trunk, classes = network.trunk, network.classes
    found: dict[str, Shape] = {}
    put_trunk(found, trunk, "backbone.")
    heads = [("classifier", network.hidden, trunk.out)]
    if network.auxiliary:
        heads.append(("aux_classifier", network.auxiliary, trunk.stages[2].out))
    for name, hidden, inp in heads:
        found |= conv(f"{name}.0", hidden, inp, 3, bias=False) | batch_norm(f"{name}.1", hidden)
        found |= conv(f"{name}.4", classes, hidden)
    return found


def _claim(network: Network) -> Claim:
    trunk, classes = network.trunk, network.classes
    backbone = name_of(trunk)
    return Claim(
        variant=backbone,
        title=f"FCN on {backbone}, {classes} classes",
        config={
            "num_classes": classes,
            "backbone": backbone,
            "block": trunk.block,
            "layers": list(trunk.layers),
            "head_channels": network.hidden,
            "aux_loss": network.auxiliary > 0,
            "aux_channels": network.auxiliary or None,
            "input_channels": trunk.inputs,
        },
        tensors=tensors(network),
        layout="torchvision",
        evidence=(
            f"`classifier.4.weight` is {[classes, network.hidden, 1, 1]}: {classes} classes"
            + (", as many as Pascal VOC has" if classes == 21 else ""),
            f"`classifier.0.weight` is {[network.hidden, trunk.out, 3, 3]}, on {backbone}",
        ),
        undecidable=("what its classes are", "the output stride"),
        input_channels=trunk.inputs,
        output_channels=classes,
    )


FAMILY = Family(
    name="fcn",
    title="FCN",
    task="semantic segmentation",
    steps=("cloth_segmentation",),
    markers=(
        ("backbone.conv1.weight", "backbone.layer4.0.conv1.weight", "classifier.0.weight"),
        ("backbone.bn1.weight", "backbone.layer4.0.conv2.weight", "classifier.1.running_mean"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("fcn_resnet50_coco-1167a1af.pth", "resnet50", "1167a1af"),
        Published("fcn_resnet101_coco-7ecb50ca.pth", "resnet101", "7ecb50ca"),
    ),
    licence="BSD-3-Clause",
    source="pytorch/vision, torchvision/models/segmentation/fcn.py",
    aliases=("fcn_resnet",),
)
