"""`mycloset models`: the table at any width, what it leaves out, and its JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import golden_files
from model_files import Tensor, write_torch_zip
from mycloset.cli.shelf_report import lines, shown
from mycloset.hub.shelf import Shelf
from mycloset.inspection.report.text import render, width_of

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def closet(tmp_path: Path) -> Path:
    """A network in its step's folder, one under a wrong name, an unknown one, a page."""

    def write(name: str, golden: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        write_torch_zip(path, {k: Tensor(d, s) for k, d, s in golden_files.tensors(golden)})

    write("step_03_cloth_segmentation/cloth.pth", "u2net/cloth_segm_u2net_latest")
    write("step_06_virtual_fitting/hrviton_final.pth", "u2net/u2net")
    write_torch_zip(tmp_path / "mine.pth", {"layer.weight": Tensor("float32", (3, 5))})
    (tmp_path / "page.bin").write_text("<!doctype html><html></html>")
    return tmp_path


def test_every_file_is_told_with_what_it_is(cli: Cli, closet: Path) -> None:
    code, out, err = cli("models", closet)
    assert (code, err) == (0, "")
    table = out.split("First for")[0]
    rows = {line.split()[-1]: line for line in table.splitlines() if line}
    assert rows["step_03_cloth_segmentation/cloth.pth"].startswith("✓  176 MB  3 1    U²-Net for")
    assert "MIT" in rows["step_03_cloth_segmentation/cloth.pth"]
    assert rows["mine.pth"].startswith("?")
    assert "HTML" in rows["page.bin"]


def test_why_a_model_cannot_run_and_what_a_wrong_name_hides_are_told(
    cli: Cli, closet: Path
) -> None:
    _, out, _ = cli("models", closet)
    assert "cannot run: it holds an unknown network" in out
    assert "The name suggests HR-VITON" in out


def test_each_step_is_told_with_what_would_serve_it(cli: Cli, closet: Path) -> None:
    _, out, _ = cli("models", closet)
    served = out.split("First for each step")[1]
    assert "3 cloth_segmentation U²-Net for clothes" in served
    assert "and 1 other" in served
    assert "2 pose_estimation    none here" in served


@pytest.mark.parametrize("width", [48, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int, closet: Path) -> None:
    found = shown(Shelf([closet], index=False), step=None, family=None)
    for line in render(lines(found, width=width), colour=False).splitlines():
        assert width_of(line) <= width, line


@pytest.mark.parametrize("option", [("--step", "step_03"), ("--family", "u2net")])
def test_only_what_is_asked_for_is_shown(option: tuple[str, str], cli: Cli, closet: Path) -> None:
    _, out, _ = cli("models", closet, *option)
    assert "cloth.pth" in out
    assert "mine.pth" not in out
    assert "page.bin" not in out


def test_json_holds_all_of_it(cli: Cli, closet: Path) -> None:
    code, out, _ = cli("models", closet, "--json")
    document = json.loads(out)
    assert code == 0
    assert [model["family"] for model in document["models"]] == [None, "u2net", "u2net"]
    assert [model["loaded"] for model in document["models"]] == [False] * 3
    assert document["others"][0]["format"] == "html"
    assert len(document["steps"]) == 8
    assert document["steps"]["cloth_segmentation"][0].endswith("cloth.pth")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{none}"], "is no folder"),
        (["{closet}", "--step", "step_9"], "'step_9' is no step"),
        (["{closet}", "--family", "nothing"], "'nothing' is no family"),
    ],
)
def test_what_cannot_be_is_refused(arguments: list[str], told: str, cli: Cli, closet: Path) -> None:
    places = {"none": str(closet / "none"), "closet": str(closet)}
    code, out, err = cli("models", *(argument.format(**places) for argument in arguments))
    assert (code, out) == (2, "")
    assert told in err
