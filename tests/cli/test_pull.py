from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from misbehaving_server import Served, Server, running
from mycloset import inspect
from mycloset.cli.licences import licences, notice
from mycloset.cli.progress import bar
from mycloset.cli.pull import pull
from mycloset.hub import catalogue
from published_files import golden_file


def test_pull_names_the_files(capsys: pytest.CaptureFixture[str]) -> None:
    pull()
    lines = capsys.readouterr().out.splitlines()
    assert [line.rsplit("/", 1)[1] for line in lines] == [
        entry.file for entry in catalogue.load().expand("embedded")
    ]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mycloset", "pull", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_list_says_what_there_is_and_what_is_here(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pull("embedded", listed=True)
    here = capsys.readouterr().out
    assert here.count("  here  ") == 5
    assert "step_02_pose_estimation" in here
    assert "6.44 MB  BlazePose, landmarks" in here
    pull(listed=True, to=tmp_path)
    whole = capsys.readouterr().out
    assert "  here  " not in whole
    for entry in catalogue.load().entries.values():
        assert f" {entry.name} " in whole
    assert "bundle tryon-catvton: catvton-mix-48k-1024, sd15-inpainting-unet" in whole
    assert "not for commercial use" in whole
    assert "by hand from https://drive.google.com" in whole
    assert not list(tmp_path.iterdir())


def test_what_a_person_must_get_is_said_in_one_line(tmp_path: Path) -> None:
    done = run("hr-viton-generator", "--to", str(tmp_path))
    assert done.returncode == 1
    note, error = done.stderr.splitlines()
    assert note == "note: hr-viton-generator is not for commercial use (CC BY-NC 4.0)."
    assert "gen.pth must be got by hand from https://drive.google.com" in error
    assert "mycloset pull hr-viton-generator --from gen.pth" in error


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that stands for all others."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with running() as server:
        monkeypatch.setenv("MYCLOSET_MIRROR", server.base)
        yield server


def pnet_address() -> str:
    """Where the mirror is asked for MTCNN's first network."""
    source = str(catalogue.load().entry("mtcnn-pnet").source)
    return source.removeprefix("https:/")


def test_a_file_is_fetched_listed_and_found_by_the_loader(mirror: Server, tmp_path: Path) -> None:
    published = golden_file("faces/mtcnn_pnet", tmp_path / "published.pt").read_bytes()
    mirror.put(pnet_address(), Served(published))
    mine = tmp_path / "mine"
    done = run("mtcnn-pnet", "--to", str(mine))
    place = mine / "other" / "mtcnn" / "pnet.pt"
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{place}\n", "")
    assert place.read_bytes() == published
    assert "  here  mtcnn-pnet" in run("mtcnn-pnet", "--list", "--to", str(mine)).stdout
    assert inspect(place).family == "mtcnn"
    assert run("mtcnn-pnet", "--to", str(mine)).returncode == 0
    assert len(mirror.requests) == 1


def test_another_network_under_the_right_address_is_refused(mirror: Server, tmp_path: Path) -> None:
    other = golden_file("faces/mtcnn_rnet", tmp_path / "published.pt").read_bytes()
    mirror.put(pnet_address(), Served(other))
    done = run("mtcnn-pnet", "--to", str(tmp_path / "mine"))
    assert done.returncode == 1
    assert "Wanted is mtcnn pnet; found was" in done.stderr
    assert "(mtcnn rnet)" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list((tmp_path / "mine").rglob("*.pt*"))


def test_a_file_by_hand_that_is_another_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "gen.pth"
    wrong.write_bytes(b"<html>Sign in</html>")
    done = run("hr-viton-generator", "--from", str(wrong), "--to", str(tmp_path / "mine"))
    assert done.returncode == 1
    assert "is not the model that it should be" in done.stderr
    assert not list((tmp_path / "mine").rglob("*.pth"))


def test_an_unknown_name_is_a_mistake() -> None:
    done = run("tryon-catvto")
    assert done.returncode == 2
    assert "Did you mean tryon-catvton?" in done.stderr


def test_licences_name_every_entry_and_the_notice(capsys: pytest.CaptureFixture[str]) -> None:
    licences()
    text = capsys.readouterr().out
    for entry in catalogue.load().entries.values():
        assert f"{entry.name}: {entry.title}" in text
        assert str(entry.source) in text
    assert text.count("Apache-2.0") >= 5
    assert notice().splitlines()[0] in text


def test_a_bar_that_is_never_called_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with bar():
        pass
    assert capsys.readouterr() == ("", "")


def test_the_commands_come_without_heavy_libraries() -> None:
    script = (
        "import sys, mycloset.cli.pull, mycloset.cli.licences, mycloset.cli.progress\n"
        "heavy = {'numpy', 'cv2', 'scipy', 'ai_edge_litert', 'yaml'} & set(sys.modules)\n"
        "print(sorted(heavy))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
