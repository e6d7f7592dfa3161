"""What VITON-HD's three files look like.

Source: shadow2496/VITON-HD@02afa4b, networks.py (SegGenerator, GMM, ALIASGenerator).
"""

from __future__ import annotations

from collections.abc import Iterator

from mycloset.architectures.blocks import conv
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.garment_networks import alias, matching
from mycloset.architectures.garment_networks.alias import Alias
from mycloset.architectures.garment_networks.matching import Matching
from mycloset.architectures.reading import size

LABELS = 8
"""Channels of the label maps that modulate the first blocks: seven labels and the misalignment."""
PERSON = 7
"""Garment's place 1, pose 3, agnostic person 3."""
_NEAREST = 15
_DOWN = 5


def read(shapes: Shapes) -> Claim:
    """Say which network of VITON-HD a table is.

    Raises:
        NotThisError: it is none.
    """
    if "conv1.0.weight" in shapes and "conv9.6.weight" in shapes:
        return _read_seg(shapes)
    if "conv_0.weight" in shapes or "conv_img.weight" in shapes:
        net = alias.read(shapes)
        require(
            net.labels[0] != net.labels[-1],
            f"{net.labels[0]} label channels in every block: HR-VITON's generator",
        )
        return _alias(net)
    found = matching.read(shapes)
    require(
        found.person < _NEAREST and found.cloth != 1,
        f"`extractionA.model.0.weight` takes {found.person} channels and the garment has"
        f" {found.cloth}: CP-VTON's",
    )
    return _gmm(found)


def examples() -> Iterator[Claim]:
    """The three published networks."""
    yield _seg(21, 13, (64, 128, 256, 512, 1024))
    yield _gmm(matching.PUBLISHED._replace(person=PERSON))
    yield _alias(alias.published(LABELS))


def _gmm(net: Matching) -> Claim:
    known = net.person == PERSON and net.cloth == 3
    return Claim(
        variant="gmm" if known else "gmm-custom",
        title="VITON-HD's geometric matching module" + ("" if known else " with other inputs"),
        config={
            "inputA_nc": net.person,
            "inputB_nc": net.cloth,
            "ngf": net.widths[0],
            "grid_size": net.grid,
            "theta": net.theta,
            "correlation_channels": net.correlation,
            "load_height": 1024,
            "load_width": 768,
            **matching.config(net),
        },
        tensors=matching.tensors(net),
        evidence=matching.evidence(net),
        undecidable=("the size of the pictures that it warps (1024 x 768 as published)",),
        also=() if known else ("cp_vton", "ladi_vton"),
        task="geometric matching",
        steps=("geometric_matching", "cloth_warping"),
        input_channels=net.person,
        output_channels=net.theta,
        confidence=1.0 if known else 0.7,
    )


def _alias(net: Alias) -> Claim:
    tensors = alias.tensors(net)
    return Claim(
        variant="alias",
        title="VITON-HD's ALIAS generator",
        config={
            "input_nc": net.inputs,
            "semantic_nc": net.labels[-1],
            "ngf": net.widths[-1] * 2,
            "norm_G": "spectralaliasinstance" if net.spectral else "aliasinstance",
            "num_upsampling_layers": "most" if len(net.widths) == 8 else "more",
            **alias.config(net),
        },
        tensors=tensors,
        evidence=(
            f"`head_0.norm_0.conv_shared.0.weight` is {[net.hidden, net.labels[0], 3, 3]}:"
            " labels and the misaligned region (HR-VITON has 7)",
            f"`conv_0.weight` takes {net.inputs} channels",
        ),
        undecidable=("the size of its pictures (1024 x 768 as published)",),
        buffers=alias.buffers(tensors),
        input_channels=net.inputs,
        output_channels=net.outputs,
    )


def _read_seg(shapes: Shapes) -> Claim:
    widths = tuple(
        size(shapes, (f"conv{level}.0.weight", 0), (f"conv{level}.3.weight", 0))
        for level in range(1, _DOWN + 1)
    )
    return _seg(
        size(shapes, ("conv1.0.weight", 1)),
        size(shapes, ("conv9.6.weight", 0), ("conv9.6.bias", 0)),
        widths,
    )


def _seg(inputs: int, labels: int, widths: tuple[int, ...]) -> Claim:
    return Claim(
        variant="seg",
        title="VITON-HD's segmentation generator",
        config={
            "input_nc": inputs,
            "output_nc": labels,
            "ngf": widths[0],
            "widths": list(widths),
        },
        tensors=_seg_tensors(inputs, labels, widths),
        evidence=(
            f"`conv1.0.weight` is {[widths[0], inputs, 3, 3]}",
            f"`conv9.6.weight` is {[labels, widths[0], 3, 3]}: {labels} labels",
        ),
        task="segmentation of the dressed person",
        steps=("geometric_matching",),
        input_channels=inputs,
        output_channels=labels,
    )


def _seg_tensors(inputs: int, labels: int, widths: tuple[int, ...]) -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    entering = inputs
    for level, width in enumerate(widths, start=1):
        found |= conv(f"conv{level}.0", width, entering, 3)
        found |= conv(f"conv{level}.3", width, width, 3)
        entering = width
    for level, width in enumerate(reversed(widths[:-1]), start=len(widths) + 1):
        found |= conv(f"up{level}.1", width, entering, 3)
        found |= conv(f"conv{level}.0", width, 2 * width, 3)
        found |= conv(f"conv{level}.3", width, width, 3)
        entering = width
    return found | conv(f"conv{2 * len(widths) - 1}.6", labels, entering, 3)


FAMILY = Family(
    name="viton_hd",
    title="VITON-HD",
    task="virtual try-on",
    steps=("virtual_fitting",),
    markers=(
        *matching.markers(),
        *alias.MARKERS,
        ("conv1.0.weight", "up6.1.weight", "conv9.6.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("seg_final.pth", "seg"),
        Published("gmm_final.pth", "gmm"),
        Published("alias_final.pth", "alias"),
    ),
    licence="CC BY-NC 4.0",
    source="shadow2496/VITON-HD, networks.py",
    aliases=("viton_hd", "vitonhd", "gmm", "alias"),
)
