"""Writes the tables of the documents that the code knows better: `python docs/tables.py`.

Which families are recognised, which of them run, and in which order the steps take them. Between
the marks `<!-- tables: NAME -->` and `<!-- /tables -->` nothing is written by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from mycloset.architectures.family import Family
from mycloset.architectures.licences import forbids_commerce
from mycloset.architectures.plans import has_network
from mycloset.architectures.registry import families
from mycloset.architectures.steps import TRY_ON_STEPS
from mycloset.tryon.pipeline import LEARNED_PIPELINE, load_pipeline

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "README.ko.md", "docs/model-files.md")

_PART = re.compile(r"(<!-- tables: ([\w-]+) -->\n).*?(<!-- /tables -->)", re.DOTALL)


def main() -> None:
    """Bring all pages up to date."""
    for name in PAGES:
        page = ROOT / name
        page.write_text(filled(page.read_text("utf-8")), "utf-8")


def filled(text: str) -> str:
    """A page's text with its tables as they should be."""
    return _PART.sub(lambda part: f"{part[1]}{TABLES[part[2]]()}{part[3]}", text)


def recognised() -> str:
    """Every family, and how it runs."""
    rows = [
        (f"`{f.name}`", f.title, f.task, ", ".join(f.steps) or "–", _runs(f)) for f in families()
    ]
    return _table(("family", "", "what it does", "serves", "runs"), rows)


def _steps(head: tuple[str, ...], others: str) -> Callable[[], str]:
    """The families that run by step: those that the built-in pipeline takes, and the others."""

    def made() -> str:
        running = [family for family in families() if _runs(family) == "PyTorch"]
        chosen = {plan.step: plan.models for plan in load_pipeline(LEARNED_PIPELINE).steps}
        known = {family.name: family for family in running}
        rows = []
        for step in TRY_ON_STEPS:
            taken = [name for name in chosen[step] if name in known]
            more = [f.name for f in running if step in f.steps and f.name not in taken]
            rows.append((f"`{step}`", _names(taken, known), _names(more, known)))
        placed = {name for names in chosen.values() for name in names}
        free = [f.name for f in running if not f.steps and f.name not in placed]
        rows.append((others, "–", _names(free, known)))
        return _table(head, rows)

    return made


TABLES: dict[str, Callable[[], str]] = {
    "recognised": recognised,
    "steps": _steps(
        ("step", "the step takes, best first", "runs by `mycloset.load` as well"), "faces"
    ),
    "steps-ko": _steps(
        ("단계", "단계가 쓰는 모델, 좋은 것부터", "`mycloset.load`로 실행되는 다른 모델"), "얼굴"
    ),
}


def _runs(family: Family) -> str:
    if family.graphs:
        return "embedded"
    return "PyTorch" if has_network(family.name) else "–"


def _names(names: Iterable[str], known: dict[str, Family]) -> str:
    return (
        ", ".join(f"`{n}`{' ⊘' if forbids_commerce(known[n].licence) else ''}" for n in names)
        or "–"
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, *rows]
    told = [f"| {' | '.join(line)} |\n".replace("|  |", "| |") for line in lines]
    return "".join([told[0], "|" + "---|" * len(head) + "\n", *told[1:]])


if __name__ == "__main__":
    main()
