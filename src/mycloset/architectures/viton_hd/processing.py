"""A person, a garment and what is known of both into VITON-HD's three networks.

Source: shadow2496/VITON-HD@02afa4b, datasets.py, test.py, utils.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mycloset.architectures.garment_networks import agnostic
from mycloset.architectures.garment_networks.garments import (
    Floats,
    bytes_of,
    cloth_in_frame,
    garment_of,
    given,
    unit_range,
    warp_of,
)
from mycloset.architectures.garment_networks.people import Labels, Subject, subject
from mycloset.architectures.garment_networks.skeletons import skeleton_picture
from mycloset.architectures.plans import Forward
from mycloset.architectures.viton_hd.labels import GROUPS_7, GROUPS_13, UPPER, VITON_HD_13
from mycloset.errors import OptionError
from mycloset.images import RGB
from mycloset.tasks.masks import Mask
from mycloset.tasks.parsing import HumanParsing
from mycloset.tasks.poses import Pose
from mycloset.tasks.warps import DressedParsing, Rendering, Warp

SMALLER = 4
"""How many times smaller than the frame the segmentation generator sees it."""


def processing(
    variant: str, layout: str, config: Mapping[str, Any]
) -> SegmentationProcessing | MatchingProcessing | FittingProcessing:
    """Of the segmentation generator, the matching module or the ALIAS generator."""
    size = config["load_height"], config["load_width"]
    if variant == "seg":
        return SegmentationProcessing(config["input_nc"], config["output_nc"], size)
    if variant == "alias":
        levels = len(config["widths"]) - 1
        return FittingProcessing(config["input_nc"], config["labels"], size, levels)
    return MatchingProcessing(
        channels=(config["inputA_nc"], config["inputB_nc"]),
        small=(config["input_height"], config["input_width"]),
        size=size,
        align_corners=config["align_corners"],
    )


class SegmentationProcessing:
    """Person and garment in, the parsing of the dressed person out.

    Args:
        inputs: channels, 21.
        labels: classes, 13.
        size: height and width of the frame, four times that of what the network sees.
    """

    def __init__(self, inputs: int, labels: int, size: tuple[int, int]) -> None:
        self.inputs = inputs
        self.labels = labels
        self.size = size

    def __call__(
        self,
        forward: Forward,
        person: RGB,
        garment: RGB,
        *,
        parsing: HumanParsing | None = None,
        pose: Pose | None = None,
        cloth_mask: Mask | None = None,
        seed: int = 0,
    ) -> DressedParsing:
        """Where what will be.

        Args:
            forward: the network.
            person, garment: their pictures.
            parsing, pose: of the person, by whatever model.
            cloth_mask: of the garment.
            seed: of the noise that is among the inputs.

        Raises:
            OptionError: one of them is missing, or the network takes other inputs.
            PersonError, GarmentError: they show too little.
        """
        given(parsing=parsing, pose=pose, cloth_mask=cloth_mask)
        assert parsing and pose and cloth_mask
        _known("segmentation generator", (self.inputs, self.labels), (21, 13))
        seen = subject(person, parsing, pose, self.size)
        cloth = garment_of(garment, cloth_mask, self.size)
        without = grouped(agnostic.viton_hd_labels(seen), GROUPS_13)
        small = self.size[0] // SMALLER, self.size[1] // SMALLER
        noise = np.random.default_rng(seed).standard_normal(small) >= 1.0
        inputs = np.concatenate(
            [
                _smooth(cloth.mask[None], small),
                _smooth(unit_range(cloth.rgb) * cloth.mask, small),
                _smooth(one_hot(without, self.labels), small),
                _smooth(unit_range(skeleton_picture(seen)), small),
                noise[None].astype(np.float32),
            ]
        )
        scores = forward(inputs=inputs[None])["scores"][0]
        framed = _labels(scores, self.size)
        labels = np.zeros(person.shape[:2], np.uint8)
        rows, columns = seen.frame.inside(labels.shape)
        own = seen.frame.right - seen.frame.left, seen.frame.bottom - seen.frame.top
        large = np.asarray(cv2.resize(framed, own, interpolation=cv2.INTER_NEAREST))
        labels[rows, columns] = large[
            rows.start - seen.frame.top : rows.stop - seen.frame.top,
            columns.start - seen.frame.left : columns.stop - seen.frame.left,
        ]
        sure = float(scores.max(axis=0).mean())
        return DressedParsing(labels, VITON_HD_13, sure, framed)


class MatchingProcessing:
    """Person, garment and the dressed person's parsing in, a Warp out.

    Args:
        channels: of the person's representation (7) and of the garment (3).
        small: height and width of what the network sees.
        size: height and width of its grid.
        align_corners: what a grid's -1 and 1 mean.
    """

    def __init__(
        self,
        *,
        channels: tuple[int, int],
        small: tuple[int, int],
        size: tuple[int, int],
        align_corners: bool,
    ) -> None:
        self.channels = channels
        self.small = small
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
        dressed: HumanParsing | None = None,
    ) -> Warp:
        """The garment brought onto the person.

        Args:
            forward: the network.
            person, garment: their pictures.
            parsing, pose: of the person, by whatever model.
            cloth_mask: of the garment.
            dressed: what the segmentation generator foresees.

        Raises:
            OptionError: one of them is missing, or the network takes other inputs.
            PersonError, GarmentError: they show too little.
        """
        given(parsing=parsing, pose=pose, cloth_mask=cloth_mask, dressed=dressed)
        assert parsing and pose and cloth_mask and dressed
        _known("matching module", self.channels, (7, 3))
        seen = subject(person, parsing, pose, self.size)
        cloth = garment_of(garment, cloth_mask, self.size)
        upper = grouped(_framed(dressed, seen), GROUPS_7)[None] == UPPER
        representation = np.concatenate(
            [
                _nearest(upper.astype(np.float32), self.small),
                _nearest(unit_range(skeleton_picture(seen)), self.small),
                _nearest(unit_range(agnostic.viton_hd_picture(seen)), self.small),
            ]
        )
        picture = unit_range(cloth.rgb)
        found = forward(person=representation[None], cloth=_nearest(picture, self.small)[None])
        whole = np.concatenate([picture, cloth.mask[None]])[None]
        warped = forward(
            "warp", picture=whole, grid=found["grid"], align_corners=self.align_corners
        )["output"]
        return warp_of(
            found,
            seen,
            cloth,
            garment,
            cloth_mask,
            photo=(person.shape[0], person.shape[1]),
            cloth=warped[0],
            span=0.9,
            align_corners=self.align_corners,
        )


class FittingProcessing:
    """Person, the dressed person's parsing and the warped garment in, a Rendering out.

    Args:
        inputs: channels of the picture that is fed at every size, 9.
        labels: channels of the label map of each block, 8 or 7.
        size: height and width of its pictures, multiples of 2^levels.
        levels: how often the generator doubles its features' size.
    """

    def __init__(
        self, inputs: int, labels: Sequence[int], size: tuple[int, int], levels: int
    ) -> None:
        self.inputs = inputs
        self.labels = max(labels), min(labels)
        self.size = size
        self.multiple = 2**levels

    def __call__(
        self,
        forward: Forward,
        person: RGB,
        *,
        parsing: HumanParsing | None = None,
        pose: Pose | None = None,
        dressed: HumanParsing | None = None,
        warp: Warp | None = None,
        seed: int | None = 0,
    ) -> Rendering:
        """The person in the garment.

        Args:
            forward: the network.
            person: the photo.
            parsing, pose: of the person, by whatever model.
            dressed: what the segmentation generator foresees.
            warp: of the garment.
            seed: of the generator's noise; None for no noise.

        Raises:
            OptionError: one of them is missing; the network takes other inputs or another size.
            PersonError: the photo shows too little.
        """
        given(parsing=parsing, pose=pose, dressed=dressed, warp=warp)
        assert parsing and pose and dressed and warp
        _known("ALIAS generator", (self.inputs, *self.labels), (9, 8, 7))
        if any(side % self.multiple or not side for side in self.size) or self.size == (
            self.multiple,
            self.multiple,
        ):
            raise OptionError(
                f"load_height and load_width are {self.size[0]} and {self.size[1]}.",
                hint=f"Give multiples of {self.multiple}, one of them at least twice as much.",
            )
        seen = subject(person, parsing, pose, self.size)
        cloth = cloth_in_frame(warp, seen.frame)
        seven = grouped(_framed(dressed, seen), GROUPS_7)
        labels = one_hot(seven, len(GROUPS_7))
        misaligned = np.clip(labels[UPPER : UPPER + 1] - cloth[3:4], 0, None)
        divided = np.concatenate([labels, misaligned])
        divided[UPPER : UPPER + 1] -= misaligned
        picture = np.concatenate(
            [
                unit_range(agnostic.viton_hd_picture(seen)),
                unit_range(skeleton_picture(seen)),
                cloth[:3],
            ]
        )
        found = forward(
            picture=picture[None],
            labels=labels[None],
            divided=divided[None],
            misaligned=misaligned[None],
            seed=seed,
        )
        frame = bytes_of(found["image"][0])
        painted = person.copy()
        seen.frame.lay(frame, painted)
        garment = np.zeros(person.shape[:2], np.float32)
        seen.frame.lay(labels[UPPER], garment)
        return Rendering(painted, frame, seen.frame.box, garment, dressed.confidence)


def grouped(labels: Labels, groups: Sequence[Sequence[int]]) -> Labels:
    """The number of the group that holds each label."""
    numbers = np.zeros(256, np.uint8)
    for number, group in enumerate(groups):
        numbers[list(group)] = number
    found: Labels = numbers[labels]
    return found


def one_hot(labels: Labels, classes: int) -> Floats:
    """(classes, h, w) float32, 1 at each pixel's own class."""
    return (labels[None] == np.arange(classes, dtype=np.uint8)[:, None, None]).astype(np.float32)


