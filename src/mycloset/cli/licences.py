"""`mycloset licences`: what can be fetched, under which licence, and whom to credit."""

from __future__ import annotations


def licences() -> None:
    """Print every file of the catalogue with its licence and credit, and the NOTICE."""
    from rich.console import Console

    from mycloset.hub import catalogue

    known = catalogue.load()
    console = Console(highlight=False, soft_wrap=True)
    for entry in known.entries.values():
        console.print(f"{entry.name}: {entry.title}", style="bold", markup=False)
        console.print(f"  {entry.licence}. {entry.credit}.", markup=False)
        console.print(f"  {entry.source}\n  {entry.homepage}", markup=False)
    for bundle, members in known.bundles.items():
        console.print(f"\nbundle {bundle}: {', '.join(members)}", markup=False)
    console.print()
    console.print(notice(), markup=False)


def notice() -> str:
    """The text of NOTICE, from the installed package or from the source tree."""
    from importlib import metadata
    from pathlib import Path

    from mycloset.errors import ModelFileError

    try:
        text = metadata.distribution("mycloset").read_text("licenses/NOTICE")
    except metadata.PackageNotFoundError:
        text = None
    if text is not None:
        return text.strip()
    source = Path(__file__).resolve().parents[3] / "NOTICE"
    if not source.is_file():
        raise ModelFileError("NOTICE is missing from this installation.")
    return source.read_text("utf-8").strip()
