"""`mycloset doctor`: what is there, which way each step goes, and what would be better."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

import try_on_files
from foreign_files import write_safetensors
from mycloset.architectures.steps import TRY_ON_STEPS
from mycloset.cli import diagnosis
from mycloset.cli.diagnosis import diagnose
from mycloset.cli.diagnosis_lines import diagnosis_lines
from mycloset.hub import catalogue
from mycloset.inspection.report.text import render, width_of
from mycloset.tryon.pipeline import load_pipeline

Doctor = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.usefixtures("embedded_models")


@pytest.fixture
def doctor(cli: Doctor) -> Doctor:
    """Runs the command in this process; gives its exit code, output and errors."""
    return partial(cli, "doctor")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """CP-VTON's matching module, a damaged file, and a network that nobody knows."""
    whole = try_on_files.gmm(tmp_path / "gmm.pth")
    (tmp_path / "cut.pth").write_bytes(whole.read_bytes()[:-3000])
    write_safetensors(tmp_path / "odd.safetensors", [("layer.weight", "float32", (3, 5))])
    return tmp_path


def test_without_folders_every_step_runs_the_embedded_way(doctor: Doctor) -> None:
    code, out, err = doctor()
    assert (code, err) == (0, "")
    for step in TRY_ON_STEPS:
        assert f"{step} " in out
    assert out.count("embedded\n") == len(TRY_ON_STEPS)
    assert "All 8 steps can run." in out


def test_a_step_names_the_file_that_would_serve_and_its_licence(
    doctor: Doctor, folder: Path
) -> None:
    code, out, _ = doctor("--models", folder)
    assert code == 0
    after = out[out.index("geometric_matching") :]
    assert after.index("CP-VTON") < after.index("gmm.pth") < after.index("⊘")
    assert "goes on with what geometric_matching by cp_vton makes" in out
    assert "no file of schp, segformer, u2net" in out


def test_files_that_no_step_can_take_are_told_with_the_reason(doctor: Doctor, folder: Path) -> None:
    out = doctor("--models", folder)[1]
    after = out[out.index("Files that no step can take") :]
    assert "unknown     odd.safetensors: it holds an unknown network" in after
    assert "corrupt     cut.pth: the archive" in after


def test_a_model_beyond_the_budget_is_told_with_both_sizes(doctor: Doctor, folder: Path) -> None:
    code, out, _ = doctor("--models", folder, "--memory", "10kB", "--device", "cpu")
    assert code == 0
    assert "more than the 10 KB for models" in out
    assert "too large   gmm.pth" in out


def test_json_holds_everything(doctor: Doctor, folder: Path) -> None:
    code, out, _ = doctor("--models", folder, "--json")
    found = json.loads(out)
    assert code == 0
    assert [step["step"] for step in found["steps"]] == list(TRY_ON_STEPS)
    matching = found["steps"][3]
    assert matching["way"] == "cp_vton"
    assert matching["models"][0]["file"] == str(folder / "gmm.pth")
    assert matching["passed_over"][0]["way"] == "viton_hd"
    assert {refused["kind"] for refused in found["refused"]} == {"corrupt", "unknown"}
    assert found["machine"]["usable_cores"] > 0
    assert found["budget"]["cpu"] > 0


def test_a_step_that_nothing_can_serve_ends_with_1(doctor: Doctor, tmp_path: Path) -> None:
    pipeline = tmp_path / "mine.yaml"
    pipeline.write_text("name: mine\nsteps: [{step: human_parsing, models: [schp]}]\n")
    code, out, _ = doctor("--pipeline", pipeline)
    assert code == 1
    assert "nothing can serve" in out
    assert "✗ human_parsing: nothing that the pipeline names for it is there." in out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--models", "none"], "is no folder"),
        (["--models", ".", "--memory", "much"], "is no size"),
        (["--pipeline", "none.yaml"], "cannot be read"),
    ],
)
def test_what_cannot_be_used_ends_with_2(
    doctor: Doctor, options: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = doctor(*options)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_networks_that_are_not_there_yet_are_told_with_what_brings_them(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYCLOSET_HOME", str(tmp_path / "new"))
    code, out, _ = doctor()
    assert code == 0
    assert "5 of 5 not there yet: mycloset pull embedded" in out
    assert not (tmp_path / "new").exists()


def test_networks_that_are_not_there_and_cannot_be_brought_end_with_1(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("MYCLOSET_HOME", str(tmp_path / "file" / "below"))
    code, out, _ = doctor()
    assert code == 1
    assert "Set MYCLOSET_HOME" in out


def test_model_files_without_torch_end_with_1(
    doctor: Doctor, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis, "_version", lambda name: None if name == "torch" else "1")
    code, out, _ = doctor("--models", folder)
    assert code == 1
    assert "pip install 'mycloset[torch]'" in out


def test_a_step_by_the_embedded_way_is_told_what_to_pull(doctor: Doctor) -> None:
    out = doctor()[1]
    parsing = out[out.index("human_parsing") : out.index("pose_estimation")]
    assert "mycloset pull schp-lip --to models\n" in parsing
    assert "267 MB; MIT" in parsing


def test_what_is_proposed_is_of_the_families_that_the_step_prefers(folder: Path) -> None:
    found = diagnose([folder], memory="auto", device="cpu")
    known = catalogue.load()
    line = next(s for s in load_pipeline("learned").steps if s.step == "geometric_matching")
    proposed = [known.entry(advice.name).family for advice in found.steps[3].pull]
    assert found.steps[3].way == "cp_vton"
    assert set(proposed) <= set(line.models[: line.models.index("cp_vton")])
    for step in found.steps:
        by_hand = [advice.by_hand for advice in step.pull]
        assert by_hand == sorted(by_hand)
        assert all(step.step in known.entry(advice.name).steps for advice in step.pull)


def test_no_line_is_wider_than_the_terminal(folder: Path) -> None:
    found = diagnose([folder], memory="10kB", device="cpu")
    said = render(diagnosis_lines(found, width=80), colour=False)
    assert max(width_of(line) for line in said.splitlines()) <= 80


def test_processors_are_read_as_linux_tells_of_them(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("processor: 0\nmodel name\t: Fast One\nflags\t\t: fpu avx2 avx512_bf16\n\n")
    assert diagnosis._processor(info) == ("Fast One", ("avx2", "avx512_bf16"))
    info.write_text("processor\t: 0\nFeatures\t: fp asimd bf16\n")
    assert diagnosis._processor(info) == ("", ("asimd", "bf16"))
    assert diagnosis._processor(tmp_path / "none") == ("", ())


def test_no_torch_is_imported_to_look() -> None:
    script = (
        "import sys; from mycloset.cli.diagnosis import diagnose\n"
        "diagnose((), memory='auto', device='auto')\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
