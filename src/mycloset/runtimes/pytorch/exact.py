"""Modules that stay float32 in a network of a shorter type, and the casts at their borders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from mycloset.architectures.plans import NetworkPlan


def exact_modules(plan: NetworkPlan, network: nn.Module) -> tuple[str, ...]:
    """Paths of the modules that a plan wants to stay float32: the outermost of those it names."""
    if plan.exact is None:
        return ()
    found: list[str] = []
    for path, module in network.named_modules(remove_duplicate=False):
        if path and plan.exact(path, module) and not path.startswith(tuple(f"{f}." for f in found)):
            found.append(path)
    return tuple(found)


def keep_exact(module: nn.Module, dtype: torch.dtype | None) -> None:
    """Make a module that holds float32 tensors take and give those of another dtype."""

    def before(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return _cast(args, torch.float32), _cast(kwargs, torch.float32)

    def behind(_: nn.Module, args: tuple[Any, ...], found: Any) -> Any:
        return _cast(found, dtype)

    module.register_forward_pre_hook(before, with_kwargs=True)
    module.register_forward_hook(behind)


def _cast(given: Any, dtype: torch.dtype | None) -> Any:
    """The same with every floating tensor cast."""
    return _mapped(given, lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor)


def _mapped(given: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    if isinstance(given, torch.Tensor):
        return change(given)
    if isinstance(given, Mapping):
        return {name: _mapped(value, change) for name, value in given.items()}
    if isinstance(given, tuple) and hasattr(given, "_fields"):
        return type(given)(*(_mapped(value, change) for value in given))
    if isinstance(given, list | tuple):
        return type(given)(_mapped(value, change) for value in given)
    return given
