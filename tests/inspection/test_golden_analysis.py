"""Every golden, written as published: the right name, nothing missing, and nothing invented."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import golden_files
from foreign_files import write_safetensors, write_sharded
from model_files import (
    STORAGE_CLASS,
    Tensor,
    module_tree,
    write_torch_legacy,
    write_torch_tar,
    write_torch_zip,
    write_torchscript,
)
from mycloset import CheckpointAnalysis, inspect

NAMES = {
    "animatediff/mm_sd_v15": ("animatediff", "v1"),
    "animatediff/mm_sd_v15_v2": ("animatediff", "v2"),
    "animatediff/motion_block_640": ("animatediff", "motion-module"),
    "catvton/catvton_attention": ("catvton", "attention"),
    "catvton/catvton_attention_tiny": ("catvton", "attention"),
    "catvton/catvton_unet": ("stable_diffusion", "sd15-inpainting-unet"),
    "catvton/catvton_unet_tiny": ("stable_diffusion", "sd1-custom-inpainting-unet"),
    "champ/champ_tiny": ("champ", "model"),
    "champ/champ_tiny_pipeline": ("champ", "model"),
    "champ/denoising_unet": ("stable_diffusion", "sd15-unet"),
    "champ/denoising_unet_motion": ("champ", "denoising-unet"),
    "champ/guidance_encoder": ("champ", "guidance-encoder"),
    "champ/image_encoder_clip_vit_l14": ("clip", "ViT-L-14-vision"),
    "champ/motion_module": ("animatediff", "v2"),
    "champ/motion_module_block_320": ("animatediff", "motion-module"),
    "champ/reference_unet": ("champ", "reference-unet"),
    "clip/ViT-B-32": ("clip", "ViT-B-32"),
    "clip/ViT-L-14": ("clip", "ViT-L-14"),
    "clip/vit_b32_transformers": ("clip", "ViT-B-32"),
    "cnngeometric/cnngeometric_resnet101_tps": ("cnngeometric", "resnet101_tps"),
    "cnngeometric/weakalign_resnet101_affine_tps": ("cnngeometric", "resnet101_affine_tps"),
    "cp_vton/cp_vton_gmm": ("cp_vton", "gmm"),
    "cp_vton/cp_vton_plus_gmm": ("cp_vton", "gmm-plus"),
    "cp_vton/cp_vton_tom": ("cp_vton", "tom"),
    "deeplabv3plus/deeplabv3_resnet101_coco_torchvision": ("deeplabv3", "resnet101"),
    "deeplabv3plus/deeplabv3plus_resnet101_jfzhang95": ("deeplabv3plus", "resnet101"),
    "dpt/dpt_hybrid_384": ("dpt", "dpt_hybrid_384"),
    "dpt/dpt_large_384": ("dpt", "dpt_large_384"),
    "face_parsing_bisenet/79999_iter": ("face_parsing_bisenet", "celebamask-hq"),
    "faces/arcface_iresnet100": ("arcface", "iresnet100"),
    "faces/arcface_iresnet50": ("arcface", "iresnet50"),
    "faces/arcface_mobilefacenet": ("mobilefacenet", "mbf"),
    "faces/facenet_vggface2": ("facenet", "vggface2"),
    "faces/mtcnn_onet": ("mtcnn", "onet"),
    "faces/mtcnn_pnet": ("mtcnn", "pnet"),
    "faces/mtcnn_rnet": ("mtcnn", "rnet"),
    "faces/retinaface_mobilenet025": ("retinaface", "mobilenet0.25"),
    "fashn_vton/fashn_human_parser": ("segformer", "b4-fashn"),
    "fashn_vton/fashn_vton": ("fashn_vton", "v1.5"),
    "fashn_vton/fashn_vton_tiny": ("fashn_vton", "custom"),
    "gfpgan/GFPGANv1.4": ("gfpgan", "GFPGANv1Clean"),
    "gfpgan/GFPGANv1": ("gfpgan", "GFPGANv1"),
    "graphonomy/inference": ("graphonomy", "transfer"),
    "hr_viton/hr_viton_gen": ("hr_viton", "generator"),
    "hr_viton/hr_viton_tocg": ("hr_viton", "condition-generator"),
    "hrnet_pose/hrnet_w48_coco_256x192_mmpose": ("hrnet_pose", "w48"),
    "hrnet_pose/w48_coco_256x192": ("hrnet_pose", "w48"),
    "hrnet_pose/w48_coco_384x288": ("hrnet_pose", "w48"),
    "idm_vton/idm_vton_tiny": ("idm_vton", "tryon-and-garment-unet"),
    "idm_vton/idm_vton_unet": ("idm_vton", "tryon-unet"),
    "idm_vton/idm_vton_unet_encoder": ("stable_diffusion", "sdxl-unet"),
    "ladi_vton/ladi_vton_refinement": ("ladi_vton", "refinement"),
    "ladi_vton/ladi_vton_tps": ("ladi_vton", "tps"),
    "leffa/leffa_pose_transfer": ("leffa", "pose-transfer"),
    "leffa/leffa_tiny": ("leffa", "virtual-tryon"),
    "leffa/leffa_virtual_tryon": ("leffa", "virtual-tryon"),
    "lpips/lpips_alex": ("lpips", "alex"),
    "lpips/lpips_alex_lin": ("lpips", "alex"),
    "lpips/lpips_vgg": ("lpips", "vgg"),
    "lpips/lpips_vgg_lin": ("lpips", "vgg"),
    "mobile_sam/mobile_sam": ("mobile_sam", "vit_t"),
    "music_dance/edge_baseline": ("edge", "baseline"),
    "music_dance/edge_jukebox": ("edge", "jukebox"),
    "ootdiffusion/ootd_unet_garm": ("stable_diffusion", "sd15-unet"),
    "ootdiffusion/ootd_unet_vton": ("ootdiffusion", "unet-vton"),
    "openpose/body_pose_model": ("openpose", "coco"),
    "openpose/hand_pose_model": ("openpose", "hand"),
    "raft/raft_things": ("raft", "large"),
    "rrdb/RRDB_ESRGAN_x4": ("rrdb", "RRDB_ESRGAN_x4"),
    "rrdb/RRDB_ESRGAN_x4_old_arch": ("rrdb", "RRDB_ESRGAN_x4_old_arch"),
    "rrdb/RealESRGAN_x2plus": ("rrdb", "RealESRGAN_x2plus"),
    "rrdb/RealESRGAN_x4plus": ("rrdb", "RealESRGAN_x4plus"),
    "rrdb/realesr-general-x4v3": ("srvgg", "realesr-general-x4v3"),
    "sam/sam_vit_b_01ec64": ("sam", "vit_b"),
    "sam/sam_vit_h_4b8939": ("sam", "vit_h"),
    "schp/atr": ("schp", "atr"),
    "schp/lip": ("schp", "lip"),
    "segformer/b2_clothes": ("segformer", "b2-clothes"),
    "stable_diffusion/controlnet_diffusers": ("stable_diffusion", "sd15-controlnet"),
    "stable_diffusion/controlnet_v11_sd15": ("stable_diffusion", "sd15-controlnet"),
    "stable_diffusion/lora_diffusers_peft_sd15": ("stable_diffusion", "sd15-lora"),
    "stable_diffusion/lora_kohya_sd15": ("stable_diffusion", "sd15-lora"),
    "stable_diffusion/lora_kohya_sdxl": ("stable_diffusion", "sdxl-lora"),
    "stable_diffusion/sd15_inpainting_single_file": ("stable_diffusion", "sd15-inpainting"),
    "stable_diffusion/sd15_inpainting_unet_diffusers": ("stable_diffusion", "sd15-inpainting-unet"),
    "stable_diffusion/sd15_single_file": ("stable_diffusion", "sd15"),
    "stable_diffusion/sd15_text_encoder": ("clip", "ViT-L-14-text"),
    "stable_diffusion/sd15_unet_diffusers": ("stable_diffusion", "sd15-unet"),
    "stable_diffusion/sd21_single_file": ("stable_diffusion", "sd21"),
    "stable_diffusion/sdxl_single_file": ("stable_diffusion", "sdxl"),
    "stable_diffusion/sdxl_unet_diffusers": ("stable_diffusion", "sdxl-unet"),
    "stable_diffusion/vae_diffusers": ("stable_diffusion", "vae"),
    "stable_diffusion/vae_diffusers_deprecated": ("stable_diffusion", "vae"),
    "stable_diffusion/vae_ldm_standalone": ("stable_diffusion", "vae"),
    "swinir/swinir_classical_M_x2": ("swinir", "classicalSR_M_x2"),
    "swinir/swinir_realsr_L_x4": ("swinir", "realSR_L_x4"),
    "torchvision/alexnet": ("alexnet", "alexnet"),
    "torchvision/densenet121": ("densenet", "densenet121"),
    "torchvision/resnet101": ("resnet", "resnet101"),
    "torchvision/resnet152": ("resnet", "resnet152"),
    "torchvision/resnet34": ("resnet", "resnet34"),
    "torchvision/resnet50": ("resnet", "resnet50"),
    "torchvision/vgg16": ("vgg", "vgg16"),
    "torchvision/vgg19": ("vgg", "vgg19"),
    "u2net/cloth_segm_u2net_latest": ("u2net", "cloth-segm"),
    "u2net/u2net": ("u2net", "u2net"),
    "viton_hd/viton_hd_alias": ("viton_hd", "alias"),
    "viton_hd/viton_hd_gmm": ("viton_hd", "gmm"),
    "viton_hd/viton_hd_seg": ("viton_hd", "seg"),
    "yolov8_pose/yolov8m-pose": ("yolov8", "yolov8m-pose"),
    "yolov8_pose/yolov8n": ("yolov8", "yolov8n"),
}
"""The golden -> family and variant. Files of other systems that hold a plain diffusion network
are called by what they are; `also` names the systems."""

LINEAR_HEADS = {"lpips/lpips_alex_lin": 1152, "lpips/lpips_vgg_lin": 1472}
"""Manifests that count the parameters of the whole module, not of the file."""

VARIED = (
    "schp/lip",
    "hrnet_pose/w48_coco_256x192",
    "cp_vton/cp_vton_tom",
    "rrdb/RealESRGAN_x4plus",
    "openpose/body_pose_model",
    "yolov8_pose/yolov8n",
    "lpips/lpips_alex_lin",
    "torchvision/resnet50",
)
"""Goldens of different key styles, for the wrappers."""

WRAPPERS = (
    "state_dict",
    "model",
    "params",
    "params_ema",
    "net",
    "generator",
    "ema",
    "state_dict_ema",
)
PREFIXES = ("module.", "model.", "_orig_mod.", "backbone.", "module.model.", "_orig_mod.module.")


def tensors(name: str, prefix: str = "", dtype: str = "") -> dict[str, Tensor]:
    """A golden's state dict, without values; `dtype` instead of its floating ones."""
    return {
        prefix + key: Tensor(dtype if dtype and own.startswith("float") else own, shape)
        for key, own, shape in golden_files.tensors(name)
    }


