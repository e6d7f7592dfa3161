"""What SegFormer files look like: B0 to B5 and others, for pixels, for pictures, or headless."""

from __future__ import annotations

from collections.abc import Iterator

from mycloset.architectures.family import Claim, Family, Published, Shapes, require
from mycloset.architectures.reading import extent, ratio, size
from mycloset.architectures.segformer.tensors import NEWER, OLDER, Names, Sizes, Stage, tensors

_MOST_STAGES = 8
_MOST_BLOCKS = 128

_NARROW = (32, 64, 160, 256)
_WIDE = (64, 128, 320, 512)
_PUBLISHED = {
    "b0": (_NARROW, (2, 2, 2, 2), 256),
    "b1": (_WIDE, (2, 2, 2, 2), 256),
    "b2": (_WIDE, (3, 4, 6, 3), 768),
    "b3": (_WIDE, (3, 4, 18, 3), 768),
    "b4": (_WIDE, (3, 8, 27, 3), 768),
    "b5": (_WIDE, (3, 6, 40, 3), 768),
}
"""Name -> widths, depths and channels of the decoder."""

_SETS = {150: "ADE20K", 19: "Cityscapes"}
_NVIDIA = "NVIDIA Source Code License for SegFormer (non-commercial)"


def read(shapes: Shapes) -> Claim:
    """What a SegFormer table is.

    Raises:
        NotThisError: it is none.
    """
    names, lead = _layout(shapes)
    stages = extent(
        shapes,
        f"{lead}{names.patches}.proj.weight",
        f"{lead}{names.patches}.layer_norm.weight",
        limit=_MOST_STAGES,
    )
    require(stages > 0, f"no `{lead}{names.patches.format(0)}.proj.weight`")
    fuse, last = "decode_head.linear_fuse.weight", "decode_head.classifier"
    decoder = classes = 0
    classifier = False
    if any(key in shapes for key in (fuse, "decode_head.batch_norm.weight", f"{last}.weight")):
        decoder = size(shapes, (fuse, 0), ("decode_head.batch_norm.weight", 0))
        classes = size(shapes, (f"{last}.weight", 0), (f"{last}.bias", 0))
    elif "classifier.weight" in shapes or "classifier.bias" in shapes:
        classifier = True
        classes = size(shapes, ("classifier.weight", 0), ("classifier.bias", 0))
    first = f"{lead}{names.patches.format(0)}.proj.weight"
    return _claim(
        Sizes(
            inputs=size(shapes, (first, 1), default=3),
            stages=tuple(_read_stage(shapes, names, lead, number) for number in range(stages)),
            decoder=decoder,
            classes=classes,
            classifier=classifier,
        ),
        names,
        lead,
    )


def examples() -> Iterator[Claim]:
    """The published networks, in the layout of their files."""
    yield _claim(_sizes("b2", 18), NEWER, "segformer.")
    yield _claim(_sizes("b2", 18), OLDER, "segformer.")
    yield _claim(_sizes("b4", 18), OLDER, "segformer.")
    yield _claim(_sizes("b3", 18), OLDER, "segformer.")
    for name in _PUBLISHED:
        yield _claim(_sizes(name, 150), OLDER, "segformer.")
        yield _claim(_sizes(name, 1000, classifier=True), OLDER, "segformer.")


def _sizes(name: str, classes: int, *, classifier: bool = False) -> Sizes:
    widths, depths, decoder = _PUBLISHED[name]
    stages = tuple(
        Stage(blocks, width, patch, 4 * width, reduction)
        for blocks, width, patch, reduction in zip(
            depths, widths, (7, 3, 3, 3), (8, 4, 2, 1), strict=True
        )
    )
    return Sizes(3, stages, 0 if classifier else decoder, classes, classifier)


def _layout(shapes: Shapes) -> tuple[Names, str]:
    for names in (OLDER, NEWER):
        for lead in ("segformer.", ""):
            start = lead + names.patches
            for number in (0, 1):
                if f"{start.format(number)}.proj.weight" in shapes:
                    return names, lead
    require("decode_head.linear_fuse.weight" in shapes, "no patch embeddings")
    return (OLDER if "segformer.encoder.layer_norm.0.weight" in shapes else NEWER), "segformer."


