from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_files import Tensor, state_dict, write_torch_legacy, write_torch_zip
from mycloset.checkpoints import Storage, TensorEntry, TensorGroup, TensorTable
from mycloset.checkpoints.reading import read_checkpoint
from mycloset.errors import InputError
from mycloset.inspection.differences import CheckpointDifference, diff_checkpoints
from mycloset.inspection.report.comparison import difference_lines
from mycloset.inspection.report.text import render
from mycloset.inspection.values import _e4m3fn

FLOATS = np.arange(12, dtype="<f4").reshape(3, 4)


def tensor(values: Any, dtype: str = "float32", **changes: Any) -> Tensor:
    numbers = np.asarray(values)
    raw = numbers.astype({"float32": "<f4", "float16": "<f2"}.get(dtype, numbers.dtype.str))
    shape = changes.pop("shape", numbers.shape)
    return Tensor(dtype, shape, raw.tobytes(), **changes)


def save(path: Path, thing: Any, **options: Any) -> Path:
    write_torch_zip(path, thing, **options)
    return path


def plain(path: Path, tensors: dict[str, Tensor], **options: Any) -> Path:
    return save(path, state_dict(tensors), **options)


def diff(a: Path, b: Path, **options: bool) -> CheckpointDifference:
    return diff_checkpoints(read_checkpoint(a), read_checkpoint(b), **options)


def shown(difference: CheckpointDifference) -> str:
    return render(difference_lines(difference), colour=False)


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return plain(
        tmp_path / "a.pth", {f"layers.{n}.w": tensor(FLOATS) for n in range(3)} | {"b": tensor([1])}
    )


