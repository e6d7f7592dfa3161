"""HumanParsing of every table: clothing, parts of the body, other tables, JSON and pictures."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mycloset.errors import OptionError
from mycloset.tasks import label_tables
from mycloset.tasks.label_tables import (
    ATR_18_NECK,
    CELEBAMASK_19,
    CLOTH_4,
    FASHN_18,
    LIP_20,
    PASCAL_7,
    TO_ATR,
    VOC_21,
    named,
)
from mycloset.tasks.parsing import HumanParsing, LabelTable

TABLES = [value for value in vars(label_tables).values() if isinstance(value, LabelTable)]
PEOPLE = [LIP_20, PASCAL_7, CLOTH_4, FASHN_18, label_tables.ATR_18]


def _every(table: LabelTable) -> HumanParsing:
    return HumanParsing(np.arange(len(table.labels), dtype=np.uint8)[None], table)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_label_of_a_table_has_a_colour_of_its_own(table: LabelTable) -> None:
    assert len(set(table.colors)) == len(set(table.labels)) == len(table.colors)


@pytest.mark.parametrize(
    ("table", "places"),
    [
        (LIP_20, {"upper-clothes": 5, "coat": 7, "jumpsuits": 10, "face": 13, "right-shoe": 19}),
        (PASCAL_7, {"head": 1, "torso": 2, "lower-legs": 6}),
        (CLOTH_4, {"upper": 1, "lower": 2, "full-body": 3}),
        (FASHN_18, {"face": 1, "top": 3, "jewelry": 17}),
        (VOC_21, {"aeroplane": 1, "person": 15, "tvmonitor": 20}),
        (CELEBAMASK_19, {"skin": 1, "neck": 14, "hair": 17, "hat": 18}),
    ],
    ids=lambda value: value.name if isinstance(value, LabelTable) else "",
)
def test_labels_are_numbered_as_published(table: LabelTable, places: dict[str, int]) -> None:
    assert {label: table.index(label) for label in places} == places


@pytest.mark.parametrize("table", PEOPLE, ids=lambda table: table.name)
def test_clothing_is_neither_skin_nor_hair(table: LabelTable) -> None:
    parsing = _every(table)
    for part in parsing.body_parts.values():
        assert not (part & parsing.clothing()).any()


@pytest.mark.parametrize(
    ("category", "labels"),
    [
        ("upper", {"upper-clothes", "coat", "scarf"}),
        ("lower", {"pants", "skirt"}),
        ("dress", {"dress", "jumpsuits"}),
    ],
)
def test_clothing_by_category(category: str, labels: set[str]) -> None:
    found = np.nonzero(_every(LIP_20).clothing(category)[0])[0]
    assert {LIP_20.labels[number] for number in found} == labels


@pytest.mark.parametrize("table", PEOPLE, ids=lambda table: table.name)
def test_no_person_s_label_is_lost_in_the_try_on_s_table(table: LabelTable) -> None:
    found = _every(table).to_table(ATR_18_NECK)
    assert found.table == ATR_18_NECK
    assert (found.labels[0, 1:] > 0).all()
    assert found.labels[0, 0] == 0


@pytest.mark.parametrize("label", sorted(set(LIP_20.labels) - set(ATR_18_NECK.labels)))
def test_a_label_that_atr_lacks_becomes_the_nearest(label: str) -> None:
    labels = np.full((2, 9), LIP_20.index(label), np.uint8)
    found = HumanParsing(labels, LIP_20).to_table(ATR_18_NECK)
    assert TO_ATR[label] in {ATR_18_NECK.labels[number] for number in np.unique(found.labels)}


def test_limbs_without_a_side_are_told_apart_by_place() -> None:
    labels = np.zeros((1, 9), np.uint8)
    labels[0, 2], labels[0, 6] = PASCAL_7.index("upper-arms"), PASCAL_7.index("upper-arms")
    found = HumanParsing(labels, PASCAL_7).to_table(ATR_18_NECK)
    assert found.where("right-arm")[0].nonzero()[0].tolist() == [2]
    assert found.where("left-arm")[0].nonzero()[0].tolist() == [6]


def test_a_picture_of_nobody_has_nobody_in_the_other_table() -> None:
    empty = HumanParsing(np.zeros((3, 3), np.uint8), PASCAL_7)
    assert not empty.to_table(ATR_18_NECK).labels.any()


def test_to_dict_is_json_with_shares_and_boxes() -> None:
    labels = np.zeros((4, 5), np.uint8)
    labels[1:3, 2:4] = LIP_20.index("coat")
    told = json.loads(json.dumps(HumanParsing(labels, LIP_20, 0.5).to_dict()))
    assert (told["height"], told["width"], told["table"]) == (4, 5, "LIP-20")
    coat = {"class": 7, "label": "coat", "share": 0.2, "box": [2, 1, 4, 3]}
    assert coat in told["classes"]


def test_drawing_colours_what_is_there() -> None:
    picture = np.full((80, 60, 3), 128, np.uint8)
    labels = np.zeros((80, 60), np.uint8)
    labels[20:60, 15:45] = LIP_20.index("coat")
    drawn = HumanParsing(labels, LIP_20).draw(picture)
    assert drawn.dtype == np.uint8
    inside, outside = drawn[40, 30].astype(int), drawn[5, 5].astype(int)
    assert np.abs(inside - outside).max() > 20


def test_names_of_a_file_that_are_a_known_table_s_give_that_table() -> None:
    names = [label.replace("-", " ").title() for label in LIP_20.labels]
    assert named(20, None, names, LIP_20).labels[4] == "sunglasses"


def test_names_of_another_number_are_refused() -> None:
    with pytest.raises(OptionError, match="2 labels, but the network has 3 classes"):
        named(3, ["a", "b"], None, LIP_20)
