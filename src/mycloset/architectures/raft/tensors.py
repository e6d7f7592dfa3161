"""The tensors of a RAFT of given widths, and what two layouts call them."""

from __future__ import annotations

from typing import NamedTuple

from mycloset.architectures.blocks import batch_norm, conv, norm, put
from mycloset.architectures.family import Shape


class Names(NamedTuple):
    """What a layout calls its modules; `{}` stands for a number."""

    layout: str
    encoders: tuple[str, str]
    stem: tuple[str, str]
    conv: str
    norm: str
    out: str
    motion: str
    correlation: str
    flow: str
    joined: str
    mask: tuple[str, str]

    def gate(self, letter: str, number: int, of: int) -> str:
        """A gate's convolution in one of the recurrent cells."""
        if self.layout == "torchvision":
            return f"update_block.recurrent_block.convgru{number}.conv{letter}"
        return f"update_block.gru.conv{letter}{number if of > 1 else ''}"


ORIGINAL = Names(
    layout="original",
    encoders=("fnet", "cnet"),
    stem=("conv1", "norm1"),
    conv="conv{}",
    norm="norm{}",
    out="conv2",
    motion="update_block.encoder.",
    correlation="convc{}",
    flow="convf{}",
    joined="conv",
    mask=("update_block.mask.0", "update_block.mask.2"),
)
TORCHVISION = Names(
    layout="torchvision",
    encoders=("feature_encoder", "context_encoder"),
    stem=("convnormrelu.0", "convnormrelu.1"),
    conv="convnormrelu{}.0",
    norm="convnormrelu{}.1",
    out="conv",
    motion="update_block.motion_encoder.",
    correlation="convcorr{}.0",
    flow="convflow{}.0",
    joined="conv.0",
    mask=("mask_predictor.convrelu.0", "mask_predictor.conv"),
)


class Encoder(NamedTuple):
    """Stem, three layers of two blocks, and a last convolution."""

    inputs: int
    stem: int
    layers: tuple[int, ...]
    out: int
    norm: str


class Raft(NamedTuple):
    """A whole network, by the widths of its convolutions."""

    small: bool
    """Its blocks are bottlenecks, and it has one recurrent cell."""
    features: Encoder
    context: Encoder
    correlation: tuple[int, ...]
    """Values looked up, then widths of the convolutions on them."""
    flow: tuple[int, ...]
    motion: int
    hidden: int
    cells: tuple[tuple[int, int], ...]
    """Kernel of each recurrent cell."""
    head: int
    mask: tuple[int, int] | None


def tensors(raft: Raft, names: Names) -> tuple[dict[str, Shape], list[str]]:
    """Every tensor, and the keys of those that are there twice."""
    found: dict[str, Shape] = {}
    copies: list[str] = []
    for encoder, name in zip((raft.features, raft.context), names.encoders, strict=True):
        copies += _put_encoder(found, encoder, name, raft.small, names)
    motion = names.motion
    inp = raft.correlation[0]
    for number, out in enumerate(raft.correlation[1:], 1):
        found |= conv(
            f"{motion}{names.correlation.format(number)}", out, inp, 1 if number == 1 else 3
        )
        inp = out
    looked_up, inp = inp, 2
    for number, out in enumerate(raft.flow, 1):
        found |= conv(f"{motion}{names.flow.format(number)}", out, inp, 7 if number == 1 else 3)
        inp = out
    found |= conv(f"{motion}{names.joined}", raft.motion, looked_up + inp, 3)
    inp = raft.hidden + (raft.context.out - raft.hidden) + raft.motion + 2
    for number, kernel in enumerate(raft.cells, 1):
        for letter in "zrq":
            found |= conv(names.gate(letter, number, len(raft.cells)), raft.hidden, inp, kernel)
    found |= conv("update_block.flow_head.conv1", raft.head, raft.hidden, 3)
    found |= conv("update_block.flow_head.conv2", 2, raft.head, 3)
    if raft.mask is not None:
        hidden, outputs = raft.mask
        found |= conv(names.mask[0], hidden, raft.hidden, 3)
        found |= conv(names.mask[1], outputs, hidden)
    return found, copies


def _put_encoder(
    found: dict[str, Shape], encoder: Encoder, name: str, small: bool, names: Names
) -> list[str]:
    stem, behind = names.stem
    first = conv(f"{name}.{stem}", encoder.stem, encoder.inputs, 7)
    second = _norm(encoder.norm, f"{name}.{behind}", encoder.stem)
    # The original registers the stem's norm before its convolution.
    found |= second | first if names is ORIGINAL else first | second
    copies: list[str] = []
    inp = encoder.stem
    for layer, out in enumerate(encoder.layers, 1):
        for block in range(2):
            down = layer > 1 and block == 0
            place = f"{name}.layer{layer}.{block}."
            copies += _put_block(found, place, inp, out, down, small, encoder.norm, names)
            inp = out
    found |= conv(f"{name}.{names.out}", encoder.out, inp)
    return copies


def _put_block(
    found: dict[str, Shape],
    place: str,
    inp: int,
    out: int,
    down: bool,
    small: bool,
    kind: str,
    names: Names,
) -> list[str]:
    """A residual block; the keys under which the original has its last norm a second time."""
    quarter = out // 4
    steps = (
        [(quarter, inp, 1), (quarter, quarter, 3), (out, quarter, 1)]
        if small
        else [(out, inp, 3), (out, out, 3)]
    )
    convs = [
        conv(names.conv.format(number), step[0], step[1], step[2])
        for number, step in enumerate(steps, 1)
    ]
    norms = [
        _norm(kind, names.norm.format(number), step[0]) for number, step in enumerate(steps, 1)
    ]
    shortcut = _norm(kind, "downsample.1", out) if down else {}
    if names is TORCHVISION:
        for first, second in zip(convs, norms, strict=True):
            put(found, place, first)
            put(found, place, second)
        copy: dict[str, Shape] = {}
    else:
        copy = _norm(kind, names.norm.format(len(steps) + 1), out) if down else {}
        for block in (*convs, *norms, copy):
            put(found, place, block)
    if down:
        put(found, place, conv("downsample.0", out, inp))
        put(found, place, shortcut)
    return [place + key for key in copy]


def _norm(kind: str, name: str, channels: int) -> dict[str, Shape]:
    if kind == "batch":
        return batch_norm(name, channels)
    return norm(name, channels) if kind == "group" else {}
