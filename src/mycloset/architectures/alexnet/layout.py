"""What AlexNet files look like: five convolutions, and three linear layers or none."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from mycloset.architectures.blocks import conv, linear
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.reading import root, size

_PLACES = (0, 3, 6, 8, 10)
_KERNELS = (11, 5, 3, 3, 3)
_LINEAR = (1, 4, 6)
_LEADS = ("features.", "")
_WIDTHS = (64, 192, 384, 256, 256)


class Network(NamedTuple):
    """A whole network, or its convolutions.

    Attributes:
        inputs: channels of the picture.
        widths: channels that each convolution gives.
        classifier: inputs, hidden widths and classes of the linear layers; empty without them.
        lead: what stands before the places of the convolutions.
    """

    inputs: int
    widths: tuple[int, ...]
    classifier: tuple[int, ...] = ()
    lead: str = "features."


def read(shapes: Shapes) -> Claim:
    """What an AlexNet table is.

    Raises:
        NotThisError: its first convolutions are not of 11x11 and 5x5.
    """
    dotted = any(f"features.{place}.weight" in shapes for place in _PLACES[:2])
    lead = "features." if dotted else ""
    for place, kernel in zip(_PLACES, _KERNELS, strict=True):
        shape = shapes.get(f"{lead}{place}.weight")
        require(
            shape is None or (len(shape) == 4 and shape[2:] == (kernel, kernel)),
            f"`{lead}{place}.weight` is {list(shape or ())}, not a {kernel}x{kernel} convolution",
        )
    widths = tuple(
        size(shapes, (f"{lead}{place}.weight", 0), (f"{lead}{place}.bias", 0)) for place in _PLACES
    )
    classifier: tuple[int, ...] = ()
    if any(f"classifier.{place}.weight" in shapes for place in _LINEAR):
        classifier = (
            size(shapes, ("classifier.1.weight", 1), default=widths[-1] * 36),
            size(shapes, ("classifier.1.weight", 0), ("classifier.1.bias", 0)),
            size(shapes, ("classifier.4.weight", 0), ("classifier.4.bias", 0)),
            size(shapes, ("classifier.6.weight", 0), ("classifier.6.bias", 0)),
        )
    inputs = size(shapes, (f"{lead}0.weight", 1), default=3)
    return _claim(Network(inputs, widths, classifier, lead))


def examples() -> Iterator[Claim]:
    """The published network, and its convolutions alone."""
    yield _claim(Network(3, _WIDTHS, (9216, 4096, 4096, 1000)))
    for lead in _LEADS:
        yield _claim(Network(3, _WIDTHS, (), lead))


def tensors(network: Network) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    found: dict[str, Shape] = {}
    inp = network.inputs
    for place, kernel, out in zip(_PLACES, _KERNELS, network.widths, strict=True):
        found |= conv(f"{network.lead}{place}", out, inp, kernel)
        inp = out
    for place, (before, width) in zip(_LINEAR, pairwise(network.classifier), strict=False):
        found |= linear(f"classifier.{place}", width, before)
    return found


def _claim(network: Network) -> Claim:
    classes = network.classifier[-1] if network.classifier else None
    lead, widths = network.lead, network.widths
    variant = "alexnet" if widths == _WIDTHS else f"alexnet_{widths[0]}"
    evidence = [
        f"`{lead}0.weight` is {[widths[0], network.inputs, 11, 11]}",
        f"`{lead}3.weight` is {[widths[1], widths[0], 5, 5]}",
    ]
    config: dict[str, object] = {
        "widths": list(widths),
        "num_classes": classes,
        "input_channels": network.inputs,
    }
    if classes:
        evidence.insert(0, f"`classifier.6.weight` has {classes} rows: {classes} classes")
        pooled = root(network.classifier[0] // max(widths[-1], 1))
        config |= {"hidden": list(network.classifier[1:-1]), "pooled": pooled}
    return Claim(
        variant=variant if classes else f"{variant}_features",
        title=f"AlexNet, classifier of {classes} classes" if classes else "AlexNet's convolutions",
        config=config,
        tensors=tensors(network),
        layout="torchvision" if lead else "torchvision-sequential",
        evidence=tuple(evidence),
        undecidable=() if classes == 1000 else ("what it was trained on",),
        task="image classification" if classes else "image features",
        input_channels=network.inputs,
        output_channels=classes or widths[-1],
    )


FAMILY = Family(
    name="alexnet",
    title="AlexNet",
    task="image classification",
    steps=("quality_assessment",),
    markers=tuple(
        group
        for lead in _LEADS
        for group in (
            (f"{lead}0.weight", f"{lead}3.weight", f"{lead}6.weight", f"{lead}8.weight"),
            (f"{lead}0.bias", f"{lead}3.bias", f"{lead}10.bias"),
        )
    ),
    read=read,
    examples=examples,
    published=(
        Published("alexnet-owt-7be5be79.pth", "alexnet", "7be5be79"),
        Published("alexnet-owt-4df8aa71.pth", "alexnet", "4df8aa71"),
        Published("alexnet.pth", "alexnet"),
    ),
    licence="BSD-3-Clause",
    source="pytorch/vision, torchvision/models/alexnet.py",
    aliases=("alexnet", "alexnet-owt"),
)
