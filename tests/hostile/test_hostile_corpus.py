"""The hostile corpus: nothing is executed, nothing escapes, and every verdict is the right one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from cases import cases
from corpus import KINDS, SURVIVED, Case, verdict_of, whole

from mycloset.checkpoints.reading import read_checkpoint

HERE = Path(__file__).parent
MEMORY = 200_000_000
EVERY = list(cases())


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What a guarded process saw of each case."""
    folder = tmp_path_factory.mktemp("hostile")
    done = subprocess.run(
        [sys.executable, HERE / "guard.py", folder],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["name"]: line for line in lines}


def test_names_are_unique() -> None:
    assert len({case.name for case in EVERY}) == len(EVERY)


def test_nothing_is_executed(guarded: dict[str, dict[str, Any]]) -> None:
    assert not [line for line in guarded.values() if line.get("executed")]


def test_no_exception_escapes(guarded: dict[str, dict[str, Any]]) -> None:
    assert not [(name, line["error"]) for name, line in guarded.items() if line.get("error")]


def test_memory_stays_bounded(guarded: dict[str, dict[str, Any]]) -> None:
    assert guarded[""]["peak"] < MEMORY


@pytest.mark.parametrize("case", EVERY, ids=lambda case: case.name)
def test_the_verdict_is_right(case: Case, guarded: dict[str, dict[str, Any]]) -> None:
    assert guarded[case.name]["verdict"] in case.verdicts


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bits_are_survived(kind: str, tmp_path: Path, data: st.DataObject) -> None:
    path = whole(tmp_path, kind)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        bit = data.draw(st.integers(0, 8 * len(content) - 1))
        content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(bytes(content))
    found = read_checkpoint(path)
    assert verdict_of({finding.kind for finding in found.findings}) in SURVIVED
