from __future__ import annotations

import contextlib
import re
from collections import Counter
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mycloset.architectures import index
from mycloset.architectures.registry import families
from mycloset.architectures.steps import TRY_ON_STEPS
from mycloset.errors import DownloadError, ModelFileError, OptionError
from mycloset.hub import arrivals, catalogue
from mycloset.hub.embedded import NETWORKS
from mycloset.hub.entries import Entry, HfSource, HttpsSource, ManualSource, PypiSource
from published_files import golden_file

ENTRY = """
entries:
  - name: net
    title: a network
    file: net.bin
    steps: [cloth_segmentation]
    licence: MIT
    credit: Somebody
    homepage: https://example.org/net
    source: {source}
    size: 10
    family: lpips
    sha256: {sha}
"""


def _without(text: str, *keys: str) -> str:
    return re.sub(rf"    (?:{'|'.join(keys)}): .*\n", "", text)


def entry_text(source: str = "https://example.org/net.bin", sha: str = "ab" * 32) -> str:
    return ENTRY.format(source=source, sha=sha)


def test_the_catalogue_holds_every_embedded_network() -> None:
    known = catalogue.load()
    assert [entry.name for entry in known.expand("embedded")] == [net.name for net in NETWORKS]
    for entry in known.expand("embedded"):
        assert isinstance(entry.source, PypiSource)
        assert entry.licence == "Apache-2.0"
        assert entry.file == entry.source.member.rsplit("/", 1)[1]


@pytest.mark.parametrize(
    ("text", "source", "folder"),
    [
        (
            "hf:owner/repo@0123456789abcdef/sub/model.safetensors",
            HfSource("owner/repo", "0123456789abcdef", "sub/model.safetensors"),
            "owner--repo@0123456789ab",
        ),
        (
            "https://example.org/a/b.pth",
            HttpsSource("https://example.org/a/b.pth"),
            "example.org",
        ),
        (
            "hf:owner/repo/model.safetensors",
            HfSource("owner/repo", None, "model.safetensors"),
            "owner--repo",
        ),
    ],
)
def test_sources_are_read_and_written(
    text: str, source: HfSource | HttpsSource, folder: str
) -> None:
    entry = catalogue.parse(entry_text(text), "c.yaml").entry("net")
    assert entry.source == source
    assert str(entry.source) == text
    assert entry.source.folder == folder


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "not a mapping"),
        ("entries: {a: 1}", "entries is not a list"),
        ("entries: [7]", "entry 1: it is not a mapping"),
        ("a: [", "not YAML"),
        ("models: []", "unknown models"),
        (entry_text("ftp://example.org/x"), r"entry 1 \(net\): source 'ftp"),
        (entry_text("hf:repo-without-owner@1/x"), "none that is known"),
        (entry_text("hf:owner/repo/../../x"), "none that is known"),
        (entry_text("http://example.org/x"), "none that is known"),
        (entry_text("manual:https://example.org/x"), "reason is None"),
        (entry_text() + "    md5: abc\n", "md5 is 'abc'"),
        (entry_text() + "    sha256_start: abc\n", "sha256_start is 'abc'"),
        (entry_text() + "    about: large\n", "about is 'large'"),
        (entry_text() + "    beside: [config.json]\n", "beside needs a file of a Hugging Face"),
        (entry_text("hf:o/r/net.bin") + "    beside: [a.py]\n", "only JSON files can lie there"),
        (entry_text("hf:o/r/net.bin") + "    beside: [../a.json]\n", "only JSON files"),
        (entry_text("hf:o/r/other.bin") + "    beside: [a.json]\n", "kept under its own path"),
        (_without(entry_text(), "family", "sha256"), "neither family nor sha256"),
        (entry_text("pypi:gone==1.0!a/b"), "no wheel gone==1.0 is described"),
        (entry_text(sha="AB" * 32), "sha256 is"),
        (entry_text().replace("size: 10", "size: true"), "size is True"),
        (entry_text().replace("file: net.bin", "file: ../net.bin"), "file is"),
        (entry_text().replace("    licence: MIT\n", ""), "licence is None"),
        (entry_text().replace("licence:", "license:"), "unknown license"),
        (entry_text() + entry_text().split("entries:")[1], "taken by another"),
        (entry_text() + "bundles: {all: [net, gone]}", "no entries gone"),
        (entry_text() + "bundles: {net: [net]}", "an entry has its name"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ModelFileError, match=message) as caught:
        catalogue.parse(text, "c.yaml")
    assert "c.yaml" in str(caught.value)


@given(text=st.text(max_size=80))
def test_any_text_is_read_or_refused_properly(text: str) -> None:
    with contextlib.suppress(ModelFileError):
        assert not catalogue.parse(text, "any").entries


def test_names_near_a_known_one_are_suggested() -> None:
    with pytest.raises(OptionError, match="Did you mean embedded"):
        catalogue.load().expand("embeded")
    with pytest.raises(OptionError, match="There are"):
        catalogue.load().entry("zzz")


ENTRIES = catalogue.load().entries.values()


def names() -> set[tuple[str, str]]:
    """Every family with its variants, as `inspect` says them."""
    graphs = {(family.name, graph.name) for family in families() for graph in family.graphs}
    return {(known.family, known.variant) for known in index.load()} | graphs


def test_every_entry_is_a_network_that_is_recognised() -> None:
    known = names()
    assert [entry.name for entry in ENTRIES if (entry.family, entry.variant) not in known] == []


