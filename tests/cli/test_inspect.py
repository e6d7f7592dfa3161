from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import golden_files
from model_files import Tensor, state_dict, write_torch_zip
from mycloset.cli import start
from mycloset.cli.inspection import FAIL_KINDS
from pickle_writer import Call, Global

Cli = Callable[..., tuple[int, str, str]]
KNOWN = "hrnet_pose/w48_coco_256x192"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder with a known network, the same under a wrong name, and files that are no models."""
    folder = tmp_path / "models"
    folder.mkdir()
    tensors = {key: Tensor(dtype, shape) for key, dtype, shape in golden_files.tensors(KNOWN)}
    write_torch_zip(folder / "pose.pth", state_dict(tensors))
    write_torch_zip(folder / "u2net.pth", {"state_dict": state_dict(tensors), "epoch": 210})
    (folder / "page.bin").write_text("<!doctype html><html><title>404</title></html>")
    (folder / "notes.txt").write_text("not a model")
    evil = Call(Global("posix", "system"), ("echo harm",))
    write_torch_zip(folder / "evil.ckpt", {"w": Tensor("float32", (2, 3)), "x": evil})
    return folder


def test_one_file_is_a_card(cli: Cli, models: Path) -> None:
    code, out, err = cli("inspect", models / "pose.pth")
    assert (code, err) == (0, "")
    assert out.startswith("✓ HRNet-W48, 17 COCO joints · confidence 99 %\n  file")


def test_json_of_one_file_is_the_object_itself(cli: Cli, models: Path) -> None:
    code, out, err = cli("inspect", models / "pose.pth", "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert found["family"] == "hrnet_pose"
    assert {
        "path", "format", "family", "variant", "layout", "config", "task", "steps", "confidence",
        "evidence", "tensors", "parameters", "bytes", "precision", "input_channels",
        "output_channels", "wrapper", "prefix", "licence", "findings", "networks",
    } <= found.keys()  # fmt: skip


def test_json_of_a_folder_has_files_findings_and_summary(cli: Cli, models: Path) -> None:
    code, out, err = cli("inspect", models, "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    names = [Path(file["path"]).name for file in found["files"]]
    assert names == ["evil.ckpt", "page.bin", "pose.pth", "u2net.pth"]
    assert [finding["kind"] for finding in found["findings"]] == ["duplicate"]
    assert found["summary"]["families"] == {"hrnet_pose": 2}
    assert [Path(path).name for path in found["skipped"]] == ["notes.txt"]


def test_json_of_two_files_compares_them(cli: Cli, models: Path) -> None:
    _, out, _ = cli("inspect", models / "pose.pth", models / "u2net.pth", "--json")
    assert [finding["kind"] for finding in json.loads(out)["findings"]] == ["duplicate"]


def test_jsonl_has_a_line_for_each_file(cli: Cli, models: Path) -> None:
    code, out, err = cli("inspect", models, "--jsonl")
    assert (code, err) == (0, "")
    paths = {Path(json.loads(line)["path"]).name for line in out.splitlines()}
    assert paths == {"evil.ckpt", "page.bin", "pose.pth", "u2net.pth"}


def test_a_folder_is_a_table_and_a_summary(cli: Cli, models: Path) -> None:
    code, out, err = cli("inspect", models)
    table, _, summary = out.partition("\n\n")
    assert (code, err) == (0, "")
    assert len(table.splitlines()) == 5
    assert summary.startswith("4 files, ")
    assert "\ndangerous  1 file" in summary


def test_keys_are_listed_folded(cli: Cli, models: Path) -> None:
    _, out, _ = cli("inspect", models / "pose.pth", "--keys")
    assert "\nstate dict: 1,754 tensors\n" in out
    line = next(line for line in out.splitlines() if line.startswith("layer1.{0..3}.conv2.weight"))
    assert line.split("  ", 1)[1].strip() == "[64, 64, 3, 3]  float32  ×4"


def test_json_with_keys_has_every_tensor(cli: Cli, models: Path) -> None:
    _, out, _ = cli("inspect", models / "u2net.pth", "--keys", "--json")
    (group,) = json.loads(out)["groups"]
    assert group["wrapper"] == "state_dict"
    assert len(group["tensors"]) == 1754


def test_the_page_is_written_beside_the_output(cli: Cli, models: Path, tmp_path: Path) -> None:
    code, out, err = cli("inspect", models, "--html", tmp_path / "r.html", "--json")
    assert code == 0
    assert json.loads(out)["summary"]["files"] == 4
    assert err == f"report: {tmp_path / 'r.html'}\n"
    assert (tmp_path / "r.html").read_text("utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("kinds", "code", "said"),
    [
        ("dangerous", 1, "mycloset: --fail-on: 1 file dangerous.\n"),
        ("corrupt, duplicate", 1, "mycloset: --fail-on: 2 files duplicate.\n"),
        ("corrupt", 0, ""),
    ],
)
def test_fail_on_ends_with_1(cli: Cli, models: Path, kinds: str, code: int, said: str) -> None:
    found, out, err = cli("inspect", models, "--fail-on", kinds)
    assert (found, err) == (code, said)
    assert out, "the report is given all the same"


@pytest.mark.parametrize("kind", FAIL_KINDS)
def test_every_kind_can_be_named(cli: Cli, models: Path, kind: str) -> None:
    expected = int(kind in ("not-a-model",))
    assert cli("inspect", models / "page.bin", "--fail-on", kind)[0] == expected


def test_dangerous_code_is_told_and_not_run(cli: Cli, models: Path) -> None:
    _, out, _ = cli("inspect", models / "evil.ckpt")
    assert "DANGEROUS" in out
    assert "posix.system" in out
    assert "harm\n" not in out.replace("echo harm", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.pth"], "missing.pth: No such file or directory"),
        (["pose.pth", "--fail-on", "evil"], "'evil' is no kind of finding. Use dangerous"),
        (["pose.pth", "--fail-on", ","], "no kind is named"),
        (["pose.pth", "--json", "--jsonl"], "only one can be had"),
        (["pose.pth", "--html", "missing/r.html"], "does not exist"),
        (["pose.pth", "--html", "pose.pth"], "this is a file to be inspected"),
        (["pose.pth", "--html"], "requires an argument"),
        (["pose.pth", "--jason"], "No such option"),
        ([], "Missing argument"),
    ],
)
def test_mistakes_are_one_line_and_2(
    cli: Cli, models: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(models)
    code, out, err = cli("inspect", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("mycloset: ")
    assert said in err
    assert err.count("\n") == 1


def test_a_named_file_that_cannot_be_read_ends_with_2(cli: Cli, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.pth"
    os.mkfifo(pipe)
    code, out, err = cli("inspect", pipe)
    assert code == 2
    assert "Cannot be read" in out
    assert err == f"mycloset: {pipe} cannot be read.\n"


def test_what_is_no_model_is_an_answer(cli: Cli, models: Path) -> None:
    code, out, _ = cli("inspect", models / "page.bin")
    assert code == 0
    assert "Not a model: an HTML page" in out


def test_names_of_any_bytes_are_shown_and_cannot_act(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"a\x1b[2J\xff\n.bin")
    path.write_bytes(b"")
    for options in ([], ["--json"], ["--jsonl"], ["--keys"]):
        _, out, _ = cli("inspect", path, *options)
        assert "\x1b" not in out
        assert "\x1b" not in cli("inspect", path.parent / "\x1b[2J")[2]
    assert Path(json.loads(cli("inspect", path, "--json")[1])["path"]) == path


def test_a_poor_terminal_gets_plain_letters(models: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mycloset", "inspect", models / "pose.pth"],
        capture_output=True, check=True, env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert done.stdout.startswith(b"+ HRNet-W48, 17 COCO joints - confidence 99 %\n")


@pytest.mark.parametrize(("variable", "coloured"), [("TERM", True), ("NO_COLOR", False)])
def test_on_a_terminal_rows_come_as_they_are_found(
    models: Path, variable: str, coloured: bool
) -> None:
    shown = on_a_terminal(["inspect", str(models)], {variable: "1"})
    rows = [line for line in shown.splitlines() if ".pth" in line or ".ckpt" in line]
    assert "HRNet-W48" in rows[1] + rows[2]
    assert ("\x1b[1;32m✓" in shown) == coloured
    assert "█" in shown, "progress is drawn"
    assert shown.rstrip().splitlines()[-1].startswith("  u2net.pth")


def on_a_terminal(arguments: list[str], environment: dict[str, str]) -> str:
    """What a terminal of 100 columns is sent."""
    master, slave = pty.openpty()
    settings = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    done = subprocess.Popen(
        [sys.executable, "-m", "mycloset", *arguments], stdout=slave, stderr=slave,
        env={**settings, "TERM": "xterm", "COLUMNS": "100", **environment},
    )  # fmt: skip
    os.close(slave)
    parts = []
    while True:
        try:
            part = os.read(master, 1 << 16)
        except OSError:  # how a terminal says that nobody writes to it any more
            break
        if not part:
            break
        parts.append(part)
    os.close(master)
    assert done.wait() == 0
    return b"".join(parts).decode()


PLAIN: list[tuple[list[str], Any]] = [
    (["inspect", "a"], ("inspect", [Path("a")], {})),
    (
        ["inspect", "--json", "a", "b", "--fail-on", "x,y", "--html", "r.html"],
        (
            "inspect",
            [Path("a"), Path("b")],
            {"json": True, "fail_on": "x,y", "html": Path("r.html")},
        ),
    ),
    (["diff", "a", "b", "--strict"], ("diff", [Path("a"), Path("b")], {"strict": True})),
]


@pytest.mark.parametrize(("line", "read"), PLAIN)
def test_plain_lines_are_read_at_once(line: list[str], read: Any) -> None:
    assert start.plain_line(line) == read


@pytest.mark.parametrize(
    "line",
    [
        [], ["demo"], ["inspect"], ["inspect", "--help"], ["inspect", "a", "--keyz"],
        ["inspect", "a", "--html"], ["inspect", "a", "--html", "--json"], ["inspect", "--", "-a"],
        ["inspect", "a", "--html=r"], ["diff", "a"], ["diff", "a", "b", "c"], ["diff", "-", "b"],
    ],
)  # fmt: skip
def test_every_other_line_is_left_to_typer(line: list[str]) -> None:
    assert start.plain_line(line) is None


@pytest.mark.parametrize("command", ["inspect", "diff"])
def test_the_plain_reading_knows_every_option(cli: Cli, command: str) -> None:
    _, out, _ = cli(command, "--help")
    told = set(re.findall(r"--[a-z][a-z-]*", out)) - {"--help"}
    assert told == {*start.FLAGS[command], *start.VALUES[command]}


def test_both_readings_come_to_the_same(
    cli: Cli, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = ("inspect", models, "--json", "--keys", "--fail-on", "dangerous")
    quick = cli(*line)
    monkeypatch.setattr(start, "plain_line", lambda arguments: None)
    slow = cli(*line)
    for code, out, err in (quick, slow):
        assert (code, err) == (1, "mycloset: --fail-on: 1 file dangerous.\n")
        assert len(json.loads(out)["files"]) == 4


def test_an_answer_about_a_file_needs_no_typer(models: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "mycloset", "inspect", models / "pose.pth"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "mycloset.inspection.analysis" in imported
    assert not {name.partition(".")[0] for name in imported} & {
        "typer",
        "pydantic",
        "rich",
        "numpy",
    }


def test_who_stops_reading_is_not_complained_to(models: Path) -> None:
    command = f"{sys.executable} -m mycloset inspect {models} --keys | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
