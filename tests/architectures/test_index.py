from __future__ import annotations

import json
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

import golden_files
from mycloset.architectures.index import build, find_neighbours, find_twins, summary
from mycloset.architectures.registry import families, recognise
from mycloset.architectures.roster import build_roster, discover


def renamed(name: str) -> dict[str, tuple[int, ...]]:
    """A golden's shapes in order, under keys that say nothing."""
    return {f"gmm_{i}": shape for i, shape in enumerate(golden_files.shapes(name).values())}


def test_the_index_that_ships_is_that_of_the_families() -> None:
    text = resources.files("mycloset.architectures").joinpath("index.json").read_text("utf-8")
    claims = ((family.name, claim) for family in families() for claim in family.examples())
    assert json.loads(text) == build(claims), "run: python -m mycloset.architectures.index"


def test_the_roster_that_ships_is_that_of_the_folders() -> None:
    text = resources.files("mycloset.architectures").joinpath("roster.json").read_text("utf-8")
    assert json.loads(text) == build_roster(discover()), "run: python -m …architectures.index"


def test_asking_one_family_imports_no_other() -> None:
    code = (
        "import sys; from mycloset.architectures.registry import recognise;"
        "recognise({'conv1_1.weight': (64, 3, 3, 3), 'Mconv7_stage6_L2.weight': (19, 128, 1, 1)});"
        "print(sum(name.endswith('.layout') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 1


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("dpt/dpt_large_384", "dpt_large_384"),
        ("torchvision/vgg16", "vgg16"),
        ("sam/sam_vit_b_01ec64", "vit_b"),
        ("stable_diffusion/sd15_unet_diffusers", "sd15-unet"),
    ],
)
def test_a_network_whose_every_key_is_renamed_is_found_by_its_shapes(
    name: str, variant: str
) -> None:
    twins = find_twins(renamed(name))
    assert {twin.known.variant for twin in twins} == {variant}
    assert all(twin.ordered for twin in twins)


def test_another_order_is_told() -> None:
    shapes = dict(reversed(renamed("dpt/dpt_large_384").items()))
    assert [twin.ordered for twin in find_twins(shapes)] == [False]


def test_few_tensors_have_no_twins() -> None:
    assert find_twins(renamed("lpips/lpips_alex_lin")) == ()


def test_one_tensor_more_is_no_twin() -> None:
    assert find_twins({**renamed("dpt/dpt_large_384"), "more": (3, 3)}) == ()


def test_neighbours_are_named_with_what_differs() -> None:
    shapes = {**renamed("dpt/dpt_large_384"), "more": (7, 9)}
    nearest = find_neighbours(shapes)[0]
    assert nearest.known.family == "dpt"
    assert "has besides 1 tensor, such as [7, 9]" in nearest.differs


def test_a_foreign_network_has_no_neighbours() -> None:
    assert find_neighbours({f"layers.{i}.weight": (i + 3, 5) for i in range(40)}) == ()


def test_counters_and_scalars_do_not_count() -> None:
    assert summary({"a": (), "b.num_batches_tracked": (1,), "c": (2, 3)})[0] == {"2x3": 1}


def test_no_opinion_stands_on_a_renamed_table() -> None:
    assert recognise(renamed("dpt/dpt_large_384")).best is None


def test_the_page_on_model_files_names_every_family() -> None:
    page = (Path(__file__).parents[2] / "docs" / "model-files.md").read_text("utf-8")
    assert [f.name for f in families() if f"| `{f.name}` | {f.title} |" not in page] == []
