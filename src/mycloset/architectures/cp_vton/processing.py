"""A person, a garment and what is known of both into CP-VTON's networks; warp and picture out.

Sources: sergeywong/cp-vton@fbaf333, cp_dataset.py and test.py; minar09/cp-vton-plus@5d7a899.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mycloset.architectures.garment_networks import agnostic
from mycloset.architectures.garment_networks.garments import (
    bytes_of,
    cloth_in_frame,
    garment_of,
    given,
    unit_range,
    warp_of,
)
from mycloset.architectures.garment_networks.people import subject
from mycloset.architectures.plans import Forward
from mycloset.errors import OptionError
from mycloset.images import RGB
from mycloset.tasks.masks import Mask
from mycloset.tasks.parsing import HumanParsing
from mycloset.tasks.poses import Pose
from mycloset.tasks.warps import Rendering, Warp

PERSON = 22


def processing(
    variant: str, layout: str, config: Mapping[str, Any]
) -> MatchingProcessing | FittingProcessing:
    """Of the matching module, or of the try-on module."""
    if variant.startswith("tom"):
        return FittingProcessing(inputs=config["input_nc"], levels=config["num_downs"])
    return MatchingProcessing(
        person=config["inputA_channels"],
        cloth=config["inputB_channels"],
        size=(config["fine_height"], config["fine_width"]),
        align_corners=config["align_corners"],
    )


class MatchingProcessing:
    """Person and garment in, a Warp out.

    Args:
        person: channels of the person's representation, 22.
        cloth: channels of the garment: 3, its picture; or 1, its mask (CP-VTON+).
        size: height and width of its pictures.
        align_corners: what a grid's -1 and 1 mean.
    """

    def __init__(
        self, *, person: int, cloth: int, size: tuple[int, int], align_corners: bool
    ) -> None:
        self.person = person
        self.cloth = cloth
        self.size = size
        self.align_corners = align_corners

    def __call__(
        self,
        forward: Forward,
        person: RGB,
        garment: RGB,
        *,
        parsing: HumanParsing | None = None,
        pose: Pose | None = None,
        cloth_mask: Mask | None = None,
    ) -> Warp:
        """The garment brought onto the person.

        Args:
            forward: the network.
            person, garment: their pictures.
            parsing, pose: of the person, by whatever model.
            cloth_mask: of the garment.

        Raises:
            OptionError: one of them is missing, or the network takes other inputs.
            PersonError, GarmentError: they show too little.
        """
        given(parsing=parsing, pose=pose, cloth_mask=cloth_mask)
        assert parsing and pose and cloth_mask
        if self.person != PERSON or self.cloth not in (1, 3):
            raise OptionError(
                f"this matching module takes {self.person} channels of the person and"
                f" {self.cloth} of the garment; what they are is not known.",
                hint=f"Published modules take {PERSON}, and 3 or 1; call the network itself.",
            )
        plus = self.cloth == 1
        seen = subject(person, parsing, pose, self.size)
        cloth = garment_of(garment, cloth_mask, self.size)
        reserved = agnostic.RESERVED_PLUS_MATCHING if plus else agnostic.RESERVED
        picture, mask = unit_range(cloth.rgb)[None], cloth.mask[None, None]
        found = forward(
            "match",
            person=agnostic.cp_vton_person(seen, reserved)[None],
            cloth=mask if plus else picture,
            picture=picture,
            mask=mask,
            align_corners=self.align_corners,
            mask_border=False,
        )
        return warp_of(
            found,
            seen,
            cloth,
            garment,
            cloth_mask,
            photo=(person.shape[0], person.shape[1]),
            cloth=found["warped"][0],
            span=1.0,
            align_corners=self.align_corners,
        )


class FittingProcessing:
    """Person and warped garment in, a Rendering out.

    Args:
        inputs: channels: person 22, garment 3, and its mask 1 for CP-VTON+.
        levels: of the U-Net.
        size: height and width of its pictures.
    """

    def __init__(self, *, inputs: int, levels: int, size: tuple[int, int] = (256, 192)) -> None:
        self.inputs = inputs
        self.levels = levels
        self.size = size

    def __call__(
        self,
        forward: Forward,
        person: RGB,
        *,
        parsing: HumanParsing | None = None,
        pose: Pose | None = None,
        warp: Warp | None = None,
    ) -> Rendering:
        """The person in the garment.

        Args:
            forward: the network.
            person: the photo.
            parsing, pose: of the person, by whatever model.
            warp: of the garment, by whatever model.

        Raises:
            OptionError: one of them is missing, or the network takes other inputs.
            PersonError: the photo shows too little.
        """
        given(parsing=parsing, pose=pose, warp=warp)
        assert parsing and pose and warp
        plus = self.inputs == PERSON + 4
        if self.inputs not in (PERSON + 3, PERSON + 4):
            raise OptionError(
                f"this try-on module takes {self.inputs} channels; what they are is not known.",
                hint="Published modules take 25 or 26; call the network itself.",
            )
        seen = subject(person, parsing, pose, self.size)
        reserved = agnostic.RESERVED_PLUS_FITTING if plus else agnostic.RESERVED
        cloth = cloth_in_frame(warp, seen.frame)
        found = forward(
            person=agnostic.cp_vton_person(seen, reserved)[None],
            cloth=cloth[None, : self.inputs - PERSON],
        )
        frame = bytes_of(found["image"][0])
        picture = person.copy()
        seen.frame.lay(frame, picture)
        mask = found["mask"]
        sure = float(np.maximum(mask, 1 - mask).mean())
        return Rendering(picture, frame, seen.frame.box, warp.alpha, sure)
