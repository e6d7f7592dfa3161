"""What files of DPT look like: MiDaS' depth networks and DPT's segmentation networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mycloset.architectures.dpt.sizes import MODEL, STEM, Sizes, Stage, read_sizes
from mycloset.architectures.dpt.tensors import tensors
from mycloset.architectures.family import Claim, Family, Published, Shapes

_STAGES = (Stage(3, 64, 256), Stage(4, 128, 512), Stage(9, 256, 1024))
_LARGE = Sizes(1024, 24, 4096, (256, 512, 1024, 1024))
_BASE = Sizes(768, 12, 3072, (96, 192, 384, 768))
_HYBRID = Sizes(
    768, 12, 3072, (256, 512, 768, 768), kernel=1, stem=64, stages=_STAGES, reassembled=(3, 4)
)


def read(shapes: Shapes) -> Claim:
    """The network that a table holds.

    Raises:
        NotThisError: it holds none.
    """
    return _claim(read_sizes(shapes))


def examples() -> Iterator[Claim]:
    """The published networks."""
    yield _claim(_LARGE)
    yield _claim(_HYBRID)
    yield _claim(_BASE)


def _claim(sizes: Sizes) -> Claim:
    depth = sizes.head == "depth"
    kind = _kind(sizes)
    what = "" if depth else f", {sizes.outputs} classes"
    grid = "x".join(map(str, sizes.taken))
    evidence = [
        f"`{MODEL}.cls_token` has {sizes.width} features; {sizes.depth} blocks lie under"
        f" `{MODEL}.blocks`",
        f"`scratch.layer1_rn` to `scratch.layer4_rn` take {grid} features",
        f"`scratch.output_conv.4.weight` gives {sizes.outputs} channel"
        f"{'' if sizes.outputs == 1 else 's'}",
    ]
    if sizes.stages:
        evidence.append(f"a ResNet of {_blocks(sizes)} blocks lies under `{STEM}`")
    undecidable = [
        "the number of heads of its transformer (taken for width / 64)",
        "from which of its blocks features are taken",
    ]
    if depth:
        undecidable.append("for which data it was trained (MiDaS, KITTI or NYU)")
    return Claim(
        variant=f"dpt_{kind}_{sizes.image}" if depth else f"dpt_{kind}_classes",
        title=f"MiDaS DPT-{kind.capitalize()}{what}" if depth else f"DPT-{kind.capitalize()}{what}",
        config=_config(sizes),
        tensors=tensors(sizes),
        evidence=tuple(evidence),
        undecidable=tuple(undecidable),
        task=None if depth else "semantic segmentation",
        input_channels=sizes.channels,
        output_channels=sizes.outputs,
    )


def _kind(sizes: Sizes) -> str:
    if sizes.stages:
        usual = sizes.width == 768 and sizes.stages == _STAGES
        return "hybrid" if usual else f"hybrid-{sizes.width}x{sizes.depth}"
    return {(1024, 24): "large", (768, 12): "base"}.get(
        (sizes.width, sizes.depth), f"{sizes.width}x{sizes.depth}"
    )


def _blocks(sizes: Sizes) -> str:
    return ", ".join(str(stage.blocks) for stage in sizes.stages)


def _config(sizes: Sizes) -> dict[str, Any]:
    """Arguments of MiDaS' constructor, and the sizes that its names of backbones stand for."""
    quarter = max(1, sizes.depth // 4)
    hooks: list[int | str] = [min(sizes.depth, n * quarter) - 1 for n in range(1, 5)]
    backbone = {1024: "vitl", 768: "vitb"}.get(sizes.width, f"vit{sizes.width}x{sizes.depth}_")
    if sizes.stages:
        # The first two of a hybrid are stages of the ResNet.
        hooks = [f"patch_embed.backbone.stages.{stage}" for stage in (0, 1)]
        hooks += [f"blocks.{3 * quarter - 1}", f"blocks.{sizes.depth - 1}"]
        backbone += "_rn50"
    else:
        backbone += str(sizes.patch)
    config: dict[str, Any] = {
        "backbone": f"{backbone}_{sizes.image}",
        "embed_dim": sizes.width,
        "depth": sizes.depth,
        "num_heads": max(1, sizes.width // 64),
        "mlp_dim": sizes.hidden,
        "patch": sizes.patch,
        "image_size": sizes.image,
        "stages": [stage.blocks for stage in sizes.stages],
        "hooks": hooks,
        "features": sizes.features,
        "readout": "project" if sizes.readout else "ignore",
        "scratch_in": list(sizes.taken),
        "use_bn": sizes.normed,
    }
    if sizes.head == "depth":
        return config | {"non_negative": True}
    return config | {"num_classes": sizes.outputs}


FAMILY = Family(
    name="dpt",
    title="DPT",
    task="depth estimation",
    steps=(),
    markers=(
        (f"{MODEL}.cls_token", "scratch.layer1_rn.weight", "scratch.output_conv.4.weight"),
        (f"{MODEL}.pos_embed", "scratch.refinenet1.out_conv.weight", "scratch.layer4_rn.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("dpt_large_384.pt", "dpt_large_384"),
        Published("dpt_large-midas-2f21e586.pt", "dpt_large_384"),
        *(
            Published(
                name,
                "dpt_hybrid_384",
                "501f0c75b3bca7daec6b3682c5054c09b366765aef6fa3a09d03a5cb4b230853",
            )
            for name in ("dpt_hybrid_384.pt", "dpt_hybrid-midas-501f0c75.pt")
        ),
        Published("dpt_hybrid_midas*", "dpt_hybrid_384"),
    ),
    licence="MIT",
    source="isl-org/MiDaS and isl-org/DPT, dpt/models.py",
    aliases=("dpt", "midas"),
)