def published(name: str) -> Any:
    """What the published file of a golden holds."""
    manifest = golden_files.manifest(name)
    nested: Any = tensors(name, manifest.get("prefix", ""))
    for key in reversed(manifest.get("wrapper", [])):
        nested = {key: nested}
    return nested


def analysed(path: Path, thing: Any) -> CheckpointAnalysis:
    """What is said of a torch zip file that holds a thing."""
    write_torch_zip(path, thing)
    return inspect(path)


def named(analysis: CheckpointAnalysis) -> tuple[str | None, str | None, Any]:
    """Which network it is, with its configuration and its parameters."""
    return analysis.family, analysis.variant, (analysis.config, analysis.parameters)


def test_every_golden_is_in_the_table() -> None:
    assert set(NAMES) == set(golden_files.names())


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_as_published_is_called_by_its_name(name: str, tmp_path: Path) -> None:
    manifest = golden_files.manifest(name)
    analysis = analysed(tmp_path / "file.pth", published(name))
    assert (analysis.family, analysis.variant) == NAMES[name]
    assert (analysis.missing, analysis.unused, analysis.misshapen) == ((), (), ())
    assert analysis.wrapper == ".".join(manifest.get("wrapper", []))
    assert analysis.prefix == manifest.get("prefix", "")
    assert analysis.parameters == LINEAR_HEADS.get(name, manifest["parameters"])
    assert analysis.findings == ()
    assert analysis.confidence >= 0.7


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("name", VARIED)
def test_a_wrapper_is_told_and_changes_nothing(name: str, wrapper: str, tmp_path: Path) -> None:
    bare = analysed(tmp_path / "bare.pth", tensors(name))
    wrapped = analysed(tmp_path / "wrapped.pth", {wrapper: tensors(name)})
    assert named(wrapped) == named(bare)
    assert wrapped.wrapper == wrapper


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("name", VARIED)
def test_a_prefix_is_told_and_changes_nothing(name: str, prefix: str, tmp_path: Path) -> None:
    bare = analysed(tmp_path / "bare.pth", tensors(name))
    prefixed = analysed(tmp_path / "prefixed.pth", tensors(name, prefix))
    assert named(prefixed) == named(bare)
    assert prefixed.prefix == prefix + bare.prefix


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", VARIED)
def test_half_precision_changes_nothing_but_the_precision(
    name: str, dtype: str, tmp_path: Path
) -> None:
    half = analysed(tmp_path / "half.pth", tensors(name, dtype=dtype))
    assert (half.family, half.variant) == NAMES[name]
    assert half.precision == dtype


