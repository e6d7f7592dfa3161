"""What EDGE files look like: the decoder that makes dances of noise and music features."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mycloset.architectures.blocks import linear, norm, put
from mycloset.architectures.family import Claim, Family, Shape, Shapes
from mycloset.architectures.reading import extent, size

_MUSIC = {4800: ("jukebox", "Jukebox features"), 35: ("baseline", "librosa features")}
"""Features a frame -> which they are."""
_POSES = {
    151: "4 contacts, root position, 24 joints in 6 numbers",
    147: "root position, 24 joints in 6 numbers",
}
_FPS = 30
_HEADS = 8


class Network(NamedTuple):
    """A whole decoder: numbers a frame of dance and of music, frames, widths and depths."""

    poses: int
    frames: int
    music: int
    latent: int
    hidden: int
    encoders: int
    decoders: int
    rotary: bool


def read(shapes: Shapes) -> Claim:
    """What an EDGE table is.

    Raises:
        NotThisError: it lacks the music's or the poses' projections.
    """
    attention = "self_attn.in_proj_weight"
    return _claim(
        Network(
            poses=size(
                shapes,
                ("final_layer.weight", 0),
                ("final_layer.bias", 0),
                ("input_projection.weight", 1),
            ),
            frames=size(shapes, ("null_cond_embed", 1), default=150),
            music=size(shapes, ("cond_projection.weight", 1), default=4800),
            latent=size(shapes, ("input_projection.weight", 0), ("cond_projection.weight", 0)),
            hidden=size(
                shapes,
                ("seqTransDecoder.stack.0.linear1.weight", 0),
                ("seqTransDecoder.stack.0.linear2.weight", 1),
            ),
            encoders=extent(
                shapes, f"cond_encoder.{{}}.{attention}", "cond_encoder.{}.linear1.weight"
            ),
            decoders=extent(
                shapes,
                f"seqTransDecoder.stack.{{}}.{attention}",
                "seqTransDecoder.stack.{}.linear1.weight",
            ),
            rotary="rotary.freqs" in shapes or "abs_pos_encoding.pe" not in shapes,
        )
    )


def examples() -> Iterator[Claim]:
    """The published network on Jukebox features, and the one on librosa's."""
    for music in _MUSIC:
        yield _claim(Network(151, 150, music, 512, 1024, 2, 8, rotary=True))


def _claim(network: Network) -> Claim:
    variant, music = _MUSIC.get(
        network.music, (f"music_{network.music}", f"{network.music} features")
    )
    found = tensors(network)
    tables = {key: shape for key, shape in found.items() if key.endswith("rotary.freqs")}
    seconds = network.frames / _FPS
    return Claim(
        variant=variant,
        title=f"EDGE, dances of {seconds:g} s on {music}",
        config={
            "nfeats": network.poses,
            "seq_len": network.frames,
            "fps": _FPS,
            "cond_feature_dim": network.music,
            "latent_dim": network.latent,
            "ff_size": network.hidden,
            "layers": network.decoders,
            "heads": _HEADS,
            "use_rotary": network.rotary,
        },
        tensors=found,
        optional=tables if network.rotary else {"abs_pos_encoding.pe": None},
        evidence=(
            f"`cond_projection.weight` takes {network.music} numbers: {music}",
            f"`final_layer.weight` gives {network.poses} numbers a frame"
            + (f": {_POSES[network.poses]}" if network.poses in _POSES else ""),
            f"`null_cond_embed` has {network.frames} frames",
        ),
        undecidable=("the number of attention heads (8 in the published network)",),
        input_channels=network.music,
        output_channels=network.poses,
        buffers=frozenset(tables),
    )


def tensors(network: Network) -> dict[str, Shape]:
    """Every tensor in the file's order."""
    latent = network.latent
    found: dict[str, Shape] = {
        "null_cond_embed": (1, network.frames, latent),
        "null_cond_hidden": (1, latent),
    }
    if network.rotary:
        found["rotary.freqs"] = (latent // 2,)
    found |= linear("time_mlp.1", 4 * latent, latent)
    found |= linear("to_time_cond.0", latent, 4 * latent)
    found |= linear("to_time_tokens.0", 2 * latent, 4 * latent)
    found |= norm("norm_cond", latent)
    found |= linear("input_projection", latent, network.poses)
    for number in range(network.encoders):
        place = f"cond_encoder.{number}."
        put(found, place, _attention("self_attn", latent))
        _put_rest(found, place, network, norms=2)
    found |= linear("cond_projection", latent, network.music)
    found |= norm("non_attn_cond_projection.0", latent)
    found |= linear("non_attn_cond_projection.1", latent, latent)
    found |= linear("non_attn_cond_projection.3", latent, latent)
    for number in range(network.decoders):
        place = f"seqTransDecoder.stack.{number}."
        put(found, place, _attention("self_attn", latent))
        put(found, place, _attention("multihead_attn", latent))
        _put_rest(found, place, network, norms=3, modulated=True)
    return found | linear("final_layer", network.poses, latent)


def _attention(name: str, width: int) -> dict[str, Shape]:
    return {
        f"{name}.in_proj_weight": (3 * width, width),
        f"{name}.in_proj_bias": (3 * width,),
        **linear(f"{name}.out_proj", width, width),
    }


def _put_rest(
    found: dict[str, Shape], place: str, network: Network, *, norms: int, modulated: bool = False
) -> None:
    """What follows the attentions of a layer: two linear layers, norms, modulations."""
    latent = network.latent
    put(found, place, linear("linear1", network.hidden, latent))
    put(found, place, linear("linear2", latent, network.hidden))
    for number in range(1, norms + 1):
        put(found, place, norm(f"norm{number}", latent))
    if modulated:
        for number in range(1, norms + 1):
            put(found, place, linear(f"film{number}.block.1", 2 * latent, latent))
    if network.rotary:
        found[f"{place}rotary.freqs"] = (latent // 2,)


FAMILY = Family(
    name="edge",
    title="EDGE",
    task="music to dance",
    steps=("animation.music",),
    markers=(
        ("null_cond_embed", "seqTransDecoder.stack.0.film1.block.1.weight"),
        ("cond_projection.weight", "seqTransDecoder.stack.0.multihead_attn.in_proj_weight"),
    ),
    read=read,
    examples=examples,
    licence="MIT",
    source="Stanford-TML/EDGE, model/model.py",
    aliases=("edge_dance", "dance_decoder"),
)
