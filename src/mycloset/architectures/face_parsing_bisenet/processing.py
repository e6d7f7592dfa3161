"""Pictures of faces into a BiSeNet, the parts of the face out; as its authors' demo has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mycloset.architectures.segmentation import SquareProcessing
from mycloset.tasks.label_tables import CELEBAMASK_19, named, numbered


def processing(variant: str, layout: str, config: Mapping[str, Any]) -> SquareProcessing:
    """How a face parser is used; it wants a face that fills the picture.

    `labels` in the config names the classes where they are not CelebAMask-HQ's; `size` is the
    side of the square to which pictures are brought.

    Raises:
        OptionError: as many labels as classes are wanted.
    """
    classes = config["n_classes"]
    usual = CELEBAMASK_19 if classes == 19 else numbered(classes)
    table = named(classes, config.get("labels"), config.get("names"), usual)
    return SquareProcessing(table, config.get("size", 512), output="logits", aligned=True)
