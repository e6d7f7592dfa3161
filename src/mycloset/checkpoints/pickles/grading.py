"""Grades what a pickle names and calls."""

from __future__ import annotations

from typing import NamedTuple

from mycloset.checkpoints.contents import Finding, GlobalUse
from mycloset.checkpoints.pickles.nodes import Pickle, Tape


class Graded(NamedTuple):
    globals: tuple[GlobalUse, ...]
    findings: tuple[Finding, ...]


def grade_pickle(pickle: Pickle, tape: Tape, name: str, member: str) -> Graded:
    return Graded((), ())
