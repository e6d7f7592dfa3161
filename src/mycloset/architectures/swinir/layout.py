"""What files of SwinIR look like: super-resolution, denoising and JPEG repair, any size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mycloset.architectures.family import Claim, Family, NotThisError, Published, Shapes, require
from mycloset.architectures.reading import numbered, ratio, root, size
from mycloset.architectures.swinir.sizes import (
    Residual,
    Sizes,
    Upsampler,
    constants,
    masks,
    tensors,
)

_BLOCK = "layers.0.residual_group.blocks.0"


def read(shapes: Shapes) -> Claim:
    """The network that a table holds.

    Raises:
        NotThisError: it holds none.
    """
    require(f"{_BLOCK}.attn.logit_scale" not in shapes, "it has `logit_scale`: Swin2SR")
    groups = numbered(shapes, "layers.", most=64)
    depths = tuple(
        numbered(shapes, f"layers.{group}.residual_group.blocks.", most=64)
        for group in range(groups)
    )
    require(groups > 0 and all(depths), "a group of `layers` has no blocks")
    heads = tuple(
        size(
            shapes,
            *(
                (f"layers.{group}.residual_group.blocks.{n}.attn.relative_position_bias_table", 1)
                for n in range(depths[group])
            ),
        )
        for group in range(groups)
    )
    first = "conv_first.1" if "conv_first.1.weight" in shapes else "conv_first"
    upsampler = _upsampler(shapes)
    width = size(shapes, (f"{first}.weight", 0), ("norm.weight", 0))
    window = _window(shapes)
    channels = size(shapes, (f"{first}.weight", 1))
    folding = (root(max(1, channels // 3)) or 1) if first != "conv_first" else 1
    inputs = channels // folding**2
    outputs = size(shapes, ("conv_last.weight", 0), ("conv_last.bias", 0), default=inputs)
    scale, features = _enlargement(shapes, upsampler, outputs)
    training = _training(shapes, window)
    places = shapes.get("absolute_pos_embed", ())
    residual: Residual = "3conv" if "conv_after_body.0.weight" in shapes else "1conv"
    return _claim(
        Sizes(
            width=width,
            depths=depths,
            heads=heads,
            hidden=size(shapes, (f"{_BLOCK}.mlp.fc1.weight", 0), (f"{_BLOCK}.mlp.fc1.bias", 0)),
            window=window,
            upsampler=upsampler,
            residual=residual,
            scale=scale,
            inputs=inputs,
            outputs=outputs,
            features=features,
            training=training,
            masked=training is not None,
            indexed=f"{_BLOCK}.attn.relative_position_index" in shapes,
            places=places[1] if len(places) == 3 else 0,
            patch_norm="patch_embed.norm.weight" in shapes,
            biased=f"{_BLOCK}.attn.qkv.bias" in shapes,
            folding=folding,
        )
    )


def _upsampler(shapes: Shapes) -> Upsampler:
    if "conv_up1.weight" in shapes or "conv_hr.weight" in shapes:
        return "nearest+conv"
    if "conv_before_upsample.0.weight" in shapes:
        return "pixelshuffle"
    return "pixelshuffledirect" if "upsample.0.weight" in shapes else ""


def _enlargement(shapes: Shapes, upsampler: Upsampler, outputs: int) -> tuple[int, int]:
    """By how much the result is larger, and the features at full size."""
    if upsampler == "":
        return 1, 64
    if upsampler == "pixelshuffledirect":
        given = size(shapes, ("upsample.0.weight", 0))
        scale = root(given // outputs) if given % outputs == 0 else None
        if scale is None:
            raise NotThisError(f"`upsample.0.weight` gives {given} channels for {outputs}")
        return scale, 64
    features = size(
        shapes, ("conv_before_upsample.0.weight", 0), ("conv_before_upsample.0.bias", 0)
    )
    if upsampler == "nearest+conv":
        ups = max((step for step in range(1, 7) if f"conv_up{step}.weight" in shapes), default=0)
        return 2**ups, features
    first = size(shapes, ("upsample.0.weight", 0), ("upsample.0.bias", 0), default=4 * features)
    if first == 9 * features:
        return 3, features
    last = numbered(shapes, "upsample.", most=12) - 1
    return 2 ** (last // 2 + 1), features


def _window(shapes: Shapes) -> int:
    """Pixels along a window's side: its table has a row for each offset of two of them."""
    rows = size(shapes, (f"{_BLOCK}.attn.relative_position_bias_table", 0), default=0) or (
        size(shapes, ("layers.0.residual_group.blocks.1.attn.relative_position_bias_table", 0))
    )
    side = root(rows)
    if side is None or side % 2 == 0:
        raise NotThisError(f"a table of relative positions has {rows} rows, no odd square")
    return (side + 1) // 2


