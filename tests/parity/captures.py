"""What modules inside a network return while it runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def captured(
    network: torch.nn.Module, modules: Mapping[str, str], *, calls: bool = False
) -> Iterator[dict[str, Any]]:
    """Copies of what modules return, by our name for them.

    Args:
        network: the network that runs within the block.
        modules: name -> path of the module in the network.
        calls: keep a list of every call's return rather than the last one.
    """
    seen: dict[str, Any] = {}
    hooks = []
    for name, path in modules.items():

        def keep(module: object, given: object, found: Any, name: str = name) -> None:
            copied = found.detach().clone() if isinstance(found, torch.Tensor) else found
            if calls:
                seen.setdefault(name, []).append(copied)
            else:
                seen[name] = copied

        hooks.append(network.get_submodule(path).register_forward_hook(keep))
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def factor(manifest: Mapping[str, Any]) -> float:
    """By what a manifest's call multiplies the inputs ("model(64 * image)"); 1 for nothing."""
    found = re.search(r"\(\s*(\d+(?:\.\d+)?)\s*\*\s*[a-z]", manifest["call"])
    return float(found[1]) if found else 1.0
