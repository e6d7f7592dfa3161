"""Headers that are read together say the same as headers that are read one by one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_files import Tensor, write_torch_zip
from mycloset.checkpoints.source import DamagedError, Source
from mycloset.checkpoints.zipfiles import Archive

SHAPES = [(), (8,), (64,), (3, 64), (4096,), (2,)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("survey") / "whole.pth"
    tensors = {f"{i}.weight": Tensor("float32", SHAPES[i % len(SHAPES)]) for i in range(18)}
    write_torch_zip(path, tensors)
    return path


def told(path: Path, *, surveyed: bool) -> list[object]:
    with Source(path) as source:
        archive = Archive(source)
        if surveyed:
            archive.survey()
        found: list[object] = []
        for member in archive.members:
            try:
                found.append(archive.place(member))
            except DamagedError as error:
                found.append((error.message, error.place))
        return [*found, *archive.findings]


def test_every_member_of_a_sound_archive_is_placed(whole: Path) -> None:
    with Source(whole) as source:
        archive = Archive(source)
        archive.survey()
        assert archive.places.keys() == {member.header for member in archive.members}


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_survey_hides_no_header_that_differs(whole: Path, data: st.DataObject) -> None:
    raw = bytearray(whole.read_bytes())
    with Source(whole) as source:
        members = Archive(source).members
    for _ in range(data.draw(st.integers(1, 4))):
        member = members[data.draw(st.integers(0, len(members) - 1))]
        offset = data.draw(st.integers(0, 30 + len(member.raw)))
        raw[member.header + offset] = data.draw(st.integers(0, 255))
    damaged = whole.with_name("damaged.pth")
    damaged.write_bytes(raw)
    assert told(damaged, surveyed=True) == told(damaged, surveyed=False)


def test_a_survey_hides_no_header_that_two_members_share(whole: Path) -> None:
    raw = bytearray(whole.read_bytes())
    with Source(whole) as source:
        first, second = Archive(source).members[5:7]
    entry = raw.rfind(second.raw) - 46
    raw[entry + 42 : entry + 46] = first.header.to_bytes(4, "little")
    shared = whole.with_name("shared.pth")
    shared.write_bytes(raw)
    assert told(shared, surveyed=True) == told(shared, surveyed=False)
