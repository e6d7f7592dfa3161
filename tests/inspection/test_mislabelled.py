"""Files under wrong names, as they are seen in the field: each is called by its true name."""

from __future__ import annotations

from pathlib import Path

import pytest

import golden_files
from foreign_files import write_safetensors
from model_files import Tensor, write_torch_zip
from mycloset import CheckpointAnalysis, inspect

CASES = (
    ("u2net.pth", "torchvision/vgg16", "vgg16"),
    ("viton_hd_warping.pth", "dpt/dpt_large_384", "dpt_large_384"),
    ("tps_transformation.pth", "dpt/dpt_hybrid_384", "dpt_hybrid_384"),
    ("tom_final.pth", "torchvision/resnet34", "resnet34"),
    ("hrviton_final.pth", "torchvision/resnet152", "resnet152"),
    ("raft-things.pth", "torchvision/vgg19", "vgg19"),
    ("body_pose_model.pth", "torchvision/resnet50", "resnet50"),
    ("mobile_sam.pt", "sam/sam_vit_b_01ec64", "vit_b"),
    ("sam_vit_h_4b8939.pth", "sam/sam_vit_b_01ec64", "vit_b"),
    ("u2net_cloth_seg.pth", "mobile_sam/mobile_sam", "vit_t"),
    ("ootd_checkpoint.pth", "catvton/catvton_unet", "sd15-inpainting-unet"),
    ("ViT-L-14.pt", "clip/vit_b32_transformers", "ViT-B-32"),
    ("lpips_alex.pth", "torchvision/alexnet", "alexnet"),
    ("ESRGAN_x8.pth", "rrdb/realesr-general-x4v3", "realesr-general-x4v3"),
    ("deeplabv3plus.pth", "deeplabv3plus/deeplabv3_resnet101_coco_torchvision", "resnet101"),
    ("exp-schp-201908301523-atr.pth", "schp/lip", "lip"),
    ("graphonomy.pth", "schp/lip", "lip"),
)
"""The file's name, what lies in it, and the variant that it should be called."""


def write(path: Path, golden: str, prefix: str = "") -> CheckpointAnalysis:
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        prefix + key: Tensor(dtype, shape) for key, dtype, shape in golden_files.tensors(golden)
    }
    write_torch_zip(path, state)
    return inspect(path)


def kinds(analysis: CheckpointAnalysis) -> list[str]:
    return [finding.kind for finding in analysis.findings]


@pytest.mark.parametrize(("name", "golden", "variant"), CASES, ids=[case[0] for case in CASES])
def test_the_content_is_named_and_the_name_is_a_finding(
    name: str, golden: str, variant: str, tmp_path: Path
) -> None:
    analysis = write(tmp_path / name, golden)
    assert analysis.variant == variant
    assert kinds(analysis) == ["mismatch"]


@pytest.mark.parametrize(
    ("name", "golden"),
    [
        ("u2net.pth", "u2net/u2net"),
        ("gmm_final.pth", "cp_vton/cp_vton_gmm"),
        ("gmm_final.pth", "viton_hd/viton_hd_gmm"),
        ("exp-schp-201908261155-lip.pth", "schp/lip"),
        ("hrnet_w48_coco_256x192.pth", "hrnet_pose/hrnet_w48_coco_256x192_mmpose"),
        ("clip_vit_b32.pth", "clip/vit_b32_transformers"),
        ("denoising_unet.pth", "champ/denoising_unet"),
        ("resnet50-0676ba61.pth", "torchvision/resnet50"),
        ("something_else.pth", "torchvision/resnet50"),
        ("pytorch_model.bin", "torchvision/resnet50"),
        ("alex.pth", "lpips/lpips_alex_lin"),
    ],
)
def test_a_name_that_fits_or_says_nothing_is_no_finding(
    name: str, golden: str, tmp_path: Path
) -> None:
    assert kinds(write(tmp_path / name, golden)) == []


def test_a_network_whose_every_key_is_renamed_is_known_by_its_shapes(tmp_path: Path) -> None:
    state = {
        f"gmm_{key.replace('.', '_')}": Tensor(dtype, shape)
        for key, dtype, shape in golden_files.tensors("dpt/dpt_large_384")
    }
    write_torch_zip(tmp_path / "gmm_final.pth", state)
    analysis = inspect(tmp_path / "gmm_final.pth")
    assert (analysis.family, analysis.variant) == ("dpt", "dpt_large_384")
    assert analysis.layout == "renamed"
    assert 0.9 <= analysis.confidence < 0.99
    assert kinds(analysis) == ["mismatch"]


def test_safetensors_bytes_under_a_torch_name_are_read_as_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "ootd_3.2gb.pth"
    write_safetensors(path, golden_files.tensors("ootdiffusion/ootd_unet_vton"))
    analysis = inspect(path)
    assert (analysis.format, analysis.family) == ("safetensors", "ootdiffusion")


def test_a_network_in_the_folder_of_a_step_that_it_cannot_serve_is_a_finding(
    tmp_path: Path,
) -> None:
    analysis = write(tmp_path / "step_07_post_processing" / "model.pth", "schp/lip")
    assert kinds(analysis) == ["mismatch"]
    assert "post_processing" in analysis.findings[0].message


def test_a_network_in_the_folder_of_its_own_step_is_no_finding(tmp_path: Path) -> None:
    analysis = write(tmp_path / "step_01_human_parsing" / "ultra_models" / "model.pth", "schp/lip")
    assert kinds(analysis) == []


def test_an_anonymous_stack_under_a_telling_name_is_unknown_and_told(tmp_path: Path) -> None:
    path = tmp_path / "gmm_final.pth"
    state = {f"{i}.weight": Tensor("float32", (8, 8)) for i in range(3)}
    write_torch_zip(path, state)
    analysis = inspect(path)
    assert analysis.verdict == "unknown"
    assert kinds(analysis) == ["unknown", "mismatch"]


def test_the_same_shapes_with_other_classes_are_the_other_network(tmp_path: Path) -> None:
    assert write(tmp_path / "a.pth", "schp/atr").variant == "atr"
    assert write(tmp_path / "b.pth", "schp/lip").variant == "lip"


def test_what_is_left_of_a_damaged_file_does_not_speak_against_its_name(tmp_path: Path) -> None:
    write(tmp_path / "whole.pth", "raft/raft_things")
    (tmp_path / "raft-things.pth").write_bytes((tmp_path / "whole.pth").read_bytes()[:3000])
    analysis = inspect(tmp_path / "raft-things.pth")
    assert analysis.tensors > 0
    assert "mismatch" not in kinds(analysis)