def _training(shapes: Shapes, window: int) -> int | None:
    """Side of the pictures of training, from how many windows a mask has."""
    mask = shapes.get("layers.0.residual_group.blocks.1.attn_mask", ())
    side = root(mask[0]) if len(mask) == 3 else None
    return side * window if side else None


def examples() -> Iterator[Claim]:
    """The published networks, by their authors' numbers."""
    for training in (48, 64):
        for scale in (2, 3, 4, 8):
            yield _claim(_medium(upsampler="pixelshuffle", scale=scale, training=training))
    for scale in (2, 3, 4):
        yield _claim(
            Sizes(60, (6,) * 4, (6,) * 4, 120, upsampler="pixelshuffledirect", scale=scale)
        )
    for scale in (2, 4):
        yield _claim(_medium(upsampler="nearest+conv", scale=scale))
    yield _claim(Sizes(240, (6,) * 9, (8,) * 9, 480, 8, "nearest+conv", "3conv", 4))
    yield _claim(_medium(inputs=1, outputs=1, training=128))
    yield _claim(_medium(training=128))
    for channels in (1, 3):
        yield _claim(_medium(inputs=channels, outputs=channels, window=7, training=126))


def _medium(**changes: Any) -> Sizes:
    return Sizes(180, (6,) * 6, (6,) * 6, 360, **changes)


def _claim(sizes: Sizes) -> Claim:
    task, variant, title = _purpose(sizes)
    training = sizes.training if sizes.training is not None else 64
    config: dict[str, Any] = {
        "upscale": sizes.scale,
        "in_chans": sizes.inputs,
        "img_size": training,
        "window_size": sizes.window,
        "img_range": 255.0 if sizes.window == 7 and not sizes.upsampler else 1.0,
        "depths": list(sizes.depths),
        "embed_dim": sizes.width,
        "num_heads": list(sizes.heads),
        "mlp_ratio": ratio(sizes.hidden, sizes.width),
        "upsampler": sizes.upsampler,
        "resi_connection": sizes.residual,
    }
    if not sizes.biased:
        config["qkv_bias"] = False
    if not sizes.patch_norm:
        config["patch_norm"] = False
    if sizes.places:
        config["ape"] = True
    if sizes.folding > 1:
        config["start_unshuffle"] = sizes.folding
    if sizes.upsampler in ("pixelshuffle", "nearest+conv") and sizes.features != 64:
        config["num_feat"] = sizes.features
    if sizes.outputs != sizes.inputs:
        config["num_out_ch"] = sizes.outputs
    evidence = [
        f"{len(sizes.depths)} groups of {'-'.join(map(str, sizes.depths))} blocks with"
        f" {sizes.width} features",
        f"`{_BLOCK}.attn.relative_position_bias_table` is"
        f" {[(2 * sizes.window - 1) ** 2, sizes.heads[0]]}: windows of {sizes.window} pixels,"
        f" {sizes.heads[0]} heads",
    ]
    if sizes.mask is not None:
        evidence.append(
            f"`layers.0.residual_group.blocks.1.attn_mask` is {list(sizes.mask)}: trained on"
            f" pictures of {training} pixels"
        )
    undecidable = ["the range of its pixels (taken for 0..255 with windows of 7, else 0..1)"]
    if sizes.training is None:
        undecidable.append("the size of the pictures of training (taken for 64)")
    if not sizes.upsampler:
        undecidable.append("which noise or compression it was trained for")
    return Claim(
        variant=variant,
        title=title,
        config=config,
        tensors=tensors(sizes),
        optional=constants(sizes),
        buffers=masks(sizes),
        evidence=tuple(evidence),
        undecidable=tuple(undecidable),
        task=task,
        input_channels=sizes.inputs,
        output_channels=sizes.outputs,
    )


