"""How trainers spell a LoRA's keys.

kohya: `lora_unet_<module with underscores>.lora_down.weight`, also LyCORIS' `hada_…` and `lokr_…`;
PEFT: `unet.<module>.lora_A.weight`; diffusers: `unet.<module>.lora.down.weight`, before 0.21
`<attention>.processor.to_q_lora.down.weight`.
"""

from __future__ import annotations

from collections.abc import Iterator

from mycloset.architectures.family import Shape, Shapes
from mycloset.architectures.stable_diffusion.lora_modules import MARKED

_ROLES = {
    "lora_down.weight": "down",
    "lora_up.weight": "up",
    "lora_mid.weight": "mid",
    "lora_A.weight": "down",
    "lora_B.weight": "up",
    "lora_A.default.weight": "down",
    "lora_B.default.weight": "up",
    "lora.down.weight": "down",
    "lora.up.weight": "up",
    "lora_linear_layer.down.weight": "down",
    "lora_linear_layer.up.weight": "up",
    "alpha": "alpha",
    "dora_scale": "scale",
    "lora_magnitude_vector": "scale",
}
_OTHERS = ("hada_", "lokr_", "oft_", "diff", "scale", "on_input")
"""How the roles of LyCORIS' other kinds begin; their tensors are taken as they are."""
_MARKED_ENDS = (".lora_A.weight", ".lora.down.weight")


def _markers() -> Iterator[tuple[str, ...]]:
    for name in MARKED:
        flat = name.replace(".", "_")
        for end in (".lora_down.weight", ".hada_w1_a"):
            yield (f"lora_unet_{flat}{end}",)
        if name.startswith(("input", "middle", "output")):
            continue
        block, _, attention = name.rpartition(".")
        for start in ("unet.", "", "base_model.model."):
            for end in _MARKED_ENDS:
                yield (f"{start}{name}{end}",)
        for start in ("unet.", ""):
            yield (f"{start}{block}.processor.{attention}_lora.down.weight",)
    for tower in ("lora_te", "lora_te1", "lora_te2"):
        for part in ("self_attn_q_proj", "mlp_fc1"):
            yield (f"{tower}_text_model_encoder_layers_0_{part}.lora_down.weight",)
    for tower in ("text_encoder.", "text_encoder_2."):
        layer = f"{tower}text_model.encoder.layers.0.self_attn.q_proj"
        for end in (*_MARKED_ENDS, ".lora_linear_layer.down.weight"):
            yield (layer + end,)


Module = dict[str, tuple[str, Shape]]
"""The tensors that a file has for one module: role -> key and shape."""

MARKERS: tuple[tuple[str, ...], ...] = tuple(_markers())


def read_modules(shapes: Shapes) -> tuple[dict[str, Module], list[str], str]:
    """Modules by flat name ("unet_down_blocks_0…"), keys of other roles, and the spelling."""
    found: dict[str, Module] = {}
    others: list[str] = []
    spelling = ""
    for key, shape in shapes.items():
        if key.startswith("lora_"):
            module, _, role = key.partition(".")
            name = module[5:]
            part = _ROLES.get(role)
            spelling = spelling or "kohya"
        else:
            name, part, written = _dotted(key)
            spelling = spelling or written
            role = ""
        if part is None:
            if role.startswith(_OTHERS):
                others.append(key)
                part = role
            else:
                continue
        place = found.get(name)
        if place is None:
            found[name] = place = {}
        place[part] = (key, shape)
    return found, others, spelling


def _dotted(key: str) -> tuple[str, str | None, str]:
    """Flat name of the module, role, spelling."""
    if key.startswith("base_model.model."):
        key = key[17:]
    found = next(((end, part, told) for end, part, told in _ENDS if key.endswith(end)), None)
    if found is None:
        return "", None, ""
    end, part, spelling = found
    name = key[: -len(end)]
    if ".processor." in name or name.endswith("_lora"):
        name = name.replace(".processor.", ".").removesuffix("_lora")
        name = name.replace(".to_out", ".to_out.0") if name.endswith(".to_out") else name
        spelling = "diffusers<0.21"
    tower, dot, rest = name.partition(".")
    if tower == "text_encoder":
        return "te_" + rest.replace(".", "_"), part, spelling
    if tower == "text_encoder_2":
        return "te2_" + rest.replace(".", "_"), part, spelling
    if tower == "unet" and dot:
        name = rest
    return "unet_" + name.replace(".", "_"), part, spelling


_ENDS = (
    (".lora_A.weight", "down", "peft"),
    (".lora_B.weight", "up", "peft"),
    (".lora_A.default.weight", "down", "peft"),
    (".lora_B.default.weight", "up", "peft"),
    (".lora.down.weight", "down", "diffusers"),
    (".lora.up.weight", "up", "diffusers"),
    (".lora_linear_layer.down.weight", "down", "diffusers"),
    (".lora_linear_layer.up.weight", "up", "diffusers"),
    ("_lora.down.weight", "down", "diffusers<0.21"),
    ("_lora.up.weight", "up", "diffusers<0.21"),
    (".alpha", "alpha", ""),
    (".lora_magnitude_vector", "scale", "peft"),
)
