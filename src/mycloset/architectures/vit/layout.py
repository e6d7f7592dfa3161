"""What ViT files look like: timm's names (DeiT, DINO) and torchvision's, old and new."""

from __future__ import annotations

from collections.abc import Iterator

from mycloset.architectures.family import Claim, Family, NotThisError, Published, Shapes, require
from mycloset.architectures.reading import extent, ratio, root, size
from mycloset.architectures.vit.tensors import BLOCKS, MLPS, Network, tensors

_SIZES = {
    (192, 12): ("ti", "Ti"),
    (384, 12): ("s", "S"),
    (768, 12): ("b", "B"),
    (1024, 24): ("l", "L"),
    (1280, 32): ("h", "H"),
    (1536, 40): ("g", "g"),
}
"""Width and depth -> letter in the network's name."""

_FOREIGN = {
    "decoder_pos_embed": "a masked autoencoder with its decoder",
    "blocks.0.attn.rel_pos_h": "SAM's image encoder",
    "norm_pre.weight": "CLIP's picture tower",
}
"""Keys that show another network."""


def read(shapes: Shapes) -> Claim:
    """What a ViT table is.

    Raises:
        NotThisError: it lacks the patches' convolution or the first block.
    """
    for key, what in _FOREIGN.items():
        require(key not in shapes, f"`{key}` is there: {what}")
    layout = "timm"
    if "conv_proj.weight" in shapes or "encoder.pos_embedding" in shapes:
        first = BLOCKS["torchvision"].format(0)
        old = f"{first}mlp.linear_1.weight" in shapes or f"{first}mlp.linear_2.weight" in shapes
        layout = "torchvision-old" if old else "torchvision"
    return _claim(_read(shapes, layout))


def examples() -> Iterator[Claim]:
    """The published networks of 224x224 pixels."""
    for width, layers in _SIZES:
        if width == 1536:
            continue
        for patch in (14,) if width == 1280 else (16, 32):
            grid = 224 // patch
            plain = Network("timm", width, layers, 4 * width, (3, patch), grid * grid + 1, 1000)
            yield _claim(plain)
            if width > 384:
                yield _claim(plain._replace(layout="torchvision"))
                yield _claim(plain._replace(layout="torchvision-old"))
    for width, layers in _SIZES:
        if width in (384, 768, 1024):
            yield _claim(
                Network("timm", width, layers, 4 * width, (3, 14), 1370, 0, scaled=True, mask=True)
            )


def _read(shapes: Shapes, layout: str) -> Network:
    timm = layout == "timm"
    block = BLOCKS[layout]
    first = block.format(0)
    fc1, fc2 = MLPS[layout]
    qkv = f"{first}attn.qkv" if timm else f"{first}self_attention.in_proj"
    joint = "." if timm else "_"
    attention = (f"{qkv}{joint}weight", f"{qkv}{joint}bias")
    norm = f"{first}norm1.weight" if timm else f"{first}ln_1.weight"
    width = size(shapes, (norm, 0), (attention[0], 1))
    patch = f"{'patch_embed.proj' if timm else 'conv_proj'}.weight"
    place = "pos_embed" if timm else "encoder.pos_embedding"
    require(attention[0] in shapes or attention[1] in shapes, f"no `{attention[0]}`")
    if attention[0] in shapes:
        require(
            shapes[attention[0]] == (3 * width, width),
            f"`{attention[0]}` is {list(shapes[attention[0]])}, not {[3 * width, width]}",
        )
    positions = shapes.get(place, (1, 1, width))
    require(len(positions) == 3, f"`{place}` is {list(positions)}, not of 3 dimensions")
    gated = "w12" if f"{first}mlp.w12.weight" in shapes else ""
    if gated:
        hidden = size(shapes, (f"{first}mlp.w3.weight", 1), (f"{first}mlp.w12.weight", 0))
    else:
        one, two = f"{first}mlp.{fc1}.weight", f"{first}mlp.{fc2}.weight"
        hidden = size(shapes, (two, 1), (one, 0))
        gated = "fc1" if timm and size(shapes, (one, 0), default=0) == 2 * hidden else ""
    head = "head" if timm else "heads.head"
    classes = 0
    if f"{head}.weight" in shapes or f"{head}.bias" in shapes:
        classes = size(shapes, (f"{head}.weight", 0), (f"{head}.bias", 0))
    layers = extent(shapes, f"{block}{norm.removeprefix(first)}", f"{block}mlp.{fc1}.weight")
    if layers == 0:
        raise NotThisError(f"no `{norm}`")
    registers = next((k for k in ("reg_token", "register_tokens") if k in shapes), "")
    return Network(
        layout=layout,
        width=width,
        layers=layers,
        hidden=hidden,
        patch=(size(shapes, (patch, 1), default=3), size(shapes, (patch, 2), default=16)),
        positions=size(shapes, (place, 1), default=1),
        classes=classes,
        cls=not timm or "cls_token" in shapes or _lacks_one(positions[1]),
        biased=attention[1] in shapes or attention[1].replace(first, block.format(1)) in shapes,
        distilled="dist_token" in shapes,
        registers=(registers, size(shapes, (registers, 1))) if registers else None,
        mask="mask_token" in shapes,
        scaled=f"{first}ls1.gamma" in shapes or f"{first}ls2.gamma" in shapes,
        gated=gated,
        norm="fc_norm" if "fc_norm.weight" in shapes else "norm",
    )


