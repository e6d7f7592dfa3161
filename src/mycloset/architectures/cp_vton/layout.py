"""What files of CP-VTON and CP-VTON+ look like.

Sources: sergeywong/cp-vton@fbaf333 and minar09/cp-vton-plus@5d7a899, networks.py (GMM,
UnetGenerator).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from mycloset.architectures.blocks import conv
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.garment_networks import matching
from mycloset.architectures.garment_networks.matching import Matching
from mycloset.architectures.reading import size

PERSON = 22
"""Body shape 1, head and hair 3, key points 18."""
_NEAREST = 15
"""From so many channels of the person on, a module is more like CP-VTON's than VITON-HD's (7)."""
_DEEPEST = 10


def read(shapes: Shapes) -> Claim:
    """Say which network of CP-VTON a table is.

    Raises:
        NotThisError: it is none.
    """
    if "model.model.0.weight" in shapes:
        return _read_tom(shapes)
    net = matching.read(shapes)
    require(
        net.person >= _NEAREST or net.cloth == 1,
        f"`extractionA.model.0.weight` takes {net.person} channels: nearer to VITON-HD's 7",
    )
    return _gmm(net)


def examples() -> Iterator[Claim]:
    """The four published networks."""
    yield _gmm(matching.PUBLISHED)
    yield _gmm(matching.PUBLISHED._replace(cloth=1))
    widths = (64, 128, 256, 512, 512, 512)
    yield _tom(25, 4, widths)
    yield _tom(26, 4, widths)


def _gmm(net: Matching) -> Claim:
    known = net.person == PERSON and net.cloth in (1, 3)
    plus = net.cloth == 1
    name = "CP-VTON+" if plus else "CP-VTON"
    height, width = matching.picture_size(net)
    return Claim(
        variant=("gmm-plus" if plus else "gmm") if known else "gmm-custom",
        title=f"{name}'s geometric matching module" + ("" if known else " with other inputs"),
        config={
            "inputA_channels": net.person,
            "inputB_channels": net.cloth,
            "ngf": net.widths[0],
            "n_layers": net.kernels.count(4) - 1,
            "grid_size": net.grid,
            "theta": net.theta,
            "correlation_channels": net.correlation,
            "fine_height": height,
            "fine_width": width,
            **matching.config(net),
        },
        tensors=matching.tensors(net),
        evidence=matching.evidence(net),
        undecidable=(
            f"the shape of its pictures ({height} x {width} of those with"
            f" {net.correlation} places)",
            "whether a grid's -1 and 1 are pixels' centres (as trained, with PyTorch 0.4) or edges",
        ),
        also=() if known else ("viton_hd", "ladi_vton"),
        input_channels=net.person,
        output_channels=net.theta,
        confidence=1.0 if known else 0.7,
    )


def _read_tom(shapes: Shapes) -> Claim:
    place = "model.model."
    require("model.model.4.weight" in shapes, "no `model.model.4.weight`")
    widths = [size(shapes, (f"{place}0.weight", 0), (f"{place}0.bias", 0))]
    inner = f"{place}1.model."
    while f"{inner}1.weight" in shapes and len(widths) < _DEEPEST:
        widths.append(size(shapes, (f"{inner}1.weight", 0)))
        inner += "3.model."
    require(len(widths) > 1, f"no `{place}1.model.1.weight`")
    return _tom(
        size(shapes, (f"{place}0.weight", 1)),
        size(shapes, (f"{place}4.weight", 0), (f"{place}4.bias", 0)),
        tuple(widths),
    )


def _tom(inputs: int, outputs: int, widths: tuple[int, ...]) -> Claim:
    plus = inputs == 26
    known = inputs in (25, 26) and outputs == 4
    name = "CP-VTON+" if plus else "CP-VTON"
    return Claim(
        variant=("tom-plus" if plus else "tom") if known else "tom-custom",
        title=f"{name}'s try-on module" + ("" if known else " with other channels"),
        config={
            "input_nc": inputs,
            "output_nc": outputs,
            "num_downs": len(widths),
            "ngf": widths[0],
            "widths": list(widths),
        },
        tensors=_tom_tensors(inputs, outputs, widths),
        evidence=(
            f"`model.model.0.weight` is {[widths[0], inputs, 4, 4]}: person 22, warped garment 3"
            + (", its mask 1" if plus else ""),
            f"`model.model.4.weight` gives {outputs}: picture 3, mask 1",
        ),
        task="virtual try-on",
        steps=("virtual_fitting",),
        input_channels=inputs,
        output_channels=outputs,
        confidence=1.0 if known else 0.8,
    )


def _tom_tensors(inputs: int, outputs: int, widths: tuple[int, ...]) -> dict[str, Shape]:
    """A U-Net of blocks within blocks: what goes down, the block within, what comes up."""
    found: dict[str, Shape] = conv("model.model.0", widths[0], inputs, 4)
    places = ["model.model."]
    for place, (outer, inner) in enumerate(pairwise(widths)):
        start = "model.model.1.model." + "3.model." * place
        found |= conv(f"{start}1", inner, outer, 4)
        places.append(start)
    for place in range(len(widths) - 1, 0, -1):
        innermost = place == len(widths) - 1
        entering = widths[place] if innermost else 2 * widths[place]
        number = 4 if innermost else 6
        found |= conv(f"{places[place]}{number}", widths[place - 1], entering, 3)
    return found | conv("model.model.4", outputs, 2 * widths[0], 3)


FAMILY = Family(
    name="cp_vton",
    title="CP-VTON",
    task="geometric matching",
    steps=("geometric_matching", "cloth_warping"),
    markers=(
        *matching.markers(),
        ("model.model.0.weight", "model.model.1.model.1.weight", "model.model.4.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("gmm_final.pth", "gmm"),
        Published("GMM/gmm_final.pth", "gmm-plus"),
        Published("tom_final.pth", "tom"),
        Published("TOM/tom_final.pth", "tom-plus"),
    ),
    licence="MIT (code; the authors' data set is for research only)",
    source="sergeywong/cp-vton, minar09/cp-vton-plus: networks.py",
    aliases=("cp_vton", "cpvton", "gmm", "tom"),
)
