from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import analyses

from mycloset.inspection.report.charts import bars, columns
from mycloset.inspection.report.html import page
from mycloset.inspection.report.summary import summarise

FILES = analyses.every()
FOUND = (analyses.duplicate(),)
PAGE = page(FILES, FOUND, summarise(FILES, FOUND), when="2026-01-01 12:00")


class Elements(HTMLParser):
    """Every element with its attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in self.raw:
            self.raw[self._inside].append(data)


def details() -> list[str]:
    return [row["details"] for row in json.loads(Elements(PAGE).raw["script"][0])]


def test_there_is_a_row_for_each_file() -> None:
    rows = [attrs for tag, attrs in Elements(PAGE).found if tag == "tr" and "data-row" in attrs]
    assert len(rows) == len(FILES)


def test_nothing_points_outside_the_page() -> None:
    elements = Elements(PAGE).found
    assert not [attrs for _, attrs in elements if {"src", "href", "style", "action"} & attrs.keys()]
    assert not re.search(r"url\(|@import|fetch\(|XMLHttp|https?:", PAGE)


def test_the_policy_allows_the_pages_own_script_and_style_only() -> None:
    parsed = Elements(PAGE)
    policy = next(a["content"] for t, a in parsed.found if t == "meta" and "http-equiv" in a)
    assert policy is not None
    for text in (parsed.raw["script"][1], parsed.raw["style"][0]):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def test_hostile_texts_make_no_elements() -> None:
    for text in (PAGE, *details()):
        assert not [
            tag for tag, attrs in Elements(text).found if tag == "img" or "onerror" in attrs
        ]


def test_the_data_cannot_end_its_script() -> None:
    assert len(Elements(PAGE).raw["script"]) == 2
    assert PAGE.count("</script>") == 2


def test_details_tell_everything() -> None:
    told = details()
    assert "`decoder.conv4.weight` is [20, 256, 1, 1]: LIP classes" in told[0]
    assert "2 files hold the same." in told[0]
    assert "posix.system(&#x27;id&#x27;)" in told[3]
    assert "Stable Diffusion autoencoder" in told[6]
    assert "no prompt encoder; 14 of 12 blocks" in told[9]


def test_a_chart_has_a_bar_for_each_count_and_words_for_who_does_not_see() -> None:
    chart = bars("By step", [("pose", 3), ("parsing", 1)])
    assert chart.count("<rect") == 2
    assert 'aria-label="By step. pose: 3, parsing: 1"' in chart


def test_many_small_bars_become_one() -> None:
    chart = bars("By family", [(f"f{n}", 1) for n in range(40)])
    assert "26 more" in chart


def test_an_empty_chart_is_still_a_chart() -> None:
    assert 'aria-label="Parameters. nothing"' in columns("Parameters", [])


def test_a_report_on_nothing_is_a_page() -> None:
    assert "No file fits" in page((), (), summarise(()))