def _lacks_one(positions: int) -> bool:
    """Whether a table of positions has one row more than a square of patches."""
    return positions > 1 and root(positions) is None and root(positions - 1) is not None


def _claim(network: Network) -> Claim:
    width, layers = network.width, network.layers
    inputs, patch = network.patch
    letter = _SIZES.get((width, layers))
    name = f"vit_{letter[0]}_{patch}" if letter else f"vit_{layers}x{width}_{patch}"
    title = f"ViT-{letter[1] if letter else f'{layers}x{width}'}/{patch}"
    if network.scaled and network.mask:
        title = f"DINOv2 {title}"
    tokens = network.positions - int(network.cls) - int(network.distilled)
    grid = root(max(tokens, 0)) or root(network.positions)
    side = grid * patch if grid else None
    classes = network.classes
    head = f"classifier of {classes} classes" if classes else "without a head"
    picture = f", {side}x{side}" if side else ""
    block = BLOCKS[network.layout].format(0)
    timm = network.layout == "timm"
    place = "patch_embed.proj.weight" if timm else "conv_proj.weight"
    evidence = [
        f"`{place}` is {[width, inputs, patch, patch]}: patches of {patch} pixels",
        f"{layers} blocks of {width} channels (`{block}…`)",
        f"{network.positions} positions",
    ]
    if classes:
        rows = "head.weight" if timm else "heads.head.weight"
        evidence.insert(0, f"`{rows}` is {[classes, width]}: {classes} classes")
    return Claim(
        variant=name,
        title=f"{title}{picture}, {head}",
        config={
            "image_size": side,
            "patch_size": patch,
            "num_layers": layers,
            "num_heads": max(1, width // 64),
            "hidden_dim": width,
            "mlp_dim": network.hidden,
            "mlp_ratio": ratio(network.hidden, width),
            "num_classes": classes or None,
            "class_token": network.cls,
            "distilled": network.distilled,
            "qkv_bias": network.biased,
            "layer_scale": network.scaled,
            "swiglu": bool(network.gated),
            "registers": network.registers[1] if network.registers else 0,
            "input_channels": inputs,
        },
        tensors=tensors(network),
        layout=network.layout,
        evidence=tuple(evidence),
        undecidable=(
            "the number of attention heads: the published networks have 64 channels a head",
            "what it was trained on",
        ),
        task="image classification" if classes else "image features",
        input_channels=inputs,
        output_channels=classes or width,
        licence="BSD-3-Clause" if not timm else "Apache-2.0",
    )


_FILES = {
    "vit_b_16": ("c867db91", "9ac1b537", "4e70ced5"),
    "vit_b_32": ("d86f8d99",),
    "vit_l_16": ("852ce7e3", "4f3808c9", "4d563306"),
    "vit_l_32": ("c7638314",),
    "vit_h_14": ("80465313", "c1eb923e"),
}
"""Variant -> how the SHA-256 of torchvision's files begin, as their names say."""

FAMILY = Family(
    name="vit",
    title="ViT",
    task="image classification",
    steps=(),
    markers=(
        ("patch_embed.proj.weight", "blocks.0.attn.qkv.weight", "norm.weight"),
        ("patch_embed.proj.bias", "blocks.0.mlp.fc1.weight", "norm.bias"),
        ("pos_embed", "blocks.0.attn.qkv.weight", "fc_norm.weight"),
        ("pos_embed", "blocks.0.mlp.w12.weight", "norm.weight"),
        ("class_token", "encoder.layers.encoder_layer_0.self_attention.in_proj_weight"),
        ("conv_proj.weight", "encoder.layers.encoder_layer_0.ln_1.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        *(
            Published(f"{name}{middle}-{start}.pth", name, start)
            for name, starts in _FILES.items()
            for start, middle in zip(starts, ("", "_swag", "_lc_swag"), strict=False)
            if name != "vit_h_14"
        ),
        Published("vit_h_14_swag-80465313.pth", "vit_h_14", "80465313"),
        Published("vit_h_14_lc_swag-c1eb923e.pth", "vit_h_14", "c1eb923e"),
        Published("dinov2_vits14_pretrain.pth", "vit_s_14"),
        Published("dinov2_vitb14_pretrain.pth", "vit_b_14"),
        Published("dinov2_vitl14_pretrain.pth", "vit_l_14"),
        Published("dino_vitbase16_pretrain.pth", "vit_b_16"),
    ),
    licence="Apache-2.0",
    source=(
        "huggingface/pytorch-image-models, timm/models/vision_transformer.py;"
        " pytorch/vision, torchvision/models/vision_transformer.py;"
        " facebookresearch/dinov2, dinov2/models/vision_transformer.py"
    ),
    aliases=("vit_base", "vit_large", "vit_small", "deit", "dinov2", "dino_vit"),
)
