"""Patterns of published names: `*` stands for anything, as in the shell."""

from __future__ import annotations

from fnmatch import fnmatchcase

from hypothesis import given
from hypothesis import strategies as st

from mycloset.inspection.names import _fits

WORDS = st.text("ab_*", max_size=8)


@given(WORDS.map(lambda text: text.replace("*", "")), WORDS)
def test_a_name_fits_a_pattern_as_in_the_shell(name: str, pattern: str) -> None:
    assert _fits(name, pattern) == fnmatchcase(name, pattern)
