"""Every family against every other family's tensors, and against tensors of nobody."""

from __future__ import annotations

import random

import pytest

import golden_files
from mycloset.architectures.family import Claim, Shape
from mycloset.architectures.registry import families, recognise

EXAMPLES = [
    pytest.param(family.name, claim, id=f"{family.name}-{claim.variant}-{claim.layout}")
    for family in families()
    for claim in family.examples()
]
LARGE = [
    name
    for name in golden_files.names()
    if len(golden_files.shapes(name)) >= 40 and "lora" not in name
]
"""Goldens of which a part is not whole by itself."""

CONVOLUTIONAL = [
    name
    for name in golden_files.names()
    if 5 * sum(len(shape) == 4 for shape in golden_files.shapes(name).values())
    > len(golden_files.shapes(name))
]
"""Goldens of which at least a fifth of the tensors are convolutions."""

SURE = 0.7
"""Confidence from which a wrong claim would mislead."""


@pytest.mark.parametrize(("family", "claim"), EXAMPLES)
def test_an_example_is_claimed_by_its_own_family_alone(family: str, claim: Claim) -> None:
    found = recognise(claim.tensors)
    assert found.best is not None
    assert found.best.claim is not None
    assert (found.best.family.name, found.best.claim.variant) == (family, claim.variant)
    assert found.best.verdict == "yes"
    assert found.rivals == ()


@pytest.mark.parametrize("name", golden_files.names())
def test_every_family_gives_its_reason(name: str) -> None:
    found = recognise(golden_files.shapes(name))
    assert {opinion.family.name for opinion in found.opinions} == {f.name for f in families()}
    assert all(opinion.reason for opinion in found.opinions)


@pytest.mark.parametrize("name", LARGE)
def test_a_lost_part_is_told_as_a_broken_copy(name: str) -> None:
    shapes = golden_files.shapes(name)
    whole = recognise(shapes).best
    keys = [key for key in shapes if not key.endswith("num_batches_tracked")]
    lost = set(random.Random(name).sample(keys, max(2, len(keys) // 20)))
    found = recognise({key: shape for key, shape in shapes.items() if key not in lost})
    if found.best is not None and whole is not None:
        assert found.best.family.name in {whole.family.name, *_others(whole.claim)}
        assert found.best.confidence < 0.99 or found.best.verdict == "yes"


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_other_kernels_are_no_sure_claim(name: str) -> None:
    shapes = {
        key: (*shape[:2], *(size + 2 for size in shape[2:])) if len(shape) == 4 else shape
        for key, shape in golden_files.shapes(name).items()
    }
    best = recognise(shapes).best
    assert best is None or best.verdict == "yes" or best.confidence < SURE


@pytest.mark.parametrize("seed", range(60))
def test_random_stacks_are_nobodys(seed: int) -> None:
    best = recognise(stack(random.Random(seed))).best
    assert best is None or best.confidence < SURE


def stack(rng: random.Random) -> dict[str, Shape]:
    """A network of nobody, under keys that many use."""
    names = rng.choice(("features.{}", "layers.{}", "model.{}", "blocks.{}.conv", "body.{}", "{}"))
    found: dict[str, Shape] = {}
    width = rng.choice((3, 1, 16))
    for place in range(rng.randint(2, 30)):
        out = rng.choice((8, 16, 24, 48, 96, 200))
        name = names.format(place)
        if rng.random() < 0.7:
            kernel = rng.choice((1, 3, 5, 7))
            found[f"{name}.weight"] = (out, width, kernel, kernel)
        else:
            found[f"{name}.weight"] = (out, width)
        found[f"{name}.bias"] = (out,)
        width = out
    return found


def _others(claim: Claim | None) -> tuple[str, ...]:
    return claim.also if claim is not None else ()
