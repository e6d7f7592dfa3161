"""LoRAs are read by their modules, whichever of them a training changed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import golden_files
from mycloset.architectures.comparison import compare
from mycloset.architectures.family import NotThisError, Shape
from mycloset.architectures.stable_diffusion.layout import FAMILY
from mycloset.architectures.stable_diffusion.lora_modules import BASES

KOHYA, PEFT = "stable_diffusion/lora_kohya_sd15", "stable_diffusion/lora_diffusers_peft_sd15"
MIDDLE = "unet_mid_block_attentions_0_transformer_blocks_0"


def kohya(base: str, rank: int, *parts: str) -> dict[str, Shape]:
    """A LoRA in kohya's spelling of the base's modules whose names hold one of the parts."""
    modules = next(known.modules for known in BASES if known.name == base)
    table: dict[str, Shape] = {}
    for name, (out, inp, *kernel) in modules.items():
        if any(part in name for part in parts):
            table[f"lora_{name}.alpha"] = ()
            table[f"lora_{name}.lora_down.weight"] = (rank, inp, *kernel)
            table[f"lora_{name}.lora_up.weight"] = (out, rank, *(1 for _ in kernel))
    return table


@pytest.mark.parametrize("name", [KOHYA, PEFT, "stable_diffusion/lora_kohya_sdxl"])
def test_a_goldens_rank_and_base(name: str) -> None:
    found = FAMILY.read(golden_files.shapes(name))
    assert found.config["rank"] == golden_files.manifest(name)["config"]["rank"]
    assert found.config["base"] == name.rpartition("_")[2]


@given(st.data(), st.integers(1, 256))
@settings(max_examples=30, deadline=None)
def test_any_subset_of_modules(data: st.DataObject, rank: int) -> None:
    whole = kohya("sd15", rank, "unet_down", "unet_up", "unet_mid", "te_")
    names = sorted({key.partition(".")[0] for key in whole})
    kept = data.draw(st.sets(st.sampled_from(names), min_size=1, max_size=30))
    table = {key: shape for key, shape in whole.items() if key.partition(".")[0] in kept}
    found = FAMILY.read(table)
    assert compare(found, table).exact
    assert found.config["ranks"] == [rank]


def test_text_tokens_tell_the_base() -> None:
    for base in ("sd15", "sd21", "sdxl"):
        found = FAMILY.read(kohya(base, 4, f"{MIDDLE}_attn2"))
        assert found.variant == f"{base}-lora"


def test_self_attention_alone_leaves_the_base_open() -> None:
    found = FAMILY.read(kohya("sd21", 4, f"{MIDDLE}_attn1"))
    assert found.undecidable[0] == "its base: sd21, sdxl have these modules, too"


def test_convolutions_have_a_rank_of_their_own() -> None:
    table = kohya("sd15", 16, "attn1_to_q") | kohya("sd15", 4, "resnets_0_conv1")
    found = FAMILY.read(table)
    assert compare(found, table).exact
    assert (found.config["rank"], found.config["conv_rank"]) == (16, 4)


def test_a_text_encoder_alone() -> None:
    found = FAMILY.read(kohya("sd15", 4, "te_text_model"))
    assert found.config["text_encoders"] == ["te"]
    assert found.config["unet_modules"] == 0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("unet.", ""),
        (".lora_A.", ".lora.down."),
        (".lora_B.", ".lora.up."),
        ("unet.", "base_model.model."),
    ],
)
def test_other_spellings_of_the_same(before: str, after: str) -> None:
    table = {key.replace(before, after): shape for key, shape in golden_files.shapes(PEFT).items()}
    found = FAMILY.read(table)
    assert compare(found, table).exact
    assert any(all(key in table for key in group) for group in FAMILY.markers)


def test_the_first_diffusers_spelling() -> None:
    table = {}
    for key, shape in golden_files.shapes(PEFT).items():
        name, _, matrix = key.removesuffix(".weight").rpartition(".lora_")
        block, _, part = name.partition("attn1.") if "attn1." in name else name.partition("attn2.")
        attention = "attn1" if "attn1." in name else "attn2"
        part = part.removesuffix(".0")
        way = {"A": "down", "B": "up"}[matrix]
        table[f"{block}{attention}.processor.{part}_lora.{way}.weight"] = shape
    found = FAMILY.read(table)
    assert compare(found, table).exact
    assert found.config["rank"] == 4


def test_the_lost_half_of_a_pair_is_missing() -> None:
    table = golden_files.shapes(KOHYA)
    lost = "lora_unet_mid_block_attentions_0_proj_out.lora_up.weight"
    del table[lost]
    assert compare(FAMILY.read(table), table).missing == (lost,)


def test_other_widths_are_read_by_their_pairs() -> None:
    table = {
        key: tuple(side // 10 if side >= 320 else side for side in shape)
        for key, shape in golden_files.shapes(KOHYA).items()
    }
    found = FAMILY.read(table)
    assert (found.variant, found.config["rank"]) == ("custom-lora", 8)


@pytest.mark.parametrize(
    "name",
    [
        "lora_unet_double_blocks_0_img_attn_proj.lora_down.weight",
        "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight",
        "transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight",
    ],
)
def test_loras_of_other_networks_are_declined(name: str) -> None:
    other = name.replace("lora_down", "lora_up").replace("lora_A", "lora_B")
    with pytest.raises(NotThisError):
        FAMILY.read({name: (8, 3072), other: (3072, 8)})
