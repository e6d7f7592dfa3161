"""The published models of CLIP, and the files in which OpenAI's lie."""

from __future__ import annotations

from typing import NamedTuple

from mycloset.architectures.clip.towers import ResNetTower, TextTower, VisionTower
from mycloset.architectures.family import Published


class Example(NamedTuple):
    """One published model.

    Attributes:
        text: its text tower.
        vision: its picture tower.
        openai: whether it is OpenAI's, or else OpenCLIP's.
    """

    text: TextTower
    vision: VisionTower | ResNetTower
    openai: bool = True


def _text(width: int, embedding: int, layers: int = 12) -> TextTower:
    return TextTower(width, 4 * width, layers, projection=embedding)


def _vit(width: int, layers: int, patch: int, embedding: int, pixels: int = 224) -> VisionTower:
    places = (pixels // patch) ** 2 + 1
    hidden = {1408: 6144, 1664: 8192}.get(width, 4 * width)
    return VisionTower(width, hidden, layers, patch, places, projection=embedding)


def _resnet(
    width: int, blocks: tuple[int, int, int, int], embedding: int, pixels: int
) -> ResNetTower:
    return ResNetTower(width, blocks, (pixels // 32) ** 2 + 1, embedding)


EXAMPLES = (
    Example(_text(512, 512), _vit(768, 12, 32, 512)),
    Example(_text(512, 512), _vit(768, 12, 16, 512)),
    Example(_text(768, 768), _vit(1024, 24, 14, 768)),
    Example(_text(768, 768), _vit(1024, 24, 14, 768, 336)),
    Example(_text(512, 1024), _resnet(64, (3, 4, 6, 3), 1024, 224)),
    Example(_text(512, 512), _resnet(64, (3, 4, 23, 3), 512, 224)),
    Example(_text(640, 640), _resnet(80, (4, 6, 10, 6), 640, 288)),
    Example(_text(768, 768), _resnet(96, (6, 8, 18, 8), 768, 384)),
    Example(_text(1024, 1024), _resnet(128, (3, 15, 36, 10), 1024, 448)),
    Example(_text(1024, 1024, 24), _vit(1280, 32, 14, 1024), openai=False),
    Example(_text(1280, 1280, 32), _vit(1664, 48, 14, 1280), openai=False),
)

_SHA256 = {
    "RN50": "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762",
    "RN101": "8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599",
    "RN50x4": "7e526bd135e493cef0776de27d5f42653e6b4c8bf9e0f653bb11773263205fdd",
    "RN50x16": "52378b407f34354e150460fe41077663dd5b39c54cd0bfd2b27167a4a06ec9aa",
    "RN50x64": "be1cfb55d75a9666199fb2206c106743da0f6468c9d327f3e0d0a543a9919d9c",
    "ViT-B-32": "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af",
    "ViT-B-16": "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f",
    "ViT-L-14": "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836",
    "ViT-L-14-336px": "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02",
}
"""Of OpenAI's files; each is also the folder in the file's address (clip/clip.py)."""

PUBLISHED = (
    *(Published(f"{name}.pt", name, sha256) for name, sha256 in _SHA256.items()),
    Published("clip_vit_b32*", "ViT-B-32"),
    Published("clip_vit_b_32*", "ViT-B-32"),
    Published("clip_vit_l14*", "ViT-L-14"),
    Published("clip_vit_l_14*", "ViT-L-14"),
)
