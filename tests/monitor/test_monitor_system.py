"""The machine, its container, its GPUs and its disks."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from monitor_clocks import FixedProbe

from mycloset.monitor import PerformanceMonitor
from mycloset.monitor.containers import Container, container
from mycloset.monitor.gpus import Gpus
from mycloset.monitor.system import memory_limit


def test_the_status_is_that_of_this_process(tmp_path: Path) -> None:
    monitor = PerformanceMonitor(rate=0, probe=FixedProbe())
    with (tmp_path / "open").open("w"):
        status = monitor.get_system_status(tmp_path)
    process = status.process
    assert process.pid == os.getpid()
    assert process.peak_rss >= process.rss > 1 << 20
    assert process.threads >= 1
    assert process.open_files is None or process.open_files >= 1
    assert 0 < status.usable_cores <= (status.cores or 0)
    assert 0 < status.memory_limit <= status.memory_total
    assert status.memory_share == process.rss / status.memory_limit
    assert status.gpus == ()


def test_the_cpu_share_needs_two_readings() -> None:
    monitor = PerformanceMonitor(rate=0, probe=FixedProbe())
    assert monitor.get_system_status().cpu_percent is None
    second = monitor.get_system_status().cpu_percent
    assert second is None or 0 <= second <= 100


def test_the_status_becomes_json() -> None:
    status = PerformanceMonitor(rate=0).get_system_status()
    assert json.loads(json.dumps(status.to_dict()))["process"]["pid"] == os.getpid()


def test_a_cache_that_is_not_there_yet_lies_on_the_disk_of_its_parent(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    disk = PerformanceMonitor(rate=0).get_system_status(folder).disk
    assert disk.folder == folder
    assert disk.total >= disk.free > 0


def test_the_cache_is_where_models_are_fetched_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYCLOSET_HOME", str(tmp_path))
    assert PerformanceMonitor(rate=0).get_system_status().disk.folder == tmp_path


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_the_closest_limit_around_counts(tmp_path: Path) -> None:
    write(tmp_path / "proc/self", cgroup="0::/outer/inner\n")
    write(tmp_path / "sys/outer", memory__max="4000\n", cpu__max="150000 100000\n")
    write(tmp_path / "sys/outer/inner", memory__max="9000\n", cpu__max="max 100000\n")
    assert container(tmp_path / "proc", tmp_path / "sys") == Container(4000, 1.5)


def test_version_1_has_a_tree_for_each_controller(tmp_path: Path) -> None:
    write(tmp_path / "proc/self", cgroup="3:memory:/docker/x\n2:cpu,cpuacct:/docker/x\n")
    write(tmp_path / "sys/memory/docker/x", memory__limit_in_bytes="5000\n")
    write(tmp_path / "sys/memory", memory__limit_in_bytes=f"{2**63 - 4096}\n")
    write(
        tmp_path / "sys/cpu,cpuacct/docker/x",
        cpu__cfs_quota_us="200000\n",
        cpu__cfs_period_us="100000\n",
    )
    assert container(tmp_path / "proc", tmp_path / "sys") == Container(5000, 2.0)


def test_without_control_groups_there_is_no_limit(tmp_path: Path) -> None:
    assert container(tmp_path, tmp_path) == Container(None, None)


def test_the_limit_is_the_machines_or_less() -> None:
    assert memory_limit() == PerformanceMonitor(rate=0).get_system_status().memory_limit


# GPUs


class FakeNvml(ModuleType):
    """Two cards, of which the second, a part of a divided one, tells no utilisation."""

    class NVMLError(Exception):
        pass

    def __init__(self, driver: bool = True) -> None:
        super().__init__("pynvml")
        self.driver = driver
        self.opened = 0

    def nvmlInit(self) -> None:  # noqa: N802 (its name)
        self.opened += 1
        if not self.driver:
            raise self.NVMLError("no driver")

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetName(self, handle: int) -> Any:  # noqa: N802
        return "card" if handle else b"card"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:  # noqa: N802
        return SimpleNamespace(used=10 + handle, total=100)

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:  # noqa: N802
        if handle:
            raise self.NVMLError("not supported")
        return SimpleNamespace(gpu=40)


def test_nvml_tells_of_each_card(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    gpus = Gpus()
    first, second = gpus.read()
    assert (first.name, first.memory_used, first.utilisation) == ("card", 10, 40.0)
    assert (second.index, second.memory_used, second.utilisation) == (1, 11, None)
    gpus.read()
    assert nvml.opened == 1


def test_without_a_driver_torch_is_asked_where_it_uses_cuda(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(driver=False))
    about = SimpleNamespace(name="torch's card", total_memory=1000)
    cuda = SimpleNamespace(
        is_initialized=lambda: True,
        device_count=lambda: 1,
        get_device_properties=lambda index: about,
        memory_reserved=lambda index: 70,
    )
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    (gpu,) = Gpus().read()
    assert (gpu.name, gpu.memory_used, gpu.source) == ("torch's card", 70, "torch")


def test_torch_is_not_imported_to_look_for_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert Gpus().read() == ()
    assert "torch" not in sys.modules
