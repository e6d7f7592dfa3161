"""What `mycloset diff` does once its command line is read."""

from __future__ import annotations

from pathlib import Path

SAME, DIFFERENT, UNREAD = 0, 1, 2


def run_diff(
    a: Path, b: Path, *, json: bool = False, deep: bool = False, strict: bool = False
) -> int:
    """Compare two files, show what differs, and give the exit code: as `diff`, 0, 1 or 2.

    Raises:
        InputError: a file is not there, or holds no tensors.
    """
    from mycloset.checkpoints.reading import read_checkpoint
    from mycloset.cli.output import Screen
    from mycloset.inspection.differences import diff_checkpoints
    from mycloset.inspection.report.comparison import difference_lines

    read = [read_checkpoint(path) for path in (a, b)]
    difference = diff_checkpoints(*read, deep=deep, strict=strict)
    screen = Screen()
    if json:
        screen.json(difference.to_json(), indent=2)
    else:
        screen.lines(difference_lines(difference))
    for checkpoint in read:
        for finding in checkpoint.findings:
            if finding.severity != "info":
                screen.note(f"{checkpoint.path}: {finding.kind}: {finding.message}")
    if difference.differs:
        return DIFFERENT
    return SAME if difference.same else UNREAD
