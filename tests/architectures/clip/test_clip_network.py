from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPVisionModel,
    CLIPVisionModelWithProjection,
)

from mycloset.architectures.clip.network import Clip
from mycloset.errors import OptionError
from network_trials import ODD_SIZES, apart, built_at_once, filled, image, loaded, outputs
from network_trials import picture as drawn

TINY: dict[str, Any] = {
    "embed_dim": 48,
    "image_resolution": 48,
    "vision_layers": 2,
    "vision_patch_size": 16,
    "vision_width": 128,
    "vision_heads": 2,
    "context_length": 16,
    "vocab_size": 99,
    "transformer_width": 64,
    "transformer_heads": 1,
    "transformer_layers": 3,
}
RESNET = {
    **TINY,
    "image_resolution": 64,
    "vision_layers": [1, 2, 1, 1],
    "vision_patch_size": None,
    "vision_width": 8,
    "vision_heads": 4,
}
TEXT = torch.tensor([[97, 5, 9, 98, 0, 0], [97, 4, 98, 0, 0, 0]])


def _hugging(act: str = "quick_gelu") -> CLIPConfig:
    return CLIPConfig(
        projection_dim=48,
        text_config={
            "hidden_size": 64,
            "intermediate_size": 160,
            "num_hidden_layers": 3,
            "num_attention_heads": 1,
            "vocab_size": 99,
            "max_position_embeddings": 16,
            "eos_token_id": 98,
            "bos_token_id": 97,
            "pad_token_id": 0,
            "projection_dim": 48,
            "hidden_act": act,
        },
        vision_config={
            "hidden_size": 128,
            "intermediate_size": 200,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 48,
            "patch_size": 16,
            "projection_dim": 48,
            "hidden_act": act,
        },
    )


@pytest.mark.parametrize("act", ["quick_gelu", "gelu"])
def test_a_whole_model_gives_what_transformers_gives(act: str, tmp_path: Path) -> None:
    reference = filled(CLIPModel(_hugging(act)))
    model = loaded(reference.state_dict(), tmp_path, config={"activation": act})
    with torch.inference_mode():
        wanted = reference(input_ids=TEXT, pixel_values=image(48))
    found = outputs(model.network, image(48), TEXT)
    assert model.info.layout == "transformers"
    assert apart(found, {name: wanted[name] for name in found}) < 1e-5


def test_the_other_activation_gives_other_features(tmp_path: Path) -> None:
    state = filled(CLIPModel(_hugging())).state_dict()
    one, other = (
        loaded(state, tmp_path, config={"activation": act}) for act in ("quick_gelu", "gelu")
    )
    assert apart(outputs(one.network, image(48), TEXT), outputs(other.network, image(48), TEXT)) > 0


def test_an_unknown_activation_is_refused(tmp_path: Path) -> None:
    state = filled(CLIPModel(_hugging())).state_dict()
    with pytest.raises(OptionError, match="relu"):
        loaded(state, tmp_path, config={"activation": "relu"})


@pytest.mark.parametrize("projected", [True, False])
@pytest.mark.parametrize("rooted", [True, False])
def test_a_lone_picture_tower_of_transformers_loads(
    projected: bool, rooted: bool, tmp_path: Path
) -> None:
    kind = CLIPVisionModelWithProjection if projected else CLIPVisionModel
    reference = filled(kind(_hugging().vision_config))
    state = {k.removeprefix("vision_model."): v for k, v in reference.state_dict().items()}
    if rooted:
        state = {k if "visual_proj" in k else f"vision_model.{k}": v for k, v in state.items()}
    model = loaded(state, tmp_path)
    with torch.inference_mode():
        wanted = reference(pixel_values=image(48))
        found = model.network.encode_image(image(48))
    name = "image_embeds" if projected else "pooler_output"
    assert apart({name: found}, {name: wanted[name]}) < 1e-5


@pytest.mark.parametrize("projected", [True, False])
@pytest.mark.parametrize("rooted", [True, False])
def test_a_lone_text_tower_of_transformers_loads(
    projected: bool, rooted: bool, tmp_path: Path
) -> None:
    kind = CLIPTextModelWithProjection if projected else CLIPTextModel
    reference = filled(kind(_hugging().text_config))
    state = {k.removeprefix("text_model."): v for k, v in reference.state_dict().items()}
    if rooted:
        state = {k if "text_proj" in k else f"text_model.{k}": v for k, v in state.items()}
    model = loaded(state, tmp_path)
    with torch.inference_mode():
        wanted = reference(input_ids=TEXT)
        found = model.network.encode_text(TEXT)
    name = "text_embeds" if projected else "pooler_output"
    assert apart({name: found}, {name: wanted[name]}) < 1e-5


