"""Networks without values: built on the meta device, whatever their classes do when they begin."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn
from torch.utils._device import DeviceContext, _device_constructors

from mycloset.architectures.plans import NetworkPlan
from mycloset.runtimes.pytorch.copying import UncopiedError, copied


def blank(plan: NetworkPlan) -> nn.Module:
    """A plan's network on the meta device: in evaluation mode, without gradients or values.

    It is built the first two times; of the second network a copy is kept as long as the plan, and
    copied from then on, which takes a fifth of the time.
    """
    with _lock:
        kept = _kept.get(plan)
    if isinstance(kept, nn.Module):
        return copied(kept)
    with _Unfilled("meta"):
        network = plan.build()
    network.requires_grad_(False)
    network.eval()
    if kept is None:
        kept = _ONCE
    elif kept == _ONCE:
        kept = _copy_of(network)
    with _lock:
        _kept[plan] = kept
    return network


def _copy_of(network: nn.Module) -> nn.Module | str:
    try:
        return copied(network)
    except UncopiedError:
        return _UNCOPIED


_ONCE, _UNCOPIED = "built once", "built each time"
_kept: WeakKeyDictionary[NetworkPlan, nn.Module | str] = WeakKeyDictionary()
"""What is known of a plan's network: a copy, or what became of it."""
_lock = threading.Lock()


class _Unfilled(DeviceContext):
    """What `torch.device` is as a context; but nothing fills a tensor with first values.

    Library classes initialise their weights when they are built, which takes time even where the
    tensors are on the meta device. As one context it takes half the time of two: every call goes
    through it.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        given = kwargs or {}
        if func in _FILLING:
            tensor = args[0] if args else given.get("tensor")
            if isinstance(tensor, torch.Tensor) and tensor.is_meta:
                return tensor
        elif func in _MAKING and given.get("device") is None:
            given = {**given, "device": self.device}
        return func(*args, **given)


_MAKING = frozenset(_device_constructors())
"""What makes tensors, and takes a device."""

_FILLING = frozenset(
    {
        torch.Tensor.uniform_,
        torch.Tensor.normal_,
        torch.Tensor.zero_,
        torch.Tensor.fill_,
        torch.Tensor.erfinv_,
        torch.Tensor.clamp_,
        torch.Tensor.mul_,
        torch.Tensor.add_,
        torch.Tensor.copy_,
        *(made for name, made in vars(torch.nn.init).items() if name[0] != "_" == name[-1]),
    }
)
"""What changes its first argument in place, and gives it back."""
