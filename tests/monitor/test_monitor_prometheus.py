"""The page of metrics: conventions, figures, and the hub's events."""

from __future__ import annotations

import re
import sys
import urllib.request
from pathlib import Path

import pytest
from monitor_clocks import Clock, FixedProbe, card
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from mycloset.errors import MissingExtraError, OptionError
from mycloset.hub.events import FellBack, LoadFailed, ModelAsked, ModelLeft, ModelLoaded
from mycloset.monitor import PerformanceMonitor


@pytest.fixture
def monitor() -> PerformanceMonitor:
    probe, clock = FixedProbe(), Clock()
    probe.cards = (card(500, 80.0),)
    monitor = PerformanceMonitor(rate=0, clock=clock, wall_clock=clock, probe=probe)
    monitor.set_thresholds(seconds=1.0)
    with monitor.measuring("try-on", "fitting") as running:
        running.note(accuracy=0.9, psnr=30.0)
        clock.pass_by(3.0)
        probe.cpu += 2.0
    for _ in range(2):
        monitor.record("try-on", "fitting", seconds=0.2, error="broken")
        monitor.record("try-on", "fitting", seconds=8.0)
    return monitor


def figures(monitor: PerformanceMonitor) -> dict[str, float]:
    """Each sample as `name{labels}`, labels ordered."""
    found = {}
    for family in text_string_to_metric_families(monitor.metrics_text()):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def test_operations_are_told(monitor: PerformanceMonitor) -> None:
    found = figures(monitor)
    of = "name=try-on,operation=fitting"
    assert found[f"mycloset_operation_duration_seconds_bucket{{le=0.25,{of}}}"] == 2
    assert found[f"mycloset_operation_duration_seconds_bucket{{le=+Inf,{of}}}"] == 5
    assert found[f"mycloset_operation_duration_seconds_count{{{of}}}"] == 5
    assert found[f"mycloset_operation_duration_seconds_sum{{{of}}}"] == pytest.approx(19.4)
    assert found[f"mycloset_operation_calls_total{{{of}}}"] == 5
    assert found[f"mycloset_operation_errors_total{{{of}}}"] == 2
    assert found[f"mycloset_operation_cpu_seconds_total{{{of}}}"] == 2.0
    assert found[f"mycloset_operation_accuracy_ratio{{{of}}}"] == 0.9
    assert found[f"mycloset_operation_value{{measure=psnr,{of}}}"] == 30.0


def test_alerts_are_told(monitor: PerformanceMonitor) -> None:
    found = figures(monitor)
    of = "measure=seconds,name=try-on,operation=fitting"
    assert found[f"mycloset_alerts_raised_total{{{of}}}"] == 1
    assert found[f"mycloset_alerts_active{{{of}}}"] == 1


def test_gpus_and_the_process_are_told(monitor: PerformanceMonitor) -> None:
    found = figures(monitor)
    assert found["mycloset_gpu_memory_used_bytes{gpu=0,model=card,source=nvml}"] == 500
    assert found["mycloset_gpu_utilisation_ratio{gpu=0,model=card,source=nvml}"] == 0.8
    assert found["mycloset_process_resident_memory_bytes{}"] > 1 << 20


def test_names_follow_the_conventions(monitor: PerformanceMonitor) -> None:
    families = list(text_string_to_metric_families(monitor.metrics_text()))
    assert len(families) > 25
    for family in families:
        assert re.fullmatch(r"mycloset_[a-z_]+", family.name)
        assert family.documentation
        if family.type == "histogram":
            assert family.name.endswith(("_seconds", "_bytes"))
        for sample in family.samples:
            assert (family.type == "counter") == sample.name.endswith("_total")


def test_labels_may_hold_anything(monitor: PerformanceMonitor) -> None:
    monitor.record('a "b"\\', "c\nd", seconds=1.0)
    assert any('name=a "b"\\,operation=c\nd' in key for key in figures(monitor))


def test_what_the_hub_does_is_told() -> None:
    monitor = PerformanceMonitor(rate=0, probe=FixedProbe())
    one, two = Path("one.pth"), Path("two.pth")
    for event in (
        ModelLoaded(one, "One", "cpu", "float32", 100, 0.2),
        ModelAsked(one, 0.3, there=False),
        ModelAsked(one, 0.0, there=True),
        ModelLoaded(two, "Two", "cpu", "float32", 50, 0.4, ahead=True),
        ModelLeft(one, "cpu", 100, "room"),
        ModelLeft(Path("unknown.pth"), "cpu", 7, "asked"),
        ModelLoaded(one, "One", "cpu", "float32", 100, 0.2, again=True),
        LoadFailed(two, "it is truncated.", 0.1),
        FellBack("human_parsing", "Best, best.pth", "Other, other.pth", "too large"),
        FellBack("pose_estimation", "Best, best.pth", "", "too large"),
    ):
        monitor.watch_hub(event)
    found = figures(monitor)
    assert found["mycloset_hub_load_seconds_count{device=cpu,precision=float32}"] == 3
    assert found["mycloset_hub_load_seconds_sum{device=cpu,precision=float32}"] == pytest.approx(
        0.8
    )
    assert found["mycloset_hub_wait_seconds_sum{there=false}"] == 0.3
    assert found["mycloset_hub_wait_seconds_count{there=true}"] == 1
    assert found["mycloset_hub_loaded_bytes_total{device=cpu}"] == 250
    assert found["mycloset_hub_resident_bytes{device=cpu}"] == 150
    assert found["mycloset_hub_resident_models{device=cpu}"] == 2
    assert found["mycloset_hub_evictions_total{device=cpu,reason=room}"] == 1
    assert found["mycloset_hub_evicted_bytes_total{device=cpu,reason=room}"] == 100
    assert found["mycloset_hub_reloads_total{}"] == 1
    assert found["mycloset_hub_loads_ahead_total{}"] == 1
    assert found["mycloset_hub_load_failures_total{}"] == 1
    assert found["mycloset_hub_fallbacks_total{by=other,role=human_parsing}"] == 1
    assert found["mycloset_hub_fallbacks_total{by=none,role=pose_estimation}"] == 1
    loads, asks = (monitor.get_performance_summary("hub", what)[0] for what in ("load", "ask"))
    assert (loads.count, loads.errors, loads.last_error) == (4, 1, "it is truncated.")
    assert asks.count == 2


def test_each_monitor_has_its_own_metrics(monitor: PerformanceMonitor) -> None:
    other = PerformanceMonitor(rate=0)
    assert "fitting" in monitor.metrics_text()
    assert "fitting" not in other.metrics_text()
    assert not any(family.name.startswith("mycloset") for family in REGISTRY.collect())


def test_the_page_is_served_until_it_is_closed(monitor: PerformanceMonitor) -> None:
    page = monitor.serve(0)
    with urllib.request.urlopen(page.url, timeout=20) as answer:
        assert b"mycloset_operation_duration_seconds_bucket" in answer.read()
    monitor.close()
    page.close()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(page.url, timeout=20)


def test_a_port_in_use_is_named(monitor: PerformanceMonitor) -> None:
    with monitor:
        page = monitor.serve(0)
        with pytest.raises(OptionError, match=f"port: 127.0.0.1:{page.port}"):
            monitor.serve(page.port)


def test_without_the_extra_it_says_how_to_get_it(
    monitor: PerformanceMonitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'mycloset\[monitor\]'"):
        monitor.metrics_text()
    with pytest.raises(MissingExtraError):
        monitor.serve(0)