def _read_stage(shapes: Shapes, names: Names, lead: str, number: int) -> Stage:
    patches = f"{lead}{names.patches.format(number)}."
    query, key = names.projections[:2]
    block = lead + names.block.format(number, "{}")
    blocks = extent(shapes, f"{block}{query}.weight", f"{block}{key}.weight", limit=_MOST_BLOCKS)
    require(0 < blocks < _MOST_BLOCKS, f"{blocks} blocks at `{block.format(0)}`")
    first = block.format(0)
    reducing = f"{first}{names.reducing[0]}.weight"
    reduction = 1
    if reducing in shapes or f"{first}{names.reducing[1]}.weight" in shapes:
        second = block.format(1) + names.reducing[0] + ".weight"
        reduction = size(shapes, (reducing, 2), (second, 2), default=1 << max(0, 3 - number))
        require(reduction > 1, f"`{reducing}` reduces nothing")
    return Stage(
        blocks=blocks,
        width=size(
            shapes,
            (f"{patches}proj.weight", 0),
            (f"{patches}layer_norm.weight", 0),
        ),
        patch=size(shapes, (f"{patches}proj.weight", 2), default=7 if number == 0 else 3),
        hidden=size(
            shapes,
            (f"{first}{names.feed[0]}.weight", 0),
            (f"{first}mlp.dwconv.dwconv.weight", 0),
        ),
        reduction=reduction,
    )


def _claim(sizes: Sizes, names: Names, lead: str) -> Claim:
    name = _name(sizes)
    widths = [stage.width for stage in sizes.stages]
    depths = [stage.blocks for stage in sizes.stages]
    fashn = name == "b4" and sizes.classes == 18 and not sizes.classifier
    clothes = name in ("b2", "b3") and sizes.classes == 18 and not sizes.classifier
    called = f"SegFormer-{name.upper()}" if name else "SegFormer of other sizes"
    first = names.block.format(0, 0)
    return Claim(
        variant=_variant(sizes, name),
        title=f"{called}, {_what(sizes, fashn=fashn, clothes=clothes)}",
        config={
            "num_channels": sizes.inputs,
            "num_encoder_blocks": len(sizes.stages),
            "depths": depths,
            "hidden_sizes": widths,
            "patch_sizes": [stage.patch for stage in sizes.stages],
            "mlp_ratios": [ratio(stage.hidden, stage.width) for stage in sizes.stages],
            "sr_ratios": [stage.reduction for stage in sizes.stages],
            "decoder_hidden_size": sizes.decoder or None,
            "num_labels": sizes.classes or None,
            "num_attention_heads": [1, 2, 5, 8] if name else None,
        },
        tensors=tensors(sizes, names, lead),
        layout=names.layout,
        evidence=(
            *_head_evidence(sizes),
            f"{' + '.join(map(str, depths))} blocks of {', '.join(map(str, widths))} channels"
            + (f": {name.upper()}" if name else ""),
            f"`{lead}{first}{names.projections[0]}.weight` is {[widths[0], widths[0]]}",
        ),
        undecidable=_undecidable(sizes, name),
        also=("fashn_vton",) if fashn else (),
        task=_task(sizes, people=fashn or clothes),
        steps=("human_parsing",) if sizes.decoder else (),
        input_channels=sizes.inputs,
        output_channels=sizes.classes or widths[-1],
        licence="MIT (as stated; its encoder is NVIDIA's, non-commercial)" if clothes else None,
    )


def _name(sizes: Sizes) -> str:
    """Which published network has these sizes, whatever it tells apart; "" if none has."""
    widths = tuple(stage.width for stage in sizes.stages)
    depths = tuple(stage.blocks for stage in sizes.stages)
    for name, published in _PUBLISHED.items():
        if (widths, depths) == published[:2]:
            same = _sizes(name, sizes.classes)
            if same.stages == sizes.stages and sizes.decoder in (0, same.decoder):
                return name
    return ""


