"""The user's folders: models found by content, taken in a fixed order, loaded once."""

from __future__ import annotations

from pathlib import Path

import pytest

from foreign_files import write_safetensors
from mycloset.errors import InputError, ModelFileError
from mycloset.hub.loader import ModelLoader
from mycloset.hub.refusals import BudgetError
from mycloset.hub.shelved import NoModelError
from small_vgg import STEP
from small_vgg import save_vgg as save


def test_a_model_is_found_by_what_it_is(tmp_path: Path) -> None:
    path = save(tmp_path / "deep" / "u2net.pth")
    loader = ModelLoader([tmp_path])
    assert [model.path for model in loader.candidates(STEP)] == [path]
    assert loader.candidates("human_parsing") == ()
    assert loader.load_model_for_step(STEP).info.family == "vgg"


def test_the_steps_own_folder_comes_first(tmp_path: Path) -> None:
    save(tmp_path / "a.pth", classes=9)
    own = save(tmp_path / "step_08_quality_assessment" / "z.pth")
    assert ModelLoader([tmp_path]).candidates(STEP)[0].path == own


@pytest.mark.parametrize("folder", ["step_08", "step_08_quality_assessment", "quality_assessment"])
def test_folders_name_their_step(folder: str, tmp_path: Path) -> None:
    save(tmp_path / folder / "ultra_models" / "z.pth")
    assert ModelLoader([tmp_path]).list_available_models()[0].folder_step == STEP


def test_a_model_is_loaded_once(tmp_path: Path) -> None:
    save(tmp_path / "a.pth")
    loader = ModelLoader([tmp_path])
    assert loader.load_model("a") is loader.load_model_for_step(STEP)
    assert loader.list_loaded_models() == (tmp_path / "a.pth",)
    assert loader.unload_model("a.pth")
    assert loader.list_loaded_models() == ()


@pytest.mark.parametrize("name", ["a", "a.pth", "vgg"])
def test_models_go_by_file_and_family(name: str, tmp_path: Path) -> None:
    path = save(tmp_path / "a.pth")
    assert ModelLoader([tmp_path]).load_model(name).info.path == path


def test_a_damaged_file_gives_way_to_the_next(tmp_path: Path) -> None:
    whole = save(tmp_path / "b.pth")
    damaged = save(tmp_path / "a.pth", classes=9)
    damaged.write_bytes(damaged.read_bytes()[:-400])
    loader = ModelLoader([tmp_path])
    assert loader.load_model_for_step(STEP).info.path == whole
    with pytest.raises(ModelFileError, match=r"a\.pth"):
        loader.load_model("a")


def test_a_name_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    save(tmp_path / "a.pth")
    with pytest.raises(NoModelError, match=r"no model 'b'.*hold a"):
        ModelLoader([tmp_path]).load_model("b")


def test_an_unknown_network_is_listed_with_the_reason_that_it_cannot_run(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "x.safetensors", [("layer.weight", "float32", (3, 5))])
    (found,) = ModelLoader([tmp_path]).list_available_models()
    assert not found.runnable
    assert "unknown network" in found.reason


def test_a_model_beyond_the_budget_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "a.pth")
    with pytest.raises(BudgetError, match=r"a\.pth"):
        ModelLoader([tmp_path], memory="1k").load_model("a")


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        ModelLoader([tmp_path / "none"])
