"""What a DPT is built of, read from shapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mycloset.architectures.family import Shapes, require
from mycloset.architectures.reading import numbered, root, size

MODEL = "pretrained.model"
STEM = f"{MODEL}.patch_embed.backbone"

Head = Literal["depth", "classes"]


@dataclass(frozen=True)
class Stage:
    """One stage of the ResNet under a hybrid.

    Attributes:
        blocks: bottlenecks.
        inner: features within them.
        out: features that it gives.
    """

    blocks: int
    inner: int
    out: int


@dataclass(frozen=True)
class Sizes:
    """What a DPT is built of.

    Attributes:
        width: features of a token.
        depth: blocks of the transformer.
        hidden: features within their feed-forward layers.
        tokens: places of the position table, the class token included.
        kernel: side of the convolution that makes tokens.
        channels: of the picture.
        stem: features of the ResNet's first convolution; 0 without a ResNet.
        stages: of the ResNet; () without.
        classes: of the transformer's unused classifier; 0 without.
        taken: features taken from each of the four places.
        reassembled: of the four places, those whose tokens are made a picture again.
        readout: whether the class token is projected into each token.
        biased: whether queries, keys and values have biases.
        features: of the decoder.
        normed: whether batch norms stand in its residual units.
        head: what it gives.
        narrow: features of a depth head after its first and its second convolution.
        outputs: channels that it gives.
        auxiliary: whether a second head serves in training.
    """

    width: int
    depth: int
    hidden: int
    taken: tuple[int, int, int, int]
    tokens: int = 577
    kernel: int = 16
    channels: int = 3
    stem: int = 0
    stages: tuple[Stage, ...] = ()
    classes: int = 1000
    reassembled: tuple[int, ...] = (1, 2, 3, 4)
    readout: bool = True
    biased: bool = True
    features: int = 256
    normed: bool = False
    head: Head = "depth"
    narrow: tuple[int, int] = (128, 32)
    outputs: int = 1
    auxiliary: bool = False

    @property
    def patch(self) -> int:
        """Pixels along a patch's side; a ResNet halves twice, and in each stage but the first."""
        return 2 ** (len(self.stages) + 1) * self.kernel if self.stages else self.kernel

    @property
    def image(self) -> int | None:
        """Side of the pictures for which the position table was made."""
        side = root(max(0, self.tokens - 1))
        return side * self.patch if side is not None else None


def read_sizes(shapes: Shapes) -> Sizes:
    """Sizes of the network that a table holds.

    Raises:
        NotThisError: it holds none.
    """
    block = f"{MODEL}.blocks.0"
    require(f"{block}.gamma_1" not in shapes, "its transformer is a BEiT: MiDaS 3.1")
    last = "scratch.output_conv.4.weight"
    head: Head = "classes" if "scratch.output_conv.1.running_mean" in shapes else "depth"
    unit = "scratch.refinenet1.resConfUnit1"
    classes = shapes.get(f"{MODEL}.head.weight", ())
    patch = f"{MODEL}.patch_embed.proj.weight"
    width = size(shapes, (f"{MODEL}.cls_token", 2), (patch, 0), (f"{MODEL}.norm.weight", 0))
    hybrid = f"{STEM}.stem.conv.weight" in shapes
    features = size(shapes, ("scratch.layer1_rn.weight", 0), ("scratch.layer4_rn.weight", 0))
    taken = [size(shapes, (f"scratch.layer{place}_rn.weight", 1)) for place in range(1, 5)]
    reassembled = tuple(
        place for place in range(1, 5) if f"pretrained.act_postprocess{place}.3.weight" in shapes
    )
    return Sizes(
        width=width,
        depth=numbered(shapes, f"{MODEL}.blocks."),
        hidden=size(shapes, (f"{block}.mlp.fc1.weight", 0), (f"{block}.mlp.fc1.bias", 0)),
        taken=(taken[0], taken[1], taken[2], taken[3]),
        tokens=size(shapes, (f"{MODEL}.pos_embed", 1)),
        kernel=size(shapes, (patch, 2)),
        channels=size(shapes, (f"{STEM}.stem.conv.weight" if hybrid else patch, 1)),
        stem=size(shapes, (f"{STEM}.stem.conv.weight", 0)) if hybrid else 0,
        stages=_stages(shapes) if hybrid else (),
        classes=classes[0] if len(classes) == 2 else 0,
        reassembled=reassembled,
        readout="pretrained.act_postprocess4.0.project.0.weight" in shapes,
        biased=f"{block}.attn.qkv.bias" in shapes,
        features=features,
        normed=f"{unit}.bn1.running_mean" in shapes,
        head=head,
        narrow=(
            size(shapes, ("scratch.output_conv.0.weight", 0), default=features // 2),
            size(shapes, ("scratch.output_conv.2.weight", 0), (last, 1), default=32),
        ),
        outputs=size(shapes, (last, 0), ("scratch.output_conv.4.bias", 0)),
        auxiliary="auxlayer.0.weight" in shapes,
    )


def _stages(shapes: Shapes) -> tuple[Stage, ...]:
    count = numbered(shapes, f"{STEM}.stages.", most=8)
    require(count > 0, f"no `{STEM}.stages.0`")
    return tuple(
        Stage(
            blocks=numbered(shapes, f"{STEM}.stages.{stage}.blocks.", most=64),
            inner=size(
                shapes,
                (f"{STEM}.stages.{stage}.blocks.0.conv1.weight", 0),
                (f"{STEM}.stages.{stage}.blocks.0.conv2.weight", 0),
            ),
            out=size(
                shapes,
                (f"{STEM}.stages.{stage}.blocks.0.conv3.weight", 0),
                (f"{STEM}.stages.{stage}.blocks.0.norm3.weight", 0),
            ),
        )
        for stage in range(count)
    )
