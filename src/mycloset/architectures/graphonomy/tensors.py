"""The tensors of a Graphonomy network of given sizes.

Source: Gaoyiminggithub/Graphonomy, networks/deeplab_xception{,_transfer,_universal}.py, gcn.py.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

from mycloset.architectures.blocks import Block, batch_norm, conv, conv_batch_norm, put
from mycloset.architectures.family import Shape

XCEPTION = "xception_features."


class Xception(NamedTuple):
    """The backbone, by the channels that its modules give."""

    inputs: int
    stem: tuple[int, int]
    entry: tuple[int, int, int]
    middle: int
    """How many middle blocks."""
    leaving: int
    last: tuple[int, int, int]


class Graphs(NamedTuple):
    """Graphs over the labels; a class count of 0 says that a graph is not there."""

    hidden: int
    source: int
    middle: int
    """Classes of the third data set, of networks for three."""
    frugal: bool
    """Whether the way back to pixels has its parameters in two tensors, to save memory."""
    learned: bool
    """Whether the file has its own matrices from one label set to another."""


class Sizes(NamedTuple):
    """A whole network; `graphs` is None for DeepLabv3+ alone."""

    xception: Xception
    branches: int
    width: int
    joined: int
    low: int
    decoder: tuple[int, int]
    classes: int
    graphs: Graphs | None


def tensors(sizes: Sizes) -> dict[str, Shape]:
    """Every tensor in the order in which files have them, batch norms' counters included."""
    found: dict[str, Shape] = {}
    deep = _put_xception(found, sizes.xception)
    found |= conv("aspp1.atrous_convolution", sizes.width, deep, bias=False)
    found |= batch_norm("aspp1.bn", sizes.width)
    for number in range(2, sizes.branches + 1):
        put(found, f"aspp{number}.atrous_convolution.", _separable(deep, sizes.width))
    found |= conv_batch_norm("global_avg_pool.1", "global_avg_pool.2", sizes.width, deep)
    branches = (sizes.branches + 1) * sizes.width
    found |= conv_batch_norm(
        "concat_projection_conv1", "concat_projection_bn1", sizes.joined, branches
    )
    low = sizes.xception.entry[1]
    found |= conv_batch_norm("feature_projection_conv1", "feature_projection_bn1", sizes.low, low)
    first, second = sizes.decoder
    put(found, "decoder.0.atrous_convolution.", _separable(sizes.joined + sizes.low, first))
    put(found, "decoder.1.atrous_convolution.", _separable(first, second))
    found |= conv("semantic", sizes.classes, second)
    if sizes.graphs is None:
        return found
    if sizes.graphs.middle:
        _put_universal(found, sizes.graphs, sizes.classes, second)
    else:
        _put_transfer(found, sizes.graphs, sizes.classes, second)
    return found


def _put_transfer(found: dict[str, Shape], graphs: Graphs, classes: int, width: int) -> None:
    hidden = graphs.hidden
    _put_into_graph(found, "target", classes, width, hidden)
    _put_back(found, "target", width, graphs)
    if not graphs.source:
        return
    _put_into_graph(found, "source", graphs.source, width, hidden)
    found["transpose_graph.weight"] = (hidden, hidden)
    if graphs.learned:
        found["transpose_graph.adj"] = (classes, graphs.source)
    found["fc_graph.weight"] = (3 * hidden, hidden)


