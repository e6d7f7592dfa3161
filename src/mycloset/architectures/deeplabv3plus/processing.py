"""Pictures into DeepLabv3+, VOC's classes out; the shorter side as its authors validate it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mycloset.architectures.deeplabv3.processing import DeepLabV3Processing
from mycloset.tasks.label_tables import VOC_21, named, numbered


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> DeepLabV3Processing:
    """How a DeepLabv3+ is used; `labels` in the config names classes that are not VOC's.

    Raises:
        OptionError: as many labels as classes are wanted.
    """
    classes = config["num_classes"]
    usual = VOC_21 if classes == 21 else numbered(classes)
    table = named(classes, config.get("labels"), config.get("names"), usual)
    return DeepLabV3Processing(table, config.get("size", 513), aligned=True)
