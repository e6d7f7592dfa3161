from __future__ import annotations

import json
from pathlib import Path

import analyses

from mycloset.inspection.report.summary import (
    bin_text,
    histogram,
    summarise,
    summary_lines,
)
from mycloset.inspection.report.table import row_line, table_lines
from mycloset.inspection.report.text import render, width_of
from mycloset.inspection.report.wording import count_text, size_text

FILES = analyses.every()
FOUND = (analyses.duplicate(),)


def test_files_are_counted_by_what_they_are() -> None:
    summary = summarise(FILES, FOUND, skipped=3)
    assert summary.files == len(FILES)
    assert summary.verdicts["recognised"] == 6
    assert summary.families["schp"] == 5
    assert summary.steps["virtual_fitting"] == 1
    assert summary.without_family == 3
    assert summary.findings["mismatch"] == 1
    assert summary.paths["dangerous"] == ("downloads/free_model.ckpt",)
    assert summary.wasted == 267_449_349


def test_a_summary_is_json() -> None:
    document = json.loads(json.dumps(summarise(FILES, FOUND).to_json()))
    assert document["sizes"][0] == {"low": 0, "high": 1_000_000, "files": 1}


def test_bins_hold_their_lower_edge_and_empty_ends_are_left_out() -> None:
    bins = histogram([10, 99, 100, 5000], (10, 100, 1000, 10_000))
    assert [tuple(item) for item in bins] == [(10, 100, 2), (100, 1000, 1), (1000, 10_000, 1)]
    assert histogram([], (10,)) == ()


def test_bins_in_words() -> None:
    first, second, last = histogram([1, 10**6, 10**12], (10**6, 10**12))
    assert bin_text(first, size_text) == "to 1 MB"
    assert bin_text(second, size_text) == "1 MB to 1 TB"
    assert bin_text(last, count_text) == "from 1 T"


def test_troubles_are_named_with_their_files() -> None:
    lines = summary_lines(summarise(FILES, FOUND), FILES, FOUND)
    text = render(lines, colour=False)
    assert "dangerous  1 file: would run code when loaded with pickle\n" in text
    assert "  downloads/free_model.ckpt  SCHP human parsing" in text
    assert "duplicate  267 MB in copies\n  models/exp-schp-201908261155-lip.pth" in text


def test_paths_of_a_summary_are_relative_to_the_root() -> None:
    lines = summary_lines(summarise(FILES), FILES, root=Path("models"))
    assert "\n  u2net.pth  VGG-16" in render(lines, colour=False)


def test_a_row_names_file_network_and_findings() -> None:
    row = render([row_line(analyses.mislabelled(), root=Path("models"))], colour=False)
    assert row.split() == [
        "✗", "553", "MB", "138", "M", "97", "%", "VGG-16,", "1000", "ImageNet", "classes",
        "u2net.pth", "mismatch",
    ]  # fmt: skip


def test_rows_keep_to_the_terminal() -> None:
    for width in (60, 80, 132):
        text = render(table_lines(FILES, width=width), colour=False)
        assert max(map(width_of, text.splitlines())) <= width


def test_nothing_is_cut_where_nobody_looks() -> None:
    assert str(analyses.hostile().path.name)[-6:] in render(table_lines(FILES), colour=False)


def test_hostile_names_cannot_act() -> None:
    text = render([*table_lines(FILES), *summary_lines(summarise(FILES), FILES)], colour=False)
    assert text.replace("\n", "").isprintable()
