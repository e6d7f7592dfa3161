from __future__ import annotations

from mycloset.inspection.structure import describe

CONV = {
    "stem.weight": (32, 3, 3, 3),
    "stem.bias": (32,),
    "bn.weight": (32,),
    "bn.bias": (32,),
    "bn.running_mean": (32,),
    "down.weight": (64, 32, 3, 3),
    "up.weight": (64, 16, 4, 4),
    "up.bias": (16,),
    "out.weight": (1, 16, 1, 1),
}
VIT = {
    "patch_embed.proj.weight": (64, 3, 16, 16),
    **{f"blocks.{i}.attn.qkv.weight": (192, 64) for i in range(6)},
    **{f"blocks.{i}.norm1.weight": (64,) for i in range(6)},
    **{f"blocks.{i}.mlp.fc1.weight": (256, 64) for i in range(6)},
}


def test_layers_are_counted_by_the_dimensions_of_their_weights() -> None:
    found = describe(CONV)
    assert (found.convolutions, found.linears, found.norms, found.depth) == (4, 0, 1, 4)


def test_a_bias_of_the_second_size_shows_a_transposed_convolution() -> None:
    assert describe(CONV).transposed == 1


def test_channels_are_told_in_order_without_repeats() -> None:
    assert describe(CONV).channels == (32, 64, 16, 1)


def test_the_widest_layer_has_the_most_output_channels() -> None:
    assert describe(CONV).widest == ("down.weight", (64, 32, 3, 3))


def test_blocks_are_the_longest_numbered_runs() -> None:
    assert describe(VIT).blocks == (("blocks.{}", 6),)


def test_attention_makes_a_transformer() -> None:
    found = describe(VIT)
    assert found.attentions == 6
    assert found.kind == "vision transformer"


def test_embedding_tables_are_no_linear_layers() -> None:
    found = describe({"wte.weight": (500, 16), "h.0.attn.c_attn.weight": (16, 48)})
    assert (found.embeddings, found.linears) == (1, 1)


def test_a_table_of_relative_positions_shows_the_heads() -> None:
    table = {"layers.0.attn.relative_position_bias_table": (225, 6)}
    assert describe(table).heads == 6


def test_no_layers_have_no_kind() -> None:
    assert describe({"step": (), "mean": (3,)}).kind == ""