def _purpose(sizes: Sizes) -> tuple[str, str, str]:
    """Task, variant and title."""
    letter = {60: "S", 180: "M", 240: "L"}.get(sizes.width, f"{sizes.width}")
    name = f"SwinIR-{letter}"
    if letter.isdecimal():
        name += f" of {len(sizes.depths)} groups"
    scale = f"x{sizes.scale}"
    if sizes.upsampler == "nearest+conv":
        return "super-resolution", f"realSR_{letter}_{scale}", f"{name}, real-world {scale}"
    if sizes.upsampler == "pixelshuffledirect":
        return (
            "super-resolution",
            f"lightweightSR_{letter}_{scale}",
            f"{name}, lightweight {scale}",
        )
    if sizes.upsampler == "pixelshuffle":
        patch = f"_s{sizes.training}" if sizes.training not in (None, 64) else ""
        return (
            "super-resolution",
            f"classicalSR_{letter}_{scale}{patch}",
            f"{name}, classical {scale}",
        )
    colour = {1: ("gray", "grey"), 3: ("color", "colour")}.get(
        sizes.inputs, (f"{sizes.inputs}ch",) * 2
    )
    if sizes.window == 7:
        short = "" if sizes.inputs == 1 else "color"
        return (
            "JPEG artefact reduction",
            f"{short}CAR_{letter}" if short else f"CAR_{letter}",
            f"{name} for {colour[1]} JPEG pictures",
        )
    return "denoising", f"{colour[0]}DN_{letter}", f"{name}, denoiser of {colour[1]} pictures"


_LARGE = "003_realSR_BSRGAN_DFOWMFC_s64w8_SwinIR-L_x4"

FAMILY = Family(
    name="swinir",
    title="SwinIR",
    task="image restoration",
    steps=("post_processing",),
    markers=(
        (f"{_BLOCK}.attn.relative_position_bias_table", f"{_BLOCK}.mlp.fc1.weight", "norm.weight"),
        (f"{_BLOCK}.norm1.weight", f"{_BLOCK}.attn.qkv.weight", "conv_first.weight"),
        (f"{_BLOCK}.norm1.weight", f"{_BLOCK}.attn.qkv.weight", "conv_first.1.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published(
            f"{_LARGE}_GAN.pth",
            "realSR_L_x4",
            "99adfa91350a84c99e946c1eb3d8fce34bc28f57d807b09dc8fe40a316328c0a",
            142473939,
        ),
        Published(f"{_LARGE}_PSNR.pth", "realSR_L_x4"),
        Published("swinir_real_sr_x4_large.pth", "realSR_L_x4"),
        *(
            Published(f"001_classicalSR_*_s64w8_SwinIR-M_x{scale}.pth", f"classicalSR_M_x{scale}")
            for scale in (2, 3, 4, 8)
        ),
        *(
            Published(
                f"001_classicalSR_*_s48w8_SwinIR-M_x{scale}.pth", f"classicalSR_M_x{scale}_s48"
            )
            for scale in (2, 3, 4, 8)
        ),
        *(
            Published(f"002_lightweightSR_*_SwinIR-S_x{scale}.pth", f"lightweightSR_S_x{scale}")
            for scale in (2, 3, 4)
        ),
        *(
            Published(f"003_realSR_*_SwinIR-M_x{scale}*.pth", f"realSR_M_x{scale}")
            for scale in (2, 4)
        ),
        Published("004_grayDN_*_SwinIR-M_*.pth", "grayDN_M"),
        Published("005_colorDN_*_SwinIR-M_*.pth", "colorDN_M"),
        Published("006_CAR_*_SwinIR-M_*.pth", "CAR_M"),
        Published("006_colorCAR_*_SwinIR-M_*.pth", "colorCAR_M"),
    ),
    licence="Apache-2.0",
    source="JingyunLiang/SwinIR, models/network_swinir.py and main_test_swinir.py",
    aliases=("swinir",),
)
