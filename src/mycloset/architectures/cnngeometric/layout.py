"""What cnngeometric and weakalign files look like: a feature network, one or two regressors."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from mycloset.architectures.blocks import batch_norm, bottleneck, conv, conv_norm, linear, put
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.reading import extent, size

_GEOMETRIES = {6: "affine", 8: "homography", 9: "homography"}
"""Regressed numbers -> the transformation; others are a thin-plate spline's control points."""

_RESNETS: dict[tuple[int, ...], str] = {
    (3, 4, 23): "resnet101",
    (3, 4, 6): "resnet50",
    (3, 8, 36): "resnet152",
}
_PLANES = (64, 128, 256, 512)

_VGG = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Outputs and number of convolutions before each pooling of VGG-16."""

_MODULES = ("model", "vgg")
"""What the features' network is called; the first releases say `vgg`, whatever it is."""


class _Regressor(NamedTuple):
    """Convolutions over the correlations (outputs and kernel), then a linear layer."""

    inputs: int
    convolutions: tuple[tuple[int, int], ...]
    outputs: int
    norms: bool


class _Network(NamedTuple):
    """Blocks of a ResNet's layers, or how many convolutions of a VGG-16; and the regressors."""

    resnet: tuple[int, ...]
    vgg: int
    regressors: tuple[_Regressor, ...]


def read(shapes: Shapes) -> Claim:
    """What a table of the two systems is.

    Raises:
        NotThisError: it lacks the features or the regressor.
    """
    module = next(
        (name for name in _MODULES for part in (0, 5) if _holds(shapes, name, part)), "model"
    )
    place = f"FeatureExtraction.{module}."
    resnet = vgg = 0
    blocks: list[int] = []
    if any(f"{place}4.0.{name}.weight" in shapes for name in ("conv1", "conv2")):
        for layer in range(4, 8):
            resnet = extent(
                shapes, f"{place}{layer}.{{}}.conv1.weight", f"{place}{layer}.{{}}.conv2.weight"
            )
            if resnet == 0:
                break
            blocks.append(resnet)
    else:
        vgg = sum(
            f"{place}{index}.weight" in shapes or f"{place}{index}.bias" in shapes
            for index, _, _ in _vgg()
        )
        require(vgg > 0 and f"{place}4.denselayer1.norm1.weight" not in shapes, "a DenseNet")
    regressors = [_read_regressor(shapes, "FeatureRegression.")]
    if any(f"FeatureRegression2.linear.{part}" in shapes for part in ("weight", "bias")):
        regressors.append(_read_regressor(shapes, "FeatureRegression2."))
    return _claim(_Network(tuple(blocks), vgg, tuple(regressors)), module)


def _holds(shapes: Shapes, module: str, part: int) -> bool:
    """Whether the features' network goes by that name: its first or a later layer is there."""
    place = f"FeatureExtraction.{module}.{part}"
    return f"{place}.weight" in shapes or f"{place}.0.conv1.weight" in shapes


def examples() -> Iterator[Claim]:
    """The published networks."""
    for resnet, vgg in (((3, 4, 23), 0), ((), 10)):
        for outputs in (6, 8, 18):
            yield _claim(_Network(resnet, vgg, (_regressor(outputs),)), "model")
        yield _claim(_Network(resnet, vgg, (_regressor(6), _regressor(18))), "model")


def _regressor(outputs: int) -> _Regressor:
    return _Regressor(225, ((128, 7), (64, 5)), outputs, norms=True)


def _read_regressor(shapes: Shapes, place: str) -> _Regressor:
    norms = any(f"{place}conv.1.{name}" in shapes for name in ("running_mean", "weight", "bias"))
    step = 3 if norms else 2
    convolutions: list[tuple[int, int]] = []
    while len(convolutions) < 16:
        key = f"{place}conv.{step * len(convolutions)}"
        if f"{key}.weight" not in shapes and f"{key}.bias" not in shapes:
            break
        kernel = size(shapes, (f"{key}.weight", 2), default=(7, 5)[len(convolutions) % 2])
        convolutions.append((size(shapes, (f"{key}.weight", 0), (f"{key}.bias", 0)), kernel))
    require(bool(convolutions), f"no `{place}conv.0.weight`")
    return _Regressor(
        inputs=size(shapes, (f"{place}conv.0.weight", 1), default=225),
        convolutions=tuple(convolutions),
        outputs=size(shapes, (f"{place}linear.weight", 0), (f"{place}linear.bias", 0)),
        norms=norms,
    )


def _geometry(outputs: int) -> str:
    return _GEOMETRIES.get(outputs, "tps")


