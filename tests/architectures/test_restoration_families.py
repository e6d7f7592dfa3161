"""Families of segmentation, restoration and quality tell each other's files apart."""

from __future__ import annotations

import pytest

import golden_files
from family_checks import takes_for_its_own
from mycloset.architectures.clip.layout import FAMILY as CLIP
from mycloset.architectures.codeformer.layout import FAMILY as CODEFORMER
from mycloset.architectures.dpt.layout import FAMILY as DPT
from mycloset.architectures.family import Family
from mycloset.architectures.gfpgan.layout import FAMILY as GFPGAN
from mycloset.architectures.lpips.layout import FAMILY as LPIPS
from mycloset.architectures.mobile_sam.layout import FAMILY as MOBILE_SAM
from mycloset.architectures.rrdb.layout import FAMILY as RRDB
from mycloset.architectures.sam.layout import FAMILY as SAM
from mycloset.architectures.srvgg.layout import FAMILY as SRVGG
from mycloset.architectures.swinir.layout import FAMILY as SWINIR

FAMILIES = (CLIP, CODEFORMER, DPT, GFPGAN, LPIPS, MOBILE_SAM, RRDB, SAM, SRVGG, SWINIR)
OTHERWISE = {
    "rrdb/realesr-general-x4v3": "srvgg",
    "champ/image_encoder_clip_vit_l14": "clip",
    "stable_diffusion/sd15_text_encoder": "clip",
}
"""Goldens that lie in another family's folder."""


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_takes_its_own_files_and_no_others(family: Family) -> None:
    taken = {
        name
        for name in golden_files.names()
        if takes_for_its_own(family, golden_files.shapes(name))
    }
    assert taken == {
        name
        for name in golden_files.names()
        if OTHERWISE.get(name, name.partition("/")[0]) == family.name
    }
