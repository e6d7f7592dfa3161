"""Adapters that were trained into a network and not merged: PEFT's and loralib's wrapped layers.

PEFT (`peft/tuners/lora/layer.py`, `peft/utils/other.py`) keeps a wrapped layer's own weight under
`base_layer` and its matrices beside it by the adapter's name (`q_proj.lora_A.default.weight`); a
module that is trained whole lies under `original_module` and again under `modules_to_save.NAME`.
loralib writes `lora_A` and `lora_B` into the layer itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mycloset.checkpoints.tensors import TensorEntry, TensorTable

_SIGNS = (".base_layer.", ".lora_A", ".modules_to_save.")
_ADAPTER = re.compile(
    r"\.(?:lora_(?:A|B|E|embedding_A|embedding_B|ranknum|magnitude_vector)|ia3_l"
    r"|hada_\w+|lokr_\w+|vera_\w+|oft_\w+|boft_\w+|modules_to_save)(?:\.|$)"
)
_NAME = re.compile(r"(\.lora_(?:A|B|embedding_A|embedding_B)|\.modules_to_save)\.(\w+)(?=\.|$)")
_WRAPPING = re.compile(r"\.(?:base_layer|original_module)(?=\.)")


@dataclass(frozen=True)
class Adapted:
    """A network and what was trained beside it.

    Attributes:
        base: the network's own tensors by the names that they have without adapters; empty where
            the file holds the adapter only.
        adapter: the adapter's tensors, without the adapter's name in their keys.
        ranks: of its low-rank matrices, the most frequent first.
    """

    base: TensorTable
    adapter: TensorTable
    ranks: tuple[int, ...]


def adapted(table: TensorTable) -> Adapted | None:
    """A table taken apart; None where it holds no adapter."""
    every = "\n".join(table)
    if not any(sign in every for sign in _SIGNS):
        return None
    base: list[TensorEntry] = []
    own: list[TensorEntry] = []
    ranks: dict[int, int] = {}
    for key, entry in table.items():
        if _ADAPTER.search(key) is None:
            base.append(entry._replace(key=_WRAPPING.sub("", key)))
            continue
        own.append(entry._replace(key=_shortened(key)))
        if ".lora_A" in key and len(entry.shape) >= 2:
            ranks[entry.shape[0]] = ranks.get(entry.shape[0], 0) + 1
    if not own:
        return None
    if not any(len(entry.shape) > 1 for entry in base):
        # Scales of the adapter's, and no network.
        own = [entry._replace(key=_shortened(key)) for key, entry in table.items()]
        base = []
    return Adapted(
        TensorTable(base), TensorTable(own), tuple(sorted(ranks, key=lambda r: -ranks[r]))
    )


def _shortened(key: str) -> str:
    """The key without the adapter's name, which comes between the matrix and `weight`."""

    def without(match: re.Match[str]) -> str:
        return match[1] if match[2] not in ("weight", "bias") else match[0]

    return _NAME.sub(without, key)
