from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

import foreign_files
import model_files
from mycloset.checkpoints.contents import Checkpoint
from mycloset.checkpoints.reading import read_checkpoint
from mycloset.errors import InputError

TENSORS = [
    ("a.weight", "float32", (4, 3)),
    ("a.bias", "float32", (4,)),
    ("b.weight", "float16", (2, 4)),
]


def messages(checkpoint: Checkpoint) -> str:
    return " ".join(finding.message for finding in checkpoint.findings)


def kinds(checkpoint: Checkpoint) -> set[str]:
    return {finding.kind for finding in checkpoint.findings}


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return foreign_files.write_sharded(tmp_path / "m", TENSORS, 3)


def changed_index(index: Path, **changes: Any) -> Checkpoint:
    content = json.loads(index.read_text())
    content["weight_map"].update(changes)
    index.write_text(json.dumps(content))
    return read_checkpoint(index)


def test_no_file_is_an_error_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_checkpoint(tmp_path / "none.pth")


def test_a_folder_of_anything_is_an_error_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_checkpoint(tmp_path)
    assert "analyze_folder" in caught.value.hint


def test_a_folder_named_like_a_file_is_a_finding(tmp_path: Path) -> None:
    folder = tmp_path / "model.pth"
    folder.mkdir()
    assert kinds(read_checkpoint(folder)) == {"not-a-model"}


def test_a_pipe_is_unreadable_and_does_not_hang(tmp_path: Path) -> None:
    path = tmp_path / "m.pth"
    os.mkfifo(path)
    assert read_checkpoint(path).format == "unreadable"


@pytest.mark.parametrize("target", ["nothing.pth", "m.pth"])
def test_a_link_that_leads_nowhere_is_unreadable(tmp_path: Path, target: str) -> None:
    path = tmp_path / "m.pth"
    path.symlink_to(tmp_path / target)
    assert read_checkpoint(path).format == "unreadable"


def test_a_name_too_long_for_the_system_is_unreadable(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path / ("a" * 300)).format == "unreadable"


def test_a_file_that_grows_meanwhile_is_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mycloset.checkpoints.formats import safetensors

    path = foreign_files.write_safetensors(tmp_path / "m.st", TENSORS)
    read = safetensors.read

    def read_and_grow(source: Any) -> Checkpoint:
        found = read(source)
        with path.open("ab") as file:
            file.write(b"more")
        return found

    monkeypatch.setattr(safetensors, "read", read_and_grow)
    assert "was changed while it was read" in messages(read_checkpoint(path))


@pytest.mark.parametrize("name", ["onnx", "tflite", "gguf", "safetensors"])
def test_a_file_that_shrinks_meanwhile_is_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from mycloset.checkpoints import reading

    path: Path = getattr(foreign_files, f"write_{name}")(tmp_path / "m.bin", TENSORS)
    identify = reading.formats_of

    def identify_and_shrink(source: Any) -> tuple[str, ...]:
        found = identify(source)
        os.truncate(path, 20)
        return found

    monkeypatch.setattr(reading, "formats_of", identify_and_shrink)
    assert kinds(read_checkpoint(path)) == {"corrupt"}


def test_config_beside_the_only_file_of_weights_is_its_own(tmp_path: Path) -> None:
    path = foreign_files.write_safetensors(tmp_path / "weights.safetensors", TENSORS)
    (tmp_path / "config.json").write_text('{"model_type": "clip"}')
    assert read_checkpoint(path).metadata["config"] == {"model_type": "clip"}


def test_config_beside_many_files_is_nobodys(tmp_path: Path) -> None:
    path = foreign_files.write_safetensors(tmp_path / "one.safetensors", TENSORS)
    shutil.copy(path, tmp_path / "two.safetensors")
    (tmp_path / "config.json").write_text('{"model_type": "clip"}')
    assert "config" not in read_checkpoint(path).metadata


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no JSON"),
        ("[]", "no JSON object"),
        ("[" * 100_000, "too deeply"),
        ('{"a": 1, "a": 2}', "names `a` twice"),
        ('{"a": "\\ud800"}', "half a character"),
        (" " * 1_000_001, "are read at most"),
    ],
)
def test_a_bad_config_is_a_finding(tmp_path: Path, text: str, said: str) -> None:
    path = foreign_files.write_safetensors(tmp_path / "m.safetensors", TENSORS)
    (tmp_path / "config.json").write_text(text)
    found = read_checkpoint(path)
    assert said in messages(found)
    assert found.tensors == len(TENSORS)


def test_an_index_stands_for_the_whole_model(index: Path) -> None:
    found = read_checkpoint(index)
    assert found.format == "safetensors-sharded"
    assert [(e.key, e.dtype, e.shape) for e in found.groups[0].table.values()] == TENSORS
    assert found.findings == ()


