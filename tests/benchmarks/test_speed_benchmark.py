"""The speed benchmark says what it measured, and how much of it was not the networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tryon_speed
from mycloset.images import read_picture, write_picture
from plain_table import number, table


def test_the_report_sets_everything_else_against_the_networks() -> None:
    steps = {"human_parsing": 0.5, "cloth_warping": 0.25}
    run = tryon_speed.Run(seconds=1.0, processor=0.9, networks=0.2, steps=steps)
    slow = tryon_speed.Run(seconds=9.0, processor=9.0, networks=0.3, steps=steps)
    measured = tryon_speed.Measured(1, "a tee", 2.75, 2.5, slow, (run, slow, run), 512.0)
    lines = tryon_speed.report([measured], [0.25, 0.5, 0.125], (768, 1024)).splitlines()
    row = next(line for line in lines if line.startswith("a tee"))
    assert row.split()[2:] == [
        "1",
        "2.75",
        "2.50",
        "1.000",
        "0.900",
        "0.200",
        "0.800",
        "4.0",
        "512",
    ]
    assert any(line.split()[-3:] == ["cloth_warping", "0.250", "0.250"] for line in lines)
    assert lines[-1] == "mycloset --help: 0.250 s (median of 3)"


def test_a_photo_is_scaled_and_padded_to_the_size_asked(tmp_path: Path) -> None:
    photo = np.full((100, 100, 3), 40, np.uint8)
    photo[50:] = 200
    source = write_picture(tmp_path / "photo.png", photo)
    made = tryon_speed.prepare_person(source, (256, 192), tmp_path / "person.png")
    rgb = read_picture(made).rgb
    assert rgb.shape == (256, 192, 3)
    assert (rgb[-90:] == 200).all()
    assert (rgb[:150] == 40).all()


def test_columns_line_up() -> None:
    text = table(("name", "a"), (("long name", "1"), ("b", "22")))
    assert text.splitlines() == ["name        a", "---------  --", "long name   1", "b          22"]


@pytest.mark.parametrize(
    ("value", "signed", "said"), [(None, False, "-"), (0.1234, True, "+0.12"), (2.0, False, "2.00")]
)
def test_figures_are_said_with_their_digits(value: float, signed: bool, said: str) -> None:
    assert number(value, 2, signed=signed) == said


@pytest.mark.slow
def test_a_fresh_process_reports_its_runs(tmp_path: Path) -> None:
    person = tryon_speed.prepare_person(None, (320, 240), tmp_path / "person.png")
    garment = tryon_speed.prepare_garment("plain_tee", tmp_path / "garment.png")
    found = tryon_speed.measure(person, "plain_tee", garment, cores=1, runs=1)
    assert len(found.warm) == 1
    assert 0 < found.warm[0].networks < found.warm[0].seconds < found.cold
    assert found.peak_mib > 50
