"""`mycloset.load`: the same weights in every wrapping give the same outputs, or a clear error."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import mycloset
from foreign_files import write_safetensors
from model_files import Tensor, module_tree, write_torch_tar, write_torch_zip
from mycloset.architectures.srvgg.network import Compact
from mycloset.architectures.vgg.network import Vgg
from mycloset.errors import InputError, MissingExtraError, ModelFileError, OptionError
from mycloset.hub import loading

State = dict[str, torch.Tensor]
CFG: list[int | str] = [4, "M", 4, "M", 8, 8, "M", 8, 8, "M", 8, 8, "M"]


def network() -> Vgg:
    torch.manual_seed(3)
    made = Vgg(
        cfg=CFG, batch_norm=True, input_channels=3, widths=(8 * 49, 16, 16, 5), pooled=7
    ).eval()
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    return made


@pytest.fixture(scope="module")
def state() -> State:
    return network().state_dict()


@pytest.fixture(scope="module")
def expected() -> torch.Tensor:
    with torch.inference_mode():
        return network()(picture())["logits"]


def picture() -> torch.Tensor:
    return torch.linspace(-2, 2, 3 * 64 * 64).reshape(1, 3, 64, 64).sin()


def same(found: torch.Tensor, expected: torch.Tensor) -> bool:
    """Equal up to rounding: other alignments of the weights take other paths through a kernel."""
    return torch.allclose(found, expected, rtol=1e-5, atol=1e-7)


def logits(model: mycloset.Model) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model.network(picture())["logits"]
    return found


def with_prefix(prefix: str) -> Callable[[State], State]:
    return lambda state: {prefix + key: value for key, value in state.items()}


WRAPPERS = ["state_dict", "model", "params", "params_ema", "net", "generator", "ema",
            "state_dict_ema"]  # fmt: skip
PREFIXES = ["module.", "model.", "_orig_mod.", "backbone.", "module.model.", "_orig_mod.module."]


@pytest.mark.parametrize("wrapper", ["", *WRAPPERS])
@pytest.mark.parametrize("prefix", ["", *PREFIXES])
def test_wrapped_and_prefixed(
    wrapper: str, prefix: str, state: State, expected: torch.Tensor, tmp_path: Path
) -> None:
    inner = with_prefix(prefix)(state)
    thing: Any = {wrapper: inner, "epoch": 3} if wrapper else inner
    torch.save(thing, tmp_path / "x.pth")
    model = mycloset.load(tmp_path / "x.pth")
    assert same(logits(model), expected)
    assert (model.info.wrapper, model.info.prefix) == (wrapper, prefix)


def save_legacy(state: State, path: Path) -> None:
    torch.save(state, path, _use_new_zipfile_serialization=False)


def save_safetensors(state: State, path: Path) -> None:
    from safetensors.torch import save_file

    save_file(state, path)


def save_beside_an_optimizer(state: State, path: Path) -> None:
    optimizer = torch.optim.Adam(network().parameters())
    torch.save({"optimizer": optimizer.state_dict(), "model": state, "epoch": 4}, path)


def save_without_counters(state: State, path: Path) -> None:
    torch.save({k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}, path)


def save_packed(state: State, path: Path) -> None:
    write_torch_zip(path, written(state), compress=True)


def save_tar(state: State, path: Path) -> None:
    write_torch_tar(path, written(state))


def save_module(state: State, path: Path) -> None:
    write_torch_zip(
        path,
        {"model": module_tree(written(state), class_name="ultralytics.nn.tasks.DetectionModel")},
    )


def save_script(state: State, path: Path) -> None:
    made = network()
    made.load_state_dict(state)
    torch.jit.trace(made, picture(), strict=False).save(path)


def written(state: State) -> dict[str, Tensor]:
    return {
        key: Tensor(
            str(value.dtype).removeprefix("torch."),
            tuple(value.shape),
            data=value.numpy().tobytes(),
        )
        for key, value in state.items()
    }


@pytest.mark.parametrize(
    "save",
    [
        save_legacy,
        save_safetensors,
        save_beside_an_optimizer,
        save_without_counters,
        save_packed,
        save_tar,
        save_module,
        pytest.param(save_script, marks=pytest.mark.filterwarnings("ignore")),
    ],
)
@pytest.mark.parametrize("mapped", [True, False])
def test_every_format_gives_the_same_outputs(
    save: Callable[[State, Path], None],
    mapped: bool,
    state: State,
    expected: torch.Tensor,
    tmp_path: Path,
) -> None:
    save(state, tmp_path / "x.bin")
    model = mycloset.load(tmp_path / "x.bin", mapped=mapped)
    assert same(logits(model), expected)
    assert model.info.mapping["rate"] == 1.0


def test_shards_with_an_index(state: State, expected: torch.Tensor, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    keys = list(state)
    names = {}
    for number, part in enumerate((keys[:9], keys[9:]), start=1):
        name = f"model-{number:05}-of-00002.safetensors"
        save_file({key: state[key] for key in part}, tmp_path / name)
        names |= dict.fromkeys(part, name)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": names}))
    assert same(logits(mycloset.load(index)), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_weights_are_cast_up(dtype: torch.dtype, state: State, tmp_path: Path) -> None:
    halved = {k: v.to(dtype) if v.is_floating_point() else v for k, v in state.items()}
    torch.save(halved, tmp_path / "x.pth")
    model = mycloset.load(tmp_path / "x.pth")
    for key, value in model.network.state_dict().items():
        assert torch.equal(value, halved[key].to(value.dtype)), key
    assert model.info.precision == "float32"


def test_the_averaged_copy_is_taken_only_on_request(state: State, tmp_path: Path) -> None:
    ema = {k: v + 1 if v.is_floating_point() else v for k, v in state.items()}
    torch.save({"params_ema": ema, "params": state}, tmp_path / "x.pth")
    key = "features.0.bias"
    weights = mycloset.load(tmp_path / "x.pth")
    assert torch.equal(weights.network.state_dict()[key], state[key])
    averaged = mycloset.load(tmp_path / "x.pth", role="ema")
    assert torch.equal(averaged.network.state_dict()[key], ema[key])


def test_restoration_networks_are_taken_averaged_as_their_own_loader_does(tmp_path: Path) -> None:
    made = Compact(channels=3, features=8, convolutions=4, scale=2, activation="prelu")
    plain = made.state_dict()
    averaged = {key: value + 1 for key, value in plain.items()}
    torch.save({"params": plain, "params_ema": averaged}, tmp_path / "x.pth")
    model = mycloset.load(tmp_path / "x.pth")
    assert (model.info.family, model.info.role) == ("srvgg", "ema")
    assert torch.equal(model.network.state_dict()["body.0.bias"], averaged["body.0.bias"])


def test_a_damaged_file_is_refused_by_key(state: State, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_safetensors(state, path)
    path.write_bytes(path.read_bytes()[:-64])
    with pytest.raises(ModelFileError, match=r"x\.safetensors"):
        mycloset.load(path)


def test_a_file_of_no_known_network_says_so(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "x.safetensors", [("layer.weight", "float32", (3, 5))])
    with pytest.raises(ModelFileError, match="unknown network"):
        mycloset.load(tmp_path / "x.safetensors")


def test_what_is_no_model_says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_text("<!DOCTYPE html><title>404</title>")
    with pytest.raises(ModelFileError, match=r"x\.bin is a web page"):
        mycloset.load(tmp_path / "x.bin")


def test_no_such_file() -> None:
    with pytest.raises(InputError, match="does not exist"):
        mycloset.load("nowhere.pth")


@pytest.mark.parametrize(
    "options",
    [{"precision": "float31"}, {"device": "gpu"}, {"device": "cuda:99"}, {"config": {"wdth": 3}}],
)
def test_options_are_checked(options: dict[str, Any], state: State, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "x.pth")
    with pytest.raises(OptionError):
        mycloset.load(tmp_path / "x.pth", **options)


def test_without_pytorch_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"mycloset\[torch\]"):
        mycloset.load("x.pth")


def test_a_picture_gives_the_typed_result(state: State, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "x.pth")
    model = mycloset.load(tmp_path / "x.pth")
    colors = np.random.default_rng(0).integers(0, 255, (90, 300, 3), dtype=np.uint8)
    one = model(colors)
    two = model([colors, colors[:, ::-1]])
    assert np.allclose(one.vector, two[0].vector, atol=1e-5)
    assert len(one.classes()) == 5
