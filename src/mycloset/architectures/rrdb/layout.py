"""What files of ESRGAN and Real-ESRGAN look like, in the three namings that there were."""

from __future__ import annotations

from collections.abc import Iterator

from mycloset.architectures.family import Claim, Family, Published, Shapes, require
from mycloset.architectures.rrdb.names import (
    MIDDLE,
    NEW,
    Names,
    Sizes,
    config,
    named_tensors,
    old_tensors,
    read_named,
    read_old,
)

_OLD = "esrgan-2018"
_USUAL = Sizes()
_ANIME = Sizes(blocks=6)
_DOUBLE = Sizes(inputs=12)


def read(shapes: Shapes) -> Claim:
    """The network that a table holds.

    Raises:
        NotThisError: it holds none.
    """
    for names in (NEW, MIDDLE):
        first = f"{names.trunk}.0.{names.dense}1.conv1.weight"
        if first in shapes or f"{names.after}.weight" in shapes:
            return _claim(read_named(shapes, names), names)
    require("model.0.weight" in shapes, "no first convolution")
    return _claim(read_old(shapes), None)


def examples() -> Iterator[Claim]:
    """The published networks, and community ones of other scales in the naming of 2018."""
    for sizes in (_USUAL, _DOUBLE, _ANIME):
        yield _claim(sizes, NEW)
    yield _claim(_USUAL, MIDDLE)
    yield _claim(_USUAL, None)
    for steps in (0, 1, 3):
        yield _claim(Sizes(steps=steps), None)


def _claim(sizes: Sizes, names: Names | None) -> Claim:
    layout = names.layout if names is not None else _OLD
    trunk = names.trunk if names is not None else "model.1.sub"
    undecidable = ["for what pictures it was trained (photographs, drawings, faces)"]
    if names is None and sizes.steps == 1:
        undecidable.append("whether its one enlargement is by 2 or by 3 (taken for 2)")
    evidence = [
        f"{sizes.blocks} blocks of three dense blocks lie under `{trunk}`",
        f"{sizes.steps} convolutions follow an enlargement by 2",
    ]
    if sizes.folding > 1:
        first = "conv_first" if names is not None else "model.0"
        shape = [sizes.features, sizes.inputs, 3, 3]
        evidence.append(
            f"`{first}.weight` is {shape}: pixel-unshuffle by {sizes.folding}, so x{sizes.scale}"
        )
    variant, title = _named(sizes, layout)
    return Claim(
        variant=variant,
        title=title,
        config=config(sizes, layout),
        tensors=named_tensors(sizes, names) if names is not None else old_tensors(sizes),
        layout=layout,
        evidence=tuple(evidence),
        undecidable=tuple(undecidable),
        input_channels=sizes.inputs // sizes.folding**2,
        output_channels=sizes.outputs,
        licence="BSD-3-Clause" if layout == NEW.layout else "Apache-2.0",
    )


def _named(sizes: Sizes, layout: str) -> tuple[str, str]:
    """Variant and title."""
    if layout == NEW.layout:
        known = {
            _USUAL: ("RealESRGAN_x4plus", "Real-ESRGAN x4"),
            _DOUBLE: ("RealESRGAN_x2plus", "Real-ESRGAN x2"),
            _ANIME: ("RealESRGAN_x4plus_anime_6B", "Real-ESRGAN x4 for drawings, 6 blocks"),
        }
    elif layout == MIDDLE.layout:
        known = {_USUAL: ("RRDB_ESRGAN_x4", "ESRGAN x4")}
    else:
        known = {_USUAL: ("RRDB_ESRGAN_x4_old_arch", "ESRGAN x4, keys of 2018")}
    if sizes in known:
        return known[sizes]
    kind = "Real-ESRGAN" if layout == NEW.layout else "ESRGAN+" if sizes.plus else "ESRGAN"
    scale = f"x{sizes.scale:g}"
    variant = f"{kind.replace('-', '')}_{scale}_{sizes.blocks}b{sizes.features}f"
    return variant, f"{kind} {scale}, {sizes.blocks} blocks of {sizes.features} features"


_REAL = "RealESRGAN_x4plus"

FAMILY = Family(
    name="rrdb",
    title="ESRGAN",
    task="super-resolution",
    steps=("post_processing",),
    markers=(
        ("conv_first.weight", "body.0.rdb1.conv1.weight", "conv_last.weight"),
        ("conv_first.weight", "body.0.rdb3.conv5.weight", "conv_body.weight"),
        ("conv_first.weight", "RRDB_trunk.0.RDB1.conv1.weight", "conv_last.weight"),
        ("conv_first.weight", "RRDB_trunk.0.RDB1.conv1.weight", "trunk_conv.weight"),
        ("model.0.weight", "model.1.sub.0.RDB1.conv1.0.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published(
            f"{_REAL}.pth",
            _REAL,
            "4fa0d38905f75ac06eb49a7951b426670021be3018265fd191d2125df9d682f1",
        ),
        Published("RealESRNet_x4plus.pth", _REAL),
        Published(
            "RealESRGAN_x2plus.pth",
            "RealESRGAN_x2plus",
            "49fafd45f8fd7aa8d31ab2a22d14d91b536c34494a5cfe31eb5d89c2fa266abb",
        ),
        Published(f"{_REAL}_anime_6B.pth", f"{_REAL}_anime_6B"),
        Published("RRDB_ESRGAN_x4_old_arch.pth", "RRDB_ESRGAN_x4_old_arch"),
        Published("RRDB_PSNR_x4_old_arch.pth", "RRDB_ESRGAN_x4_old_arch"),
        Published("RRDB_ESRGAN_x4.pth", "RRDB_ESRGAN_x4"),
        Published("RRDB_PSNR_x4.pth", "RRDB_ESRGAN_x4"),
        Published("BSRGAN.pth", "RRDB_ESRGAN_x4"),
    ),
    licence="Apache-2.0",
    source="xinntao/ESRGAN, RRDBNet_arch.py and block.py of 2018; BasicSR, archs/rrdbnet_arch.py",
    aliases=("esrgan", "realesrgan", "real-esrgan", "rrdb", "bsrgan"),
)
