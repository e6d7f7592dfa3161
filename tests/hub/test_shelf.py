"""What the folders hold, which model is meant by a name or step, and files that change."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from shelf_files import write_vgg

import golden_files
from foreign_files import write_safetensors, write_sharded
from model_files import Tensor, write_torch_zip
from mycloset.errors import InputError, ModelFileError
from mycloset.hub import closet, records
from mycloset.hub.shelf import Shelf
from mycloset.hub.shelved import NoModelError

STEP = "quality_assessment"


def shelf(root: Path, **options: object) -> Shelf:
    return Shelf([root], index=False, **options)  # type: ignore[arg-type]


def write_golden(path: Path, name: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_torch_zip(path, {k: Tensor(d, s) for k, d, s in golden_files.tensors(name)})
    return path


def age(path: Path) -> None:
    """Make a file older than clocks are coarse."""
    os.utime(path, (1_600_000_000, 1_600_000_000))


@pytest.mark.parametrize(
    "folder",
    ["step_08_quality_assessment", "step_08", "step_8", "quality_assessment", "STEP_08_anything"],
)
def test_folders_name_their_step_however_deep_the_file_lies(folder: str, tmp_path: Path) -> None:
    write_vgg(tmp_path / "a.pth", classes=900)
    own = write_vgg(tmp_path / "ai" / folder / "ultra_models" / "x" / "z.pth")
    found = shelf(tmp_path).candidates(STEP)
    assert [model.path for model in found] == [own, tmp_path / "a.pth"]
    assert found[0].folder_step == STEP


def test_a_root_that_is_a_steps_folder_names_it(tmp_path: Path) -> None:
    write_vgg(tmp_path / "step_08" / "a.pth")
    (found,) = shelf(tmp_path / "step_08").candidates("step_08")
    assert found.folder_step == STEP


def test_a_file_under_a_wrong_name_never_serves_what_its_name_says(tmp_path: Path) -> None:
    write_vgg(tmp_path / "step_03_cloth_segmentation" / "u2net.pth")
    there = shelf(tmp_path)
    assert there.candidates("cloth_segmentation") == ()
    assert there.candidates(model_type="u2net") == ()


def test_a_familys_name_means_a_file_of_the_family(tmp_path: Path) -> None:
    write_vgg(tmp_path / "a" / "u2net.pth")
    real = write_golden(tmp_path / "z" / "segm.pth", "u2net/u2net")
    there = shelf(tmp_path)
    assert there.find("u2net").path == real
    assert there.find("u2net.pth").path == tmp_path / "a" / "u2net.pth"


def test_where_there_is_none_of_the_family_the_file_of_its_name_is_given_and_told(
    tmp_path: Path,
) -> None:
    path = write_vgg(tmp_path / "u2net.pth")
    found = shelf(tmp_path).find("u2net")
    assert found.path == path
    assert "“u2net.pth”" in found.note
    assert "holds VGG" in found.note


def test_valid_beats_larger(tmp_path: Path) -> None:
    small = write_vgg(tmp_path / "small.pth")
    large = write_vgg(tmp_path / "large.pth", classes=900)
    large.write_bytes(large.read_bytes()[:-300])
    assert [model.path for model in shelf(tmp_path).candidates(STEP)] == [small]


def test_of_copies_the_first_in_the_search_order_serves(tmp_path: Path) -> None:
    write_vgg(tmp_path / "a.pth")
    own = write_vgg(tmp_path / "step_08" / "b.pth")
    (tmp_path / "link.pth").symlink_to(own)
    there = shelf(tmp_path)
    assert len(there.models()) == 3
    assert [model.path for model in there.candidates(STEP)] == [own]
    assert there.find("b").path == there.find("link").path
    assert there.find("link.pth").path == tmp_path / "link.pth"


def test_a_network_that_was_trained_further_is_no_copy(tmp_path: Path) -> None:
    write_vgg(tmp_path / "base.pth")
    write_vgg(tmp_path / "tuned.pth", tail=9)
    there = shelf(tmp_path)
    assert len(there.candidates(STEP)) == 2
    assert there.find("tuned").path == tmp_path / "tuned.pth"


def test_a_part_of_a_diffusers_folder_goes_by_folder_and_part(tmp_path: Path) -> None:
    unet = tmp_path / "sd15" / "unet" / "diffusion_pytorch_model.bin"
    write_vgg(unet)
    (unet.parent / "config.json").write_text("{}")
    (tmp_path / "sd15" / "model_index.json").write_text('{"unet": ["x", "Y"]}')
    there = shelf(tmp_path)
    assert there.find("sd15/unet").path == unet
    assert there.find("unet").path == unet
    assert there.find("unet").name == "unet"


def test_the_folder_says_which_unet_of_an_animation_system_it_is(tmp_path: Path) -> None:
    write_golden(tmp_path / "reference_unet" / "model.pth", "u2net/u2net")
    (found,) = shelf(tmp_path).models()
    assert found.folder_part == "animation.reference"
    assert found.steps == found.network.steps  # A U2-Net stays none, wherever it lies.


def test_a_model_in_shards_is_one_and_looked_after_as_one(tmp_path: Path) -> None:
    write_sharded(tmp_path, [(f"layer.{n}.weight", "float32", (4, n + 1)) for n in range(6)], 3)
    there = shelf(tmp_path)
    (found,) = there.models()
    (next(tmp_path.glob("*-00002-of-*"))).unlink()
    there.refresh()
    (now,) = there.models()
    assert now.stamps != found.stamps


def test_links_that_lead_nowhere_and_locked_files_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "gone.pth").symlink_to(tmp_path / "nothing.pth")
    (tmp_path / "loop.pth").symlink_to(tmp_path / "loop.pth")
    (tmp_path / "page.pth").write_text("<!doctype html><html></html>")
    whole = write_vgg(tmp_path / "z.pth")
    there = shelf(tmp_path)
    assert [model.path for model in there.candidates(STEP)] == [whole]
    assert len(there.files()) == 4
    with pytest.raises(ModelFileError, match=r"page\.pth.*HTML"):
        there.find("page")


def test_two_looks_give_the_same(tmp_path: Path) -> None:
    for name in ("c", "a", "b"):
        write_vgg(tmp_path / name / "m.pth", classes=ord(name))
    assert shelf(tmp_path).models() == shelf(tmp_path).models()


def test_of_two_roots_that_share_a_folder_each_file_is_there_once(tmp_path: Path) -> None:
    write_vgg(tmp_path / "deep" / "a.pth")
    there = Shelf([tmp_path, tmp_path / "deep"], index=False)
    assert [model.root for model in there.models()] == [tmp_path]


def test_a_new_file_is_found_when_it_is_asked_for(tmp_path: Path) -> None:
    write_vgg(tmp_path / "a.pth")
    there = shelf(tmp_path)
    there.models()
    late = write_vgg(tmp_path / "late.pth", classes=7)
    assert there.find("late").path == late


def test_only_changed_files_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        age(write_vgg(tmp_path / f"{name}.pth", classes=ord(name)))
    there = shelf(tmp_path)
    there.models()
    read: list[str] = []

    def describe(path: Path) -> tuple[Path, records.FileRecord | None]:
        read.append(path.name)
        return records.describe(path)

    monkeypatch.setattr(closet, "describe", describe)
    write_vgg(tmp_path / "b.pth", classes=77)
    there.refresh()
    assert read == ["b.pth"]


def test_a_name_that_is_for_another_step_says_so(tmp_path: Path) -> None:
    write_vgg(tmp_path / "a.pth")
    with pytest.raises(NoModelError, match=r"VGG.*serves.*not human_parsing"):
        shelf(tmp_path).find("a", "human_parsing")


def test_a_path_is_had_of_what_cannot_run(tmp_path: Path) -> None:
    raw = tmp_path / "raw.safetensors"
    write_safetensors(raw, [("layer.weight", "float32", (3, 5))])
    assert shelf(tmp_path).path("raw") == raw


def test_threads_look_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_vgg(tmp_path / "a.pth")
    looks: list[int] = []

    def describe(path: Path) -> tuple[Path, records.FileRecord | None]:
        looks.append(1)
        return records.describe(path)

    monkeypatch.setattr(closet, "describe", describe)
    there = shelf(tmp_path)
    threads = [threading.Thread(target=there.models) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(looks) == 1


# What was named explicitly.


def test_names_from_a_file_come_first(tmp_path: Path) -> None:
    write_vgg(tmp_path / "step_08" / "a.pth", classes=900)
    meant = write_vgg(tmp_path / "other" / "b.pth")
    (tmp_path / "mycloset.yaml").write_text(
        "gmm_final: {file: other/b.pth, step: step_08, family: vgg}\nraw: step_08/a.pth\n"
    )
    there = shelf(tmp_path)
    assert there.find("gmm_final").path == meant
    assert there.candidates(STEP)[0].path == meant
    assert there.path("raw") == tmp_path / "step_08" / "a.pth"
    assert set(there.explicit) == {"gmm_final", "raw"}


def test_a_map_of_the_call_comes_before_the_file(tmp_path: Path) -> None:
    write_vgg(tmp_path / "a.pth")
    second = write_vgg(tmp_path / "b.pth", classes=6)
    (tmp_path / "mycloset.yaml").write_text("quality_assessment: a.pth\n")
    there = shelf(tmp_path, models={STEP: "b.pth"})
    assert there.candidates(STEP)[0].path == second


def test_a_named_file_may_lie_elsewhere_and_be_called_anything(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    other = write_vgg(tmp_path / "weights.model")
    assert shelf(root, models={"mine": other}).find("mine").path == other


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", r"mycloset\.yaml is no YAML"),
        ("- a\n- b\n", r"mycloset\.yaml holds no names"),
        ("gmm: {path: x.pth}\n", r"mycloset\.yaml: gmm: 'path' is no field"),
        ("gmm: 3\n", r"mycloset\.yaml: gmm\.file is 3"),
        ("gmm: {file: a.pth, family: nothing}\n", r"gmm\.family is 'nothing'"),
        ("gmm: {file: a.pth, step: 9}\n", r"gmm\.step is 9"),
    ],
)
def test_a_bad_file_of_names_is_an_error_that_names_the_field(
    text: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / "mycloset.yaml").write_text(text)
    with pytest.raises(InputError, match=told):
        shelf(tmp_path).models()


def test_a_name_without_a_file_is_an_error_when_it_is_asked_for(tmp_path: Path) -> None:
    write_vgg(tmp_path / "a.pth")
    there = shelf(tmp_path, models={"gmm": "gone.pth"})
    assert there.find("a").path.name == "a.pth"
    assert "gone.pth" in there.notes[0]
    with pytest.raises(ModelFileError, match=r"models: gmm: there is no file .*gone\.pth"):
        there.find("gmm")


def test_a_named_file_of_another_family_is_refused(tmp_path: Path) -> None:
    write_vgg(tmp_path / "a.pth")
    there = shelf(tmp_path, models={"gmm": {"file": "a.pth", "family": "cp_vton"}})
    with pytest.raises(ModelFileError, match=r"gmm.*a\.pth holds VGG.*not cp_vton"):
        there.find("gmm")


# Between looking and loading.


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-300])


def swap(path: Path) -> None:
    path.write_text("<!doctype html><html></html>")


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (Path.unlink, r"a\.pth is no longer there \(it was VGG"),
        (cut, r"a\.pth changed since it was looked at, 300 bytes shorter: it was VGG"),
        (swap, r"a\.pth changed .* and is now Not a model: an? HTML"),
    ],
)
def test_what_happened_to_a_file_since_is_told(
    harm: Callable[[Path], None], told: str, tmp_path: Path
) -> None:
    path = write_vgg(tmp_path / "a.pth")
    there = shelf(tmp_path)
    model = there.find("a")
    harm(path)
    with pytest.raises(ModelFileError, match=told):
        there.check(model)
    assert there.candidates(STEP) == ()


def test_a_file_that_did_not_change_is_given_back_as_it_is(tmp_path: Path) -> None:
    write_vgg(tmp_path / "a.pth")
    there = shelf(tmp_path)
    model = there.find("a")
    assert there.check(model) is model


def test_a_file_that_was_replaced_by_another_of_its_kind_is_given_anew(tmp_path: Path) -> None:
    path = write_vgg(tmp_path / "a.pth")
    there = shelf(tmp_path)
    model = there.find("a")
    path.unlink()
    write_vgg(path, fill=3)
    fresh = there.check(model)
    assert fresh.network.title == model.network.title
    assert fresh.stamps != model.stamps
    assert there.check(fresh) is fresh