def _grid(outputs: int) -> int:
    """Control points along each side of a thin-plate spline."""
    return math.isqrt(outputs // 2)


def _claim(network: _Network, module: str) -> Claim:
    features = "vgg" if network.vgg else _RESNETS.get(network.resnet[:3], "resnet")
    name = "vgg16" if network.vgg else features
    first = network.regressors[0]
    geometries = [_geometry(regressor.outputs) for regressor in network.regressors]
    kind = "_".join(geometries)
    config: dict[str, object] = {
        "feature_extraction_cnn": features,
        "fr_feature_size": math.isqrt(first.inputs),
        "fr_kernel_sizes": [kernel for _, kernel in first.convolutions],
        "batch_normalization": first.norms,
        "feature_layers": list(network.resnet) if network.resnet else network.vgg,
    }
    channels = [out for out, _ in first.convolutions]
    if len(network.regressors) > 1:
        title = f"weakalign on {name}, {geometries[0]} then {geometries[1]}"
        config |= {
            "s1_output_dim": first.outputs,
            "s2_output_dim": network.regressors[1].outputs,
            "fr_channels": channels,
        }
    else:
        title = f"CNNGeometric on {name}, {kind}"
        config |= {
            "output_dim": first.outputs,
            "geometric_model": kind,
            "fr_channels": [first.inputs, *channels],
        }
    if geometries[-1] == "tps":
        config["tps_grid_size"] = _grid(network.regressors[-1].outputs)
    places = ("FeatureRegression", "FeatureRegression2")
    return Claim(
        variant=f"{name}_{kind}",
        title=title,
        config=config,
        tensors=_tensors(network, module),
        layout="original" if module == "model" else "first",
        evidence=(
            *(
                f"`{place}.linear.bias` has {found.outputs} numbers: {_geometry(found.outputs)}"
                for place, found in zip(places, network.regressors, strict=False)
            ),
            f"`FeatureExtraction.{module}` is a {name}",
        ),
        undecidable=("which pictures and which loss it was trained with",),
        input_channels=3,
        output_channels=network.regressors[-1].outputs,
    )


def _vgg() -> Iterator[tuple[int, int, int]]:
    """Index, outputs and inputs of VGG-16's convolutions, activations and poolings counted."""
    index, inp = 0, 3
    for out, number in _VGG:
        for _ in range(number):
            yield index, out, inp
            index += 2
            inp = out
        index += 1


def _tensors(network: _Network, module: str) -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    place = f"FeatureExtraction.{module}."
    if network.vgg:
        for index, out, inp in list(_vgg())[: network.vgg]:
            put(found, place, conv(str(index), out, inp, 3))
    else:
        put(found, place, conv_norm(64, 3, 7))
        width = 64
        for layer, blocks in enumerate(network.resnet):
            for block in range(blocks):
                planes = _PLANES[layer]
                put(
                    found,
                    f"{place}{4 + layer}.{block}.",
                    bottleneck(width, planes, down=block == 0),
                )
                width = 4 * planes
    for name, regressor in zip(
        ("FeatureRegression.", "FeatureRegression2."), network.regressors, strict=False
    ):
        inp, last = regressor.inputs, 1
        for number, (out, kernel) in enumerate(regressor.convolutions):
            index = number * (3 if regressor.norms else 2)
            put(found, name, conv(f"conv.{index}", out, inp, kernel))
            if regressor.norms:
                put(found, name, batch_norm(f"conv.{index + 1}", out))
            inp, last = out, kernel
        put(found, name, linear("linear", regressor.outputs, inp * last * last))
    return found


FAMILY = Family(
    name="cnngeometric",
    title="CNNGeometric / weakalign",
    task="geometric matching",
    steps=("geometric_matching", "cloth_warping"),
    markers=tuple(
        group
        for module in _MODULES
        for group in (
            (f"FeatureExtraction.{module}.0.weight", "FeatureRegression.linear.weight"),
            (f"FeatureExtraction.{module}.5.weight", "FeatureRegression.conv.0.weight"),
            (f"FeatureExtraction.{module}.5.0.conv1.weight", "FeatureRegression.conv.0.weight"),
        )
    ),
    read=read,
    examples=examples,
    published=(
        *(
            Published(f"best_streetview_checkpoint_adam_{kind}_grid_loss_PAMI.pth.tar", variant)
            for kind, variant in (
                ("affine", "vgg16_affine"),
                ("hom", "vgg16_homography"),
                ("tps", "vgg16_tps"),
            )
        ),
        *(
            Published(f"cnngeo_{name}_{kind}.pth.tar", f"{name}_{kind}")
            for name in ("vgg16", "resnet101")
            for kind in ("affine", "tps")
        ),
        Published("weakalign_resnet101_affine_tps.pth.tar", "resnet101_affine_tps"),
    ),
    licence="MIT",
    source=(
        "ignacio-rocco/cnngeometric_pytorch and ignacio-rocco/weakalign,"
        " model/cnn_geometric_model.py"
    ),
    aliases=("tps", "cnngeometric", "cnngeo", "weakalign"),
)
