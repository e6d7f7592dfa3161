"""How the closet's benchmark prints: sections, tables, and each aim beside its figure."""

from __future__ import annotations

from collections.abc import Sequence

from plain_table import table

Row = tuple[str, ...]


def section(title: str) -> None:
    """Begin a section."""
    print(f"\n{title}", flush=True)


def tell(header: Sequence[str], rows: Sequence[Row], *, note: str = "") -> None:
    """Print a table, and a remark below it."""
    print(table(header, rows))
    if note:
        print(f"  {note}")
    print(end="", flush=True)


def against(aim: str, reached: bool) -> str:
    """An aim, and whether it is reached."""
    return f"{aim} {'reached' if reached else 'MISSED'}"


def milliseconds(seconds: float) -> str:
    """Seconds as milliseconds."""
    return f"{1000 * seconds:.1f}"


def megabytes(size: float) -> str:
    """Bytes as MB."""
    return f"{size / 1e6:,.1f}"


def percent(share: float) -> str:
    """A share of one, in per cent."""
    return f"{100 * share:.1f} %"
