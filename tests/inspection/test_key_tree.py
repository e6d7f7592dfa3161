from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import golden_files
from mycloset.checkpoints import Checkpoint, Storage, TensorEntry, TensorGroup, TensorTable
from mycloset.inspection.report.key_tree import (
    checkpoint_lines,
    fold,
    group_title,
    groups_json,
    key_lines,
)
from mycloset.inspection.report.text import render


def group(tensors: dict[str, tuple[int, ...]], **changes: object) -> TensorGroup:
    entries = (
        TensorEntry(key, "float32", shape, Storage(key, 4, 0), 0, None, 4)
        for key, shape in tensors.items()
    )
    return TensorGroup(**{"wrapper": (), "table": TensorTable(entries), **changes})  # type: ignore[arg-type]


def patterns(keys: list[str]) -> list[str]:
    return [item.pattern for item in fold(dict.fromkeys(keys, 0))]


@pytest.mark.parametrize(
    ("keys", "folded"),
    [
        ([f"layers.{n}.w" for n in range(12)], ["layers.{0..11}.w"]),
        (["a.0.w", "a.1.w", "a.3.w"], ["a.{0,1,3}.w"]),
        (["a.0.w", "a.1.w", "a.2.w", "a.7.w"], ["a.{0..2,7}.w"]),
        (["a.0.w", "a.2.w", "a.4.w"], ["a.{0..4..2}.w"]),
        ([f"a.{n}.b.{m}.w" for n in range(3) for m in (0, 1)], ["a.{0..2}.b.{0,1}.w"]),
        (["n.weight", "n.bias"], ["n.{weight,bias}"]),
        (["a.0.w", "a.0.v", "a.1.w", "a.1.v"], ["a.{0,1}.{w,v}"]),
        (["a.00.w", "a.01.w"], ["a.00.w", "a.01.w"]),
        (["layer1.w", "layer2.w"], ["layer1.w", "layer2.w"]),
        (["w", "0", "1"], ["w", "{0,1}"]),
    ],
)
def test_repeats_are_folded(keys: list[str], folded: list[str]) -> None:
    assert patterns(keys) == folded


def test_only_what_is_equal_is_folded() -> None:
    found = fold({"a.0.w": (3, 4), "a.1.w": (3, 4), "a.2.w": (3, 5)})
    assert [(item.pattern, item.label) for item in found] == [
        ("a.{0,1}.w", (3, 4)),
        ("a.2.w", (3, 5)),
    ]


def test_an_index_that_lacks_a_part_is_told_apart() -> None:
    keys = [f"a.{n}.b.{m}.w" for n in range(3) for m in range(2)][:-1]
    assert patterns(keys) == ["a.{0,1}.b.{0,1}.w", "a.2.b.0.w"]


NAMES = st.lists(
    st.lists(st.sampled_from(["0", "1", "2", "a", "w", "", "\0", "{0,1}"]), max_size=5).map(
        ".".join
    ),
    unique=True,
)


@given(NAMES)
def test_every_key_is_in_exactly_one_line(keys: list[str]) -> None:
    labels = {key: hash(key) % 2 for key in keys}
    found = fold(labels)
    assert sorted(key for item in found for key in item.keys) == sorted(keys)
    assert all(labels[key] == item.label for item in found for key in item.keys)


def test_deep_and_long_numbers_do_no_harm() -> None:
    keys = [".".join(["0"] * 3000), "9" * 5000 + ".w", "٣.w"]
    assert len(patterns(keys)) == 3


def test_lines_tell_shape_dtype_and_how_many() -> None:
    lines = key_lines(group({"blocks.0.w": (2, 3), "blocks.1.w": (2, 3), "head": ()}))
    assert render(lines, colour=False) == (
        "blocks.{0,1}.w  [2, 3]  float32  ×2\nhead            []  float32\n"
    )


def test_a_large_network_is_a_page_not_a_book() -> None:
    table = golden_files.shapes("sam/sam_vit_h_4b8939")
    assert len(table) > 590
    assert len(key_lines(group(table))) < 100


def test_keys_cannot_act_on_the_terminal() -> None:
    text = render(key_lines(group({"\x1b[2J.w": (1,)})), colour=False)
    assert r"\x1b[2J.w" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"wrapper": ("state", "net")}, "state dict under state.net: 1 tensor"),
        ({"role": "ema"}, "moving average: 1 tensor"),
        ({"kind": "module", "class_name": "pkg.Net"}, "module pkg.Net: 1 tensor"),
    ],
)
def test_a_group_says_what_it_is(changes: dict[str, object], title: str) -> None:
    assert group_title(group({"w": (1,)}, **changes)) == title


def test_groups_follow_each_other() -> None:
    both = (group({"a": (1,)}), group({"b": (1,)}, role="optimizer", wrapper=("optimizer",)))
    text = render(checkpoint_lines(Checkpoint("x", "torch-zip", 1, both)), colour=False)  # type: ignore[arg-type]
    assert text.splitlines() == [
        "state dict: 1 tensor", "a  [1]  float32", "",
        "optimizer state under optimizer: 1 tensor", "b  [1]  float32",
    ]  # fmt: skip


def test_json_has_every_tensor_with_its_place() -> None:
    checkpoint = Checkpoint("x", "torch-zip", 1, (group({"a.0": (1,), "a.1": (1,)}),))  # type: ignore[arg-type]
    tensors = groups_json(checkpoint)[0]["tensors"]
    assert [item["key"] for item in tensors] == ["a.0", "a.1"]
    assert tensors[0] == {
        "key": "a.0", "dtype": "float32", "shape": [1], "bytes": 4, "range": [0, 4], "file": "",
    }  # fmt: skip
