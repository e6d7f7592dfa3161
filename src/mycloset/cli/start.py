"""Entry point of the `mycloset` command: plain questions about files are answered at once.

Reading a command line with typer takes longer than analysing a file does. A line of `inspect` or
`diff` that holds nothing but known options and paths is therefore read here; every other line,
help and mistakes among them, goes to `mycloset.cli.main`.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Any

_COLLECTED = 50_000
"""Objects made after which Python looks for those that are no longer needed."""

FLAGS = {
    "inspect": ("--json", "--jsonl", "--keys", "--deep"),
    "diff": ("--json", "--deep", "--strict"),
}
VALUES: dict[str, dict[str, type]] = {"inspect": {"--html": Path, "--fail-on": str}, "diff": {}}


def run() -> None:
    """Run the command line, and end the process with its exit code."""
    # What is made here is few and lives as long as the process: rarely worth a collection.
    gc.set_threshold(_COLLECTED, *gc.get_threshold()[1:])
    read = plain_line(sys.argv[1:])
    if read is None:
        from mycloset.cli import main

        main.run()
        return
    from mycloset.cli.ending import ended

    with ended():
        sys.exit(_answer(*read))


def plain_line(arguments: list[str]) -> tuple[str, list[Path], dict[str, Any]] | None:
    """Command, paths and options of a plain line; None for what typer should read.

    An option is named in full, and as its own argument (`--html report.html`).
    """
    command = arguments[0] if arguments else ""
    if command not in FLAGS:
        return None
    paths: list[Path] = []
    options: dict[str, Any] = {}
    rest = iter(arguments[1:])
    for argument in rest:
        name = argument.removeprefix("--").replace("-", "_")
        if argument in FLAGS[command]:
            options[name] = True
        elif argument in VALUES[command]:
            value = next(rest, "-")
            if value.startswith("-"):
                return None
            options[name] = VALUES[command][argument](value)
        elif argument.startswith("-"):
            return None
        else:
            paths.append(Path(argument))
    if not paths or (command == "diff" and len(paths) != 2):
        return None
    return command, paths, options


def _answer(command: str, paths: list[Path], options: dict[str, Any]) -> int:
    if command == "inspect":
        from mycloset.cli.inspection import run_inspect

        return run_inspect(paths, **options)
    from mycloset.cli.difference import run_diff

    return run_diff(*paths, **options)
