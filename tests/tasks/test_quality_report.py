from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mycloset.tasks.quality import GRADE_FLOORS, VITAL_MARGIN, QualityPart, grade_of, weigh


def part(name: str, score: float | None, weight: float, *, vital: bool = False) -> QualityPart:
    return QualityPart(name, score, "unit", score, weight, "meaning", vital)


def test_an_unmeasured_parts_weight_is_shared_out() -> None:
    report = weigh([part("a", 0.9, 0.2), part("b", 0.6, 0.1), part("c", None, 0.7)])
    assert report.score == pytest.approx(0.8)


def test_a_bad_vital_part_caps_the_whole() -> None:
    report = weigh([part("a", 1.0, 0.99), part("b", 0.3, 0.01, vital=True)])
    assert report.score == pytest.approx(0.3 + VITAL_MARGIN)
    assert report.grade == "E"


def test_a_bad_part_that_is_not_vital_does_not_cap() -> None:
    report = weigh([part("a", 1.0, 0.99), part("b", 0.0, 0.01)])
    assert report.score == pytest.approx(0.99)


def test_nothing_measured_is_no_report() -> None:
    with pytest.raises(ValueError, match="at least one"):
        weigh([part("a", None, 1.0)])


@given(st.floats(0, 1))
def test_every_score_has_the_grade_whose_floor_it_reaches(score: float) -> None:
    floors = dict(GRADE_FLOORS)
    better = [floor for floor in floors.values() if floor > floors[grade_of(score)]]
    assert floors[grade_of(score)] <= score
    assert all(score < floor for floor in better)


@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.floats(0, 1)), st.floats(0.01, 1), st.booleans()),
        min_size=1,
        max_size=8,
    ).filter(lambda rows: any(score is not None for score, _, _ in rows))
)
def test_the_score_stays_within_its_parts_and_survives_json(
    rows: list[tuple[float | None, float, bool]],
) -> None:
    report = weigh(
        [part(str(n), score, w, vital=vital) for n, (score, w, vital) in enumerate(rows)], ["do"]
    )
    scores = [score for score, _, _ in rows if score is not None]
    assert -1e-9 <= report.score <= max(scores) + 1e-9
    back = json.loads(json.dumps(report.to_dict()))
    assert back["score"] == report.score
    assert back["recommendations"] == ["do"]
    assert [p["score"] for p in back["parts"]] == [score for score, _, _ in rows]


def test_a_part_is_found_by_name_or_refused() -> None:
    report = weigh([part("a", 0.9, 1.0)])
    assert report.part("a").score == 0.9
    with pytest.raises(KeyError, match="no part 'z'"):
        report.part("z")
