"""Files as training tools leave them: averages, adapters and heads beside a known network."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import golden_files
from model_files import Tensor, write_torch_zip, write_zip
from mycloset.checkpoints import zipfiles
from mycloset.inspection import inspect
from mycloset.inspection.results import CheckpointAnalysis, Network

Table = dict[str, Tensor]

RESNET = "torchvision/resnet34"
CLIP = "clip/vit_b32_transformers"


def table(name: str, prefix: str = "") -> Table:
    return {prefix + key: Tensor(dtype, shape) for key, dtype, shape in golden_files.tensors(name)}


def analysed(folder: Path, content: object) -> CheckpointAnalysis:
    path = folder / "file.pth"
    write_torch_zip(path, content)
    return inspect(path)


def wrapped(tensors: Table, pattern: str) -> Table:
    """PEFT's names for a network whose linear layers of the pattern have an adapter."""
    found: Table = {}
    for key, tensor in tensors.items():
        layer, _, part = key.rpartition(".")
        start = f"base_model.model.{layer}"
        if re.search(pattern, layer):
            found[f"{start}.base_layer.{part}"] = tensor
            if part == "weight":
                out, inp = tensor.shape
                found[f"{start}.lora_A.default.weight"] = Tensor("float32", (8, inp))
                found[f"{start}.lora_B.default.weight"] = Tensor("float32", (out, 8))
        else:
            found[f"{start}.{part}"] = tensor
    return found


def names(networks: tuple[Network, ...]) -> list[tuple[str | None, str]]:
    return [(network.family, network.role) for network in networks]


def test_underscored_averages_are_a_network_of_their_own(tmp_path: Path) -> None:
    plain = table(RESNET, "backbone.")
    copies = {"ema_" + key.replace(".", "_"): tensor for key, tensor in plain.items()}
    found = analysed(tmp_path, {"state_dict": {**plain, **copies}, "meta": {"epoch": 3}})
    assert names(found.networks) == [("resnet", "weights"), ("resnet", "ema")]
    assert found.wrapper == "state_dict"
    assert found.findings == ()


def test_a_name_that_begins_with_ema_is_no_average_by_itself(tmp_path: Path) -> None:
    found = analysed(tmp_path, {"ema_conv.weight": Tensor("float32", (4, 3, 3, 3))})
    assert names(found.networks) == [(None, "weights")]


def test_averages_below_a_prefix_come_first_and_counters_are_no_network(tmp_path: Path) -> None:
    content = {**table(RESNET, "online_model."), **table(RESNET, "ema_model.")}
    content["step"] = Tensor("int64", ())
    found = analysed(tmp_path, content)
    assert names(found.networks) == [("resnet", "ema"), ("resnet", "weights")]


def test_a_wrapped_network_is_recognised_below_its_adapter(tmp_path: Path) -> None:
    found = analysed(tmp_path, wrapped(table(CLIP), r"self_attn\.[qv]_proj$"))
    assert (found.family, found.variant, found.verdict) == ("clip", "ViT-B-32", "recognised")
    assert found.parameters == inspect_golden(tmp_path, CLIP).parameters
    assert "rank 8" in found.networks[1].title


def test_a_wrapped_network_is_no_copy_of_the_bare_one(tmp_path: Path) -> None:
    found = analysed(tmp_path, wrapped(table(CLIP), r"self_attn\.[qv]_proj$"))
    assert found.digest != inspect_golden(tmp_path, CLIP).digest


def test_an_adapter_alone_is_called_an_adapter(tmp_path: Path) -> None:
    whole = wrapped(table(CLIP), r"self_attn\.[qv]_proj$")
    found = analysed(tmp_path, {key: value for key, value in whole.items() if ".lora_" in key})
    assert found.verdict == "unknown"
    assert "adapter (LoRA of rank 8)" in found.title


@pytest.mark.parametrize("prefix", ["backbone.", "encoder.", "model."])
def test_a_trunk_with_a_small_head_beside_it_is_its_network(prefix: str, tmp_path: Path) -> None:
    heads = {"head.weight": Tensor("float32", (9, 512)), "head.bias": Tensor("float32", (9,))}
    found = analysed(tmp_path, {**table(RESNET, prefix), **heads})
    assert (found.variant, found.prefix) == ("resnet34", prefix)
    assert [finding.kind for finding in found.findings] == ["extra"]


def test_a_trunk_beside_much_else_is_not_claimed(tmp_path: Path) -> None:
    more = {f"neck.{i}.weight": Tensor("float32", (256, 256, 3, 3)) for i in range(20)}
    found = analysed(tmp_path, {**table(RESNET, "backbone."), **more})
    assert found.verdict == "unknown"
    assert found.networks[1].family == "resnet"


def test_every_network_of_a_file_has_the_fields_of_a_file(tmp_path: Path) -> None:
    told = json.loads(json.dumps(inspect_golden(tmp_path, RESNET).to_json()))
    fields = (
        "path format family variant layout config task steps confidence evidence tensors"
        " parameters bytes precision input_channels output_channels wrapper prefix licence findings"
    )
    for part in (told, told["networks"][0]):
        assert set(fields.split()) <= part.keys()


def inspect_golden(folder: Path, name: str) -> CheckpointAnalysis:
    path = folder / "bare.pth"
    write_torch_zip(path, table(name))
    return inspect(path)


def test_an_archive_that_is_not_read_is_not_called_free_of_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfiles, "DIRECTORY", 10)
    path = tmp_path / "file.pth"
    write_zip(path, [("archive/readme.txt", b"hello")])
    assert inspect(path).safety == "unknown"


def test_a_part_of_a_network_in_a_damaged_file_is_in_doubt(tmp_path: Path) -> None:
    path = tmp_path / "cut.pth"
    write_torch_zip(path, table(RESNET))
    path.write_bytes(path.read_bytes()[:5000])
    found = inspect(path)
    assert found.verdict == "incomplete"
    assert found.confidence < 0.5
    assert "which layers the damage took: it may have been larger" in found.undecidable