def _framed(dressed: HumanParsing, seen: Subject) -> Labels:
    """The dressed person's parsing in the frame, by VITON-HD's 13 labels."""
    own = getattr(dressed, "framed", None)
    if own is not None and own.shape == seen.labels.shape:
        found: Labels = own
        return found
    if dressed.table != VITON_HD_13:
        raise OptionError(
            f"dressed has the labels of {dressed.table.name}.",
            hint="Give what VITON-HD's segmentation generator returns.",
        )
    return seen.frame.take_labels(dressed.labels)


def _labels(scores: Floats, size: tuple[int, int]) -> Labels:
    """(h, w) the likeliest label of scores that were enlarged and blurred."""
    large = _smooth(scores, size)
    blurred = [
        cv2.GaussianBlur(part, (15, 15), 3, sigmaY=3, borderType=cv2.BORDER_CONSTANT)
        for part in large
    ]
    return np.argmax(np.stack(blurred), axis=0).astype(np.uint8)


def _smooth(channels: Floats, size: tuple[int, int]) -> Floats:
    """(C, h, w) resized bilinearly between pixels' centres, without averaging."""
    made = [
        cv2.resize(channel, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)
        for channel in channels
    ]
    return np.stack(made).astype(np.float32)


def _nearest(channels: Floats, size: tuple[int, int]) -> Floats:
    """(C, h, w) resized by taking the pixel at or before each place, as PyTorch does."""
    rows = np.arange(size[0]) * channels.shape[1] // size[0]
    columns = np.arange(size[1]) * channels.shape[2] // size[1]
    found: NDArray[np.float32] = channels[:, rows[:, None], columns[None]]
    return found


def _known(what: str, channels: tuple[int, ...], published: tuple[int, ...]) -> None:
    if channels != published:
        raise OptionError(
            f"this {what} has {channels} channels; what they are is not known.",
            hint=f"The published one has {published}; call the network itself.",
        )
