"""EDGE files on any music features, of any length, width and depth."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import family_checks
import golden_files
from mycloset.architectures.edge.layout import FAMILY, Network, tensors
from mycloset.architectures.family import NotThisError

GOLDEN = "music_dance/edge_jukebox"


@pytest.mark.parametrize("variant", ["jukebox", "baseline"])
def test_a_published_layout_is_generated_tensor_by_tensor(variant: str) -> None:
    name = f"music_dance/edge_{variant}"
    claim = family_checks.read_golden(FAMILY, name)
    assert claim.variant == variant
    published = golden_files.manifest(name)["config"]
    assert {key: claim.config[key] for key in published} == published


def test_the_tables_of_frequencies_are_no_parameters() -> None:
    claim = FAMILY.read(golden_files.shapes(GOLDEN))
    assert len(claim.buffers) == 11


def test_a_table_that_lies_eleven_times_in_the_file_may_lie_there_once() -> None:
    whole = golden_files.shapes(GOLDEN)
    once = {
        key: shape
        for key, shape in whole.items()
        if not key.endswith(".rotary.freqs") or key.startswith("cond_encoder.0")
    }
    claim = FAMILY.read(once | {"rotary.freqs": whole["rotary.freqs"]})
    assert set(claim.tensors) - set(once) <= set(claim.optional)


@given(
    network=st.builds(
        Network,
        poses=st.integers(1, 400),
        frames=st.integers(1, 400),
        music=st.integers(1, 5000),
        latent=st.integers(1, 300).map(lambda half: 2 * half),
        hidden=st.integers(1, 2048),
        encoders=st.integers(1, 3),
        decoders=st.integers(1, 12),
        rotary=st.just(True),
    )
)
@settings(max_examples=30, deadline=None)
def test_any_length_width_and_depth_is_read_from_shapes(network: Network) -> None:
    config = family_checks.read_back(FAMILY, tensors(network)).config
    assert (config["nfeats"], config["seq_len"]) == (network.poses, network.frames)
    assert (config["cond_feature_dim"], config["latent_dim"]) == (network.music, network.latent)
    assert (config["ff_size"], config["layers"]) == (network.hidden, network.decoders)


@given(lost=st.sampled_from(list(golden_files.shapes(GOLDEN))))
@settings(max_examples=40, deadline=None)
def test_a_copy_that_lost_a_tensor_is_still_recognised(lost: str) -> None:
    assert family_checks.recovers(FAMILY, golden_files.shapes(GOLDEN), lost)


def test_a_table_without_poses_is_refused() -> None:
    with pytest.raises(NotThisError, match="final_layer"):
        FAMILY.read({"null_cond_embed": (1, 150, 512)})
