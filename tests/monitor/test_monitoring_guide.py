"""What the guide to monitoring shows runs, and names what is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from mycloset.hub.events import ModelAsked, ModelLoaded
from mycloset.monitor import PerformanceMonitor

GUIDE = Path(__file__).parents[2] / "docs" / "monitoring.md"


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    assert len(blocks) >= 5
    held: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, GUIDE.name, "exec"), held)
    assert "shop, parsing: seconds 0.9 is above 0.5." in capsys.readouterr().out


def test_every_metric_that_it_names_in_full_is_there() -> None:
    monitor = PerformanceMonitor(rate=0)
    monitor.watch_hub(ModelLoaded(Path("a"), "A", "cpu", "float32", 1, 0.1))
    monitor.watch_hub(ModelAsked(Path("a"), 0.1, there=False))
    text = monitor.metrics_text()
    named = set(re.findall(r"`(mycloset_[a-z_]*[a-z])`", GUIDE.read_text("utf-8")))
    assert len(named) >= 15
    assert [name for name in sorted(named) if f"# TYPE {name} " not in text] == []