@pytest.mark.parametrize("sizes", [TINY, RESNET], ids=["transformer", "resnet"])
def test_unseen_widths_load_under_openais_names(sizes: dict[str, Any], tmp_path: Path) -> None:
    network = filled(Clip(config=sizes, activation="quick_gelu"))
    model = loaded(network.state_dict(), tmp_path)
    given = image(sizes["image_resolution"])
    activation = model.info.choices["activation"]
    if activation == "gelu":
        model = loaded(network.state_dict(), tmp_path, config={"activation": "quick_gelu"})
    assert apart(outputs(network, given, TEXT), outputs(model.network, given, TEXT)) < 1e-6


@pytest.mark.parametrize("sizes", [TINY, RESNET], ids=["transformer", "resnet"])
@pytest.mark.parametrize("rooted", [True, False])
def test_a_lone_picture_tower_under_openais_names_loads(
    sizes: dict[str, Any], rooted: bool, tmp_path: Path
) -> None:
    alone = {key: v for key, v in sizes.items() if "vision" in key or key[0] in "ei"}
    network = filled(Clip(config=alone, activation="quick_gelu"))
    cut = "" if rooted else "visual."
    state = {key.removeprefix(cut): value for key, value in network.state_dict().items()}
    model = loaded(state, tmp_path, config={"activation": "quick_gelu"})
    given = image(sizes["image_resolution"])
    with torch.inference_mode():
        wanted, found = network.encode_image(given), model.network.encode_image(given)
    assert apart({"features": found}, {"features": wanted}) < 1e-6


def test_a_lone_picture_tower_without_projection_loads(tmp_path: Path) -> None:
    alone = {key: v for key, v in TINY.items() if "vision" in key or key[0] in "ei"}
    network = filled(Clip(config={**alone, "embed_dim": None}, activation="quick_gelu"))
    model = loaded(network.state_dict(), tmp_path, config={"activation": "quick_gelu"})
    with torch.inference_mode():
        assert model.network.encode_image(image(48)).shape == (2, 128)


@pytest.mark.parametrize("sizes", [TINY, RESNET], ids=["transformer", "resnet"])
def test_several_threads_build_it_on_the_meta_device(sizes: dict[str, Any]) -> None:
    assert built_at_once(lambda: Clip(config=sizes, activation="gelu")) == [{"meta"}] * 4


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    network = filled(Clip(config=TINY, activation="quick_gelu"))
    return loaded(network.state_dict(), tmp_path_factory.mktemp("clip"))


@pytest.mark.parametrize("size", ODD_SIZES)
def test_any_size_of_picture_gets_an_embedding(model: Any, size: tuple[int, int]) -> None:
    found = model(drawn(*size))
    assert found.vector.shape == (48,)
    assert np.isfinite(found.vector).all()


def test_a_list_gives_what_each_picture_gives(model: Any) -> None:
    pictures = [drawn(*size) for size in ODD_SIZES]
    together, alone = model(pictures), [model(picture) for picture in pictures]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one.vector, other.vector, rtol=1e-4, atol=1e-5)


def test_an_embedding_is_nearest_to_itself_and_tells_its_numbers(model: Any) -> None:
    found = model(drawn(70, 80))
    assert found.similarity(found) == pytest.approx(1)
    assert found.classes() == []
    told = found.to_dict()
    assert told["space"] == found.space
    assert told["vector"] == pytest.approx(found.vector.tolist())


def test_an_embedding_draws_beside_its_picture(model: Any) -> None:
    seen = model(drawn(70, 80)).draw(drawn(70, 80))
    assert seen.dtype == np.uint8
    assert seen.shape[1] > 80 or seen.shape[0] > 70


def test_a_picture_tower_reads_no_text(tmp_path: Path) -> None:
    alone = {key: v for key, v in TINY.items() if "vision" in key or key[0] in "ei"}
    tower = loaded(filled(Clip(config=alone, activation="gelu")).state_dict(), tmp_path)
    with pytest.raises(OptionError, match="reads no texts"):
        tower.processing.text(tower.session, TEXT.numpy())
