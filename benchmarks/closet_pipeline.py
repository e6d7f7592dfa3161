"""Eight steps over a model set three times the budget: what is loaded again, and waited for."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from closet_files import Kind, size_of, write_filled
from closet_plan import PIPELINE, bounds, reloads
from closet_report import Row, against, milliseconds, percent, section, tell
from fresh_process import fresh, memory

SHARE = 3
"""How many times the budget the models are."""
REQUESTS = 20
FEWER_AIM = 0.30
HIDDEN_AIM = 0.80
LONGER = 1.5
"""How much longer a model works than the next one took to load (the slower of two loads)."""


def steps(*, quick: bool) -> tuple[tuple[str, ...], ...]:
    """Goldens by step; `quick` leaves the large ones and doubles away."""
    if not quick:
        return PIPELINE
    small = 110_000_000
    return tuple(tuple(name for name in step if size_of(name) < small)[:2] for step in PIPELINE)


def make_models(folder: str, quick: bool) -> int:
    """Filled files of the pipeline's models in the folders of their steps; in a fresh process."""
    kinds: tuple[Kind, ...] = ("zip", "zip", "legacy")
    total = 0
    for number, step in enumerate(steps(quick=quick), start=1):
        for place, name in enumerate(step):
            path = Path(folder) / f"step_{number:02d}" / name.replace("/", "_")
            total += write_filled(path, name, kinds[place % len(kinds)]).stat().st_size
    return total


def pipeline(models: Path, *, quick: bool) -> None:
    """Print what LRU and foresight load again, and how much of it prefetching hides."""
    plan = [name for step in steps(quick=quick) for name in step]
    requests = 4 if quick else REQUESTS
    found: dict[tuple[bool, bool], dict[str, Any]] = {}
    for expects in (False, True):
        for fetches in (False, True):
            found[expects, fetches] = fresh(
                "closet_pipeline:run", str(models), quick, requests, expects, fetches
            )
    one = found[False, False]
    section(
        f"Pipeline of eight steps: {len(plan)} models, {one['set'] / 1e6:,.0f} MB in float16,"
        f" budget {one['budget'] / 1e6:,.0f} MB, {requests} requests"
    )
    rows: list[Row] = []
    for (expects, fetches), told in found.items():
        alone = found[expects, False]
        saved = 1 - told["bytes_again"] / found[False, fetches]["bytes_again"]
        hidden = 1 - told["seconds_waited"] / alone["seconds_waited"]
        aims = []
        if expects and not fetches:
            aims.append(against(f"saved >= {percent(FEWER_AIM)}", saved >= FEWER_AIM))
        if fetches:
            aims.append(against(f"hidden >= {percent(HIDDEN_AIM)}", hidden >= HIDDEN_AIM))
        rows.append(
            (
                ("foresight" if expects else "LRU") + (", prefetch" if fetches else ""),
                f"{told['bytes_again'] / 1e9:.2f}",
                percent(saved) if expects else "",
                f"{told['seconds_loading']:.2f}",
                f"{told['seconds_waited']:.2f}",
                percent(hidden) if fetches else "",
                f"{told['there']} of {told['asked']}",
                milliseconds(told["slowest"]),
                f"{told['highest'] / told['budget']:.2f}",
                ", ".join(aims),
            )
        )
    head = ("", "again GB", "saved", "loading s", "waited s", "hidden", "found there", "slowest ms",
            "anon / budget", "aim")  # fmt: skip
    tell(head, rows)
    _possible(plan, one["sizes"], one["budget"], requests)


def _possible(plan: list[str], sizes: dict[str, int], budget: int, requests: int) -> None:
    """Print what could be saved at all."""
    rows: list[Row] = []
    for ahead, title in ((0, "nothing fetched ahead"), (1, "the next model fetched ahead")):
        lru = reloads(plan, sizes, budget, requests, "lru", ahead)
        furthest = reloads(plan, sizes, budget, requests, "furthest", ahead)
        least = bounds(plan, sizes, budget, requests, ahead)
        rows.append(
            (
                title,
                f"{lru / 1e9:.2f}",
                percent(1 - furthest / lru),
                percent(1 - least.whole / lru),
                percent(1 - least.parts / lru),
            )
        )
    count = len(plan)
    head = ("what sizes allow", "LRU again GB", "furthest leaves first", "best, whole models",
            "best, parts")  # fmt: skip
    tell(
        head,
        rows,
        note=f"of {count} equal models no rule could save more than"
        f" {percent((count / SHARE - 1) / (count - 1))}",
    )


def run(folder: str, quick: bool, requests: int, expects: bool, fetches: bool) -> dict[str, Any]:
    """The requests by one way, in a process of its own; what counts begins with the second.

    Where models are fetched ahead, each works (sleeps) longer than the next one takes to load.
    """
    import torch

    from mycloset.hub.loader import ModelLoader

    assert torch.get_num_threads()
    plan = [name for step in steps(quick=quick) for name in step]
    with ModelLoader(
        [folder], index=False, device="cpu", precision="float16", memory="8GB"
    ) as whole:
        shelved = {
            name: next(
                m for m in whole.list_available_models() if m.path.stem == name.replace("/", "_")
            )
            for name in plan
        }
        sizes, taken = {}, {name: list[float]() for name in plan}
        for name in plan * 4:
            began = time.perf_counter()
            whole.load_shelved(shelved[name])
            taken[name].append(time.perf_counter() - began)
            sizes[name] = whole.get_model_info(shelved[name].path).bytes
            whole.unload_model(shelved[name].path)
    # Imports are done when it counts.
    seconds = {name: max(all_of[2:]) for name, all_of in taken.items()}
    budget = sum(sizes.values()) // SHARE
    loader = ModelLoader([folder], index=False, device="cpu", precision="float16", memory=budget)
    order = [shelved[name] for name in plan]
    if expects:
        loader.expect(order, repeat=True, ahead=int(fetches))
    waits = []
    highest = 0
    base = memory().anonymous
    before = asdict(loader.statistics)
    for number in range(requests):
        if number == 1:
            before, waits = asdict(loader.statistics), []
        for place, name in enumerate(plan):
            began = time.perf_counter()
            loader.load_shelved(shelved[name])
            waits.append(time.perf_counter() - began)
            if fetches:
                after = plan[(place + 1) % len(plan)]
                loader.prefetch(shelved[after])
                time.sleep(LONGER * seconds[after])
            highest = max(highest, memory().anonymous - base)
    now = asdict(loader.statistics)
    loader.close()
    return {
        **{key: now[key] - before[key] for key in now},
        "sizes": sizes,
        "set": sum(sizes.values()),
        "budget": budget,
        "slowest": max(waits),
        "highest": highest,
    }
