"""What the documents say of networks: tables by the code, excerpts that are in the code."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from mycloset.architectures.plans import has_network
from mycloset.architectures.registry import families
from mycloset.tryon.pipeline import WAYS

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / "docs" / "add-a-network.md"
READMES = ("README.md", "README.ko.md")


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_tables", ROOT / "docs" / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", [*READMES, "docs/model-files.md"])
def test_tables_are_as_the_code_writes_them(name: str, tables: ModuleType) -> None:
    assert name in tables.PAGES
    text = (ROOT / name).read_text("utf-8")
    assert text.count("<!-- tables: ") == text.count("<!-- /tables -->") >= 1
    assert tables.filled(text) == text, "run: python docs/tables.py"


@pytest.mark.parametrize("name", READMES)
def test_the_readmes_name_every_family_that_runs(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    start = text.index("<!-- tables: steps")
    table = text[start : text.index("<!-- /tables -->", start)]
    running = [family.name for family in families() if has_network(family.name)]
    assert [family for family in running if f"`{family}`" not in table] == []
    results = text[:start]
    assert [family for family in running if f"`{family}`" not in results] == []


def test_every_family_that_serves_a_step_runs() -> None:
    ways = {way for models in WAYS.values() for way in models} - {"embedded"}
    assert [family for family in sorted(ways) if not has_network(family)] == []


def test_excerpts_of_the_guide_are_in_the_code() -> None:
    blocks = re.findall(r"```python (\S+/\S+\.py)\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    assert len(blocks) >= 5
    for path, excerpt in blocks:
        assert excerpt in (ROOT / path).read_text("utf-8"), path


def test_files_that_the_guide_names_are_there() -> None:
    named = set(re.findall(r"`((?:src|tests|docs|benchmarks)/[\w/.-]+)`", GUIDE.read_text("utf-8")))
    assert len(named) >= 8
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_families_that_the_guide_points_to_have_a_network() -> None:
    text = GUIDE.read_text("utf-8")
    rows = text[text.index("| difficulty |") :].split("\n\n")[0].splitlines()[2:]
    known = {family.name for family in families()}
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[-2])} & known
    assert len(named) >= 10
    assert [family for family in sorted(named) if not has_network(family)] == []
