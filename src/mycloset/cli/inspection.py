"""What `mycloset inspect` does once its command line is read."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mycloset.cli.batch import Batch
    from mycloset.cli.output import Screen
    from mycloset.inspection.results import CheckpointAnalysis

FAIL_KINDS = (
    "dangerous", "suspicious", "corrupt", "unreadable", "not-a-model", "mismatch", "incomplete",
    "altered", "unknown", "ambiguous", "duplicate", "same-name", "leftover", "extra", "unusual",
)  # fmt: skip
"""What `--fail-on` can name."""

FAILED = 1
UNREADABLE = 2


def run_inspect(
    paths: Sequence[Path],
    *,
    json: bool = False,
    jsonl: bool = False,
    html: Path | None = None,
    keys: bool = False,
    deep: bool = False,
    fail_on: str = "",
) -> int:
    """Analyse, show, and give the exit code; see `mycloset inspect --help` for the arguments.

    Raises:
        InputError: there is nothing at a path.
        OptionError: options contradict each other, or `fail_on` names no kind.
        OutputError: the page cannot be written.
    """
    from mycloset.cli.batch import analyse_paths
    from mycloset.cli.output import Screen
    from mycloset.errors import OptionError

    wanted = _fail_kinds(fail_on)
    if json and jsonl:
        raise OptionError("--json and --jsonl: only one can be had.", hint="Leave one out.")
    paths = _existing(paths)
    if html is not None:
        _check_page(html, paths)
    screen = Screen()
    with screen.progress():
        show = _watcher(screen, paths, keys=keys, as_lines=jsonl, quiet=json)
        batch = analyse_paths(paths, deep=deep, on_analysis=show)
    if json:
        screen.json(_document(batch, keys=keys), indent=2)
    elif not jsonl:
        _show(screen, batch, keys=keys)
    if html is not None:
        _write_page(html, batch)
        screen.note(f"report: {html}")
    return _exit_code(screen, batch, wanted)


def _fail_kinds(text: str) -> frozenset[str]:
    from mycloset.errors import OptionError

    named = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [name for name in named if name not in FAIL_KINDS]
    if unknown or (text and not named):
        said = f"{unknown[0]!r} is no kind of finding." if unknown else "no kind is named."
        raise OptionError(f"--fail-on: {said}", hint=f"Use {', '.join(FAIL_KINDS)}.")
    return frozenset(named)


def _existing(paths: Sequence[Path]) -> list[Path]:
    """The paths, each once; whether they can be read is for the analysis to say."""
    from mycloset.errors import InputError

    for path in paths:
        try:
            os.lstat(path)
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or str(error)
            raise InputError(f"{path}: {said}.", hint="Name a file or a folder.") from error
    return list(dict.fromkeys(paths))


def _watcher(
    screen: Screen, paths: list[Path], *, keys: bool, as_lines: bool, quiet: bool
) -> Callable[[int, int, CheckpointAnalysis], None]:
    """What is written while files come: lines of JSON, or the table where somebody looks."""
    many = len(paths) > 1 or paths[0].is_dir()
    root = paths[0] if len(paths) == 1 else None
    begun = False

    def show(done: int, total: int, analysis: CheckpointAnalysis) -> None:
        nonlocal begun
        if as_lines:
            screen.json(_file_document(analysis, keys=keys))
        elif screen.live and not quiet and (len(paths) > 1 or analysis.path != paths[0]):
            from mycloset.inspection.report.table import head_line, row_line

            lines = [] if begun else [head_line(width=screen.width)]
            begun = True
            screen.lines([*lines, row_line(analysis, root=root, width=screen.width)])
        if many and done < total:
            screen.show_progress(done, total, analysis.path.name)

    return show


def _show(screen: Screen, batch: Batch, *, keys: bool) -> None:
    if batch.single:
        from mycloset.inspection.report.card import card_lines

        screen.lines(card_lines(batch.analyses[0], width=screen.width))
        if keys:
            _show_keys(screen, batch)
        return
    from mycloset.inspection.report.summary import summary_lines
    from mycloset.inspection.report.table import table_lines

    if not screen.live and batch.analyses:
        screen.lines(table_lines(batch.analyses, root=batch.root))
    if keys:
        _show_keys(screen, batch)
    summary = batch.summary()
    told = summary_lines(
        summary, batch.analyses, batch.findings, root=batch.root, width=screen.width
    )
    screen.lines([[], *told])


def _show_keys(screen: Screen, batch: Batch) -> None:
    from mycloset.checkpoints.reading import read_checkpoint
    from mycloset.inspection.report.key_tree import checkpoint_lines
    from mycloset.inspection.report.text import Span

    for analysis in batch.analyses:
        title = [] if batch.single else [[Span(str(analysis.path), "title")]]
        screen.lines([[], *title, *checkpoint_lines(read_checkpoint(analysis.path))])


def _document(batch: Batch, *, keys: bool) -> dict[str, Any]:
    from mycloset.inspection.results import plain

    if batch.single:
        return _file_document(batch.analyses[0], keys=keys)
    return {
        "files": [_file_document(analysis, keys=keys) for analysis in batch.analyses],
        "findings": plain(batch.findings),
        "skipped": plain(batch.skipped),
        "summary": batch.summary().to_json(),
        "seconds": batch.seconds,
    }


def _file_document(analysis: CheckpointAnalysis, *, keys: bool) -> dict[str, Any]:
    document = analysis.to_json()
    if keys:
        from mycloset.checkpoints.reading import read_checkpoint
        from mycloset.inspection.report.key_tree import groups_json

        document["groups"] = groups_json(read_checkpoint(analysis.path))
    return document


def _check_page(html: Path, paths: list[Path]) -> None:
    from mycloset.errors import OutputError
    from mycloset.images import check_writable_file

    check_writable_file(html)
    if html.exists() and any(path.exists() and path.samefile(html) for path in paths):
        raise OutputError(
            f"output {html}: this is a file to be inspected.", hint="Choose another name."
        )


def _write_page(html: Path, batch: Batch) -> None:
    from mycloset.images import write_bytes
    from mycloset.inspection.report.html import page

    when = time.strftime("%Y-%m-%d %H:%M")
    text = page(batch.analyses, batch.findings, batch.summary(), root=batch.root, when=when)
    write_bytes(html, text.encode("utf-8"))


def _exit_code(screen: Screen, batch: Batch, wanted: frozenset[str]) -> int:
    from mycloset.inspection.report.wording import plural

    found = batch.summary().findings if wanted else {}
    met = [
        f"{plural(found[kind], 'file')} {kind}"
        for kind in FAIL_KINDS
        if kind in wanted and found.get(kind)
    ]
    if met:
        screen.note(f"mycloset: --fail-on: {', '.join(met)}.")
        return FAILED
    for analysis in batch.named:
        if any(finding.kind == "unreadable" for finding in analysis.findings):
            screen.note(f"mycloset: {analysis.path} cannot be read.")
            return UNREADABLE
    return 0