def test_shards_of_torch_are_read_too(tmp_path: Path) -> None:
    tensor = model_files.Tensor("float32", (2, 3))
    model_files.write_torch_zip(tmp_path / "pytorch_model-00001-of-00001.bin", {"a": tensor})
    index = tmp_path / "pytorch_model.bin.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "pytorch_model-00001-of-00001.bin"}}))
    found = read_checkpoint(index)
    assert (found.format, found.groups[0].table.shapes) == ("torch-sharded", {"a": (2, 3)})


def test_a_shard_alone_says_so(index: Path) -> None:
    found = read_checkpoint(index.with_name("model-00002-of-00003.safetensors"))
    assert "shard 2 of 3" in messages(found)


def test_a_missing_shard_is_named(index: Path) -> None:
    index.with_name("model-00002-of-00003.safetensors").unlink()
    assert "model-00002-of-00003.safetensors is missing" in messages(read_checkpoint(index))


def test_a_tensor_in_another_shard_than_said_is_named(tmp_path: Path) -> None:
    index = foreign_files.write_sharded(tmp_path, TENSORS, 2)
    found = changed_index(index, **{"a.bias": "model-00001-of-00002.safetensors"})
    assert "another shard than the index says: `a.bias`" in messages(found)


def test_a_tensor_that_the_index_does_not_have_is_named(index: Path) -> None:
    content = json.loads(index.read_text())
    del content["weight_map"]["a.bias"]
    content["weight_map"]["b.more"] = "model-00002-of-00003.safetensors"
    index.write_text(json.dumps(content))
    assert "not in the index: `a.bias`" in messages(read_checkpoint(index))


def test_a_tensor_that_only_the_index_has_is_named(index: Path) -> None:
    found = changed_index(index, more="model-00001-of-00003.safetensors")
    assert "in none of its shards: `more`" in messages(found)


def test_a_tensor_in_two_shards_is_named(index: Path) -> None:
    foreign_files.write_safetensors(
        index.with_name("model-00002-of-00003.safetensors"), TENSORS[:2]
    )
    assert "`a.weight` lies in" in messages(read_checkpoint(index))


@pytest.mark.parametrize("shard", ["../m.safetensors", "/etc/passwd", "..", "", "c:\\m"])
def test_a_shard_outside_the_folder_is_dangerous_and_not_read(index: Path, shard: str) -> None:
    found = changed_index(index, more=shard)
    assert "dangerous" in kinds(found)


def test_a_shard_that_the_index_forgot_is_told(index: Path) -> None:
    one = index.with_name("model-00001-of-00003.safetensors")
    shutil.copy(one, one.with_name("model-00004-of-00003.safetensors"))
    assert "that it does not name" in messages(read_checkpoint(index))


@pytest.mark.parametrize("text", ["{}", "[]", '{"weight_map": {"a": 1}}', "", "<html>"])
def test_an_index_that_is_none_is_damage(tmp_path: Path, text: str) -> None:
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(text)
    assert kinds(read_checkpoint(path)) == {"corrupt"}


def test_the_folder_of_a_model_is_its_weights_and_config(tmp_path: Path) -> None:
    foreign_files.write_safetensors(tmp_path / "model.safetensors", TENSORS)
    (tmp_path / "config.json").write_text('{"model_type": "clip"}')
    found = read_checkpoint(tmp_path)
    assert (found.tensors, found.metadata["config"]) == (3, {"model_type": "clip"})


def test_the_folder_of_a_sharded_model_is_the_whole(index: Path) -> None:
    assert read_checkpoint(index.parent).tensors == len(TENSORS)


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    components = {"unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "VAE"]}
    content = {"_class_name": "Pipe", **components, "scheduler": ["diffusers", "DDIMScheduler"]}
    (tmp_path / "model_index.json").write_text(json.dumps(content))
    for name in content:
        (tmp_path / name).mkdir()
    for name in components:
        foreign_files.write_safetensors(
            tmp_path / name / "diffusion_pytorch_model.safetensors", TENSORS
        )
        (tmp_path / name / "config.json").write_text(json.dumps({"name": name}))
    return tmp_path


def test_a_pipeline_is_all_its_networks(pipeline: Path) -> None:
    found = read_checkpoint(pipeline)
    assert [group.wrapper for group in found.groups] == [("unet",), ("vae",)]
    assert found.metadata["components"]["vae"]["config"] == {"name": "vae"}


def test_places_of_a_pipeline_are_in_its_files(pipeline: Path) -> None:
    found = read_checkpoint(pipeline)
    storage = found.groups[0].table["a.weight"].storage
    assert (found.path.parent / storage.file).is_file()


def test_a_component_without_its_folder_is_told(pipeline: Path) -> None:
    shutil.rmtree(pipeline / "vae")
    assert "'vae' (VAE) has no folder" in messages(read_checkpoint(pipeline))