def test_a_file_is_the_same_as_its_copy(one: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.pth"
    copy.write_bytes(one.read_bytes())
    found = diff(one, copy, deep=True)
    assert found.same
    assert found.equal == 4
    assert "Same: 4 tensors with equal names, shapes, dtypes and values" in shown(found)


def test_tensors_of_one_side_only_are_named(one: Path, tmp_path: Path) -> None:
    other = plain(tmp_path / "b.pth", {f"layers.{n}.w": tensor(FLOATS) for n in range(4)})
    found = diff(one, other)
    assert [entry.key for entry in found.only_a] == ["b"]
    assert [entry.key for entry in found.only_b] == ["layers.3.w"]
    assert not found.same


def test_shapes_and_dtypes_that_differ_are_told(one: Path, tmp_path: Path) -> None:
    tensors = {f"layers.{n}.w": tensor(FLOATS, "float16") for n in range(3)}
    other = plain(tmp_path / "b.pth", tensors | {"b": tensor([1, 2])})
    found = diff(one, other)
    assert [(key, a.shape, b.shape) for key, a, b in found.shapes] == [("b", (1,), (2,))]
    assert len(found.dtypes) == 3
    told = shown(found)
    assert "~ b  [1] → [2]" in told
    assert "~ layers.{0..2}.w  float32 → float16  ×3" in told


@pytest.mark.parametrize("prefix", ["module.", "model.", "_orig_mod.module."])
def test_wrapper_and_prefix_make_no_difference(one: Path, tmp_path: Path, prefix: str) -> None:
    tensors = {f"{prefix}layers.{n}.w": tensor(FLOATS) for n in range(3)}
    tensors[f"{prefix}b"] = tensor([1])
    other = save(tmp_path / "b.pth", {"state_dict": state_dict(tensors), "epoch": 3})
    found = diff(one, other, deep=True)
    assert found.same
    assert found.notes == (f"taken off B's keys: wrapper state_dict, prefix {prefix}",)


def test_a_backbone_is_found_beside_a_head(one: Path, tmp_path: Path) -> None:
    tensors = {f"backbone.layers.{n}.w": tensor(FLOATS) for n in range(3)}
    tensors |= {"backbone.b": tensor([1]), "head.w": tensor([2])}
    found = diff(one, plain(tmp_path / "b.pth", tensors))
    assert not found.only_a
    assert [entry.key for entry in found.only_b] == ["head.w"]


def test_strict_takes_nothing_off(one: Path, tmp_path: Path) -> None:
    other = plain(
        tmp_path / "b.pth",
        {f"module.layers.{n}.w": tensor(FLOATS) for n in range(3)} | {"module.b": tensor([1])},
    )
    found = diff(one, other, strict=True)
    assert len(found.only_a) == len(found.only_b) == 4


def test_an_optimizer_beside_the_weights_is_left_out(one: Path) -> None:
    found = read_checkpoint(one)
    entry = TensorEntry("0.exp_avg", "float32", (3,), Storage("9", 12, None), 0, None, 12)
    state = TensorGroup(("optimizer",), TensorTable([entry]), "optimizer")
    trained = dataclasses.replace(found, groups=(*found.groups, state))
    compared = diff_checkpoints(found, trained)
    assert compared.same
    assert compared.notes == ("left out: B's optimizer state (1) in optimizer",)
    assert diff_checkpoints(found, trained, strict=True).differs


def test_an_average_beside_the_weights_is_a_difference(tmp_path: Path) -> None:
    weights = {"a.w": tensor(FLOATS), "b.w": tensor([1])}
    both = {"params": state_dict(weights), "params_ema": state_dict(weights)}
    a = save(tmp_path / "a.pth", both)
    b = save(tmp_path / "b.pth", {"params": state_dict(weights)})
    found = diff(a, b)
    assert len(found.only_a) == 2
    assert found.equal == 2
    assert diff(a, a).same


def test_other_numbers_are_counted_and_measured(tmp_path: Path) -> None:
    changed = FLOATS.copy()
    changed[2, 3] = 11.5
    changed[0, 1] = 2.0
    a = plain(tmp_path / "a.pth", {"x.0.w": tensor(FLOATS), "x.1.w": tensor(FLOATS)})
    b = plain(tmp_path / "b.pth", {"x.0.w": tensor(changed), "x.1.w": tensor(changed)})
    found = diff(a, b, deep=True)
    assert [(v.key, v.elements, v.differing, v.largest, v.relative) for v in found.values] == [
        ("x.0.w", 12, 2, 1.0, 0.5), ("x.1.w", 12, 2, 1.0, 0.5),
    ]  # fmt: skip
    assert "~ x.{0,1}.w  4 of 24, by 1 at most, relative 0.5  ×2" in shown(found)
    assert diff(a, b).same, "values are not read unless asked for"


@pytest.mark.parametrize(
    ("first", "second", "differing", "largest"),
    [
        ([math.nan, 1], [math.nan, 1.5], 1, 0.5),
        ([math.nan, 1], [2, 1], 1, math.inf),
        ([math.inf, 1], [math.inf, 2], 1, 1.0),
        ([math.inf, 1], [-math.inf, 1], 1, math.inf),
    ],
)
def test_numbers_that_are_none(
    tmp_path: Path, first: list[float], second: list[float], differing: int, largest: float
) -> None:
    a = plain(tmp_path / "a.pth", {"w": tensor(first)})
    b = plain(tmp_path / "b.pth", {"w": tensor(second)})
    (value,) = diff(a, b, deep=True).values
    assert (value.differing, value.largest) == (differing, largest)
    json.dumps(diff(a, b, deep=True).to_json(), allow_nan=False)


def test_two_zeros_are_one(tmp_path: Path) -> None:
    a = plain(tmp_path / "a.pth", {"w": tensor([0.0])})
    b = plain(tmp_path / "b.pth", {"w": tensor([-0.0])})
    assert diff(a, b, deep=True).same


@pytest.mark.parametrize(
    ("dtype", "raw_a", "raw_b", "largest"),
    [
        ("bfloat16", b"\x80\x3f", b"\x00\x40", 1.0),
        ("float16", b"\x00\x3c", b"\x00\x40", 1.0),
        ("float64", np.float64(1).tobytes(), np.float64(3).tobytes(), 2.0),
        ("int64", np.int64(5).tobytes(), np.int64(7).tobytes(), 2.0),
        ("bool", b"\x01", b"\x00", 1.0),
        ("complex64", np.complex64(3 + 4j).tobytes(), np.complex64(0).tobytes(), 5.0),
    ],
)
def test_every_dtype_is_measured(
    tmp_path: Path, dtype: str, raw_a: bytes, raw_b: bytes, largest: float
) -> None:
    a = plain(tmp_path / "a.pth", {"w": Tensor(dtype, (1,), raw_a)})
    b = plain(tmp_path / "b.pth", {"w": Tensor(dtype, (1,), raw_b)})
    (value,) = diff(a, b, deep=True).values
    assert value.largest == largest


def test_eight_bit_floats_are_those_of_their_table() -> None:
    assert [_e4m3fn(code) for code in (0x38, 0x01, 0x7E, 0xC0)] == [1.0, 2**-9, 448.0, -2.0]
    assert math.isnan(_e4m3fn(0x7F))


def test_a_rounded_copy_is_measured_across_dtypes(tmp_path: Path) -> None:
    a = plain(tmp_path / "a.pth", {"w": tensor([1.0, 2.0, 1 / 3])})
    b = plain(tmp_path / "b.pth", {"w": tensor([1.0, 2.0, 1 / 3], "float16")})
    (value,) = diff(a, b, deep=True).values
    assert value.differing == 1
    assert value.largest == pytest.approx(abs(float(np.float32(1 / 3)) - float(np.float16(1 / 3))))


def test_order_in_the_file_does_not_matter(tmp_path: Path) -> None:
    a = plain(tmp_path / "a.pth", {"w": tensor(FLOATS)})
    turned = tensor(FLOATS.T.copy(), shape=(3, 4), stride=(1, 3))
    assert diff(a, plain(tmp_path / "b.pth", {"w": turned}), deep=True).same


@pytest.mark.parametrize("options", [{"compress": True}, {"big_endian": True}], ids=str)
def test_packing_and_byte_order_do_not_matter(tmp_path: Path, options: dict[str, bool]) -> None:
    a = plain(tmp_path / "a.pth", {"w": tensor(FLOATS)})
    b = plain(tmp_path / "b.pth", {"w": tensor(FLOATS)}, **options)
    found = diff(a, b, deep=True)
    assert found.same, shown(found)


def test_formats_are_compared_with_each_other(tmp_path: Path) -> None:
    a = plain(tmp_path / "a.pth", {"w": tensor(FLOATS)})
    write_torch_legacy(tmp_path / "b.pth", state_dict({"w": tensor(FLOATS)}), sparse=False)
    assert diff(a, tmp_path / "b.pth", deep=True).same


def test_large_tensors_are_compared_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mycloset.inspection.values.PIECE", 5)
    changed = FLOATS.copy()
    changed[2, 3] = 0
    a = plain(tmp_path / "a.pth", {"w": tensor(FLOATS)})
    b = plain(tmp_path / "b.pth", {"w": tensor(changed)})
    (value,) = diff(a, b, deep=True).values
    assert (value.differing, value.largest, value.relative) == (1, 11.0, 1.0)


def test_what_has_no_tensors_cannot_be_compared(one: Path, tmp_path: Path) -> None:
    page = tmp_path / "b.pth"
    page.write_text("<html>404</html>")
    with pytest.raises(InputError, match=r"b\.pth holds no tensors"):
        diff(one, page)


def test_the_difference_is_json(one: Path, tmp_path: Path) -> None:
    other = plain(tmp_path / "b.pth", {"layers.0.w": tensor(FLOATS + 1), "c": tensor([1])})
    document = json.loads(json.dumps(diff(one, other, deep=True).to_json()))
    assert document["same"] is False
    assert document["only_b"] == [{"key": "c", "dtype": "float32", "shape": [1]}]
    assert document["values"][0]["differing"] == 12
