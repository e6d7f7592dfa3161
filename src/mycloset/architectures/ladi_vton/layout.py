"""What LaDI-VTON's warping file looks like: a TPS network and the U-Net that refines its result.

Source: miccunifi/ladi-vton@b127ad9, src/models/ConvNet_TPS.py and src/models/UNet.py. The published
file is a dict of two state dicts, `tps` and `refinement`.
"""

from __future__ import annotations

from collections.abc import Iterator

from mycloset.architectures.blocks import batch_norm, conv
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes
from mycloset.architectures.garment_networks import matching
from mycloset.architectures.garment_networks.matching import Matching
from mycloset.architectures.reading import extent, size

_REGRESSION = "loc_net.regression."
_PUBLISHED = matching.PUBLISHED._replace(person=3, cloth=21)
_HEIGHT, _WIDTH = 256, 192
_LEVELS = 8


def read(shapes: Shapes) -> Claim:
    """Say which network of LaDI-VTON a table is.

    Raises:
        NotThisError: it is none.
    """
    if "inc.double_conv.0.weight" in shapes or "outc.conv.weight" in shapes:
        return _read_refinement(shapes)
    net = matching.read(shapes, _REGRESSION)
    places = size(shapes, ("gridGen.target_coordinate_repr", 0), default=_HEIGHT * _WIDTH)
    return _tps(net, places)


def examples() -> Iterator[Claim]:
    """The two published networks."""
    yield _tps(_PUBLISHED, _HEIGHT * _WIDTH)
    yield _refinement(24, 3, (64, 128, 256, 512, 512), bilinear=True)


def _tps(net: Matching, places: int) -> Claim:
    points = net.theta // 2
    grids: dict[str, Shape] = {
        "gridGen.inverse_kernel": (points + 3, points + 3),
        "gridGen.padding_matrix": (3, 2),
        "gridGen.target_coordinate_repr": (places, points + 3),
    }
    return Claim(
        variant="tps",
        title="LaDI-VTON's TPS warping network",
        config={
            "input_nc": net.cloth,
            "n_layer": net.kernels.count(4) - 1,
            "grid_size": net.grid,
            "pixels": places,
            "height": _HEIGHT if places == _HEIGHT * _WIDTH else None,
            "width": _WIDTH if places == _HEIGHT * _WIDTH else None,
        },
        tensors=matching.tensors(net, _REGRESSION) | grids,
        # The grids are computed from the picture's size; some copies leave them out.
        optional=grids,
        buffers=frozenset(grids),
        evidence=(
            *matching.evidence(net),
            f"`gridGen.target_coordinate_repr` is {[places, points + 3]}: {places} pixels",
        ),
        undecidable=("VITON-HD or DressCode training",),
        task="geometric matching",
        steps=("geometric_matching", "cloth_warping"),
        input_channels=net.cloth,
        output_channels=net.theta,
    )


def _read_refinement(shapes: Shapes) -> Claim:
    downs = extent(
        shapes,
        "down{}.maxpool_conv.1.double_conv.0.weight",
        "down{}.maxpool_conv.1.double_conv.3.weight",
        start=1,
        limit=_LEVELS,
    )
    first = size(shapes, ("inc.double_conv.0.weight", 0), ("inc.double_conv.3.weight", 0))
    widths = [first] + [
        size(
            shapes,
            (f"down{level}.maxpool_conv.1.double_conv.3.weight", 0),
            (f"down{level}.maxpool_conv.1.double_conv.0.weight", 0),
        )
        for level in range(1, downs + 1)
    ]
    return _refinement(
        size(shapes, ("inc.double_conv.0.weight", 1)),
        size(shapes, ("outc.conv.weight", 0), ("outc.conv.bias", 0)),
        tuple(widths),
        bilinear="up1.up.weight" not in shapes,
    )


def _refinement(inputs: int, outputs: int, widths: tuple[int, ...], *, bilinear: bool) -> Claim:
    known = (inputs, outputs) == (24, 3)
    return Claim(
        variant="refinement" if known else "refinement-custom",
        title="LaDI-VTON's refinement U-Net" if known else "U-Net as LaDI-VTON's refinement",
        config={"n_channels": inputs, "n_classes": outputs, "bilinear": bilinear},
        tensors=unet_tensors(inputs, outputs, widths, bilinear=bilinear),
        evidence=(
            f"`inc.double_conv.0.weight` is {[widths[0], inputs, 3, 3]}"
            + (": warped garment 3, person 3, pose 18" if known else ""),
            f"`outc.conv.weight` gives {outputs} channels",
        ),
        undecidable=()
        if known
        else ("whose it is: many projects use this U-Net (milesial/Pytorch-UNet)",),
        task="cloth warping" if known else "segmentation or translation of pictures",
        steps=("cloth_warping",) if known else (),
        licence="CC BY-NC 4.0" if known else "",
        input_channels=inputs,
        output_channels=outputs,
        confidence=1.0 if known else 0.6,
    )


def unet_tensors(
    inputs: int, outputs: int, widths: tuple[int, ...], *, bilinear: bool
) -> dict[str, Shape]:
    """The U-Net of milesial/Pytorch-UNet: two convolutions a level."""
    found = _double("inc.double_conv", inputs, widths[0], widths[0])
    for level, width in enumerate(widths[1:], start=1):
        found |= _double(f"down{level}.maxpool_conv.1.double_conv", widths[level - 1], width, width)
    entering = widths[-1]
    last = len(widths) - 1
    for level in range(1, last + 1):
        skip = widths[last - level]
        if bilinear:
            middle = (entering + skip) // 2
            out = skip // 2 if level < last else skip
            found |= _double(f"up{level}.conv.double_conv", entering + skip, middle, out)
        else:
            out = skip
            found |= {
                f"up{level}.up.weight": (entering, entering // 2, 2, 2),
                f"up{level}.up.bias": (entering // 2,),
            }
            found |= _double(f"up{level}.conv.double_conv", entering // 2 + skip, out, out)
        entering = out
    return found | conv("outc.conv", outputs, entering, 1)


def _double(name: str, inputs: int, middle: int, out: int) -> dict[str, Shape]:
    return {
        **conv(f"{name}.0", middle, inputs, 3, bias=False),
        **batch_norm(f"{name}.1", middle),
        **conv(f"{name}.3", out, middle, 3, bias=False),
        **batch_norm(f"{name}.4", out),
    }


FAMILY = Family(
    name="ladi_vton",
    title="LaDI-VTON",
    task="virtual try-on",
    steps=("cloth_warping",),
    markers=(
        *matching.markers(_REGRESSION),
        ("inc.double_conv.0.weight", "down1.maxpool_conv.1.double_conv.0.weight"),
        ("outc.conv.weight", "up1.conv.double_conv.0.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("warping_vitonhd.pth", "tps"),
        Published("warping_dresscode.pth", "tps"),
        Published("warping_vitonhd.pth", "refinement"),
        Published("warping_dresscode.pth", "refinement"),
    ),
    licence="CC BY-NC 4.0",
    source="miccunifi/ladi-vton, src/models",
    aliases=("tps", "ladi_vton", "ladi"),
)
