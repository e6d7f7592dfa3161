"""What RAFT files look like: the large and the small network, under two layouts' names."""

from __future__ import annotations

import math
from collections.abc import Iterator

from mycloset.architectures.family import Claim, Family, Published, Shapes, require
from mycloset.architectures.raft.tensors import (
    ORIGINAL,
    TORCHVISION,
    Encoder,
    Names,
    Raft,
    tensors,
)
from mycloset.architectures.reading import extent, size


def read(shapes: Shapes) -> Claim:
    """What a RAFT table is.

    Raises:
        NotThisError: it lacks the encoders or the recurrent cell, or is one of RAFT's successors.
    """
    require(
        "att.to_qk.weight" not in shapes and "update_block.aggregator.gamma" not in shapes,
        "`att.to_qk.weight` is there: GMA",
    )
    torchvision = any(key.startswith("feature_encoder.") for key in shapes)
    names = TORCHVISION if torchvision else ORIGINAL
    return _claim(_read(shapes, names), names)


def examples() -> Iterator[Claim]:
    """The published networks in both layouts."""
    large = Raft(
        small=False,
        features=Encoder(3, 64, (64, 96, 128), 256, "instance"),
        context=Encoder(3, 64, (64, 96, 128), 256, "batch"),
        correlation=(324, 256, 192),
        flow=(128, 64),
        motion=126,
        hidden=128,
        cells=((1, 5), (5, 1)),
        head=256,
        mask=(256, 576),
    )
    small = Raft(
        small=True,
        features=Encoder(3, 32, (32, 64, 96), 128, "instance"),
        context=Encoder(3, 32, (32, 64, 96), 160, "none"),
        correlation=(196, 96),
        flow=(64, 32),
        motion=80,
        hidden=96,
        cells=((3, 3),),
        head=128,
        mask=None,
    )
    for names in (ORIGINAL, TORCHVISION):
        yield _claim(large, names)
        yield _claim(small, names)


def _read(shapes: Shapes, names: Names) -> Raft:
    motion = names.motion
    third = names.conv.format(3)
    small = any(f"{encoder}.layer1.0.{third}.weight" in shapes for encoder in names.encoders)
    gate = names.gate("z", 1, 1 if small else 2)
    cells = 1 if small else 2
    if names is TORCHVISION:
        cells = extent(
            shapes,
            *(f"update_block.recurrent_block.convgru{{}}.conv{x}.weight" for x in "zq"),
            start=1,
        )
    lookups = extent(
        shapes, f"{motion}{names.correlation}.weight", f"{motion}{names.correlation}.bias", start=1
    )
    flows = extent(shapes, f"{motion}{names.flow}.weight", f"{motion}{names.flow}.bias", start=1)
    first, last = names.mask
    head = "update_block.flow_head.conv"
    return Raft(
        small=small,
        features=_read_encoder(shapes, names, names.encoders[0], small, bare="instance"),
        context=_read_encoder(shapes, names, names.encoders[1], small, bare="none"),
        correlation=(
            size(
                shapes,
                (f"{motion}{names.correlation.format(1)}.weight", 1),
                default=196 if small else 324,
            ),
            *_outputs(shapes, motion + names.correlation, lookups),
        ),
        flow=_outputs(shapes, motion + names.flow, flows),
        motion=_output(shapes, motion + names.joined),
        hidden=size(shapes, (f"{gate}.weight", 0), (f"{gate}.bias", 0), (f"{head}1.weight", 1)),
        cells=tuple(_kernel(shapes, names, number, cells) for number in range(1, cells + 1)),
        head=_output(shapes, f"{head}1"),
        mask=(_output(shapes, first), _output(shapes, last))
        if f"{first}.weight" in shapes or f"{last}.weight" in shapes
        else None,
    )


def _kernel(shapes: Shapes, names: Names, number: int, cells: int) -> tuple[int, int]:
    """Height and width of a recurrent cell's convolutions."""
    gates = [f"{names.gate(letter, number, cells)}.weight" for letter in "zrq"]
    return (
        size(shapes, *((gate, 2) for gate in gates)),
        size(shapes, *((gate, 3) for gate in gates)),
    )