@pytest.mark.parametrize("name", VARIED)
def test_every_format_gives_the_same_answer(name: str, tmp_path: Path) -> None:
    state, listed = tensors(name), golden_files.tensors(name)
    expected = named(analysed(tmp_path / "zip.pth", state))
    write_torchscript(tmp_path / "script.pt", state)
    write_torch_zip(tmp_path / "module.pt", {"model": module_tree(tensors(name)), "epoch": -1})
    write_torch_legacy(tmp_path / "legacy.pth", state)
    write_safetensors(tmp_path / "m.safetensors", listed)
    write_sharded(tmp_path / "sharded", listed, 3)
    assert all(dtype in STORAGE_CLASS for _, dtype, _ in listed)
    formats = {
        "script.pt": "torchscript",
        "module.pt": "torch-zip",
        "legacy.pth": "torch-legacy",
        "m.safetensors": "safetensors",
        "sharded": "safetensors-sharded",
    }
    (tmp_path / "sharded" / "config.json").write_text("{}")
    for file, format_ in formats.items():
        analysis = inspect(tmp_path / file)
        assert (analysis.format, named(analysis)) == (format_, expected), file


def test_a_tar_of_old_torch_gives_the_same_answer(tmp_path: Path) -> None:
    write_torch_tar(tmp_path / "old.pth", tensors("faces/mtcnn_onet"))
    analysis = inspect(tmp_path / "old.pth")
    assert (analysis.format, analysis.family) == ("torch-tar", "mtcnn")


