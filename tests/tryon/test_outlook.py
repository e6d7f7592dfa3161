"""What a pipeline would use, told without running it: real layouts, small files."""

from __future__ import annotations

from pathlib import Path

import pytest

import try_on_files
from mycloset.tryon import InferenceEngine
from mycloset.tryon.outlook import StepOutlook


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    cp_vton, viton_hd = (tmp_path_factory.mktemp(name) for name in ("cp_vton", "viton_hd"))
    try_on_files.gmm(cp_vton / "gmm.pth")
    try_on_files.tom(cp_vton / "tom.pth")
    try_on_files.seg(viton_hd / "a.pth")
    try_on_files.gmm(viton_hd / "b.pth", try_on_files.GMM._replace(person=7))
    try_on_files.generator(viton_hd / "c.pth")
    return {"cp_vton": cp_vton, "viton_hd": viton_hd}


def outlook(*folders: Path) -> dict[str, StepOutlook]:
    engine = InferenceEngine("learned", models=list(folders))
    return {step.step: step for step in engine.outlook()}


def files(step: StepOutlook) -> list[str]:
    return [model.path.name for model in step.models]


def test_without_folders_every_step_goes_the_embedded_way() -> None:
    for step in outlook().values():
        assert (step.way, step.models, step.reachable) == ("embedded", (), ())
        assert {passed.kind for passed in step.passed_over} <= {"absent", "other way"}


def test_a_chain_serves_three_steps(folders: dict[str, Path]) -> None:
    steps = outlook(folders["viton_hd"])
    chain = ("geometric_matching", "cloth_warping", "virtual_fitting")
    assert [steps[name].way for name in chain] == ["viton_hd"] * 3
    assert files(steps["geometric_matching"]) == ["b.pth", "a.pth"]
    assert files(steps["virtual_fitting"]) == ["c.pth"]
    # The warping step goes on with the grid that matching made, and loads nothing.
    assert files(steps["cloth_warping"]) == []
    assert steps["cloth_warping"].after == "geometric_matching"
    assert steps["human_parsing"].way == "embedded"


def test_a_chain_that_lacks_its_beginning_is_passed_over(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    for name in ("b.pth", "c.pth"):
        (tmp_path / name).symlink_to(folders["viton_hd"] / name)
    (tmp_path / "gmm.pth").symlink_to(folders["cp_vton"] / "gmm.pth")
    steps = outlook(tmp_path)
    assert steps["geometric_matching"].way == "cp_vton"
    assert steps["cloth_warping"].way == "cp_vton"
    assert steps["virtual_fitting"].way == "embedded"
    first = steps["virtual_fitting"].passed_over[0]
    assert (first.way, first.kind) == ("viton_hd", "other way")


def test_what_a_result_can_depend_on_is_the_best_of_every_way(folders: dict[str, Path]) -> None:
    steps = outlook(*folders.values())
    assert steps["virtual_fitting"].way == "viton_hd"
    names = [model.path.name for model in steps["virtual_fitting"].reachable]
    assert names == ["c.pth", "tom.pth"]
