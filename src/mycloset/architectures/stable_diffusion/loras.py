"""LoRAs: low-rank changes to a UNet and its text towers, as trainers write them.

A LoRA may change any modules of its base, so there is no one list of keys: each module found is
looked up among those of the bases that are known, and its tensors must fit it.
"""

from __future__ import annotations

from collections import Counter

from mycloset.architectures.family import Claim, NotThisError, Shape, Shapes, require
from mycloset.architectures.stable_diffusion.lora_modules import BASES, Base
from mycloset.architectures.stable_diffusion.lora_spellings import Module, read_modules


def read(shapes: Shapes) -> Claim:
    """Say what a LoRA is: of which base, of what rank.

    Raises:
        NotThisError: it is none, or its modules are those of no UNet.
    """
    modules, others, spelling = read_modules(shapes)
    require(bool(modules), "no pair of low-rank matrices")
    base, known, rivals = _base(modules)
    tensors: dict[str, Shape] = {}
    ranks: Counter[int] = Counter()
    wide: Counter[int] = Counter()
    sizes = base.modules if base is not None else {}
    for name in known:
        _expect(modules[name], sizes.get(name), tensors, ranks, wide)
    for key in others:
        tensors[key] = shapes[key]
    if tensors.keys() == shapes.keys():  # Whole: in the file's order.
        tensors = {key: tensors[key] for key in shapes}
    towers = sorted({tower for name in known if (tower := _tower(name))})
    rank = ranks.most_common(1)[0][0] if ranks else None
    conv_rank = wide.most_common(1)[0][0] if wide else None
    config = {
        "base": base.name if base is not None else None,
        "rank": rank,
        "ranks": sorted({*ranks, *wide}),
        "conv_rank": conv_rank,
        "unet_modules": sum(not _tower(name) for name in known),
        "text_encoder_modules": sum(bool(_tower(name)) for name in known),
        "text_encoders": towers,
    }
    title = base.title if base is not None else "Stable Diffusion of other widths"
    told = f"LoRA of rank {rank}" if rank is not None else "LyCORIS change"
    first = modules[next(iter(known))]
    key, shape = next(iter(first.values())) if "down" not in first else first["down"]
    return Claim(
        variant=f"{base.name if base is not None else 'custom'}-lora",
        title=f"{told} for {title}",
        config=config,
        tensors=tensors,
        layout=spelling,
        evidence=(
            f"`{key}` is {list(shape)}: rank {rank}"
            if rank is not None
            else f"`{key}` is {list(shape)}",
            f"{len(known)} modules of {title}'s networks, each with matrices that fit it",
        ),
        undecidable=(
            *((f"its base: {', '.join(rivals)} have these modules, too",) if rivals else ()),
            "which fine-tune of its base it was trained on",
        ),
        task="fine-tuning of image generation",
        licence="",
        buffers=frozenset(key for key in tensors if key.endswith(".alpha")),
        confidence=(0.95 if not others else 0.85) if base is not None else 0.8,
    )


def _base(modules: dict[str, Module]) -> tuple[Base | None, list[str], list[str]]:
    """The base whose modules fit best, the names that it has, other bases that fit as well."""
    scores: list[tuple[int, Base, list[str]]] = []
    for base in BASES:
        sizes = base.modules
        known = [name for name in modules if name in sizes]
        scores.append((sum(_fits(modules[name], sizes[name]) for name in known), base, known))
        if scores[-1][0] == len(modules) and any("attn2_to_k" in name for name in known):
            break  # Only one base has text tokens of that many features.
    most = max(score for score, _, _ in scores)
    if most >= max(1, len(modules) // 2):
        best = [(base, known) for score, base, known in scores if score == most]
        return best[0][0], best[0][1], [base.name for base, _ in best[1:]]
    tables = [base.modules for base in BASES]
    named = [name for name in modules if any(name in sizes for sizes in tables)]
    require(2 * len(named) >= len(modules), "its modules are not those of a Stable Diffusion UNet")
    paired = [name for name in named if _paired(modules[name])]
    if not paired:
        raise NotThisError("its matrices make no pairs")
    return None, paired, []


def _fits(module: Module, size: Shape) -> bool:
    """Whether a module's matrices go into a weight of that shape."""
    down, up = module.get("down"), module.get("up")
    if down is None and up is None:
        return True
    return (down is None or (len(down[1]) > 1 and down[1][1] == size[1])) and (
        up is None or (len(up[1]) > 1 and up[1][0] == size[0])
    )


def _paired(module: Module) -> bool:
    down, up = module.get("down"), module.get("up")
    return (
        down is not None
        and up is not None
        and len(down[1]) > 1
        and len(up[1]) > 1
        and down[1][0] == up[1][1]
    )


def _expect(
    parts: Module,
    size: Shape | None,
    tensors: dict[str, Shape],
    ranks: Counter[int],
    wide: Counter[int],
) -> None:
    """Add the tensors that the module has to have, by its rank and its base's weight."""
    down, up = parts.get("down"), parts.get("up")
    if down is None and up is None:
        for key, shape in parts.values():
            tensors[key] = shape
        return
    if size is not None and len(size) == 2 and down is not None and up is not None:
        # The common case first: files hold hundreds of linear layers.
        rank = down[1][0] if down[1] else 0
        ranks[rank] += 1
        tensors[down[0]] = (rank, size[1])
        tensors[up[0]] = (size[0], rank)
        if len(parts) > 2:
            for part, (key, found) in parts.items():
                if part not in ("down", "up"):
                    tensors[key] = found if found == (1,) or part != "alpha" else ()
        return
    shape = down[1] if down is not None else up[1] if up is not None else ()
    rank = shape[0] if down is not None and shape else shape[1] if len(shape) > 1 else 0
    if size is None:
        size = _own_size(parts)
    kernel = size[2:]
    flat = len(shape) == 2
    ones = (1,) * len(kernel)
    wanted: dict[str, Shape] = {
        "down": (rank, size[1]) if flat else (rank, size[1], *(ones if "mid" in parts else kernel)),
        "up": (size[0], rank) if flat else (size[0], rank, *ones),
        "mid": (rank, rank, *kernel),
    }
    (wide if any(side > 1 for side in kernel) else ranks)[rank] += 1
    for part in ("down", "up"):
        if part in parts:
            tensors[parts[part][0]] = wanted[part]
        else:
            other, there = ("up", "down") if part == "up" else ("down", "up")
            tensors[_sibling(parts[there][0], there, other)] = wanted[part]
    for part, (key, found) in parts.items():
        if part == "mid":
            tensors[key] = wanted["mid"]
        elif part == "alpha":
            tensors[key] = found if found == (1,) else ()
        elif part not in wanted:
            tensors[key] = found


def _own_size(parts: dict[str, tuple[str, Shape]]) -> Shape:
    down, up = parts["down"][1], parts["up"][1]
    return (up[0], down[1], *(parts["mid"][1] if "mid" in parts else down)[2:])


def _sibling(key: str, there: str, other: str) -> str:
    """The key of the other matrix of the pair."""
    if ".lora_A" in key or ".lora_B" in key:
        letters = {"down": "A", "up": "B"}
        return key.replace(f".lora_{letters[there]}", f".lora_{letters[other]}")
    head, _, tail = key.rpartition(there)
    return head + other + tail


def _tower(name: str) -> str:
    """Which text tower a flat module name is of; "" for the UNet."""
    head = name.partition("_")[0]
    return head if head in ("te", "te1", "te2") else ""
