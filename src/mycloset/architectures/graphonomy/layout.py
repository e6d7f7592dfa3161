"""What Graphonomy files look like: for one, two or three sets of labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mycloset.architectures.family import Claim, Family, Published, Shapes, require
from mycloset.architectures.graphonomy.tensors import XCEPTION, Graphs, Sizes, Xception, tensors
from mycloset.architectures.reading import extent, numbered, size

_SETS = {20: "CIHP", 18: "ATR", 7: "Pascal-Person-Part"}
_MOST_BRANCHES = 16

_XCEPTION = Xception(3, (32, 64), (128, 256, 728), 16, 1024, (1536, 1536, 2048))


def read(shapes: Shapes) -> Claim:
    """What a Graphonomy table is.

    Raises:
        NotThisError: it is none.
    """
    branches = extent(
        shapes,
        "aspp{}.atrous_convolution.weight",
        "aspp{}.atrous_convolution.depthwise.weight",
        "aspp{}.atrous_convolution.pointwise.weight",
        "aspp{}.bn.weight",
        start=1,
        limit=_MOST_BRANCHES,
    )
    require(branches > 0, "no `aspp1.atrous_convolution.weight`")
    first, second = (f"decoder.{number}.atrous_convolution." for number in (0, 1))
    joined, low = "concat_projection_", "feature_projection_"
    return _claim(
        Sizes(
            xception=_read_xception(shapes),
            branches=branches,
            width=size(shapes, ("aspp1.atrous_convolution.weight", 0), ("aspp1.bn.weight", 0)),
            joined=size(shapes, (f"{joined}conv1.weight", 0), (f"{joined}bn1.weight", 0)),
            low=size(shapes, (f"{low}conv1.weight", 0), (f"{low}bn1.weight", 0)),
            decoder=(_separable_out(shapes, first), _separable_out(shapes, second)),
            classes=size(shapes, ("semantic.weight", 0), ("semantic.bias", 0)),
            graphs=_read_graphs(shapes),
        )
    )


def examples() -> Iterator[Claim]:
    """The published networks."""
    yield _claim(_sizes(20, Graphs(128, 7, 0, frugal=True, learned=True)))
    yield _claim(_sizes(7, Graphs(128, 20, 0, frugal=False, learned=True)))
    yield _claim(_sizes(20, Graphs(128, 7, 18, frugal=True, learned=True)))


def _sizes(classes: int, graphs: Graphs | None) -> Sizes:
    return Sizes(_XCEPTION, 4, 256, 256, 48, (256, 256), classes, graphs)


def _read_xception(shapes: Shapes) -> Xception:
    last = numbered(shapes, f"{XCEPTION}block") - 1
    require(last > 3, f"{max(last, 0)} blocks below `{XCEPTION}`")
    lead = XCEPTION
    return Xception(
        inputs=size(shapes, (f"{lead}conv1.weight", 1), default=3),
        stem=(
            size(shapes, (f"{lead}conv1.weight", 0), (f"{lead}bn1.weight", 0)),
            size(shapes, (f"{lead}conv2.weight", 0), (f"{lead}bn2.weight", 0)),
        ),
        entry=(_block_out(shapes, 1), _block_out(shapes, 2), _block_out(shapes, 3)),
        middle=last - 4,
        leaving=_block_out(shapes, last),
        last=(
            _separable_out(shapes, f"{lead}conv3."),
            _separable_out(shapes, f"{lead}conv4."),
            _separable_out(shapes, f"{lead}conv5."),
        ),
    )


def _block_out(shapes: Shapes, number: int) -> int:
    block = f"{XCEPTION}block{number}."
    return size(shapes, (f"{block}skip.weight", 0), (f"{block}skipbn.weight", 0))


def _separable_out(shapes: Shapes, lead: str) -> int:
    return size(shapes, (f"{lead}pointwise.weight", 0), (f"{lead}pointwise_bn.weight", 0))


def _read_graphs(shapes: Shapes) -> Graphs | None:
    into = "_featuremap_2_graph"
    if not any(f"target{into}.{part}" in shapes for part in ("pre_fea", "weight")):
        return None
    source = middle = 0
    if any(f"source{into}.{part}" in shapes for part in ("pre_fea", "weight")):
        source = size(
            shapes,
            (f"source{into}.pre_fea", 1),
            ("source_semantic.weight", 0),
            ("transpose_graph.adj", 1),
            default=7,
        )
    if "middle_semantic.weight" in shapes or f"middle{into}.pre_fea" in shapes:
        middle = size(shapes, ("middle_semantic.weight", 0), (f"middle{into}.pre_fea", 1))
        require(source > 0, f"no `source{into}.pre_fea`")
    return Graphs(
        hidden=size(shapes, (f"target{into}.weight", 1), ("target_graph_conv1.weight", 0)),
        source=source,
        middle=middle,
        frugal="target_graph_2_fea.node_fea" not in shapes,
        learned=any(
            f"transpose_graph{way}.adj" in shapes
            for way in ("", "_source2target", "_target2source", "_middle2source")
        ),
    )


def _claim(sizes: Sizes) -> Claim:
    graphs = sizes.graphs
    net = sizes.xception
    config: dict[str, Any] = {
        "n_classes": sizes.classes,
        "source_classes": graphs.source or None if graphs else None,
        "middle_classes": graphs.middle or None if graphs else None,
        "hidden_layers": graphs.hidden if graphs else None,
        "saves_memory": graphs.frugal if graphs else None,
        "learned_transfer": graphs.learned if graphs else None,
        "input_channels": net.inputs,
        "xception": {
            "stem": list(net.stem),
            "entry": list(net.entry),
            "middle_blocks": net.middle,
            "exit": [net.leaving, *net.last],
        },
        "aspp_branches": sizes.branches,
        "aspp_channels": sizes.width,
        "projection_channels": [sizes.joined, sizes.low],
        "decoder_channels": list(sizes.decoder),
    }
    undecidable = ["the dilations of its pyramid (1, 6, 12, 18 as published)"]
    if graphs is not None:
        undecidable.insert(
            0, "how its labels hang together: the matrices of its graphs are not in the file"
        )
    return Claim(
        variant=_variant(sizes),
        title=_title(sizes),
        config=config,
        tensors=tensors(sizes),
        evidence=_evidence(sizes),
        undecidable=tuple(undecidable),
        task=None if graphs else "semantic segmentation",
        input_channels=net.inputs,
        output_channels=sizes.classes,
    )


def _variant(sizes: Sizes) -> str:
    graphs = sizes.graphs
    if graphs is None:
        return "deeplab"
    if graphs.middle:
        return "universal"
    if not graphs.source:
        return "base"
    return {(20, 7): "transfer", (7, 20): "pascal"}.get((sizes.classes, graphs.source), "custom")


def _title(sizes: Sizes) -> str:
    graphs = sizes.graphs
    classes = f"{sizes.classes} classes"
    if graphs is None:
        return f"Graphonomy's DeepLabv3+ without graphs, {classes}"
    data = _SETS.get(sizes.classes, "")
    if graphs.middle:
        return (
            f"Graphonomy, universal, {sizes.classes}, {graphs.source} and {graphs.middle} classes"
        )
    if not graphs.source:
        return f"Graphonomy without transfer, {classes}"
    return f"Graphonomy, {classes}{f' ({data})' if data else ''}, from {graphs.source}"


def _evidence(sizes: Sizes) -> tuple[str, ...]:
    graphs = sizes.graphs
    width = sizes.decoder[1]
    told = [f"`semantic.weight` is {[sizes.classes, width, 1, 1]}: {sizes.classes} classes"]
    if graphs is None:
        told.append("no `target_featuremap_2_graph.pre_fea`: no graph over its labels")
    elif graphs.middle:
        told.append(f"`middle_semantic.weight` is {[graphs.middle, width, 1, 1]}: three label sets")
    elif graphs.source:
        told.append(
            f"`source_featuremap_2_graph.pre_fea` is {[width, graphs.source]}:"
            f" knowledge comes from {graphs.source} classes"
        )
    told.append(f"{sizes.xception.middle} middle blocks below `{XCEPTION}`: an aligned Xception")
    return tuple(told)


FAMILY = Family(
    name="graphonomy",
    title="Graphonomy",
    task="human parsing",
    steps=("human_parsing",),
    markers=(
        ("xception_features.conv1.weight", "target_featuremap_2_graph.pre_fea"),
        ("xception_features.block20.skip.weight", "concat_projection_conv1.weight"),
        ("concat_projection_conv1.weight", "target_graph_conv1.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("inference.pth", "transfer"),
        Published("CIHP_trained.pth", "transfer"),
        Published("universal_trained.pth", "universal"),
    ),
    licence="MIT",
    source="Gaoyiminggithub/Graphonomy@09e5dd4, networks/deeplab_xception{,_transfer}.py, gcn.py",
    aliases=("graphonomy",),
)
