"""Textual inversions: a few learned tokens of a text tower.

Sources: AUTOMATIC1111/stable-diffusion-webui ("emb_params", "string_to_param"), kohya-ss
(SDXL's "clip_l" and "clip_g").
"""

from __future__ import annotations

from mycloset.architectures.family import Claim, NotThisError, Shapes, require

MARKERS: tuple[tuple[str, ...], ...] = (("emb_params",), ("clip_l", "clip_g"), ("*",))
_BASES = {768: "sd15", 1024: "sd21", 1280: "sdxl"}
_MOST_TOKENS = 1024


def there(shapes: Shapes) -> bool:
    """Whether the table's few keys are those of a textual inversion."""
    return len(shapes) <= 3 and any(all(key in shapes for key in group) for group in MARKERS)


def read(shapes: Shapes) -> Claim:
    """Say what a textual inversion is.

    Raises:
        NotThisError: its tensors are no tokens of a known text tower.
    """
    keys = next((group for group in MARKERS if all(key in shapes for key in group)), ())
    found = {key: shapes[key] for key in keys}
    widths = []
    for key, shape in found.items():
        require(len(shape) == 2, f"`{key}` is {list(shape)}, not tokens by features")
        require(0 < shape[0] <= _MOST_TOKENS, f"`{key}` has {shape[0]} tokens")
        widths.append(shape[1])
    base = "sdxl" if widths == [768, 1280] else _BASES.get(widths[0] if len(widths) == 1 else 0, "")
    if not base:
        raise NotThisError(f"no text tower has features {widths}")
    tokens = found[keys[0]][0]
    return Claim(
        variant=f"{base}-embedding",
        title=f"textual inversion of {tokens} token{'s' if tokens > 1 else ''}",
        config={"tokens": tokens, "widths": widths},
        tensors=found,
        layout="textual inversion",
        evidence=(f"`{keys[0]}` is {list(found[keys[0]])}: tokens of {widths[0]} features",),
        undecidable=("which words it stands for",),
        task="prompt embedding",
        licence="",
        confidence=0.9,
    )
