"""What is said of AnimateDiff's motion modules."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import golden_files
from diffusion_tables import goldens_of
from mycloset.architectures.animatediff.layout import FAMILY
from mycloset.architectures.comparison import compare
from mycloset.architectures.family import NotThisError
from mycloset.architectures.latent_diffusion import motion, unet
from mycloset.architectures.latent_diffusion.kinds import SD15
from mycloset.architectures.latent_diffusion.motion import Motion


@pytest.mark.parametrize("name", goldens_of("animatediff"))
def test_a_goldens_tensors_in_the_files_order(name: str) -> None:
    table = golden_files.shapes(name)
    claimed = dict(FAMILY.read(table).tensors)
    assert list(claimed.items()) == list(table.items())


@pytest.mark.parametrize("name", goldens_of("animatediff"))
def test_the_configuration_is_the_references(name: str) -> None:
    found = FAMILY.read(golden_files.shapes(name)).config
    wanted = golden_files.manifest(name)["config"]
    kwargs = found["motion_module_kwargs"]
    for key in ("motion_module_mid_block", "motion_module_resolutions", "use_inflated_groupnorm"):
        assert found.get(key) == wanted.get(key, found.get(key))
    for key, value in wanted.get("motion_module_kwargs", {}).items():
        assert kwargs.get(key, value) == value


@pytest.mark.parametrize("name", ["mm_sd_v15", "mm_sd_v15_v2"])
def test_positions_are_no_parameters(name: str) -> None:
    found = FAMILY.read(golden_files.shapes(f"animatediff/{name}"))
    assert len(found.buffers) == len(found.tensors) // 14
    assert all(key.endswith("pos_encoder.pe") for key in found.buffers)


def test_frames_tell_v1_from_v3() -> None:
    table = golden_files.shapes("animatediff/mm_sd_v15")
    longer = {
        key: (1, 32, shape[2]) if key.endswith(".pe") else shape for key, shape in table.items()
    }
    assert FAMILY.read(table).variant == "v1"
    assert FAMILY.read(longer).variant == "v3"


def test_without_positions_v1_and_v3_are_alike() -> None:
    table = golden_files.shapes("animatediff/mm_sd_v15")
    bare = {key: shape for key, shape in table.items() if not key.endswith(".pe")}
    found = FAMILY.read(bare)
    assert compare(found, bare).exact
    assert found.undecidable[0].startswith("v1 or v3")


@given(
    st.lists(st.integers(1, 64), min_size=1, max_size=4),
    st.integers(1, 3),
    st.booleans(),
    st.none() | st.integers(1, 64),
)
@settings(max_examples=40, deadline=None)
def test_modules_of_any_widths(
    widths: list[int], number: int, middle: bool, frames: int | None
) -> None:
    counts = (number,) * len(widths)
    table = motion.tensors(Motion(frames, middle), tuple(widths), counts, counts)
    found = FAMILY.read(table)
    assert compare(found, table).exact
    assert found.config["motion_module_kwargs"]["temporal_position_encoding_max_len"] == frames


def test_a_unet_with_v1s_modules() -> None:
    net = SD15._replace(motion=Motion(24, middle=False))
    assert FAMILY.read(unet.tensors(net, "diffusers")).variant == "unet-v1"


def test_champs_unet_is_declined() -> None:
    with pytest.raises(NotThisError, match="Champ"):
        FAMILY.read(golden_files.shapes("champ/denoising_unet_motion"))
