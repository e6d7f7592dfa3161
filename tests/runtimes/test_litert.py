from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mycloset.architectures.blazeface.layout import SHORT_RANGE
from mycloset.errors import ModelFileError
from mycloset.hub import download
from mycloset.runtimes.litert import LiteRTSession


@pytest.fixture(scope="module")
def file() -> Path:
    return download.ensure(SHORT_RANGE.name)


def test_a_forward_gives_the_named_outputs_and_is_counted(file: Path) -> None:
    session = LiteRTSession(file, SHORT_RANGE)
    assert (session.calls, session.seconds) == (0, 0)
    found = session.run(np.zeros((128, 128, 3), np.float32))
    assert {role: values.shape for role, values in found.items()} == {
        "regressors": (896, 16),
        "scores": (896, 1),
    }
    assert session.calls == 1
    assert session.seconds > 0


def test_a_result_stays_when_the_next_comes(file: Path) -> None:
    session = LiteRTSession(file, SHORT_RANGE)
    first = session.run(np.zeros((128, 128, 3), np.float32))["scores"]
    kept = first.copy()
    session.run(np.random.default_rng(0).random((128, 128, 3), np.float32))
    assert np.array_equal(first, kept)


def test_threads_get_their_own_answers(file: Path) -> None:
    session = LiteRTSession(file, SHORT_RANGE)
    pictures = np.random.default_rng(3).random((4, 128, 128, 3), np.float32)
    expected = [session.run(picture)["scores"] for picture in pictures]
    wrong: list[int] = []

    def work(number: int) -> None:
        for _ in range(5):
            if not np.array_equal(session.run(pictures[number])["scores"], expected[number]):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert session.calls == 24


def test_opening_a_network_says_nothing(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    LiteRTSession(file, SHORT_RANGE)
    assert capfd.readouterr() == ("", "")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"no file .*gone\.tflite"):
        LiteRTSession(tmp_path / "gone.tflite", SHORT_RANGE)


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page.tflite"
    path.write_bytes(b"<html>not found</html>" * 20)
    with pytest.raises(ModelFileError, match=r"cannot run .*page\.tflite"):
        LiteRTSession(path, SHORT_RANGE)


def test_another_network_is_refused_by_its_shapes(file: Path) -> None:
    wide = replace(SHORT_RANGE, input=replace(SHORT_RANGE.input, shape=(1, 192, 192, 3)))
    with pytest.raises(ModelFileError, match=r"\(1, 128, 128, 3\), not float32 \(1, 192"):
        LiteRTSession(file, wide)
    other = replace(SHORT_RANGE, input=replace(SHORT_RANGE.input, name="image"))
    with pytest.raises(ModelFileError, match="has no picture tensor 'image'; it has 'input'"):
        LiteRTSession(file, other)
