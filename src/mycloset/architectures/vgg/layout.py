"""What VGG files look like: torchvision's classifiers, with or without norms, whole or cut."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from mycloset.architectures.blocks import batch_norm, conv, linear
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.reading import root, size

Blocks = tuple[tuple[int, ...], ...]
"""Channels of each convolution, block by block; a pooling ends each block."""

_DEPTHS: dict[tuple[int, ...], int] = {
    (1, 1, 2, 2, 2): 11,
    (2, 2, 2, 2, 2): 13,
    (2, 2, 3, 3, 3): 16,
    (2, 2, 4, 4, 4): 19,
}
_WIDTHS = (64, 128, 256, 512, 512)
_LEADS = ("features.", "")
_MOST = 64


class Network(NamedTuple):
    """A whole network, or the first part of one.

    Attributes:
        inputs: channels of the picture.
        blocks: the convolutions.
        normed: whether a batch norm follows each.
        classifier: inputs, hidden widths and classes of the linear layers; empty without them.
        lead: what stands before the places of the convolutions.
        timm: whether the first two linear layers are convolutions, as timm has them.
    """

    inputs: int
    blocks: Blocks
    normed: bool
    classifier: tuple[int, ...] = ()
    lead: str = "features."
    timm: bool = False


def read(shapes: Shapes) -> Claim:
    """What a VGG table is.

    Raises:
        NotThisError: its convolutions do not follow each other as in a VGG.
    """
    dotted = any(f"features.{place}" in shapes for place in ("0.weight", "0.bias", "2.weight"))
    lead = "features." if dotted else ""
    places = _places(shapes, lead)
    normed = any(f"{lead}{place}.running_mean" in shapes for place in places)
    if normed:
        norms = {p for p in places if f"{lead}{p}.running_mean" in shapes}
        norms |= {p for p in places if f"{lead}{p}.running_var" in shapes}
        places = [place for place in places if place not in norms]
    blocks = _blocks(shapes, lead, places, normed)
    classifier: tuple[int, ...] = ()
    if "classifier.6.weight" in shapes or "classifier.6.bias" in shapes:
        last = blocks[-1][-1]
        classifier = (
            size(shapes, ("classifier.0.weight", 1), default=last * 49),
            size(shapes, ("classifier.0.weight", 0), ("classifier.3.weight", 1)),
            size(shapes, ("classifier.3.weight", 0), ("classifier.3.bias", 0)),
            size(shapes, ("classifier.6.weight", 0), ("classifier.6.bias", 0)),
        )
    timm = "pre_logits.fc1.weight" in shapes or "pre_logits.fc2.weight" in shapes
    if timm:
        first, second = "pre_logits.fc1", "pre_logits.fc2"
        side = size(shapes, (f"{first}.weight", 2), default=7)
        classifier = (
            blocks[-1][-1] * side * side,
            size(shapes, (f"{first}.weight", 0), (f"{second}.weight", 1)),
            size(shapes, (f"{second}.weight", 0), (f"{second}.bias", 0)),
        )
        if "head.fc.weight" in shapes or "head.fc.bias" in shapes:
            classifier += (size(shapes, ("head.fc.weight", 0), ("head.fc.bias", 0)),)
    network = Network(
        inputs=size(shapes, (f"{lead}0.weight", 1), default=3),
        blocks=blocks,
        normed=normed,
        classifier=classifier,
        lead=lead,
        timm=timm,
    )
    number = sum(map(len, blocks))
    if _published(blocks):
        require(len(blocks) >= 3, f"{number} convolutions: fewer than a VGG has")
    else:
        require(number >= 8, f"{number} convolutions: fewer than a VGG has")
        require(bool(lead), "its convolutions are not those of a published VGG")
        _require_form(blocks, fewest=3 if classifier else 5)
    return _claim(network)


def examples() -> Iterator[Claim]:
    """The published networks, their convolutions alone, and those without the prefix."""
    for layers in _DEPTHS:
        blocks = tuple((width,) * n for width, n in zip(_WIDTHS, layers, strict=True))
        for normed in (False, True):
            yield _claim(Network(3, blocks, normed, (25088, 4096, 4096, 1000)))
            yield _claim(Network(3, blocks, normed))
            yield _claim(Network(3, blocks, normed, (25088, 4096, 4096, 1000), timm=True))
        yield _claim(Network(3, blocks, False, lead=""))


def _places(shapes: Shapes, lead: str) -> list[int]:
    """Numbers that follow the lead in keys, in order."""
    cut = len(lead)
    found = set()
    for key in shapes:
        if key.startswith(lead):
            number, _, tensor = key[cut:].partition(".")
            if number.isdecimal() and len(number) < 4 and "." not in tensor:
                found.add(int(number))
    return sorted(found)


def _blocks(shapes: Shapes, lead: str, places: list[int], normed: bool) -> Blocks:
    """Channels by block: a place more than usual between two convolutions is a pooling."""
    require(bool(places) and places[0] == 0, f"no `{lead}0.weight`")
    require(len(places) <= _MOST, f"{len(places)} convolutions: more than a VGG has")
    usual = 3 if normed else 2
    blocks: list[list[int]] = [[]]
    before = -usual
    for place in places:
        key = f"{lead}{place}.weight"
        shape = shapes.get(key)
        require(
            shape is None or (len(shape) == 4 and shape[2:] == (3, 3)),
            f"`{key}` is {list(shape or ())}, not a 3x3 convolution",
        )
        gap = place - before
        require(gap in (usual, usual + 1), f"`{key}` comes {gap} places after the one before")
        if gap > usual:
            blocks.append([])
        blocks[-1].append(size(shapes, (key, 0), (f"{lead}{place}.bias", 0)))
        before = place
    return tuple(map(tuple, blocks))


def _require_form(blocks: Blocks, *, fewest: int) -> None:
    """Refuse a stack that has neither a VGG's number of layers nor its growing blocks.

    Raises:
        NotThisError: any stack of small convolutions might be so.
    """
    if tuple(map(len, blocks)) in _DEPTHS:
        return
    require(len(blocks) >= fewest, f"{len(blocks) - 1} poolings between its convolutions")
    firsts = [block[0] for block in blocks]
    even = all(len(set(block)) == 1 for block in blocks) and firsts == sorted(firsts)
    require(even, "its convolutions do not come in blocks of growing width")


def _published(blocks: Blocks) -> bool:
    """Whether the channels are those of the published networks, as far as they go."""
    return max(map(len, blocks)) <= 4 and all(
        channels == width
        for block, width in zip(blocks, _WIDTHS, strict=False)
        for channels in block
    )


def _claim(network: Network) -> Claim:
    blocks = network.blocks
    layers = tuple(map(len, blocks))
    depth = _DEPTHS.get(layers)
    cut = ""
    if depth is None and not network.classifier:
        longer = [n for known, n in _DEPTHS.items() if _begins(known, layers)]
        if len(longer) == 1:
            depth, cut = longer[0], f", cut after {sum(layers)} convolutions"
    name = f"vgg{depth or sum(layers) + 3}"
    title = f"VGG-{depth or sum(layers) + 3}"
    if network.normed:
        name, title = f"{name}_bn", f"{title} with batch norms"
    if depth is None:
        name = f"{name}_{'x'.join(map(str, layers))}"
    headed = len(network.classifier) == 4
    classes = network.classifier[-1] if headed else None
    rows = "head.fc.weight" if network.timm else "classifier.6.weight"
    lead = network.lead
    last = _order(network)[-1][0]
    evidence = [
        f"blocks of {', '.join(map(str, layers))} convolutions, the last `{lead}{last}.weight`",
        f"`{lead}0.weight` is {[blocks[0][0], network.inputs, 3, 3]}",
    ]
    if classes:
        evidence.insert(0, f"`{rows}` has {classes} rows: {classes} classes")
        title = f"{title}, classifier of {classes} classes"
    else:
        name = f"{name}_features"
        title = f"{title}, convolutions alone{cut}"
    cfg: list[int | str] = []
    for block in blocks:
        cfg += [*block, "M"]
    config: dict[str, object] = {
        "cfg": cfg,
        "batch_norm": network.normed,
        "num_classes": classes,
        "input_channels": network.inputs,
    }
    if headed:
        pooled = root(network.classifier[0] // max(blocks[-1][-1], 1))
        config |= {"hidden": list(network.classifier[1:-1]), "pooled": pooled}
    return Claim(
        variant=name,
        title=title,
        config=config,
        tensors=tensors(network),
        layout="timm" if network.timm else "torchvision" if lead else "torchvision-sequential",
        evidence=tuple(evidence),
        undecidable=() if classes == 1000 else ("what it was trained on",),
        task="image classification" if classes else "image features",
        input_channels=network.inputs,
        output_channels=classes or blocks[-1][-1],
        confidence=1.0 if depth is not None and _published(blocks) else 0.85,
    )


def _begins(whole: tuple[int, ...], part: tuple[int, ...]) -> bool:
    """Whether a network of `whole` blocks begins with `part`, the last of which may be cut."""
    full = len(part) - 1
    return len(part) <= len(whole) and whole[:full] == part[:full] and 0 < part[full] <= whole[full]


def _order(network: Network) -> list[tuple[int, int]]:
    """Place and channels of each convolution."""
    step = 3 if network.normed else 2
    found = []
    place = 0
    for block in network.blocks:
        for channels in block:
            found.append((place, channels))
            place += step
        place += 1
    return found


def tensors(network: Network) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    found: dict[str, Shape] = {}
    inp = network.inputs
    for place, channels in _order(network):
        found |= conv(f"{network.lead}{place}", channels, inp, 3)
        if network.normed:
            found |= batch_norm(f"{network.lead}{place + 1}", channels)
        inp = channels
    layers = network.classifier
    if network.timm:
        side = root(layers[0] // max(inp, 1)) or 1
        found |= conv("pre_logits.fc1", layers[1], inp, side)
        found |= conv("pre_logits.fc2", layers[2], layers[1])
        return found | (linear("head.fc", layers[3], layers[2]) if len(layers) > 3 else {})
    for number, (before, width) in enumerate(pairwise(layers)):
        found |= linear(f"classifier.{3 * number}", width, before)
    return found


_FILES = {
    "vgg11": "8a719046",
    "vgg11_bn": "6002323d",
    "vgg13": "19584684",
    "vgg13_bn": "abd245e5",
    "vgg16": "397923af",
    "vgg16_bn": "6c64b313",
    "vgg19": "dcbb9e9d",
    "vgg19_bn": "c79401a0",
}
"""Variant -> how the SHA-256 of its published file begins, as its name says."""

FAMILY = Family(
    name="vgg",
    title="VGG",
    task="image classification",
    steps=("cloth_warping", "quality_assessment"),
    markers=tuple(
        (f"{lead}0.{tensor}", f"{lead}{second}.{tensor}")
        for lead in _LEADS
        for second in (2, 3, 4)  # A norm or a pooling may lie between the first two.
        for tensor in ("weight", "bias")
    ),
    read=read,
    examples=examples,
    published=(
        *(Published(f"{name}-{start}.pth", name, start) for name, start in _FILES.items()),
        Published("vgg16_features-amdegroot-88682ab5.pth", "vgg16", "88682ab5"),
        *(Published(f"{name}.pth", name) for name in _FILES),
    ),
    licence="BSD-3-Clause",
    source=(
        "pytorch/vision, torchvision/models/vgg.py;"
        " huggingface/pytorch-image-models, timm/models/vgg.py"
    ),
    aliases=("vgg", "vgg16", "vgg19"),
)