def _read_encoder(shapes: Shapes, names: Names, encoder: str, small: bool, *, bare: str) -> Encoder:
    stem, behind = names.stem
    block_norm = f"{encoder}.layer1.0.{names.norm.format(1)}"
    kind = bare
    if any(f"{key}.weight" in shapes for key in (f"{encoder}.{behind}", block_norm)):
        running = (f"{encoder}.{behind}.running_mean", f"{block_norm}.running_mean")
        kind = "batch" if any(key in shapes for key in running) else "group"
    last = names.conv.format(3 if small else 2)
    return Encoder(
        inputs=size(shapes, (f"{encoder}.{stem}.weight", 1), default=3),
        stem=_output(shapes, f"{encoder}.{stem}"),
        layers=tuple(
            size(
                shapes,
                (f"{encoder}.layer{layer}.0.{last}.weight", 0),
                (f"{encoder}.layer{layer}.1.{last}.weight", 0),
            )
            for layer in (1, 2, 3)
        ),
        out=_output(shapes, f"{encoder}.{names.out}"),
        norm=kind,
    )


def _output(shapes: Shapes, name: str) -> int:
    return size(shapes, (f"{name}.weight", 0), (f"{name}.bias", 0))


def _outputs(shapes: Shapes, pattern: str, number: int) -> tuple[int, ...]:
    return tuple(_output(shapes, pattern.format(step)) for step in range(1, number + 1))


def _claim(raft: Raft, names: Names) -> Claim:
    variant = "small" if raft.small else "large"
    planes = raft.correlation[0]
    levels, radius = _lookup(planes, 3 if raft.small else 4)
    context = raft.context.out - raft.hidden
    found, copies = tensors(raft, names)
    undecidable = ["what it was trained on: Chairs, Things, Sintel and KITTI have the same tensors"]
    if levels * (2 * radius + 1) ** 2 == planes and _ambiguous(planes):
        undecidable.append(f"how its {planes} correlations divide into levels and window")
    if raft.features.norm == "instance":
        undecidable.append("whether the feature encoder has instance norms without weights or none")
    return Claim(
        variant=variant,
        title=f"RAFT, {variant}",
        config={
            "small": raft.small,
            "hidden_dim": raft.hidden,
            "context_dim": context,
            "corr_levels": levels,
            "corr_radius": radius,
            "fnet_dim": raft.features.out,
            "fnet_norm": raft.features.norm,
            "cnet_norm": raft.context.norm,
            "encoder_layers": [raft.features.stem, *raft.features.layers],
            "context_layers": [raft.context.stem, *raft.context.layers],
            "corr_widths": list(raft.correlation[1:]),
            "flow_widths": list(raft.flow),
            "motion_dim": raft.motion,
            "gru_kernels": [list(kernel) for kernel in raft.cells],
            "flow_head_dim": raft.head,
            "mask_dim": raft.mask[0] if raft.mask else 0,
        },
        tensors=found,
        layout=names.layout,
        optional={key: found[key] for key in copies},
        buffers=frozenset(copies),
        evidence=(
            f"`{names.motion}{names.correlation.format(1)}.weight` takes {planes} channels:"
            f" {levels} levels, radius {radius}",
            f"`{names.gate('z', 1, len(raft.cells))}.weight` gives {raft.hidden}: the hidden state",
            "a mask that upsamples the flow" if raft.mask else "no mask that upsamples the flow",
        ),
        undecidable=tuple(undecidable),
        input_channels=raft.features.inputs,
        output_channels=2,
    )


def _lookup(planes: int, radius: int) -> tuple[int, int]:
    """Levels and radius with levels x (2 radius + 1)^2 correlations; the published ones first."""
    for levels in (4, *range(1, 9)):
        window = math.isqrt(planes // levels)
        if levels * window * window == planes and window % 2:
            return levels, window // 2
    return 4, radius


def _ambiguous(planes: int) -> bool:
    found = 0
    for levels in range(1, 9):
        window = math.isqrt(planes // levels)
        found += levels * window * window == planes and window % 2 == 1 and window > 1
    return found > 1


FAMILY = Family(
    name="raft",
    title="RAFT",
    task="optical flow",
    steps=("geometric_matching",),
    markers=(
        ("fnet.conv1.weight", "update_block.flow_head.conv2.weight"),
        ("cnet.conv1.weight", "update_block.encoder.convc1.weight"),
        ("feature_encoder.convnormrelu.0.weight", "update_block.flow_head.conv2.weight"),
        ("context_encoder.conv.weight", "update_block.motion_encoder.convcorr1.0.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        *(
            Published(f"raft-{name}.pth", "large")
            for name in ("things", "sintel", "kitti", "chairs")
        ),
        Published("raft-small.pth", "small"),
        Published("raft_large_*.pth", "large"),
        Published("raft_small_*.pth", "small"),
    ),
    licence="BSD-3-Clause",
    source="princeton-vl/RAFT, core/{raft,extractor,update}.py; torchvision, optical_flow/raft.py",
    aliases=("raft",),
)
