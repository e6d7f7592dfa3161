from __future__ import annotations

from typing import Any

import analyses
import pytest

from mycloset.inspection.report.card import card_lines
from mycloset.inspection.report.text import render, width_of
from mycloset.inspection.report.wording import (
    confidence_text,
    count_text,
    headline,
    kinds,
    severity,
    size_text,
    value_text,
)
from mycloset.inspection.results import CheckpointAnalysis


def card(analysis: CheckpointAnalysis, width: int | None = None) -> str:
    return render(card_lines(analysis, width=width), colour=False)


@pytest.mark.parametrize(
    ("analysis", "first"),
    [
        (analyses.analysis(), "✓ SCHP human parsing, 20 LIP classes · confidence 99 %"),
        (
            analyses.mislabelled(),
            "✗ VGG-16, 1000 ImageNet classes · confidence 97 % · not what its name says",
        ),
        (
            analyses.dangerous(),
            "✗ SCHP human parsing, 20 LIP classes · confidence 99 % · DANGEROUS",
        ),
        (analyses.corrupt(), "✗ Damaged: PyTorch zip file"),
        (analyses.web_page(), "✗ Not a model: an HTML page"),
        (
            analyses.broken(),
            "✗ SCHP human parsing, 20 LIP classes, incomplete (2 tensors missing, 1 tensor of"
            " another shape) · confidence 80 %",
        ),
        (analyses.unrecognised(), "? Unknown network (vision transformer) · not recognised"),
    ],
    ids=lambda value: value.path.name if isinstance(value, CheckpointAnalysis) else "",
)
def test_the_first_line_says_what_it_is(analysis: CheckpointAnalysis, first: str) -> None:
    assert card(analysis).splitlines()[0] == first


@pytest.mark.parametrize(
    "told",
    [
        "models/exp-schp-201908261155-lip.pth  267 MB",
        "PyTorch zip file",
        "676, 66.7 M parameters (66,721,460), 267 MB",
        "num_classes=20, layers=[3, 4, 23, 3], os=16",
        "3 in, 20 out",
        "human_parsing",
        "schp / lip",
        "also in      graphonomy",
        "MIT (of the published weights)",
        "original keys, under state_dict, prefix module.",
        "112 convolutions, 110 norms, depth 60",
        "`decoder.conv4.weight` is [20, 256, 1, 1]: LIP classes",
        "the input size: any multiple of 16",
        "safe: names nothing but what plain weights need",
    ],
)
def test_the_card_tells(told: str) -> None:
    assert told in card(analyses.analysis())


def test_the_dangerous_call_is_shown_with_its_place() -> None:
    assert "calls posix.system('id'), named at byte 1234 of archive/data.pkl" in card(
        analyses.dangerous()
    )


def test_other_networks_of_the_file_are_listed() -> None:
    told = card(analyses.single_file())
    assert "also in it: 2 networks" in told
    assert "Stable Diffusion autoencoder  99 %  248 tensors, 83.7 M parameters" in told
    assert "prefix conditioner.embedders.1." in told


def test_an_unknown_network_is_compared_with_its_neighbours() -> None:
    told = card(analyses.unrecognised())
    assert "sam / vit_b  72 % of its tensors alike; no prompt encoder" in told
    assert "sam: no `prompt_encoder.point_embeddings.0.weight`" in told
    assert "decoder.conv4" not in told, "a family that shares nothing says nothing"


def test_missing_and_misshapen_keys_are_named() -> None:
    told = card(analyses.broken())
    assert "2: decoder.conv4.weight, decoder.conv4.bias" in told
    assert "edge.conv1.0.weight [128, 256, 1, 1] (should be [256, 256, 1, 1])" in told


def test_long_lists_are_cut_with_their_number() -> None:
    many = analyses.network(verdict="incomplete", missing=tuple(f"k{n}" for n in range(1500)))
    assert "1,500: k0, k1, k2, k3, k4, k5 and 1,494 more" in card(
        analyses.analysis(networks=(many,), verdict="incomplete")
    )


@pytest.mark.parametrize("width", [50, 80, 120])
def test_the_card_keeps_to_the_terminal(width: int) -> None:
    for analysis in analyses.every():
        assert max(map(width_of, card(analysis, width).splitlines())) <= width


def test_nothing_of_a_file_acts_on_the_terminal() -> None:
    told = card(analyses.hostile())
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert r"\x1b[31m\u202e" in told


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (999_999, "1.00 MB"), (267_449_349, "267 MB")],
)
def test_sizes_for_people(count: int, text: str) -> None:
    assert size_text(count) == text


@pytest.mark.parametrize(
    ("count", "text"), [(812, "812"), (66_721_460, "66.7 M"), (2_567_463_684, "2.57 B")]
)
def test_counts_for_people(count: int, text: str) -> None:
    assert count_text(count) == text


@pytest.mark.parametrize(("value", "text"), [(1.0, "100 %"), (0.999, "99 %"), (0.29, "29 %")])
def test_only_certainty_is_a_hundred_per_cent(value: float, text: str) -> None:
    assert confidence_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, None], "b": True}, "{a: [1, none], b: true}"),
        (0.1 + 0.2, "0.3"),
        (1 << 200, hex(1 << 200)),
    ],
)
def test_values_in_one_line(value: Any, text: str) -> None:
    assert value_text(value) == text


@pytest.mark.parametrize(
    ("analysis", "worst", "told"),
    [
        (analyses.analysis(), "good", []),
        (analyses.with_optimizer(), "good", ["leftover"]),
        (analyses.dangerous(), "error", ["dangerous"]),
        (analyses.corrupt(), "error", ["corrupt", "unreadable"]),
        (analyses.unrecognised(), "unknown", ["unknown"]),
        (analyses.web_page(), "error", ["not-a-model"]),
    ],
    ids=lambda value: value.path.name if isinstance(value, CheckpointAnalysis) else "",
)
def test_what_is_wrong_in_short(analysis: CheckpointAnalysis, worst: str, told: list[str]) -> None:
    assert (severity(analysis), kinds(analysis)) == (worst, told)


def test_a_model_without_weights_says_so() -> None:
    empty = analyses.analysis(verdict="weightless", networks=(), format="onnx")
    assert headline(empty) == "No weights in it: ONNX"
