"""The tensors of a DPT.

Sources: isl-org/MiDaS and isl-org/DPT, dpt/{models,vit,blocks}.py; timm for the transformers.
"""

from __future__ import annotations

from mycloset.architectures.blocks import batch_norm, conv, linear, norm
from mycloset.architectures.dpt.sizes import MODEL, STEM, Sizes
from mycloset.architectures.family import Shape


def tensors(sizes: Sizes) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    return _transformer(sizes) | _reassembly(sizes) | _decoder(sizes) | _head(sizes)


def _transformer(sizes: Sizes) -> dict[str, Shape]:
    width, hidden = sizes.width, sizes.hidden
    told: dict[str, Shape] = {
        f"{MODEL}.cls_token": (1, 1, width),
        f"{MODEL}.pos_embed": (1, sizes.tokens, width),
    }
    if sizes.stages:
        told |= _resnet(sizes)
    inp = sizes.stages[-1].out if sizes.stages else sizes.channels
    told |= conv(f"{MODEL}.patch_embed.proj", width, inp, sizes.kernel)
    block: dict[str, Shape] = {
        **norm("norm1", width),
        **linear("attn.qkv", 3 * width, width, bias=sizes.biased),
        **linear("attn.proj", width, width),
        **norm("norm2", width),
        **linear("mlp.fc1", hidden, width),
        **linear("mlp.fc2", width, hidden),
    }
    items = list(block.items())
    for number in range(sizes.depth):
        told.update((f"{MODEL}.blocks.{number}.{key}", shape) for key, shape in items)
    told |= norm(f"{MODEL}.norm", width)
    if sizes.classes:
        told |= linear(f"{MODEL}.head", sizes.classes, width)
    return told


def _resnet(sizes: Sizes) -> dict[str, Shape]:
    told = conv(f"{STEM}.stem.conv", sizes.stem, sizes.channels, 7, bias=False)
    told |= norm(f"{STEM}.stem.norm", sizes.stem)
    inp = sizes.stem
    for number, stage in enumerate(sizes.stages):
        for place in range(stage.blocks):
            name = f"{STEM}.stages.{number}.blocks.{place}"
            if place == 0:
                told |= conv(f"{name}.downsample.conv", stage.out, inp, bias=False)
                told |= norm(f"{name}.downsample.norm", stage.out)
            told |= conv(f"{name}.conv1", stage.inner, inp, bias=False)
            told |= norm(f"{name}.norm1", stage.inner)
            told |= conv(f"{name}.conv2", stage.inner, stage.inner, 3, bias=False)
            told |= norm(f"{name}.norm2", stage.inner)
            told |= conv(f"{name}.conv3", stage.out, stage.inner, bias=False)
            told |= norm(f"{name}.norm3", stage.out)
            inp = stage.out
    return told


def _reassembly(sizes: Sizes) -> dict[str, Shape]:
    told: dict[str, Shape] = {}
    width = sizes.width
    for place in sizes.reassembled:
        name, out = f"pretrained.act_postprocess{place}", sizes.taken[place - 1]
        if sizes.readout:
            told |= linear(f"{name}.0.project.0", width, 2 * width)
        told |= conv(f"{name}.3", out, width)
        # Enlarged by 4 and by 2, kept, made smaller by 2.
        if place != 3:
            told |= conv(f"{name}.4", out, out, {1: 4, 2: 2, 4: 3}[place])
    return told


def _decoder(sizes: Sizes) -> dict[str, Shape]:
    features = sizes.features
    told: dict[str, Shape] = {}
    for place, taken in enumerate(sizes.taken, 1):
        told |= conv(f"scratch.layer{place}_rn", features, taken, 3, bias=False)
    for place in range(1, 5):
        name = f"scratch.refinenet{place}"
        told |= conv(f"{name}.out_conv", features, features)
        for unit in (f"{name}.resConfUnit1", f"{name}.resConfUnit2"):
            told |= conv(f"{unit}.conv1", features, features, 3, bias=not sizes.normed)
            told |= conv(f"{unit}.conv2", features, features, 3, bias=not sizes.normed)
            if sizes.normed:
                told |= batch_norm(f"{unit}.bn1", features) | batch_norm(f"{unit}.bn2", features)
    return told


def _head(sizes: Sizes) -> dict[str, Shape]:
    features, out = sizes.features, "scratch.output_conv"
    if sizes.head == "depth":
        first, second = sizes.narrow
        return {
            **conv(f"{out}.0", first, features, 3),
            **conv(f"{out}.2", second, first, 3),
            **conv(f"{out}.4", sizes.outputs, second),
        }
    told: dict[str, Shape] = {}
    for name in (out, "auxlayer") if sizes.auxiliary else (out,):
        told |= conv(f"{name}.0", features, features, 3, bias=False)
        told |= batch_norm(f"{name}.1", features)
        told |= conv(f"{name}.4", sizes.outputs, features)
    return told
