"""The towers under the names of OpenAI's and OpenCLIP's files.

Sources: openai/CLIP, clip/model.py; mlfoundations/open_clip, src/open_clip/{model,transformer}.py.
"""

from __future__ import annotations

from mycloset.architectures.blocks import batch_norm, conv, linear, norm
from mycloset.architectures.clip.towers import VOCABULARY, ResNetTower, TextTower, VisionTower
from mycloset.architectures.family import Shape, Shapes, require
from mycloset.architectures.reading import numbered, size

CONSTANTS = ("input_resolution", "context_length", "vocab_size")
"""Integers that OpenAI's TorchScript files hold beside the weights."""

_STAGES = ("layer1", "layer2", "layer3", "layer4")


def read_text(shapes: Shapes) -> TextTower:
    """The text tower of a table.

    Raises:
        NotThisError: it holds none.
    """
    block = "transformer.resblocks.0"
    projection = shapes.get("text_projection", ())
    return TextTower(
        width=size(
            shapes,
            ("ln_final.weight", 0),
            ("token_embedding.weight", 1),
            ("positional_embedding", 1),
        ),
        hidden=size(shapes, (f"{block}.mlp.c_fc.weight", 0), (f"{block}.mlp.c_fc.bias", 0)),
        layers=numbered(shapes, "transformer.resblocks."),
        vocabulary=size(shapes, ("token_embedding.weight", 0), default=VOCABULARY),
        positions=size(shapes, ("positional_embedding", 0)),
        projection=projection[1] if len(projection) == 2 else None,
    )


def read_vision(shapes: Shapes, root: str = "visual.") -> VisionTower | ResNetTower:
    """The picture tower of a table.

    Raises:
        NotThisError: it holds none.
    """
    if f"{root}attnpool.positional_embedding" in shapes or f"{root}layer1.0.conv1.weight" in shapes:
        return _read_resnet(shapes, root)
    block = f"{root}transformer.resblocks.0"
    projection = shapes.get(f"{root}proj", ())
    first = f"{root}conv1.weight"
    return VisionTower(
        width=size(shapes, (f"{root}class_embedding", 0), (first, 0)),
        hidden=size(shapes, (f"{block}.mlp.c_fc.weight", 0), (f"{block}.mlp.c_fc.bias", 0)),
        layers=numbered(shapes, f"{root}transformer.resblocks."),
        patch=size(shapes, (first, 2)),
        positions=size(shapes, (f"{root}positional_embedding", 0)),
        channels=size(shapes, (first, 1)),
        projection=projection[1] if len(projection) == 2 else None,
    )


def _read_resnet(shapes: Shapes, root: str) -> ResNetTower:
    counts = [numbered(shapes, f"{root}{stage}.") for stage in _STAGES]
    require(all(counts), f"no blocks in one of `{root}layer1` to `{root}layer4`")
    pool = f"{root}attnpool"
    return ResNetTower(
        width=size(shapes, (f"{root}layer1.0.conv1.weight", 0), (f"{root}layer1.0.bn1.weight", 0)),
        blocks=(counts[0], counts[1], counts[2], counts[3]),
        positions=size(shapes, (f"{pool}.positional_embedding", 0)),
        channels=size(shapes, (f"{root}conv1.weight", 1)),
        projection=size(shapes, (f"{pool}.c_proj.weight", 0), (f"{pool}.c_proj.bias", 0)),
    )


def text_head(tower: TextTower) -> dict[str, Shape]:
    """What stands before the towers in a file."""
    tensors: dict[str, Shape] = {"positional_embedding": (tower.positions, tower.width)}
    if tower.projection is not None:
        tensors["text_projection"] = (tower.width, tower.projection)
    return tensors


def text_blocks(tower: TextTower, *, norm_first: bool) -> dict[str, Shape]:
    """The text transformer, its token table and its last norm."""
    tensors = _transformer(
        "transformer", tower.layers, tower.width, tower.hidden, norm_first=norm_first
    )
    tensors["token_embedding.weight"] = (tower.vocabulary, tower.width)
    return tensors | norm("ln_final", tower.width)


def vision_tensors(
    tower: VisionTower | ResNetTower, root: str, *, norm_first: bool
) -> dict[str, Shape]:
    """Every tensor of a picture tower, in the file's order."""
    if isinstance(tower, ResNetTower):
        return _resnet_tensors(tower, root)
    width = tower.width
    tensors: dict[str, Shape] = {
        f"{root}class_embedding": (width,),
        f"{root}positional_embedding": (tower.positions, width),
    }
    if tower.projection is not None:
        tensors[f"{root}proj"] = (width, tower.projection)
    tensors |= conv(f"{root}conv1", width, tower.channels, tower.patch, bias=False)
    tensors |= norm(f"{root}ln_pre", width)
    tensors |= _transformer(
        f"{root}transformer", tower.layers, width, tower.hidden, norm_first=norm_first
    )
    return tensors | norm(f"{root}ln_post", width)


def _transformer(
    root: str, layers: int, width: int, hidden: int, *, norm_first: bool
) -> dict[str, Shape]:
    """Blocks; OpenCLIP lists the first norm before the attention, OpenAI after it."""
    attention: dict[str, Shape] = {
        "attn.in_proj_weight": (3 * width, width),
        "attn.in_proj_bias": (3 * width,),
        **linear("attn.out_proj", width, width),
    }
    mlp = linear("mlp.c_fc", hidden, width) | linear("mlp.c_proj", width, hidden)
    first, second = norm("ln_1", width), norm("ln_2", width)
    order = (first, attention, second, mlp) if norm_first else (attention, first, mlp, second)
    block = [item for part in order for item in part.items()]
    return {
        f"{root}.resblocks.{number}.{key}": shape
        for number in range(layers)
        for key, shape in block
    }


def _resnet_tensors(tower: ResNetTower, root: str) -> dict[str, Shape]:
    width, half = tower.width, tower.width // 2
    tensors: dict[str, Shape] = {}
    for number, (out, inp) in enumerate(((half, tower.channels), (half, half), (width, half)), 1):
        tensors |= conv(f"{root}conv{number}", out, inp, 3, bias=False)
        tensors |= batch_norm(f"{root}bn{number}", out)
    inp = width
    for stage, (name, blocks) in enumerate(zip(_STAGES, tower.blocks, strict=True)):
        planes = width * 2**stage
        for number in range(blocks):
            block = f"{root}{name}.{number}"
            tensors.update(conv(f"{block}.conv1", planes, inp, bias=False))
            tensors.update(batch_norm(f"{block}.bn1", planes))
            tensors.update(conv(f"{block}.conv2", planes, planes, 3, bias=False))
            tensors.update(batch_norm(f"{block}.bn2", planes))
            tensors.update(conv(f"{block}.conv3", 4 * planes, planes, bias=False))
            tensors.update(batch_norm(f"{block}.bn3", 4 * planes))
            if number == 0:
                tensors.update(conv(f"{block}.downsample.0", 4 * planes, inp, bias=False))
                tensors.update(batch_norm(f"{block}.downsample.1", 4 * planes))
            inp = 4 * planes
    pool = f"{root}attnpool"
    tensors[f"{pool}.positional_embedding"] = (tower.positions, inp)
    for part in ("k_proj", "q_proj", "v_proj"):
        tensors |= linear(f"{pool}.{part}", inp, inp)
    return tensors | linear(f"{pool}.c_proj", tower.projection, inp)
