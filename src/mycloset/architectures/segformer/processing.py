"""Pictures into SegFormer, a class for every pixel out; as its image processor has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mycloset.architectures.classification import ImageNetProcessing
from mycloset.architectures.segmentation import SquareProcessing
from mycloset.tasks.label_tables import CLOTHES_18, FASHN_18, named, numbered

TABLES = {"b2-clothes": CLOTHES_18, "b3-clothes": CLOTHES_18, "b4-fashn": FASHN_18}


def processing(
    variant: str, layout: str, config: Mapping[str, Any]
) -> SquareProcessing | ImageNetProcessing:
    """How a SegFormer is used.

    `labels` in the config names the classes, as does `id2label` of a config.json beside the file;
    `size` is the side of the square to which pictures are brought (512 as published), or its height
    and width (FASHN's parser: 576 and 384, resized by area as in its package).

    Raises:
        OptionError: as many labels as classes are wanted.
    """
    if not config["decoder_hidden_size"]:
        return ImageNetProcessing(space=f"SegFormer {variant}", resize=256, crop=224)
    classes, labels = config["num_labels"], config.get("labels")
    usual = TABLES.get(variant, numbered(classes))
    table = named(classes, labels, config.get("names"), usual)
    return SquareProcessing(
        table, config.get("size", 512), output="logits", area=variant == "b4-fashn"
    )
