"""What a nest of containers is taken for: state dicts, averages, optimizers, modules, values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from model_files import (
    Call,
    Global,
    Module,
    Tensor,
    module_tree,
    state_dict,
    write_torch_zip,
    write_torchscript,
)
from mycloset.checkpoints.contents import Checkpoint, TensorGroup
from mycloset.checkpoints.formats import torch_zip
from mycloset.checkpoints.objects import build_tree
from mycloset.checkpoints.pickles.machine import read_pickle
from mycloset.checkpoints.pickles.nodes import Tape
from mycloset.checkpoints.rebuilding import Rebuilder
from mycloset.checkpoints.source import Source


def weights() -> Call:
    return state_dict({"a.weight": Tensor("float32", (2, 3)), "a.bias": Tensor("float32", (2,))})


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def reader(thing: Any) -> Checkpoint:
        write_torch_zip(tmp_path / "x.pth", thing)
        with Source(tmp_path / "x.pth") as source:
            return torch_zip.read(source)

    return reader


def told(groups: tuple[TensorGroup, ...]) -> dict[str, str]:
    return {".".join(group.wrapper): group.role for group in groups}


def test_a_bare_state_dict(read: Any) -> None:
    found = read(weights())
    assert told(found.groups) == {"": "weights"}
    assert list(found.groups[0].table) == ["a.weight", "a.bias"]


@pytest.mark.parametrize("name", ["ema", "model_ema", "state_dict_ema", "params_ema", "net_ema"])
def test_an_average_beside_weights_is_called_so(read: Any, name: str) -> None:
    assert told(read({"model": weights(), name: weights()}).groups) == {
        "model": "weights",
        name: "ema",
    }


@pytest.mark.parametrize("name", ["ema", "params_ema"])
def test_an_average_alone_is_the_weights(read: Any, name: str) -> None:
    assert told(read({name: weights(), "epoch": 3}).groups) == {name: "weights"}


def test_names_that_only_contain_the_letters_are_no_average(read: Any) -> None:
    assert told(read({"model": weights(), "schema": weights()}).groups)["schema"] == "weights"


def test_an_optimizer_is_told_from_weights(read: Any) -> None:
    state = {0: {"step": 5, "exp_avg": Tensor("float32", (2, 3))}}
    groups = [{"lr": 0.25, "params": [0]}]
    found = read(
        {
            "state_dict": weights(),
            "optimizer_states": [{"state": state, "param_groups": groups}],
            "trainer": {"state": state, "param_groups": groups},
            "lr_schedulers": [{"last_epoch": 4}],
        }
    )
    assert told(found.groups) == {
        "state_dict": "weights",
        "optimizer_states.0": "optimizer",
        "trainer": "optimizer",
    }
    assert list(found.groups[2].table) == ["state.0.exp_avg"]
    assert found.values["trainer.lr"] == 0.25


def test_several_networks_are_several_groups(read: Any) -> None:
    plain = {"weight": Tensor("float32", (2,))}
    assert told(read({"netG": weights(), "netD": plain}).groups) == {
        "netG": "weights",
        "netD": "weights",
    }


def test_levels_without_dots_are_one_state_dict(read: Any) -> None:
    found = read(
        {
            "params": {
                "conv": {"kernel": Tensor("float32", (3,)), "bias": Tensor("float32", (1,))},
                "block": {"dense": {"kernel": Tensor("float32", (2,))}},
            }
        }
    )
    (group,) = found.groups
    assert group.wrapper == ("params",)
    assert list(group.table) == ["conv.kernel", "conv.bias", "block.dense.kernel"]


def test_a_tensor_beside_a_state_dict_belongs_to_none(read: Any) -> None:
    found = read({"mean": Tensor("float32", (3,)), "model": weights()})
    assert told(found.groups) == {"": "other", "model": "weights"}


def test_state_dicts_in_a_list(read: Any) -> None:
    found = read({"experts": [weights(), weights()]})
    assert told(found.groups) == {"experts.0": "weights", "experts.1": "weights"}


def test_keys_that_are_numbers(read: Any) -> None:
    (group,) = read({0: Tensor("float32", (3,)), 1: Tensor("float32", (1,))}).groups
    assert list(group.table) == ["0", "1"]


def test_what_lies_beside_the_tensors(read: Any) -> None:
    args = Call(Global("argparse", "Namespace"), (), {"lr": 0.5, "arch": "hrnet"}, new=True)
    scalar = Call(
        Global("numpy.core.multiarray", "scalar"),
        (
            Call(
                Global("numpy", "dtype"),
                ("f8", False, True),
                (3, "<", None, None, None, -1, -1, 0),
            ),
            b"\0\0\0\0\0\0\4@",
        ),
    )
    found = read({"model": weights(), "epoch": 7, "args": args, "best": scalar, "log": [1] * 20})
    assert found.values == {
        "epoch": 7,
        "args.lr": 0.5,
        "args.arch": "hrnet",
        "best": 2.5,
        "log": "list of 20",
    }
    assert found.findings == ()


def test_arrays_are_tensors(read: Any) -> None:
    kind = Call(
        Global("numpy", "dtype"), ("i2", False, True), (3, "<", None, None, None, -1, -1, 0)
    )
    array = Call(
        Global("numpy.core.multiarray", "_reconstruct"),
        (Global("numpy", "ndarray"), (0,), b"b"),
        (1, (2, 3), kind, True, bytes(12)),
    )
    (group,) = read({"weight": array}).groups
    entry = group.table["weight"]
    assert (group.kind, entry.dtype, entry.shape, entry.stride) == (
        "arrays",
        "int16",
        (2, 3),
        (1, 2),
    )


def test_a_module_is_walked_to_the_keys_of_its_state_dict(read: Any) -> None:
    keys = {
        "model.0.conv.weight": Tensor("float32", (4, 3, 3, 3)),
        "model.0.bn.running_mean": Tensor("float32", (4,)),
        "model.0.bn.num_batches_tracked": Tensor("int64", ()),
    }
    module = module_tree(keys, attributes={"names": {0: "person"}, "stride": 32})
    module.buffers["passing"] = Tensor("float32", (3,))
    module.transient = frozenset({"passing"})
    found = read({"epoch": -1, "model": module})
    (group,) = found.groups
    assert (group.kind, group.class_name) == ("module", "ultralytics.nn.tasks.DetectionModel")
    assert sorted(group.table) == sorted(keys)
    assert group.table["model.0.conv.weight"].trainable is True
    assert group.table["model.0.bn.running_mean"].trainable is False
    assert found.values["model.names.0"] == "person"
    assert found.safe


def test_a_module_shared_by_two_names_is_listed_under_both(read: Any) -> None:
    shared = Module("torch.nn.modules.linear.Linear", {"weight": Tensor("float32", (2,))})
    root = Module("my.Net", modules={"a": shared, "b": shared})
    found = read(root)
    assert list(found.groups[0].table) == ["a.weight", "b.weight"]
    assert found.groups[0].table.elements == 2


def test_a_module_within_itself_ends() -> None:
    state = b"}(\x8c\x0b_parameters}\x8c\x08_modules}\x8c\x01ah\x00sub."
    pickled = read_pickle(Tape.of(b"\x80\x04cmy\nNet\n)\x81q\x00" + state))
    contents = build_tree(pickled.value, Rebuilder(lambda node: pytest.fail("no storages")))
    assert [group.kind for group in contents.groups] == ["module"]


def test_a_script_is_walked_by_its_attributes(tmp_path: Path) -> None:
    keys = {"a.weight": Tensor("float32", (2,)), "b.c.weight": Tensor("float16", (3,))}
    write_torchscript(tmp_path / "x.pt", keys, attributes={"classes": 20})
    with Source(tmp_path / "x.pt") as source:
        found = torch_zip.read(source)
    assert (found.format, found.groups[0].kind) == ("torchscript", "script")
    assert list(found.groups[0].table) == list(keys)
    assert found.values == {"classes": 20}


def test_an_empty_state_dict_is_one(read: Any) -> None:
    found = read(state_dict({}))
    assert [len(group.table) for group in found.groups] == [0]
