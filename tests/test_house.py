"""The house itself: style, types, floors, what is shipped, and what the READMEs promise."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import tomllib
from importlib import resources
from pathlib import Path

import pytest

from mycloset.tryon.pipeline import WAYS

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "mycloset"
READMES = ("README.md", "README.ko.md")
COMMANDS = ("pip install . && mycloset demo", "pip install -e '.[dev]' && pytest")


def tool(name: str, *arguments: str) -> None:
    command = Path(sysconfig.get_path("scripts")) / name
    done = subprocess.run([command, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_ruff_finds_nothing() -> None:
    tool("ruff", "check", ".")


def test_the_code_is_formatted() -> None:
    tool("ruff", "format", "--check", ".")


def test_the_types_are_right() -> None:
    tool("mypy")


def test_packages_import_only_from_the_floors_below() -> None:
    tool("lint-imports", "--no-cache")


def tracked() -> list[Path]:
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("this is no git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


# Written in pieces, so that this file does not name them either.
FOREIGN = re.compile(
    "|".join(
        [
            r"(?<![\w.])/(?:home|Users|root|work|mnt|workspace)/" + r"[\w.-]+",
            r"[A-Z]:\\" + r"Users",
            r"py" + r"pi\.org",
            r"python" + r"hosted\.org",
            r"/tmp/" + r"w\b",
        ]
    )
)


def test_no_file_names_a_place_on_somebodys_machine_or_a_registry() -> None:
    found = []
    for path in tracked():
        data = path.read_bytes()
        if b"\0" in data:
            continue
        for number, line in enumerate(data.decode("utf-8").splitlines(), start=1):
            if match := FOREIGN.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {match[0]}")
    assert not found


HEAVY = {
    "numpy", "cv2", "scipy", "skimage", "PIL", "ai_edge_litert", "torch", "pydantic", "yaml",
    "rich", "matplotlib",
}  # fmt: skip


@pytest.mark.parametrize("what", [["-c", "import mycloset"], ["-m", "mycloset", "--help"]])
def test_heavy_libraries_are_imported_where_they_are_used(what: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *what], capture_output=True, text=True, check=True
    )
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "mycloset" in imported
    assert not {name.split(".", 1)[0] for name in imported} & HEAVY


def test_the_public_verbs_are_there() -> None:
    script = (
        "import mycloset, mycloset.tryon as t\n"
        "assert mycloset.try_on is t.try_on and mycloset.TryOnResult is t.TryOnResult\n"
        "assert all(hasattr(mycloset, name) for name in mycloset.__all__)\n"
        "assert not hasattr(mycloset, 'nothing')"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_everything_that_is_not_code_is_shipped() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["mycloset"]
    shipped = {path for pattern in patterns for path in PACKAGE.glob(pattern)}
    needed = {path for path in tracked() if path.is_relative_to(PACKAGE) and path.suffix != ".py"}
    assert needed <= shipped
    installed = resources.files("mycloset")
    for name in ("py.typed", "hub/catalogue.yaml", "tryon/pipelines/embedded.yaml"):
        assert PACKAGE / name in needed
        assert installed.joinpath(name).is_file()


def test_every_package_holds_something() -> None:
    for marker in PACKAGE.rglob("__init__.py"):
        others = [
            p for p in marker.parent.iterdir() if p.name not in ("__init__.py", "__pycache__")
        ]
        assert others, marker.parent


def test_files_are_of_one_idea() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in [*PACKAGE.rglob("*.py")]
        if (count := path.read_text("utf-8").count("\n")) > 500
    }
    assert not long


def test_every_module_opens_by_saying_what_it_is_for() -> None:
    silent = [p for p in PACKAGE.rglob("*.py") if not p.read_text("utf-8").startswith('"""')]
    assert not silent


@pytest.mark.parametrize("name", READMES)
def test_the_first_screen_has_the_two_commands_and_a_picture(name: str) -> None:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    first = "\n".join(lines[:40])
    for command in COMMANDS:
        assert command in first
    assert re.search(r"!\[.+\]\(docs/images/.+\.jpg\)", first)


@pytest.mark.parametrize("name", [*READMES, "ARCHITECTURE.md", "CHANGELOG.md"])
def test_links_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target:
            assert (ROOT / target).exists(), target


@pytest.mark.parametrize("name", READMES)
def test_the_readmes_name_every_step_command_and_option(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    for step in WAYS:
        assert f"`{step}`" in text
    source = "".join(path.read_text("utf-8") for path in (PACKAGE / "cli").glob("*.py"))
    commands = re.findall(r'app\.command\("([\w-]+)"\)', source)
    assert len(commands) >= 4
    for command in commands:
        assert f"mycloset {command}" in text
    for command in ("try-on", "inspect", "diff"):
        told = subprocess.run(
            [sys.executable, "-m", "mycloset", command, "--help"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        options = set(re.findall(r"--[a-z][a-z-]+", told.stdout)) - {"--help"}
        assert {"--json"} < options
        for option in options:
            assert option in text, option


@pytest.mark.parametrize("name", READMES)
def test_the_readmes_name_no_command_that_does_not_exist(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    blocks = "\n".join(re.findall(r"```(?:sh|bash|console)?\n(.*?)```", text, re.DOTALL))
    source = (PACKAGE / "cli" / "main.py").read_text("utf-8")
    known = set(re.findall(r'app\.command\("([\w-]+)"\)', source))
    used = set(re.findall(r"^(?:.*&& )?mycloset ([a-z][\w-]*)", blocks, re.MULTILINE))
    assert used
    assert used <= known


def test_pictures_of_the_readme_are_small() -> None:
    for path in (ROOT / "docs" / "images").iterdir():
        assert path.stat().st_size < 200_000, path.name


def test_the_version_is_one() -> None:
    from mycloset import __version__

    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert settings["project"]["version"] == __version__
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")
