"""CP-VTON and VITON-HD as whole chains, on small networks with filled weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import try_on_files
from mycloset.images import RGB
from mycloset.tryon import InferenceEngine, TryOnResult
from mycloset.tryon.drawings import step_pictures
from mycloset.wardrobe import demo_garment, draw_garment


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    cp_vton, viton_hd = (tmp_path_factory.mktemp(name) for name in ("cp_vton", "viton_hd"))
    try_on_files.gmm(cp_vton / "gmm.pth")
    try_on_files.tom(cp_vton / "tom.pth")
    try_on_files.seg(viton_hd / "a.pth")
    try_on_files.gmm(viton_hd / "b.pth", try_on_files.GMM._replace(person=7))
    try_on_files.generator(viton_hd / "c.pth")
    return {"cp_vton": cp_vton, "viton_hd": viton_hd}


def _run(folder: Path, photo: RGB, garment: str = "emblem_tee") -> TryOnResult:
    cloth = draw_garment(demo_garment(garment)).rgb
    return InferenceEngine(models=[folder]).run_virtual_try_on(photo, cloth)


@pytest.mark.usefixtures("embedded_models")
@pytest.mark.parametrize("family", ["cp_vton", "viton_hd"])
def test_a_family_serves_matching_warping_and_fitting(
    family: str, folders: dict[str, Path], astronaut_photo: RGB
) -> None:
    result = _run(folders[family], astronaut_photo)
    ways = {record.name: record.way for record in result.steps}
    for step in ("geometric_matching", "cloth_warping", "virtual_fitting"):
        assert ways[step] == family
    state = result.state
    assert state.matching
    assert state.matching.warp
    assert state.warped
    assert state.fitted
    assert (state.matching.dressed is not None) == (family == "viton_hd")
    assert (state.warped.grid is state.matching.warp.grid) and list(state.warped.parts) == ["torso"]
    same = state.fitted.changed == 0
    assert (result.image[same] == astronaut_photo[same]).all()
    assert 0 < same.mean() < 1
    assert set(step_pictures(state)) >= {"04_geometric_matching", "05_cloth_warping"}


@pytest.mark.usefixtures("embedded_models")
def test_the_embedded_fitting_can_follow_a_networks_warp(
    folders: dict[str, Path], astronaut_photo: RGB, tmp_path: Path
) -> None:
    (tmp_path / "gmm.pth").symlink_to(folders["cp_vton"] / "gmm.pth")
    result = _run(tmp_path, astronaut_photo)
    ways = {record.name: record.way for record in result.steps}
    assert ways["cloth_warping"] == "cp_vton"
    assert ways["virtual_fitting"] == "embedded"


@pytest.mark.usefixtures("embedded_models")
def test_a_generator_without_its_segmentation_gives_way(
    folders: dict[str, Path], astronaut_photo: RGB, tmp_path: Path
) -> None:
    (tmp_path / "alias.pth").symlink_to(folders["viton_hd"] / "c.pth")
    result = _run(tmp_path, astronaut_photo)
    fitting = next(record for record in result.steps if record.name == "virtual_fitting")
    assert fitting.way == "embedded"
    assert any("segmentation generator" in note for note in fitting.notes)


@pytest.mark.usefixtures("embedded_models")
def test_all_of_the_frame_is_taken_where_nothing_is_kept(
    folders: dict[str, Path], astronaut_photo: RGB, tmp_path: Path
) -> None:
    pipeline = tmp_path / "published.yaml"
    steps = {
        "human_parsing": "[embedded]", "pose_estimation": "[embedded]",
        "cloth_segmentation": "[embedded]", "geometric_matching": "[cp_vton]",
        "cloth_warping": "[cp_vton]", "virtual_fitting": "[cp_vton]\n    options: {repaint: false}",
        "post_processing": "[embedded]",
    }  # fmt: skip
    lines = [f"  - step: {step}\n    models: {models}" for step, models in steps.items()]
    pipeline.write_text("\n".join(["name: published", "steps:", *lines]))
    engine = InferenceEngine(pipeline, models=[folders["cp_vton"]])
    cloth = draw_garment(demo_garment("emblem_tee")).rgb
    state = engine.run_virtual_try_on(astronaut_photo, cloth).state
    assert state.fitted
    columns = np.flatnonzero(state.fitted.changed.any(axis=0))
    assert state.fitted.changed[:, columns[0] : columns[-1]].mean() > 0.95