@pytest.mark.parametrize("name", VARIED)
def test_training_state_beside_the_weights_is_a_leftover(name: str, tmp_path: Path) -> None:
    state = {"state": {0: {"exp_avg": Tensor("float32", (64, 3))}}, "param_groups": [{"lr": 0.1}]}
    thing = {"epoch": 3, "state_dict": tensors(name), "optimizer": state}
    analysis = analysed(tmp_path / "training.pth", thing)
    assert (analysis.family, analysis.variant) == NAMES[name]
    assert [finding.kind for finding in analysis.findings] == ["leftover"]
    assert analysis.values["epoch"] == 3


@pytest.mark.parametrize("name", VARIED)
def test_counters_of_batch_norms_may_be_absent(name: str, tmp_path: Path) -> None:
    state = {
        key: tensor for key, tensor in tensors(name).items() if "num_batches_tracked" not in key
    }
    expected = named(analysed(tmp_path / "with.pth", tensors(name)))
    assert named(analysed(tmp_path / "without.pth", state)) == expected


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_golden_in_every_wrapper(name: str, tmp_path: Path) -> None:
    path = tmp_path / "file.pth"
    expected = named(analysed(path, tensors(name)))
    for wrapper in WRAPPERS:
        assert named(analysed(path, {wrapper: tensors(name)})) == expected, wrapper
    for prefix in PREFIXES:
        assert named(analysed(path, tensors(name, prefix))) == expected, prefix
    write_torchscript(path, tensors(name))
    assert named(inspect(path)) == expected
    write_torch_zip(path, {"model": module_tree(tensors(name))})
    assert named(inspect(path)) == expected
