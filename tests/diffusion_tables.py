"""Tables for tests of the diffusion families' layouts: goldens, and copies that were damaged."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

import golden_files
from mycloset.architectures.comparison import Comparison, compare
from mycloset.architectures.family import Claim, Family, NotThisError, Shape

GOLDENS: dict[str, str] = {
    "animatediff/mm_sd_v15": "animatediff v1",
    "animatediff/mm_sd_v15_v2": "animatediff v2",
    "animatediff/motion_block_640": "animatediff motion-module",
    "catvton/catvton_attention": "catvton attention",
    "catvton/catvton_attention_tiny": "catvton attention",
    "catvton/catvton_unet": "stable_diffusion sd15-inpainting-unet",
    "catvton/catvton_unet_tiny": "stable_diffusion sd1-custom-inpainting-unet",
    "champ/champ_tiny": "champ model",
    "champ/champ_tiny_pipeline": "champ model",
    "champ/denoising_unet": "stable_diffusion sd15-unet",
    "champ/denoising_unet_motion": "champ denoising-unet",
    "champ/guidance_encoder": "champ guidance-encoder",
    "champ/motion_module": "animatediff v2",
    "champ/motion_module_block_320": "animatediff motion-module",
    "champ/reference_unet": "champ reference-unet",
    "fashn_vton/fashn_vton": "fashn_vton v1.5",
    "fashn_vton/fashn_vton_tiny": "fashn_vton custom",
    "idm_vton/idm_vton_tiny": "idm_vton tryon-and-garment-unet",
    "idm_vton/idm_vton_unet": "idm_vton tryon-unet",
    "idm_vton/idm_vton_unet_encoder": "stable_diffusion sdxl-unet",
    "leffa/leffa_pose_transfer": "leffa pose-transfer",
    "leffa/leffa_tiny": "leffa virtual-tryon",
    "leffa/leffa_virtual_tryon": "leffa virtual-tryon",
    "ootdiffusion/ootd_unet_garm": "stable_diffusion sd15-unet",
    "ootdiffusion/ootd_unet_vton": "ootdiffusion unet-vton",
    "stable_diffusion/controlnet_diffusers": "stable_diffusion sd15-controlnet",
    "stable_diffusion/controlnet_v11_sd15": "stable_diffusion sd15-controlnet",
    "stable_diffusion/lora_diffusers_peft_sd15": "stable_diffusion sd15-lora",
    "stable_diffusion/lora_kohya_sd15": "stable_diffusion sd15-lora",
    "stable_diffusion/lora_kohya_sdxl": "stable_diffusion sdxl-lora",
    "stable_diffusion/sd15_inpainting_single_file": "stable_diffusion sd15-inpainting",
    "stable_diffusion/sd15_inpainting_unet_diffusers": "stable_diffusion sd15-inpainting-unet",
    "stable_diffusion/sd15_single_file": "stable_diffusion sd15",
    "stable_diffusion/sd15_unet_diffusers": "stable_diffusion sd15-unet",
    "stable_diffusion/sd21_single_file": "stable_diffusion sd21",
    "stable_diffusion/sdxl_single_file": "stable_diffusion sdxl",
    "stable_diffusion/sdxl_unet_diffusers": "stable_diffusion sdxl-unet",
    "stable_diffusion/vae_diffusers": "stable_diffusion vae",
    "stable_diffusion/vae_diffusers_deprecated": "stable_diffusion vae",
    "stable_diffusion/vae_ldm_standalone": "stable_diffusion vae",
}
"""Golden -> family and variant."""


def goldens_of(family: str) -> list[str]:
    """The goldens that are the family's."""
    return [name for name, said in GOLDENS.items() if said.split()[0] == family]


def opinion(family: Family, table: Mapping[str, Shape]) -> tuple[Claim, Comparison] | None:
    """What a family says of a table if it is asked; None where it is not, or declines."""
    if not any(all(key in table for key in group) for group in family.markers):
        return None
    try:
        claim = family.read(table)
    except NotThisError:
        return None
    return claim, compare(claim, table)


def damaged(*names: str) -> st.SearchStrategy[dict[str, Shape]]:
    """Golden tables with a few tensors left out and a few of foreign shapes."""
    return st.sampled_from(names).flatmap(_damaged)


def _damaged(name: str) -> st.SearchStrategy[dict[str, Shape]]:
    table = golden_files.shapes(name)
    keys = st.sampled_from(list(table))
    size = st.one_of(st.integers(-2, 5), st.sampled_from([0, 1 << 19, 1 << 40]))
    odd = st.lists(size, max_size=5).map(tuple)
    return st.builds(
        lambda absent, changed: {
            key: changed.get(key, shape) for key, shape in table.items() if key not in absent
        },
        st.sets(keys, max_size=6),
        st.dictionaries(keys, odd, max_size=12),
    )
