"""Training: blocks that keep only their inputs and are run again for the gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def checkpointing(network: nn.Module, on: bool = True) -> int:
    """Switch gradient checkpointing of a network's repeated blocks on or off, in place.

    Gradients are the same; activations within blocks are not kept but made again on the way back,
    which takes about a third more time. Without gradients nothing changes. Batch norms in training
    mode see each batch once all the same.

    Returns:
        How many blocks there are: 0 where the network repeats nothing, which changes nothing.
    """
    blocks = repeated_blocks(network)
    for block in blocks.values():
        if on and not isinstance(vars(block).get("forward"), _Again):
            block.forward = _Again(block)
        elif not on and isinstance(vars(block).get("forward"), _Again):
            del block.forward
    return len(blocks)


def repeated_blocks(network: nn.Module) -> dict[str, nn.Module]:
    """The innermost modules that stand with others of their class in a list, by path.

    Only such as have modules of their own and are called as modules.
    """
    found: dict[str, nn.Module] = {}
    for path, module in network.named_modules():
        if not isinstance(module, nn.ModuleList | nn.Sequential):
            continue
        kinds = [type(child) for child in module.children()]
        for name, child in module.named_children():
            lists = isinstance(child, nn.ModuleList | nn.ModuleDict)
            if kinds.count(type(child)) > 1 and not lists and any(child.children()):
                found[f"{path}.{name}" if path else name] = child
    return {
        path: module
        for path, module in found.items()
        if not any(other.startswith(f"{path}.") for other in found)
    }


class _Again:
    """A block's forward that keeps its inputs alone."""

    def __init__(self, block: nn.Module) -> None:
        self._forward: Callable[..., Any] = block.forward
        self._norms = [module for module in block.modules() if isinstance(module, _BatchNorm)]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not torch.is_grad_enabled():
            return self._forward(*args, **kwargs)
        return checkpoint(
            self._forward, *args, use_reentrant=False, context_fn=self._contexts, **kwargs
        )

    def _contexts(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _still(self._norms)


@contextmanager
def _still(norms: list[_BatchNorm]) -> Iterator[None]:
    """While it holds, norms do not count what they see: they have seen it before."""
    kept = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
        if norm.num_batches_tracked is not None:
            norm.num_batches_tracked = norm.num_batches_tracked.clone()
    try:
        yield
    finally:
        for norm, (momentum, count) in zip(norms, kept, strict=True):
            norm.momentum = momentum
            norm.num_batches_tracked = count
