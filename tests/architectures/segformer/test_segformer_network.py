"""SegFormer networks against transformers' class, and the names of their classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

import mycloset
import parsing_files
from mycloset.architectures.segformer.layout import FAMILY
from mycloset.architectures.segformer.network import KEYMAPS, plan
from mycloset.architectures.segformer.processing import processing
from mycloset.errors import OptionError
from mycloset.tasks.label_tables import CLOTHES_18

SIZES: list[dict[str, Any]] = [
    {
        "depths": [1, 2, 1, 1],
        "hidden_sizes": [32, 64, 96, 128],
        "num_attention_heads": [1, 2, 3, 4],
    },
    {
        "num_encoder_blocks": 3,
        "depths": [2, 1, 1],
        "hidden_sizes": [32, 32, 64],
        "num_attention_heads": [1, 1, 2],
        "sr_ratios": [4, 2, 1],
        "patch_sizes": [7, 3, 3],
        "strides": [4, 2, 2],
        "mlp_ratios": [2, 4, 3],
    },
]


def _reference(**sizes: Any) -> torch.nn.Module:
    config = transformers.SegformerConfig(decoder_hidden_size=24, num_labels=7, **sizes)
    torch.manual_seed(0)
    return transformers.SegformerForSemanticSegmentation(config).eval()


@pytest.mark.parametrize("sizes", SIZES)
def test_unseen_sizes_give_what_transformers_gives(sizes: dict[str, Any], tmp_path: Path) -> None:
    reference = _reference(**sizes)
    torch.save(reference.state_dict(), tmp_path / "model.bin")
    model = mycloset.load(tmp_path / "model.bin")
    image = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        assert torch.allclose(
            model.network(image)["logits"], reference(image).logits, atol=1e-5, rtol=1e-4
        )


@pytest.mark.parametrize("layout", sorted(KEYMAPS))
def test_every_layout_gives_the_same_network(layout: str, tmp_path: Path) -> None:
    file = parsing_files.saved(tmp_path / "older.pth", parsing_files.SMALL["segformer"][0]())
    model = mycloset.load(file)
    own = model.network.state_dict()
    torch.save({KEYMAPS[layout].restored(key): v for key, v in own.items()}, tmp_path / "o.pth")
    again = mycloset.load(tmp_path / "o.pth")
    assert again.info.mapping["rate"] == 1.0
    assert all(torch.equal(value, own[key]) for key, value in again.network.state_dict().items())


def _folder(path: Path, names: dict[int, str]) -> Path:
    shapes = parsing_files.SMALL["segformer"][0]()
    parsing_files.saved(path / "pytorch_model.bin", shapes)
    settings = {"model_type": "segformer", "id2label": {str(n): name for n, name in names.items()}}
    (path / "config.json").write_text(json.dumps(settings))
    return path


def test_config_json_names_the_classes(tmp_path: Path) -> None:
    names = {0: "Background", 1: "Left shoe", 2: "Upper-clothes", 3: "Hair", 4: "Wall "}
    model = mycloset.load(_folder(tmp_path, names))
    table = model.processing.table  # type: ignore[attr-defined]
    assert table.labels == ("background", "left-shoe", "upper-clothes", "hair", "wall")


def test_the_caller_s_names_go_before_those_of_config_json(tmp_path: Path) -> None:
    folder = _folder(tmp_path, dict(enumerate("ABCDE")))
    model = mycloset.load(folder, config={"labels": list("vwxyz")})
    assert model.processing.table.labels == tuple("vwxyz")  # type: ignore[attr-defined]


def test_a_config_json_of_another_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="3 labels, but the network has 5 classes"):
        mycloset.load(_folder(tmp_path, dict(enumerate("ABC"))))


def test_heads_that_do_not_divide_the_widths_are_refused(tmp_path: Path) -> None:
    file = parsing_files.saved(tmp_path / "m.pth", parsing_files.SMALL["segformer"][0]())
    with pytest.raises(OptionError, match="num_attention_heads"):
        mycloset.load(file, config={"num_attention_heads": [3, 3, 3, 3]})


def test_the_table_for_clothes_is_atr_s() -> None:
    assert CLOTHES_18.index("scarf") == 17
    assert np.unique(CLOTHES_18.colors, axis=0).shape == (18, 3)


@pytest.mark.parametrize(
    ("variant", "shape"), [("b4-fashn", (576, 384)), ("b2-clothes", (512, 512))]
)
def test_pictures_are_brought_to_the_published_size(variant: str, shape: tuple[int, int]) -> None:
    claim = next(claim for claim in FAMILY.examples() if claim.variant == variant)
    choices = plan(variant, claim.layout, claim.config).choices
    seen = []

    def forward(method: str = "forward", /, **inputs: Any) -> dict[str, Any]:
        seen.append(inputs["image"].shape[2:])
        return {"logits": np.zeros((1, 18, 8, 8), np.float32)}

    used = processing(variant, claim.layout, {**choices, **claim.config})
    used(forward, parsing_files.picture(90, 70))
    assert seen == [shape]
