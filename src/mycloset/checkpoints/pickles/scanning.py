"""All pickles of a stretch of bytes, and what a person should know about each."""

from __future__ import annotations

from typing import NamedTuple

from mycloset.checkpoints.contents import Finding, GlobalUse
from mycloset.checkpoints.pickles.grading import grade_pickle
from mycloset.checkpoints.pickles.machine import read_pickle
from mycloset.checkpoints.pickles.nodes import Hazard, Pickle, Tape

FOLLOWING = 32
"""Pickles behind one another that are walked."""


class Scan(NamedTuple):
    """What a stretch of bytes holds.

    Attributes:
        pickle: the first pickle.
        following: those behind it, where there are any.
        globals: every distinct use of a global in all of them.
        findings: dangers, oddities, damage.
    """

    pickle: Pickle
    following: tuple[Pickle, ...]
    globals: tuple[GlobalUse, ...]
    findings: tuple[Finding, ...]


def scan(tape: Tape, name: str, *, member: str = "", start: int = 0, alone: bool = True) -> Scan:
    """Walk the pickle at `start`, and those behind it.

    Args:
        tape: the bytes.
        name: what messages call the pickle ("data.pkl").
        member: the archive's member that it is, or "".
        start: place of the first.
        alone: nothing should follow it.
    """
    first = read_pickle(tape, start)
    following: list[Pickle] = []
    end = first.end
    while alone and first.whole and end < tape.end and len(following) < FOLLOWING:
        found = read_pickle(tape, end)
        if not found.whole and not found.globals:
            break
        following.append(found)
        end = found.end
        if not found.whole:
            break
    uses: dict[tuple[str, bool, str], GlobalUse] = {}
    findings: list[Finding] = []
    for pickle in (first, *following):
        graded = grade_pickle(pickle, tape, name, member)
        for use in graded.globals:
            uses.setdefault((use.name, use.called, use.member), use)
        findings += graded.findings
    findings += [hazard_finding(hazard, name) for hazard in first.hazards]
    if following:
        place = following[0].start
        message = f"Another pickle follows in {name} at byte {place}."
        findings.append(Finding("suspicious", "warning", message, {"offset": place}))
    if len(following) == FOLLOWING and end < tape.end:
        message = f"More pickles follow in {name} than are read."
        findings.append(Finding("suspicious", "error", message, {"offset": end}))
    elif not following and alone and first.whole and end < tape.end:
        message = f"{tape.end - end} bytes that are no pickle follow in {name}."
        findings.append(Finding("unusual", "warning", message, {"offset": end}))
    return Scan(first, tuple(following), tuple(uses.values()), tuple(findings))


def hazard_finding(hazard: Hazard, name: str) -> Finding:
    """What a hazard means for the file."""
    message = f"{name} {hazard.message} (byte {hazard.offset})."
    details = {"offset": hazard.offset}
    if hazard.kind == "damage":
        return Finding("corrupt", "error", message, details)
    if hazard.kind == "limit":
        return Finding("suspicious", "error", f"{message} It was not read to its end.", details)
    return Finding("suspicious", "warning", message, details)