def _put_universal(found: dict[str, Shape], graphs: Graphs, classes: int, width: int) -> None:
    hidden = graphs.hidden
    sets = {"source": graphs.source, "target": classes, "middle": graphs.middle}
    _put_into_graph(found, "source", graphs.source, width, hidden)
    _put_back(found, "source", width, graphs)
    found |= conv("source_semantic", graphs.source, width)
    found |= conv("middle_semantic", graphs.middle, width)
    for name in ("target", "middle"):
        _put_into_graph(found, name, sets[name], width, hidden)
        _put_back(found, name, width, graphs)
    for begin, end in (
        ("source", "target"),
        ("target", "source"),
        ("middle", "source"),
        ("middle", "target"),
        ("source", "middle"),
        ("target", "middle"),
    ):
        place = f"transpose_graph_{begin}2{end}"
        found[f"{place}.weight"] = (hidden, hidden)
        if graphs.learned:
            # From the third set to the target's, the authors' matrix has the source's rows.
            rows = graphs.source if begin == "middle" else sets[end]
            found[f"{place}.adj"] = (rows, sets[begin])
    for name in sets:
        found[f"fc_graph_{name}.weight"] = (5 * hidden, hidden)


def _put_into_graph(
    found: dict[str, Shape], name: str, nodes: int, width: int, hidden: int
) -> None:
    found[f"{name}_featuremap_2_graph.pre_fea"] = (width, nodes)
    found[f"{name}_featuremap_2_graph.weight"] = (width, hidden)
    for number in (1, 2, 3):
        found[f"{name}_graph_conv{number}.weight"] = (hidden, hidden)


def _put_back(found: dict[str, Shape], name: str, width: int, graphs: Graphs) -> None:
    place = f"{name}_graph_2_fea."
    if graphs.frugal:
        found[f"{place}node_fea_for_res"] = (width, 1)
        found[f"{place}node_fea_for_hidden"] = (graphs.hidden, 1)
    else:
        found[f"{place}node_fea"] = (width + graphs.hidden, 1)
    found[f"{place}weight"] = (graphs.hidden, width)
    found |= conv(f"{name}_skip_conv.0", width, width)


def _put_xception(found: dict[str, Shape], net: Xception) -> int:
    """Add the backbone's tensors; the channels that come out."""
    first, second = net.stem
    found |= conv_batch_norm(f"{XCEPTION}conv1", f"{XCEPTION}bn1", first, net.inputs, 3)
    found |= conv_batch_norm(f"{XCEPTION}conv2", f"{XCEPTION}bn2", second, first, 3)
    inp = second
    for number, out in enumerate(net.entry, 1):
        widths = (inp, out, out) if number == 2 else (inp, out, out, out)
        put(found, f"{XCEPTION}block{number}.", _residual(number, widths))
        inp = out
    for number in range(4, 4 + net.middle):
        put(found, f"{XCEPTION}block{number}.", _middle(inp))
    leaving = _residual(0, (inp, inp, net.leaving, net.leaving))
    put(found, f"{XCEPTION}block{4 + net.middle}.", leaving)
    inp = net.leaving
    for number, out in zip((3, 4, 5), net.last, strict=True):
        put(found, f"{XCEPTION}conv{number}.", _separable(inp, out))
        inp = out
    return inp


@lru_cache(maxsize=64)
def _residual(number: int, widths: tuple[int, ...]) -> Block:
    """A block with a convolution in its shortcut; the first does not begin with a ReLU."""
    out = widths[-1]
    found = conv("skip", out, widths[0], bias=False) | batch_norm("skipbn", out)
    if number == 2:
        put(found, "block2_lastconv.1.", _separable(out, out))
    _put_row(found, widths, 0 if number == 1 else 1)
    return MappingProxyType(found)


@lru_cache(maxsize=64)
def _middle(width: int) -> Block:
    found: dict[str, Shape] = {}
    _put_row(found, (width,) * 4, 1)
    return MappingProxyType(found)


def _put_row(found: dict[str, Shape], widths: tuple[int, ...], place: int) -> None:
    for inp, out in pairwise(widths):
        put(found, f"rep.{place}.", _separable(inp, out))
        place += 2


@lru_cache(maxsize=64)
def _separable(inp: int, out: int) -> Block:
    return MappingProxyType(
        {
            **conv("depthwise", inp, inp, 3, bias=False, groups=inp),
            **batch_norm("depthwise_bn", inp),
            **conv("pointwise", out, inp, bias=False),
            **batch_norm("pointwise_bn", out),
        }
    )
