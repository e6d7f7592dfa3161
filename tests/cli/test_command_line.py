from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mycloset.images import RGB, read_picture
from mycloset.tryon.pipeline import WAYS
from mycloset.wardrobe import demo_garment, demo_names, draw_garment

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def person(tmp_path: Path, astronaut_photo: RGB) -> Path:
    path = tmp_path / "person.png"
    Image.fromarray(astronaut_photo).save(path)
    return path


@pytest.fixture
def garment(tmp_path: Path) -> Path:
    path = tmp_path / "garment.png"
    Image.fromarray(draw_garment(demo_garment("plain_tee"), size=(300, 256)).rgb).save(path)
    return path


def assert_one_line(errors: str, said: str) -> None:
    assert re.fullmatch(rf"mycloset: .*{said}.*\n", errors), errors


def test_help_and_version(cli: Cli) -> None:
    code, out, err = cli("--help")
    assert (code, err) == (0, "")
    assert all(name in out for name in ("demo", "try-on", "pull", "licences"))
    assert cli()[:2] == (0, out)
    code, out, err = cli("--version")
    assert (code, err) == (0, "")
    assert re.fullmatch(r"mycloset \d+\.\d+\.\d+\n", out)


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mycloset", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("mycloset ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["wear"], "No such command"),
        (["try-on"], "Missing argument"),
        (["try-on", "a", "b", "--colour", "red"], "No such option"),
        (["try-on", "a", "b", "--height-cm", "tall"], "height-cm"),
        (["try-on", "a", "b", "c"], "unexpected extra argument"),
    ],
)
def test_usage_errors_are_one_line_and_2(cli: Cli, arguments: list[str], said: str) -> None:
    code, out, err = cli(*arguments)
    assert (code, out) == (2, "")
    assert_one_line(err, said)
    assert "--help" in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--category", "shoes"], "'shoes' is not a category. Use upper, lower, dress"),
        (["--height-cm", "5"], "height_cm: 5 is outside"),
        (["--height-cm", "nan"], "height_cm: nan"),
        (["--pipeline", "missing.yaml"], "cannot be read"),
        (["--pipeline", "broken.yaml"], "not YAML"),
        (["-o", "out.gif"], "names no picture format"),
        (["-o", "out"], "names no picture format"),
        (["-o", "folder.png"], "a folder has this name"),
        (["-o", "missing/out.png"], "does not exist"),
        (["--json", "missing/out.json"], "does not exist"),
        (["--json", "folder.png"], "a folder has this name"),
        (["--steps", "broken.yaml"], "is a file"),
        (["--steps", "broken.yaml/deeper"], "is a file"),
        (["-o", "same.png", "--json", "same.png"], "have one name"),
        (["-o", "person.png"], "this is the person picture itself"),
        (["--json", "garment.png"], "this is the garment picture itself"),
        (["--cache", "broken.yaml"], "is a file"),
        (["--cache", "new", "--cache-size", "some"], "--cache-size: 'some' is no size"),
    ],
)
def test_bad_options_are_found_before_anything_is_read(
    cli: Cli, options: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "broken.yaml").write_text("name: [\nsteps:\n  - ]\n")
    before = sorted(tmp_path.iterdir())
    # Neither picture exists: the option is what is complained of.
    code, out, err = cli("try-on", "person.png", "garment.png", *options)
    assert (code, out) == (2, "")
    assert_one_line(err, re.escape(said))
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        (b"", "empty"),
        (b"some text", "not a picture"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "damaged"),
    ],
)
@pytest.mark.parametrize("role", ["person", "garment"])
def test_bad_pictures_are_found_before_anything_is_fetched_or_written(
    cli: Cli,
    role: str,
    content: bytes | None,
    said: str,
    person: Path,
    garment: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MYCLOSET_HOME", str(tmp_path / "no-cache"))
    bad = {"person": person, "garment": garment}[role]
    bad.unlink()
    if content is not None:
        bad.write_bytes(content)
    before = sorted(tmp_path.iterdir())
    code, out, err = cli(
        "try-on", person, garment, "-o", tmp_path / "out.png", "--steps", tmp_path / "steps",
        "--json", tmp_path / "out.json",
    )  # fmt: skip
    assert (code, out) == (2, "")
    assert_one_line(err, f"{role} picture .*{said}")
    assert sorted(tmp_path.iterdir()) == before


def test_without_network_and_cache_the_error_says_what_to_run(
    cli: Cli, person: Path, garment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYCLOSET_HOME", str(tmp_path / "no-cache"))
    monkeypatch.delenv("MYCLOSET_WHEELS", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    code, out, err = cli("try-on", person, garment, "-o", tmp_path / "out.png")
    assert (code, out) == (1, "")
    assert_one_line(err, "mycloset pull embedded")
    assert not (tmp_path / "out.png").exists()


@pytest.mark.usefixtures("embedded_models")
def test_a_try_on_writes_what_was_asked_and_says_it_in_one_line(
    cli: Cli, person: Path, garment: Path, tmp_path: Path
) -> None:
    out_path, steps, story = tmp_path / "o.jpg", tmp_path / "new" / "steps", tmp_path / "o.json"
    code, out, err = cli(
        "try-on", person, garment, "-o", out_path, "--steps", steps, "--json", story,
        "--category", "upper", "--height-cm", "170", "--chest-cm", "92",
    )  # fmt: skip
    assert code == 0
    assert out.count("\n") == 1
    assert out.startswith(f"{out_path}: ")
    for step in WAYS:
        assert re.search(rf"{step} \d+\.\d\d s \(embedded\)", out), step
    assert all(line.startswith("  note: ") for line in err.splitlines())
    assert read_picture(out_path).rgb.shape == read_picture(person).rgb.shape
    assert len(list(steps.iterdir())) == 9
    found = json.loads(story.read_text("utf-8"))
    assert found["category"] == "upper"
    assert {"height", "chest"} <= {item["name"] for item in found["measurements"]["items"]}


@pytest.mark.usefixtures("embedded_models")
def test_the_very_same_try_on_is_taken_from_the_cache(
    cli: Cli, person: Path, garment: Path, tmp_path: Path
) -> None:
    out, kept, steps = tmp_path / "o.png", tmp_path / "kept", tmp_path / "steps"
    code, said, _ = cli("try-on", person, garment, "-o", out, "--cache", kept)
    assert code == 0
    assert "made before" not in said
    first = out.read_bytes()
    again = person.rename(tmp_path / "renamed.png")
    code, said, _ = cli(
        "try-on", again, garment, "-o", out, "--cache", kept, "--json", tmp_path / "o.json",
        "--steps", steps,
    )  # fmt: skip
    assert code == 0
    assert " s, made before, quality " in said
    assert out.read_bytes() == first
    assert json.loads((tmp_path / "o.json").read_text("utf-8"))["cached"]
    assert len(list(steps.iterdir())) == 9


@pytest.mark.usefixtures("embedded_models")
def test_nobody_in_the_photo_writes_nothing(cli: Cli, garment: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.png"
    Image.fromarray(np.full((200, 200, 3), 180, np.uint8)).save(empty)
    before = sorted(tmp_path.iterdir())
    code, out, err = cli(
        "try-on", empty, garment, "-o", tmp_path / "out.png", "--steps", tmp_path / "steps"
    )
    assert (code, out) == (2, "")
    assert_one_line(err, "human_parsing: .*nobody is seen")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.usefixtures("embedded_models")
def test_a_failing_step_ends_with_1_and_leaves_what_was_found_in_the_steps_folder(
    cli: Cli, person: Path, garment: Path, tmp_path: Path
) -> None:
    pipeline, steps = tmp_path / "short.yaml", tmp_path / "steps"
    pipeline.write_text("name: short\nsteps: [{step: human_parsing}, {step: virtual_fitting}]\n")
    code, out, err = cli(
        "try-on", person, garment, "-o", tmp_path / "out.png", "--steps", steps,
        "--pipeline", pipeline,
    )  # fmt: skip
    assert (code, out) == (1, "")
    assert_one_line(err, re.escape(str(steps)))
    assert "01_human_parsing.png" in {path.name for path in steps.iterdir()}
    assert not (tmp_path / "out.png").exists()


@pytest.mark.usefixtures("embedded_models")
def test_the_demo(cli: Cli, tmp_path: Path) -> None:
    code, out, _ = cli("demo", "-o", tmp_path / "demo.png", "--garment", demo_names("upper")[0])
    assert code == 0
    assert out.startswith(f"{tmp_path / 'demo.png'}: ")
    assert read_picture(tmp_path / "demo.png").rgb.shape == (512, 512, 3)


def test_the_demo_names_its_garments(cli: Cli) -> None:
    assert cli("demo", "--garment", "list")[1].split() == list(demo_names())
    code, _, err = cli("demo", "--garment", "spacesuit")
    assert code == 2
    assert_one_line(err, "'spacesuit'")


def test_stopping_is_said_and_ends_with_130(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mycloset.wardrobe.demo_names", stop)
    assert cli("demo") == (130, "", "mycloset: stopped\n")
