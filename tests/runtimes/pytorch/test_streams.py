"""Reading with casts: every byte once and in order, and nothing kept beside the result."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mycloset.architectures.keymapper import KeyMap, Merge, Split
from mycloset.architectures.plans import NetworkPlan
from mycloset.checkpoints.reading import read_checkpoint
from mycloset.checkpoints.source import DamagedError, Source
from mycloset.runtimes.pytorch.building import Built, build
from mycloset.runtimes.pytorch.streams import CHUNK, WINDOW, MappedCasts, Stream
from mycloset.runtimes.pytorch.tensors import FileTensors


@pytest.fixture(scope="module")
def numbers() -> torch.Tensor:
    return torch.randn(3 * CHUNK // 4, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def path(numbers: torch.Tensor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("streams") / "numbers"
    path.write_bytes(numbers.numpy().tobytes())
    return path


@given(
    start=st.integers(0, 3 * CHUNK // 4 - 1),
    counts=st.lists(st.integers(1, CHUNK), min_size=1, max_size=5),
    into=st.sampled_from([torch.float32, torch.float16, torch.bfloat16, torch.float64]),
)
@settings(max_examples=25, deadline=None)
def test_any_run_is_what_lies_there(
    start: int, counts: list[int], into: torch.dtype, path: Path, numbers: torch.Tensor
) -> None:
    with Source(path) as source:
        stream = Stream(source)
        for length in counts:
            count = min(length, numbers.numel() - start)
            if count:
                found = stream.read(4 * start, count, torch.float32, into=into)
                assert torch.equal(found, numbers[start : start + count].to(into))
            start += count


@given(
    start=st.integers(0, 3 * CHUNK // 4 - 1),
    counts=st.lists(st.integers(1, CHUNK), min_size=1, max_size=5),
    into=st.sampled_from([torch.float16, torch.bfloat16, torch.float64]),
    window=st.sampled_from([4, 4096, 100_000, WINDOW]),
)
@settings(max_examples=25, deadline=None)
def test_casts_of_a_mapped_file_are_what_lies_there(
    start: int, counts: list[int], into: torch.dtype, window: int, path: Path, numbers: torch.Tensor
) -> None:
    with Source(path) as source:
        casts = MappedCasts(source, window=max(window, 4 * sum(counts) // 200))
        for length in counts:
            count = min(length, numbers.numel() - start)
            if count:
                found = casts.read(4 * start, count, torch.float32, into=into)
                assert torch.equal(found, numbers[start : start + count].to(into))
            start += count


def test_bytes_in_the_other_order(numbers: torch.Tensor, path: Path, tmp_path: Path) -> None:
    turned = tmp_path / "turned"
    turned.write_bytes(numbers.numpy().byteswap().tobytes())
    with Source(turned) as source:
        found = Stream(source).read(
            0, numbers.numel(), torch.float32, into=torch.float16, swapped=True
        )
    assert torch.equal(found, numbers.half())


def test_a_file_that_became_shorter_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "short"
    path.write_bytes(bytes(400))
    with Source(path) as source:
        os.truncate(path, 200)
        with pytest.raises(DamagedError, match="became shorter"):
            Stream(source).read(0, 100, torch.float32, into=torch.float16)


class Attention(nn.Module):
    """Layers whose weights a file has together, or apart."""

    def __init__(self) -> None:
        super().__init__()
        for name in "qkv":
            setattr(self, name, nn.Linear(64, 64, bias=False))
        self.both = nn.Linear(64, 128)
        self.large = nn.Linear(700, 700)


KEYS = KeyMap(
    splits=(Split("qkv.weight", ("q.weight", "k.weight", "v.weight")),),
    merges=(Merge(("one.{w}", "two.{w}"), "both.{w}"),),
)
PLAN = NetworkPlan(Attention, KEYS)


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    made = Attention()
    return {
        "large.weight": made.large.weight.detach(),
        "large.bias": made.large.bias.detach(),
        "qkv.weight": torch.randn(192, 64),
        "one.weight": torch.randn(64, 64),
        "two.weight": torch.randn(64, 64),
        "one.bias": torch.randn(64),
        "two.bias": torch.randn(64),
    }


def loaded(state: dict[str, torch.Tensor], path: Path, **options: object) -> Built:
    torch.save(state, path)
    checkpoint = read_checkpoint(path)
    dtype = options.pop("dtype", torch.float32)
    owned = options.pop("owned", False)
    assert isinstance(dtype, torch.dtype) and isinstance(owned, bool)
    with FileTensors(checkpoint, mapped=bool(options.pop("mapped", False))) as tensors:
        table = checkpoint.groups[0].table
        return build(PLAN, table, tensors, name=path.name, dtype=dtype, owned=owned)


@pytest.mark.parametrize("mapped", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_casts_are_those_of_the_whole(
    dtype: torch.dtype, mapped: bool, state: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    made = loaded(state, tmp_path / "x.pth", dtype=dtype, mapped=mapped).network.state_dict()
    expected = {
        "q.weight": state["qkv.weight"][:64],
        "v.weight": state["qkv.weight"][128:],
        "both.weight": torch.cat([state["one.weight"], state["two.weight"]]),
        "both.bias": torch.cat([state["one.bias"], state["two.bias"]]),
        "large.weight": state["large.weight"],
    }
    for key, value in expected.items():
        assert torch.equal(made[key], value.to(dtype)), key


@pytest.mark.skipif(not hasattr(os, "preadv"), reason="the system reads by another call")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_every_byte_is_read_once_and_in_order(
    dtype: torch.dtype,
    state: dict[str, torch.Tensor],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reads: list[tuple[int, int]] = []
    plain = os.preadv

    def told(handle: int, places: list[memoryview], offset: int) -> int:
        length = plain(handle, places, offset)
        reads.append((offset, length))
        return length

    monkeypatch.setattr(os, "preadv", told)
    loaded(state, tmp_path / "x.pth", dtype=dtype)
    assert reads
    for (start, length), (following, _) in itertools.pairwise(reads):
        assert start + length <= following


def test_tensors_that_are_one_stay_one_when_they_are_cast(tmp_path: Path) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(8, 8), nn.Linear(8, 8)

    weight = torch.randn(8, 8)
    state = {"first.weight": weight, "second.weight": weight}
    state |= {"first.bias": weight[0].clone(), "second.bias": weight[1].clone()}
    path = tmp_path / "tied.pth"
    torch.save(state, path)
    checkpoint = read_checkpoint(path)
    with FileTensors(checkpoint) as tensors:
        plan = NetworkPlan(Tied)
        table = checkpoint.groups[0].table
        short = build(plan, table, tensors, name="tied", dtype=torch.float16).network
        own = build(plan, table, tensors, name="tied", owned=True).network
    pointers = {module.weight.data_ptr() for module in short.children()}  # type: ignore[operator]
    assert len(pointers) == 1
    pointers = {module.weight.data_ptr() for module in own.children()}  # type: ignore[operator]
    assert len(pointers) == 2


_PEAK = """
import sys, torch
from pathlib import Path
from mycloset.architectures.plans import NetworkPlan
from mycloset.checkpoints.reading import read_checkpoint
from mycloset.runtimes.pytorch.building import build
from mycloset.runtimes.pytorch.tensors import FileTensors

