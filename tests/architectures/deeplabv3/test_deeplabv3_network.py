"""DeepLabv3 networks against torchvision's, with classes and dilations of others."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torchvision.models.segmentation import deeplabv3_resnet50

import mycloset


@pytest.mark.parametrize("auxiliary", [True, False])
def test_another_depth_and_class_count_gives_what_torchvision_gives(
    auxiliary: bool, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    reference = deeplabv3_resnet50(
        weights=None, weights_backbone=None, num_classes=4, aux_loss=auxiliary
    ).eval()
    torch.save(reference.state_dict(), tmp_path / "m.pth")
    model = mycloset.load(tmp_path / "m.pth")
    image = torch.randn(1, 3, 65, 97)
    with torch.inference_mode():
        expected, found = reference(image), model.network.at_full_size(image)
    assert found.keys() == expected.keys()
    for name, logits in expected.items():
        assert torch.allclose(found[name], logits, atol=1e-5, rtol=1e-4)