def test_every_family_has_a_published_file() -> None:
    assert {family.name for family in families()} == {entry.family for entry in ENTRIES}


def test_every_step_is_one() -> None:
    for entry in ENTRIES:
        assert set(entry.steps) <= set(TRY_ON_STEPS), entry.name
        assert entry.step_folder == "other" or entry.step_folder[8:] == entry.steps[0]


def test_no_two_entries_take_one_place() -> None:
    places = Counter((entry.source.folder, entry.file) for entry in ENTRIES)
    folders = Counter((entry.step_folder, entry.file) for entry in ENTRIES)
    assert {*places.values(), *folders.values()} == {1}


def test_what_the_families_say_of_a_file_is_what_the_catalogue_says() -> None:
    own = {family.name: family for family in families()}
    for entry in ENTRIES:
        if entry.family is None:
            continue
        for file in own[entry.family].published:
            if fnmatch(entry.file, f"*{file.file}") and file.sha256 and entry.sha256:
                assert entry.sha256.startswith(file.sha256), entry.name
            if fnmatch(entry.file, f"*{file.file}") and file.size and entry.size:
                assert entry.size == file.size, entry.name


def test_the_digits_in_a_name_begin_its_checksum() -> None:
    for entry in ENTRIES:
        if entry.sha256_start and "lpips" not in entry.file:
            assert entry.sha256_start in entry.file


def test_files_for_a_person_say_where_and_why() -> None:
    by_hand = [entry for entry in ENTRIES if isinstance(entry.source, ManualSource)]
    assert by_hand
    for entry in by_hand:
        assert isinstance(entry.source, ManualSource)
        assert entry.source.page.startswith("https://")
        assert len(entry.source.reason) > 10


@pytest.mark.parametrize(
    "name",
    ["embedded", "parsing", "pose", "segmentation", "restoration", "quality", "tryon-hr-viton",
     "tryon-catvton", "tryon-fashn"],
)  # fmt: skip
def test_a_bundle_holds_what_its_name_says(name: str) -> None:
    assert catalogue.load().expand(name)


def test_non_commercial_weights_are_told() -> None:
    known = catalogue.load()
    assert not known.entry("catvton-mix-48k-1024").for_commerce
    assert not known.entry("hr-viton-generator").for_commerce
    assert known.entry("fashn-vton-1.5").for_commerce


GOLDENS = {
    "schp-lip": "schp/lip",
    "schp-atr": "schp/atr",
    "fashn-human-parser": "fashn_vton/fashn_human_parser",
    "segformer-b2-clothes": "segformer/b2_clothes",
    "graphonomy": "graphonomy/inference",
    "hrnet-w48-256x192": "hrnet_pose/hrnet_w48_coco_256x192_mmpose",
    "pose_hrnet_w48_384x288": "hrnet_pose/w48_coco_384x288",
    "openpose-body": "openpose/body_pose_model",
    "openpose-hand": "openpose/hand_pose_model",
    "u2net": "u2net/u2net",
    "cloth_segm": "u2net/cloth_segm_u2net_latest",
    "sam_vit_b": "sam/sam_vit_b_01ec64",
    "mobile_sam": "mobile_sam/mobile_sam",
    "viton-hd-gmm": "viton_hd/viton_hd_gmm",
    "hr-viton-generator": "hr_viton/hr_viton_gen",
    "catvton-mix-48k-1024": "catvton/catvton_attention",
    "sd15-inpainting-unet": "stable_diffusion/sd15_inpainting_unet_diffusers",
    "sd-vae-ft-mse": "stable_diffusion/vae_diffusers_deprecated",
    "fashn-vton-1.5": "fashn_vton/fashn_vton",
    "leffa-vitonhd": "leffa/leffa_virtual_tryon",
    "idm-vton-unet": "idm_vton/idm_vton_unet",
    "idm-vton-encoder": "idm_vton/idm_vton_unet_encoder",
    "ootdiffusion-hd-vton": "ootdiffusion/ootd_unet_vton",
    "RealESRGAN_x4plus": "rrdb/RealESRGAN_x4plus",
    "GFPGANv1.4": "gfpgan/GFPGANv1.4",
    "swinir-real-large-x4": "swinir/swinir_realsr_L_x4",
    "clip-ViT-B-32": "clip/ViT-B-32",
    "lpips-vgg": "lpips/lpips_vgg_lin",
    "parsing_bisenet": "face_parsing_bisenet/79999_iter",
    "mm_sd_v15_v2": "animatediff/mm_sd_v15_v2",
    "champ-guidance_encoder_depth": "champ/guidance_encoder",
    "dpt_hybrid_384": "dpt/dpt_hybrid_384",
    "vgg19-dcbb9e9d": "torchvision/vgg19",
}


def unsummed(name: str) -> Entry:
    """An entry that asks for no bytes: the goldens have the layouts, but no weights."""
    entry = catalogue.load().entry(name)
    return replace(entry, size=None, sha256=None, sha256_start=None, md5=None)


@pytest.mark.parametrize("name", GOLDENS)
def test_the_published_layout_passes_for_what_the_catalogue_says(name: str, tmp_path: Path) -> None:
    arrivals.check(unsummed(name), golden_file(GOLDENS[name], tmp_path / "file.pth"))


def test_a_layout_does_not_pass_for_another(tmp_path: Path) -> None:
    path = golden_file("schp/lip", tmp_path / "file.pth")
    with pytest.raises(DownloadError, match=r"Wanted is schp atr; found was .*\(schp lip\)"):
        arrivals.check(unsummed("schp-atr"), path)