def told(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024

def load(path):
    checkpoint = read_checkpoint(Path(path))
    plan = NetworkPlan(lambda: torch.nn.Sequential(*(torch.nn.Linear(N, N) for _ in range(4))))
    with FileTensors(checkpoint) as tensors:
        table = checkpoint.groups[0].table
        return build(plan, table, tensors, name="x", dtype=getattr(torch, sys.argv[2])).network

N = 64
small = torch.nn.Sequential(*(torch.nn.Linear(N, N) for _ in range(4)))
torch.save(small.state_dict(), sys.argv[3])
load(sys.argv[3])
N = 2048
Path("/proc/self/clear_refs").write_text("5")
before = told("VmRSS")
made = load(sys.argv[1])
print(told("VmHWM") - before, sum(p.nbytes for p in made.parameters()))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="peaks are read from Linux's /proc")
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_cast_takes_no_more_memory_than_its_result(dtype: str, tmp_path: Path) -> None:
    torch.save(
        nn.Sequential(*(nn.Linear(2048, 2048) for _ in range(4))).state_dict(), tmp_path / "x.pth"
    )
    command = [sys.executable, "-c", _PEAK, str(tmp_path / "x.pth"), dtype, str(tmp_path / "y.pth")]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    peak, own = map(int, ran.stdout.split())
    # A model of 32 MiB; what any first call takes beside it is no share of the model.
    assert peak <= 1.1 * own + 2 * CHUNK
