from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mycloset.inspection.report.text import (
    Span,
    fit,
    json_text,
    padded,
    printable,
    render,
    width_of,
    wrapped,
)


@given(st.text())
def test_nothing_unprintable_is_left(text: str) -> None:
    assert printable(text).isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("a\nb", r"a\nb"),
        ("x\u202ey", r"x\u202ey"),
        ("\udcff", r"\udcff"),
        ("옷장 …", "옷장 …"),
    ],
)
def test_hidden_signs_are_spelt_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(), st.integers(1, 40), st.booleans())
def test_a_fitted_text_is_no_wider_than_asked(text: str, width: int, keep_end: bool) -> None:
    assert width_of(fit(text, width, keep_end=keep_end)) <= width


def test_a_path_is_cut_at_its_beginning() -> None:
    assert fit("models/human_parsing/lip.pth", 12, keep_end=True) == "…ing/lip.pth"


def test_wide_signs_count_twice() -> None:
    assert width_of("옷장") == 4
    assert padded("옷장", 6) == "옷장  "


@given(st.lists(st.text(max_size=60), max_size=8), st.integers(20, 80))
def test_wrapped_lines_keep_to_the_width_and_lose_nothing(texts: list[str], width: int) -> None:
    lines = wrapped([Span(text) for text in texts], width, indent=4)
    assert all(sum(width_of(span.text) for span in line) <= width for line in lines)
    joined = "".join(span.text for line in lines for span in line)
    assert joined.replace(" ", "") == "".join(map(printable, texts)).replace(" ", "")


def test_colour_is_only_there_when_wanted() -> None:
    line = [Span("no", "bad"), Span(" harm")]
    assert render([line], colour=False) == "no harm\n"
    assert render([line], colour=True) == "\x1b[31mno\x1b[0m harm\n"


@given(st.recursive(st.text() | st.integers() | st.none(), st.lists))
def test_json_says_the_same_in_signs_that_cannot_act(value: object) -> None:
    text = json_text(value)
    assert json.loads(text) == value
    assert text.isprintable()


def test_json_has_text_for_what_it_cannot_write() -> None:
    huge = 1 << 20_000
    assert json.loads(json_text([float("nan"), float("inf"), huge])) == ["nan", "inf", hex(huge)]
