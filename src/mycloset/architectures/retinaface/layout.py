"""What RetinaFace files look like: Pytorch_Retinaface's, on MobileNet-0.25 or a ResNet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mycloset.architectures.blocks import basic_block, batch_norm, bottleneck, conv, conv_norm, put
from mycloset.architectures.family import Claim, Family, Published, Shape, Shapes, require
from mycloset.architectures.reading import extent, size

_STAGES = (1, 2, 3)
_DEPTHS: dict[tuple[tuple[int, ...], bool], int] = {
    ((3, 4, 6, 3), True): 50,
    ((3, 4, 23, 3), True): 101,
    ((3, 8, 36, 3), True): 152,
    ((2, 2, 2, 2), False): 18,
    ((3, 4, 6, 3), False): 34,
}


class MobileNet(NamedTuple):
    """Outputs of each stage's layers: a convolution first, separable ones behind."""

    inputs: int
    stages: tuple[tuple[int, ...], ...]

    @property
    def given(self) -> tuple[int, ...]:
        """Channels at strides 8, 16 and 32."""
        return tuple(stage[-1] for stage in self.stages)


class ResNet(NamedTuple):
    """Blocks and planes of the four layers."""

    inputs: int
    stem: int
    blocks: tuple[int, ...]
    planes: tuple[int, ...]
    deep: bool
    """Bottlenecks instead of pairs of 3x3 convolutions."""

    @property
    def given(self) -> tuple[int, ...]:
        """Channels at strides 8, 16 and 32."""
        return tuple(planes * (4 if self.deep else 1) for planes in self.planes[1:])


class Network(NamedTuple):
    """A body, the pyramid's channels, and the anchors of each place."""

    body: MobileNet | ResNet
    width: int
    anchors: int


def read(shapes: Shapes) -> Claim:
    """What a RetinaFace table is.

    Raises:
        NotThisError: it lacks the body, the pyramid or the heads.
    """
    mobile = any(f"body.stage1.{layer}.0.weight" in shapes for layer in (0, 1))
    return _claim(
        Network(
            body=_read_mobilenet(shapes) if mobile else _read_resnet(shapes),
            width=size(
                shapes,
                ("fpn.output1.0.weight", 0),
                ("fpn.merge1.0.weight", 0),
                ("BboxHead.0.conv1x1.weight", 1),
            ),
            anchors=size(shapes, ("BboxHead.0.conv1x1.weight", 0), ("BboxHead.0.conv1x1.bias", 0))
            // 4,
        )
    )


def examples() -> Iterator[Claim]:
    """The two published networks."""
    yield _claim(
        Network(
            body=MobileNet(
                3,
                ((8, 16, 32, 32, 64, 64), (128, 128, 128, 128, 128, 128), (256, 256)),
            ),
            width=64,
            anchors=2,
        )
    )
    yield _claim(
        Network(
            body=ResNet(3, 64, (3, 4, 6, 3), (64, 128, 256, 512), deep=True),
            width=256,
            anchors=2,
        )
    )


def _read_mobilenet(shapes: Shapes) -> MobileNet:
    stages = []
    for stage in _STAGES:
        place = f"body.stage{stage}."
        layers = extent(shapes, f"{place}{{}}.0.weight", f"{place}{{}}.1.weight")
        require(layers > 0, f"no `{place}0.0.weight`")
        stages.append(
            tuple(
                size(
                    shapes,
                    *((f"{place}{layer}.{part}.weight", 0) for part in (3, 4))
                    if stage > 1 or layer > 0
                    else ((f"{place}0.0.weight", 0), (f"{place}0.1.weight", 0)),
                )
                for layer in range(layers)
            )
        )
    return MobileNet(
        inputs=size(shapes, ("body.stage1.0.0.weight", 1), default=3), stages=tuple(stages)
    )


def _read_resnet(shapes: Shapes) -> ResNet:
    return ResNet(
        inputs=size(shapes, ("body.conv1.weight", 1), default=3),
        stem=size(shapes, ("body.conv1.weight", 0), ("body.bn1.weight", 0)),
        blocks=tuple(
            extent(
                shapes,
                f"body.layer{layer}.{{}}.conv1.weight",
                f"body.layer{layer}.{{}}.conv2.weight",
            )
            for layer in range(1, 5)
        ),
        planes=tuple(
            size(
                shapes,
                (f"body.layer{layer}.0.conv1.weight", 0),
                (f"body.layer{layer}.0.bn1.weight", 0),
            )
            for layer in range(1, 5)
        ),
        deep=any(f"body.layer1.0.{name}.weight" in shapes for name in ("conv3", "bn3")),
    )


