"""What is listed of a file of PyTorch is what PyTorch itself loads from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model_files import (
    ITEMSIZE,
    STORAGE_CLASS,
    Tensor,
    module_tree,
    state_dict,
    write_torch_legacy,
    write_torch_tar,
    write_torch_zip,
)
from mycloset.checkpoints.contents import Checkpoint
from mycloset.checkpoints.formats import torch_legacy, torch_tar, torch_zip
from mycloset.checkpoints.source import Source
from mycloset.checkpoints.tensors import TensorEntry

torch = pytest.importorskip("torch")
FileTensors = pytest.importorskip("mycloset.runtimes.pytorch.tensors").FileTensors

UNTYPED = (torch.uint16, torch.uint32, torch.uint64)
TYPED = sorted(STORAGE_CLASS.keys() - {"bool"})
NAMES = st.text("abcdefgh_", min_size=3, max_size=6)


@st.composite
def tensors(draw: st.DrawFn, dtypes: list[str]) -> Tensor:
    dtype = draw(st.sampled_from(dtypes))
    shape = tuple(draw(st.lists(st.integers(0, 5), max_size=4)))
    stride = None
    if draw(st.booleans()) and len(shape) == 2:
        stride = (1, shape[0])
    elif shape and draw(st.integers(0, 4)) == 0:
        stride = tuple(draw(st.integers(0, 6)) for _ in shape)
    offset = draw(st.integers(0, 9))
    tensor = Tensor(dtype, shape, offset=offset, stride=stride)
    extra = draw(st.integers(0, 3))
    tensor.elements = tensor.reach + extra
    if draw(st.booleans()):
        size = tensor.elements * ITEMSIZE[dtype]
        tensor.data = draw(st.binary(min_size=size, max_size=size))
    tensor.parameter = draw(st.booleans()) and dtype.startswith(("float", "bfloat"))
    return tensor


def nests(dtypes: list[str]) -> st.SearchStrategy[Any]:
    flat = st.dictionaries(NAMES, tensors(dtypes), max_size=6)
    return st.recursive(
        flat | flat.map(state_dict),
        lambda inner: (
            st.dictionaries(NAMES, inner | st.integers() | st.text(max_size=5), max_size=4)
            | st.lists(inner, max_size=3)
            | st.dictionaries(NAMES, inner | tensors(dtypes), max_size=3)
        ),
        max_leaves=5,
    )


def _loaded(thing: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if isinstance(thing, torch.Tensor):
        yield ".".join(path), thing
    elif isinstance(thing, dict):
        for key, value in thing.items():
            yield from _loaded(value, (*path, str(key)))
    elif isinstance(thing, list | tuple):
        for index, value in enumerate(thing):
            yield from _loaded(value, (*path, str(index)))


def _listed(checkpoint: Checkpoint) -> dict[str, TensorEntry]:
    found: dict[str, TensorEntry] = {}
    for group in checkpoint.groups:
        for key, entry in group.table.items():
            name = ".".join((*group.wrapper, key))
            assert name not in found
            found[name] = entry
    return found


def _assert_same(checkpoint: Checkpoint, loaded: Any, raw: bytes, *, swapped: bool = False) -> None:
    listed = _listed(checkpoint)
    there = dict(_loaded(loaded))
    assert sorted(listed) == sorted(there)
    assert [finding.message for finding in checkpoint.findings] == []
    for name, tensor in there.items():
        entry = listed[name]
        assert entry.dtype == str(tensor.dtype).removeprefix("torch.")
        assert entry.shape == tuple(tensor.shape)
        assert entry.nbytes == tensor.numel() * tensor.element_size()
        assert entry.offset == tensor.storage_offset() * tensor.element_size()
        if entry.stride is None:
            assert tensor.is_contiguous()
        else:
            assert entry.stride == tensor.stride()
        assert entry.storage.nbytes == tensor.untyped_storage().nbytes()
        if entry.storage.offset is not None and not swapped:
            start = entry.storage.offset
            stored = raw[start : start + entry.storage.nbytes]
            assert stored == bytes(tensor.untyped_storage())
    for mapped in (True, False):
        with FileTensors(checkpoint, mapped=mapped) as tensors_:
            made = {name: tensors_.tensor(entry) for name, entry in listed.items()}
        for name, tensor in there.items():
            # PyTorch leaves the types that have no storage class of their own as they lie there.
            if not (swapped and tensor.dtype in UNTYPED):
                assert _bits(made[name]) == _bits(tensor)


def _bits(tensor: Any) -> tuple[Any, tuple[int, ...], bytes]:
    """Dtype, shape and the elements' bytes in C order."""
    flat = tensor.detach().clone(memory_format=torch.contiguous_format)
    return tensor.dtype, tuple(tensor.shape), bytes(flat.untyped_storage())[: flat.nbytes]


