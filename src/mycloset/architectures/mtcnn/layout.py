"""What MTCNN files look like: facenet-pytorch's three networks, each alone or all in one file."""

from __future__ import annotations

from collections.abc import Iterator

from mycloset.architectures.blocks import conv, linear, put
from mycloset.architectures.family import Claim, Family, NotThisError, Published, Shape, Shapes

CONVOLUTIONS = {
    "PNet": ((10, 3, 3), (16, 10, 3), (32, 16, 3)),
    "RNet": ((28, 3, 3), (48, 28, 3), (64, 48, 2)),
    "ONet": ((32, 3, 3), (64, 32, 3), (64, 64, 3), (128, 64, 2)),
}
"""Outputs, inputs and kernel of each stage's convolutions; a PReLU follows each."""

DENSE = {"RNet": ("4", 128, 576), "ONet": ("5", 256, 1152)}
"""Number, outputs and inputs of the layer behind the convolutions."""

HEADS = {
    "PNet": (("conv4_1", 2), ("conv4_2", 4)),
    "RNet": (("dense5_1", 2), ("dense5_2", 4)),
    "ONet": (("dense6_1", 2), ("dense6_2", 4), ("dense6_3", 10)),
}
"""What each stage gives: whether it is a face, how to move the box, five points."""

_PURPOSE = {
    "PNet": "proposes faces",
    "RNet": "refines boxes",
    "ONet": "gives boxes and five points",
}


def read(shapes: Shapes) -> Claim:
    """What an MTCNN table is.

    Raises:
        NotThisError: the heads of none of the three networks are there.
    """
    if any(key.startswith(("pnet.", "rnet.", "onet.")) for key in shapes):
        return _whole()
    for stage, heads in HEADS.items():
        if all(f"{name}.weight" in shapes or f"{name}.bias" in shapes for name, _ in heads):
            return _claim(stage)
    raise NotThisError("no `conv4_2.weight`, `dense5_2.weight` or `dense6_3.weight`")


def examples() -> Iterator[Claim]:
    """The three networks, and all in one."""
    for stage in HEADS:
        yield _claim(stage)
    yield _whole()


def _claim(stage: str) -> Claim:
    heads = HEADS[stage]
    return Claim(
        variant=stage.lower(),
        title=f"MTCNN {stage}, {_PURPOSE[stage]}",
        config={"stage": stage},
        tensors=_tensors(stage),
        layout="facenet-pytorch",
        evidence=(
            f"outputs `{'`, `'.join(name for name, _ in heads)}`"
            f" of {', '.join(str(out) for _, out in heads)}: {stage}",
        ),
        input_channels=3,
        output_channels=sum(out for _, out in heads),
    )


def _whole() -> Claim:
    tensors: dict[str, Shape] = {}
    for stage in HEADS:
        put(tensors, f"{stage.lower()}.", _tensors(stage))
    return Claim(
        variant="mtcnn",
        title="MTCNN, all three networks",
        config={"stages": list(HEADS)},
        tensors=tensors,
        layout="facenet-pytorch",
        evidence=("`pnet.`, `rnet.` and `onet.` lie in one file",),
        input_channels=3,
        parts=("pnet.", "rnet.", "onet."),
    )


def _tensors(stage: str) -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    width = 0
    for number, (out, inp, kernel) in enumerate(CONVOLUTIONS[stage], 1):
        found |= conv(f"conv{number}", out, inp, kernel) | {f"prelu{number}.weight": (out,)}
        width = out
    if stage in DENSE:
        place, width, inp = DENSE[stage]
        found |= linear(f"dense{place}", width, inp) | {f"prelu{place}.weight": (width,)}
    for name, out in HEADS[stage]:
        found |= conv(name, out, width) if stage == "PNet" else linear(name, out, width)
    return found


FAMILY = Family(
    name="mtcnn",
    title="MTCNN",
    task="face detection",
    steps=(),
    markers=(
        ("conv1.weight", "prelu3.weight", "conv4_1.weight"),
        ("prelu1.weight", "conv4_2.weight"),
        ("conv1.weight", "prelu4.weight", "dense5_1.weight"),
        ("prelu1.weight", "dense4.weight", "dense5_2.weight"),
        ("conv1.weight", "prelu5.weight", "dense6_1.weight"),
        ("prelu1.weight", "dense5.weight", "dense6_3.weight"),
        ("pnet.conv4_1.weight", "rnet.dense5_1.weight", "onet.dense6_1.weight"),
        ("pnet.conv1.weight", "rnet.dense5_2.weight", "onet.dense6_3.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("pnet.pt", "pnet"),
        Published("rnet.pt", "rnet"),
        Published("onet.pt", "onet"),
    ),
    licence="MIT",
    source="timesler/facenet-pytorch, models/mtcnn.py",
    aliases=("mtcnn", "pnet", "rnet", "onet"),
)