def _claim(network: Network) -> Claim:
    body = network.body
    if isinstance(body, MobileNet):
        backbone = variant = f"mobilenet{body.given[-1] / 1024:g}"
        title = f"MobileNet-{body.given[-1] / 1024:g}"
    else:
        depth = str(_DEPTHS.get((body.blocks, body.deep), ""))
        backbone, variant, title = f"Resnet{depth}", f"resnet{depth}", f"ResNet-{depth}"
    return Claim(
        variant=variant,
        title=f"RetinaFace on {title.rstrip('-')}",
        config={
            "backbone": backbone,
            "in_channel": body.given[0] // 2,
            "out_channel": network.width,
            "num_anchors": network.anchors,
            "body_channels": list(body.given),
            "input_channels": body.inputs,
            **_config(body),
        },
        tensors=tensors(network),
        layout="original",
        evidence=(
            "`body.stage1.0.0.weight`: a MobileNet"
            if isinstance(body, MobileNet)
            else f"`body.layer1` … `layer4` of {', '.join(map(str, body.blocks))} blocks",
            f"`fpn.output1.0.weight` gives {network.width} channels",
            f"`BboxHead.0.conv1x1.weight` has {4 * network.anchors} rows:"
            f" {network.anchors} anchors",
        ),
        input_channels=body.inputs,
        output_channels=16 * network.anchors,
    )


def _config(body: MobileNet | ResNet) -> dict[str, object]:
    if isinstance(body, MobileNet):
        return {"stages": [list(stage) for stage in body.stages]}
    return {
        "stem": body.stem,
        "blocks": list(body.blocks),
        "planes": list(body.planes),
        "deep": body.deep,
    }


def tensors(network: Network) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    found: dict[str, Shape] = {}
    body, width = network.body, network.width
    if isinstance(body, MobileNet):
        _put_mobilenet(found, body)
    else:
        _put_resnet(found, body)
    for number, inp in enumerate(body.given, 1):
        put(found, f"fpn.output{number}.", conv_norm(width, inp, 1))
    for number in (1, 2):
        put(found, f"fpn.merge{number}.", conv_norm(width, width, 3))
    half, quarter = width // 2, width // 4
    for number in _STAGES:
        put(found, f"ssh{number}.conv3X3.", conv_norm(half, width, 3))
        put(found, f"ssh{number}.conv5X5_1.", conv_norm(quarter, width, 3))
        for name in ("conv5X5_2", "conv7X7_2", "conv7x7_3"):
            put(found, f"ssh{number}.{name}.", conv_norm(quarter, quarter, 3))
    for head, values in (("ClassHead", 2), ("BboxHead", 4), ("LandmarkHead", 10)):
        for number in range(3):
            found |= conv(f"{head}.{number}.conv1x1", values * network.anchors, width)
    return found


def _put_mobilenet(found: dict[str, Shape], body: MobileNet) -> None:
    inp = body.inputs
    for stage, outs in enumerate(body.stages, 1):
        for layer, out in enumerate(outs):
            place = f"body.stage{stage}.{layer}."
            if stage == 1 and layer == 0:
                put(found, place, conv_norm(out, inp, 3))
            else:
                put(found, place, conv("0", inp, inp, 3, bias=False, groups=max(inp, 1)))
                put(found, place, batch_norm("1", inp))
                put(found, place, conv_norm(out, inp, 1, ("3", "4")))
            inp = out


def _put_resnet(found: dict[str, Shape], body: ResNet) -> None:
    put(found, "body.", conv_norm(body.stem, body.inputs, 7, ("conv1", "bn1")))
    make = bottleneck if body.deep else basic_block
    inp = body.stem
    for layer, (blocks, planes) in enumerate(zip(body.blocks, body.planes, strict=True), 1):
        out = planes * (4 if body.deep else 1)
        for block in range(blocks):
            down = block == 0 and (layer > 1 or inp != out)
            put(found, f"body.layer{layer}.{block}.", make(inp, planes, down=down))
            inp = out


FAMILY = Family(
    name="retinaface",
    title="RetinaFace",
    task="face detection",
    steps=(),
    markers=(
        ("fpn.output1.0.weight", "ClassHead.0.conv1x1.weight"),
        ("ssh1.conv3X3.0.weight", "BboxHead.0.conv1x1.weight"),
    ),
    read=read,
    examples=examples,
    published=(
        Published("mobilenet0.25_Final.pth", "mobilenet0.25"),
        Published("Resnet50_Final.pth", "resnet50"),
        Published("detection_mobilenet0.25_Final.pth", "mobilenet0.25"),
        Published("detection_Resnet50_Final.pth", "resnet50"),
    ),
    licence="MIT",
    source="biubug6/Pytorch_Retinaface, models/retinaface.py",
    aliases=("retinaface", "retina_face"),
)