def _variant(sizes: Sizes, name: str) -> str:
    if not name:
        return "custom"
    if sizes.classifier:
        return f"{name}-imagenet" if sizes.classes == 1000 else f"{name}-classifier"
    if not sizes.decoder:
        return f"{name}-encoder"
    if sizes.classes == 18 and name in ("b2", "b3"):
        return f"{name}-clothes"
    if sizes.classes == 18 and name == "b4":
        return "b4-fashn"
    return f"{name}-{sizes.classes}"


def _what(sizes: Sizes, *, fashn: bool, clothes: bool) -> str:
    if sizes.classifier:
        return f"classifier of {sizes.classes} classes"
    if not sizes.decoder:
        return "encoder alone"
    if fashn:
        return "FASHN's human parser, 18 classes"
    if clothes:
        return "18 classes of clothes and body parts"
    data = f" ({_SETS[sizes.classes]}'s number)" if sizes.classes in _SETS else ""
    return f"{sizes.classes} classes{data}"


def _task(sizes: Sizes, *, people: bool) -> str | None:
    if people:
        return None
    if sizes.classifier:
        return "image classification"
    return "semantic segmentation" if sizes.decoder else "image features"


def _head_evidence(sizes: Sizes) -> tuple[str, ...]:
    if sizes.decoder:
        shape = [sizes.classes, sizes.decoder, 1, 1]
        return (f"`decode_head.classifier.weight` is {shape}: {sizes.classes} classes",)
    if sizes.classifier:
        return (f"`classifier.weight` is {[sizes.classes, sizes.stages[-1].width]}",)
    return ("no `decode_head.classifier.weight`: an encoder alone",)


def _undecidable(sizes: Sizes, name: str) -> tuple[str, ...]:
    told = ["the size of picture that it was trained for", "the strides of its stages"]
    if sizes.classes:
        told.insert(0, "what its classes are: config.json beside it names them")
    if not name:
        told.append("the number of attention heads of each stage")
    return tuple(told)


FAMILY = Family(
    name="segformer",
    title="SegFormer",
    task="human parsing",
    steps=("human_parsing",),
    markers=(
        (
            "segformer.encoder.patch_embeddings.0.proj.weight",
            "segformer.encoder.block.0.0.attention.self.query.weight",
        ),
        (
            "segformer.stages.0.patch_embeddings.proj.weight",
            "segformer.stages.0.blocks.0.attention.q_proj.weight",
        ),
        ("segformer.encoder.patch_embeddings.1.proj.weight", "decode_head.linear_fuse.weight"),
        ("segformer.stages.1.patch_embeddings.proj.weight", "decode_head.linear_fuse.weight"),
        (
            "encoder.patch_embeddings.0.proj.weight",
            "encoder.block.0.0.attention.self.query.weight",
        ),
        ("stages.0.patch_embeddings.proj.weight", "stages.0.blocks.0.attention.q_proj.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published(
            "fashn-human-parser/model.safetensors",
            "b4-fashn",
            "e43c8c8a9b04f28798f0a4630cf18caa2cdb27a0d454fae43a5716e6f7078244",
            256_146_352,
        ),
        Published("segformer_b2_clothes/model.safetensors", "b2-clothes"),
        Published("segformer_b2_clothes/pytorch_model.bin", "b2-clothes"),
        Published("segformer_b3_clothes/model.safetensors", "b3-clothes"),
        *(
            Published(f"segformer-{name}-finetuned-ade-*/{file}", f"{name}-150")
            for name in _PUBLISHED
            for file in ("model.safetensors", "pytorch_model.bin")
        ),
        *(
            Published(f"mit-{name}/{file}", f"{name}-imagenet")
            for name in _PUBLISHED
            for file in ("model.safetensors", "pytorch_model.bin")
        ),
    ),
    licence=_NVIDIA,
    source="huggingface/transformers, models/segformer/modeling_segformer.py",
    aliases=("segformer", *(f"mit-{name}" for name in _PUBLISHED)),
)
