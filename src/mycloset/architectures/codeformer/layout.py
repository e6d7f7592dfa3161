"""What files of CodeFormer look like: face restoration, colouring and inpainting."""

from __future__ import annotations

from collections.abc import Iterator

from mycloset.architectures.codeformer.tensors import SIDES, Sizes, tensors
from mycloset.architectures.family import Claim, Family, Published, Shapes, require
from mycloset.architectures.reading import numbered, size


def read(shapes: Shapes) -> Claim:
    """The network that a table holds.

    Raises:
        NotThisError: it holds none.
    """
    layers = numbered(shapes, "ft_layers.", most=64)
    require(layers > 0, "no `ft_layers.0`")
    fused = {key.split(".")[1] for key in shapes if key.startswith("fuse_convs_dict.")}
    return _claim(
        Sizes(
            width=size(shapes, ("encoder.blocks.0.weight", 0), ("encoder.blocks.0.bias", 0)),
            word=size(shapes, ("quantize.embedding.weight", 1), ("feat_emb.weight", 1)),
            words=size(shapes, ("quantize.embedding.weight", 0), ("idx_pred_layer.1.weight", 0)),
            places=size(shapes, ("position_emb", 0)),
            features=size(shapes, ("position_emb", 1), ("feat_emb.weight", 0)),
            hidden=size(shapes, ("ft_layers.0.linear1.weight", 0), ("ft_layers.0.linear1.bias", 0)),
            layers=layers,
            fused=tuple(side for side in SIDES if str(side) in fused),
        )
    )


def examples() -> Iterator[Claim]:
    """The published networks."""
    yield _claim(Sizes())
    yield _claim(Sizes(fused=(32, 64, 128)))
    yield _claim(Sizes(words=512, fused=(32, 64, 128)))


def _claim(sizes: Sizes) -> Claim:
    known = {
        Sizes(): ("codeformer", "CodeFormer"),
        Sizes(fused=(32, 64, 128)): ("codeformer_colorization", "CodeFormer for colouring"),
        Sizes(words=512, fused=(32, 64, 128)): (
            "codeformer_inpainting",
            "CodeFormer for inpainting",
        ),
    }
    usual = f"codeformer_{sizes.layers}l{sizes.features}f{sizes.words}w"
    variant, title = known.get(
        sizes, (usual, f"CodeFormer of {sizes.layers} layers and {sizes.words} words")
    )
    return Claim(
        variant=variant,
        title=title,
        config={
            "dim_embd": sizes.features,
            "n_head": 8,
            "n_layers": sizes.layers,
            "codebook_size": sizes.words,
            "latent_size": sizes.places,
            "connect_list": [str(side) for side in sizes.fused],
        },
        tensors=tensors(sizes),
        evidence=(
            f"`quantize.embedding.weight` is {[sizes.words, sizes.word]}: a book of {sizes.words}"
            " words",
            f"{sizes.layers} layers of {sizes.features} features lie under `ft_layers`",
            f"features are handed over at {', '.join(map(str, sizes.fused)) or 'no'} pixels",
        ),
        undecidable=("the number of heads of its transformer (taken for 8)",),
        input_channels=3,
        output_channels=3,
    )


FAMILY = Family(
    name="codeformer",
    title="CodeFormer",
    task="face restoration",
    steps=("post_processing",),
    markers=(
        ("position_emb", "quantize.embedding.weight", "idx_pred_layer.1.weight"),
        ("encoder.blocks.0.weight", "ft_layers.0.self_attn.in_proj_weight", "position_emb"),
    ),
    read=read,
    examples=examples,
    published=(
        *(
            Published(
                name,
                "codeformer",
                "1009e537e0c2a07d4cabce6355f53cb66767cd4b4297ec7a4a64ca4b8a5684b7",
                376637898,
            )
            for name in ("codeformer.pth", "codeformer-v0.1.0.pth")
        ),
        Published("codeformer_colorization.pth", "codeformer_colorization"),
        Published("codeformer_inpainting.pth", "codeformer_inpainting"),
    ),
    licence="S-Lab License 1.0 (non-commercial)",
    source="sczhou/CodeFormer, basicsr/archs/{codeformer,vqgan}_arch.py",
    aliases=("codeformer",),
)
