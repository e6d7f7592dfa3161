"""Key maps: data that lead to the network's keys, and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mycloset.architectures.keymapper import KeyMap, KeyMapper, Merge, Permute, Split

PARTS = st.text("abc0123456789", min_size=1, max_size=4)
KEYS = st.lists(PARTS, min_size=1, max_size=5).map(".".join)


def mapped(keymap: KeyMap, found: dict[str, tuple[int, ...]], wanted: dict[str, tuple[int, ...]]):  # type: ignore[no-untyped-def]
    return KeyMapper(keymap).map(found, wanted)


def test_a_rename_rewrites_whole_components_only() -> None:
    keymap = KeyMap(renames=(("norm", "layer_norm"),))
    assert keymap.renamed("block.norm.weight") == "block.layer_norm.weight"
    assert keymap.renamed("block.norm1.weight") == "block.norm1.weight"
    assert keymap.renamed("prenorm.weight") == "prenorm.weight"


def test_fields_carry_over() -> None:
    keymap = KeyMap(renames=(("layers_{n}.{which}", "stage{n}.{which}"),))
    assert keymap.renamed("x.layers_12.conv.weight") == "x.stage12.conv.weight"


def test_anchors_hold_a_rename_to_an_end_of_the_key() -> None:
    keymap = KeyMap(renames=(("^body", "trunk"), ("w$", "weight")))
    assert keymap.renamed("body.body.w") == "trunk.body.weight"
    assert keymap.renamed("w.body.x") == "w.body.x"


@given(KEYS, PARTS)
def test_a_rename_goes_back(key: str, prefix: str) -> None:
    keymap = KeyMap(renames=((f"^{prefix}_.{{rest*}}", f"{prefix}-new.{{rest*}}"),))
    whole = f"{prefix}_.{key}"
    assert keymap.restored(keymap.renamed(whole)) == whole


def test_a_split_cuts_and_its_inverse_joins() -> None:
    keymap = KeyMap(
        renames=(("attn", "attention"),),
        splits=(Split("{at*}.qkv.{w}", ("{at}.q.{w}", "{at}.k.{w}", "{at}.v.{w}")),),
    )
    file = {"b.attn.qkv.weight": (12, 4), "b.attn.qkv.bias": (12,)}
    network = {f"b.attention.{part}.weight": (4, 4) for part in "qkv"} | {
        f"b.attention.{part}.bias": (4,) for part in "qkv"
    }
    there = mapped(keymap, file, network)
    assert (there.rate, there.unused, there.adapted) == (1.0, (), 6)
    assert {(s.target, s.start, s.length) for s in there.steps} >= {("b.attention.k.bias", 4, 4)}

    back = mapped(keymap.inverse, network, {"b.attn.qkv.weight": (12, 4), "b.attn.qkv.bias": (12,)})
    assert (back.rate, back.unused) == (1.0, ())
    assert back.steps[0].sources[0] == "b.attention.q.weight"


def test_a_merge_needs_all_its_parts() -> None:
    keymap = KeyMap(merges=(Merge(("{at*}.a", "{at*}.b"), "{at}.ab"),))
    assert mapped(keymap, {"x.a": (2,), "x.b": (3,)}, {"x.ab": (5,)}).rate == 1.0
    half = mapped(keymap, {"x.a": (2,)}, {"x.ab": (5,)})
    assert (half.missing, half.unused) == (("x.ab",), ("x.a",))


def test_a_permutation_moves_squeezes_and_flattens() -> None:
    keymap = KeyMap(
        permutes=(
            Permute("turned", dims=(1, 0)),
            Permute("thin", squeeze=(2, 3)),
            Permute("whole", flatten=True),
        )
    )
    found = {"turned": (2, 3), "thin": (4, 5, 1, 1), "whole": (8, 2, 7, 7)}
    wanted = {"turned": (3, 2), "thin": (4, 5), "whole": (8, 98)}
    assert mapped(keymap, found, wanted).rate == 1.0


def test_statistics_tell_missing_unused_and_misshapen() -> None:
    told = mapped(
        KeyMap(drops=("mask",)),
        {"a": (2,), "b": (3,), "extra": (1,), "mask": (9,)},
        {"a": (2,), "b": (4,), "c": (1,)},
    )
    assert told.statistics == {
        "mapped": 1, "unused": 1, "missing": 1, "misshapen": 1, "adapted": 0, "rate": 0.333333,
    }  # fmt: skip
    assert told.misshapen == (("b", (3,), (4,)),)
    assert told.dropped == ("mask",)


def test_counters_of_batch_norms_are_neither_missed_nor_unused() -> None:
    counter = "bn.num_batches_tracked"
    assert mapped(KeyMap(), {}, {counter: ()}).missing == ()
    assert mapped(KeyMap(), {counter: ()}, {}).unused == ()
