from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from model_files import Tensor, state_dict, write_torch_zip

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def diff(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Runs the command in a folder with a few files; gives its exit code, output and errors."""
    ones = np.ones(6, "<f4").tobytes()
    first = {"a.w": Tensor("float32", (2, 3)), "b": Tensor("float32", (4,))}
    other = {"a.w": Tensor("float32", (2, 3), ones), "b": Tensor("float32", (4,))}
    wrapped = {f"module.{key}": value for key, value in first.items()}
    write_torch_zip(tmp_path / "first.pth", state_dict(first))
    write_torch_zip(tmp_path / "other.pth", state_dict(other))
    write_torch_zip(tmp_path / "less.pth", state_dict({"b": Tensor("float16", (4,))}))
    write_torch_zip(tmp_path / "wrapped.pth", {"model": state_dict(wrapped)})
    (tmp_path / "page.pth").write_text("<html></html>")
    monkeypatch.chdir(tmp_path)

    return partial(cli, "diff")


@pytest.mark.parametrize(
    ("arguments", "code", "last"),
    [
        (["first.pth", "first.pth"], 0, "Same: 2 tensors with equal names, shapes and dtypes"),
        (["first.pth", "other.pth"], 0, "Same: 2 tensors"),
        (["first.pth", "other.pth", "--deep"], 1, "Different; 1 tensor with equal names"),
        (["first.pth", "less.pth"], 1, "Different; 0 tensors"),
        (["first.pth", "wrapped.pth"], 0, "Same: 2 tensors"),
        (["first.pth", "wrapped.pth", "--strict"], 1, "Different; 0 tensors"),
    ],
)
def test_the_verdict_and_the_exit_code(
    diff: Cli, arguments: list[str], code: int, last: str
) -> None:
    found, out, err = diff(*arguments)
    assert (found, err) == (code, "")
    assert out.splitlines()[-1].startswith(last)


def test_what_differs_is_told_by_kind(diff: Cli) -> None:
    _, out, _ = diff("first.pth", "less.pth")
    assert "only in A  1 tensor\n  - a.w  [2, 3]  float32\n" in out
    assert "dtype differs  1 tensor\n  ~ b  float32 → float16\n" in out


def test_json(diff: Cli) -> None:
    code, out, _ = diff("first.pth", "other.pth", "--deep", "--json")
    found = json.loads(out)
    assert code == 1
    assert found["values"] == [
        {"key": "a.w", "shape": [2, 3], "elements": 6, "differing": 6, "largest": 1.0,
         "relative": 1.0}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["first.pth", "missing.pth"], "missing.pth does not exist"),
        (["first.pth", "page.pth"], "page.pth holds no tensors"),
        (["first.pth"], "Missing argument"),
        (["first.pth", "other.pth", "--depth"], "No such option"),
    ],
)
def test_what_cannot_be_compared_is_one_line_and_2(
    diff: Cli, arguments: list[str], said: str
) -> None:
    code, out, err = diff(*arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