@given(thing=nests(sorted(ITEMSIZE.keys() - {"bool"})), way=st.sampled_from(["", "packed", "big"]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_zip_files(thing: Any, way: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("zip") / "x.pth"
    write_torch_zip(path, thing, compress=way == "packed", big_endian=way == "big", prefix="ab")
    with Source(path) as source:
        found = torch_zip.read(source)
    assert found.metadata["byteorder"] == ("big" if way == "big" else "little")
    loaded = torch.load(path, weights_only=True)
    _assert_same(found, loaded, path.read_bytes(), swapped=way == "big")


@given(thing=nests(TYPED))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_old_streams(thing: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("legacy") / "x.pth"
    write_torch_legacy(path, thing)
    with Source(path) as source:
        found = torch_legacy.read(source)
    _assert_same(found, torch.load(path, weights_only=True), path.read_bytes())


@given(thing=nests(["float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8"]))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_tars(thing: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("tar") / "x.pth"
    write_torch_tar(path, thing)
    with Source(path) as source:
        found = torch_tar.read(source)
    _assert_same(found, torch.load(path, weights_only=False), path.read_bytes())


def test_files_that_torch_wrote(tmp_path: Path) -> None:
    tied = torch.nn.Linear(3, 3)
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), tied, tied)
    optimizer = torch.optim.Adam(network.parameters())
    network[2](network[1](network[0](torch.ones(1, 3, 5, 5)))[..., :3]).sum().backward()
    optimizer.step()
    thing = {
        "model": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": 7,
        "view": torch.arange(12.0).reshape(3, 4).t()[1:],
    }
    readers: list[tuple[bool, Callable[[Source], Checkpoint]]] = [
        (True, torch_zip.read),
        (False, torch_legacy.read),
    ]
    for new, read in readers:
        path = tmp_path / f"{new}.pth"
        torch.save(thing, path, _use_new_zipfile_serialization=new)
        with Source(path) as source:
            found = read(source)
        _assert_same(found, torch.load(path, weights_only=True), path.read_bytes())
        roles = {group.wrapper: group.role for group in found.groups}
        assert roles == {("model",): "weights", ("optimizer",): "optimizer", (): "other"}
        assert found.values["epoch"] == 7


@pytest.mark.parametrize("new", [True, False])
def test_a_module_that_torch_pickled(tmp_path: Path, new: bool) -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    network.register_buffer("passing", torch.ones(2), persistent=False)
    network.add_module("again", network[0])
    path = tmp_path / "module.pt"
    torch.save({"model": network}, path, _use_new_zipfile_serialization=new)
    with Source(path) as source:
        found = torch_zip.read(source) if new else torch_legacy.read(source)
    (group,) = found.groups
    expected = network.state_dict(keep_vars=True)
    assert group.table.shapes == {key: tuple(tensor.shape) for key, tensor in expected.items()}
    assert [entry.trainable for entry in group.table.values()] == [
        isinstance(tensor, torch.nn.Parameter) for tensor in expected.values()
    ]
    assert group.class_name == "torch.nn.modules.container.Sequential"
    assert found.safe


def test_written_modules_load_in_torch(tmp_path: Path) -> None:
    shapes = {"model.0.conv.weight": (4, 3, 3, 3), "model.0.bn.running_mean": (4,)}
    tree = module_tree(
        {key: Tensor("float32", shape) for key, shape in shapes.items()},
        class_name="torch.nn.modules.container.Sequential",
    )
    write_torch_zip(tmp_path / "x.pt", tree)
    loaded = torch.load(tmp_path / "x.pt", weights_only=False)
    assert {key: tuple(value.shape) for key, value in loaded.state_dict().items()} == shapes


def test_a_script_that_torch_saved(tmp_path: Path) -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)).eval()
    traced = torch.jit.trace(network, torch.ones(1, 3, 8, 8))
    traced.save(str(tmp_path / "x.pt"))
    with Source(tmp_path / "x.pt") as source:
        found = torch_zip.read(source)
    assert found.format == "torchscript"
    group = found.groups[0]
    expected = {key: tuple(tensor.shape) for key, tensor in traced.state_dict().items()}
    assert (group.kind, group.table.shapes) == ("script", expected)
    assert found.safe
