"""Batch norms folded into the convolutions before them, where the flow of tensors allows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode

_FOLDING = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d)
_LOOKS = frozenset({"__get__", "size", "dim", "numel", "stride", "is_floating_point", "__len__"})
"""What may be asked of a tensor without using its values."""


@runtime_checkable
class FoldableNorm(Protocol):
    """A norm of a family's own that is a factor and an addition a channel, then something else."""

    def affine(self) -> tuple[torch.Tensor, torch.Tensor]:
        """(C,) factors and (C,) additions."""

    def after(self) -> nn.Module:
        """What follows the norm (`nn.Identity()` for nothing)."""


@dataclass(frozen=True)
class Flow:
    """Where tensors flow in a network.

    Attributes:
        pairs: the paths of norms, each with that of the convolution that it alone sees, and that
            nothing else does.
        outputs: the paths of convolutions that give the network's outputs.
        norms: how many batch norms there are.
    """

    pairs: Mapping[str, str]
    outputs: frozenset[str]
    norms: int


def watched(twin: nn.Module, inputs: Mapping[str, torch.Tensor]) -> Flow:
    """Call a network on the meta device and see where tensors flow.

    Args:
        twin: the network; it must be on the meta device, where all tensors can be kept.
        inputs: of its `forward`.
    """
    paths = Counter(id(module) for _, module in twin.named_modules(remove_duplicate=False))
    weights = Counter(
        id(value) for module in twin.modules() for value in module._parameters.values()
    )
    watch = _Watch()
    norms = 0
    hooks = []
    for path, module in twin.named_modules():
        norm = isinstance(module, _BatchNorm | FoldableNorm)
        norms += norm
        if paths[id(module)] > 1:
            continue
        if norm:
            hooks.append(module.register_forward_pre_hook(watch.norm(path)))
        elif type(module) in _FOLDING and weights[id(module.weight)] == 1:
            hooks.append(module.register_forward_hook(watch.convolution(path)))
    try:
        with torch.inference_mode(), torch.device("meta"), watch:
            given = twin(**inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return watch.flow(given, norms)


def fold(network: nn.Module, pairs: Mapping[str, str]) -> int:
    """Fold norms into convolutions, in place; how many.

    Args:
        network: in evaluation mode.
        pairs: the norm's path and the convolution's, as `watched` found them.
    """
    folded = 0
    for norm_path, path in pairs.items():
        norm, convolution = network.get_submodule(norm_path), network.get_submodule(path)
        assert isinstance(convolution, _FOLDING)
        found = _affine(norm)
        transposed = isinstance(convolution, nn.ConvTranspose2d)
        if found is None or (transposed and convolution.groups > 1):
            continue
        factor, addition = found
        weight, bias = convolution.weight, convolution.bias
        shape = [1] * weight.dim()
        shape[1 if transposed else 0] = -1
        whole = addition if bias is None else addition + bias * factor
        convolution.weight = nn.Parameter(weight * factor.view(shape), requires_grad=False)
        convolution.bias = nn.Parameter(whole.to(weight.dtype), requires_grad=False)
        parent, _, name = norm_path.rpartition(".")
        after = norm.after() if isinstance(norm, FoldableNorm) else nn.Identity()
        network.get_submodule(parent)._modules[name] = after.eval()
        folded += 1
    return folded


def _affine(norm: nn.Module) -> tuple[torch.Tensor, torch.Tensor] | None:
    """The factor and the addition of every channel; None where they are not fixed."""
    if isinstance(norm, FoldableNorm):
        return norm.affine()
    assert isinstance(norm, _BatchNorm)
    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None:
        return None
    factor = torch.rsqrt(variance + norm.eps)
    if norm.weight is not None:
        factor = factor * norm.weight
    addition = -mean * factor
    return factor, addition if norm.bias is None else addition + norm.bias


class _Watch(TorchFunctionMode):
    """Sees which tensors convolutions make, and who uses them."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[int, tuple[torch.Tensor, str]] = {}
        self._uses: Counter[int] = Counter()
        self._calls: list[tuple[str, int]] = []

    def convolution(self, path: str) -> Callable[..., None]:
        """A hook behind a convolution."""

        def hook(module: nn.Module, given: Any, found: torch.Tensor) -> None:
            # Kept, so that no other tensor gets its identity.
            self._made[id(found)] = (found, path)

        return hook

    def norm(self, path: str) -> Callable[..., None]:
        """A hook before a norm."""

        def hook(module: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
            self._calls.append((path, id(given[0])))

        return hook

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if getattr(func, "__name__", "") not in _LOOKS:
            for value in _tensors((args, kwargs or {})):
                if id(value) in self._made:
                    self._uses[id(value)] += 1
        return func(*args, **(kwargs or {}))

    def flow(self, given: Any, norms: int) -> Flow:
        """What was seen, once the network has given its result."""
        results = {id(value) for value in _tensors(given)}
        normed = {number: path for path, number in self._calls}
        makers: dict[str, set[str]] = {}
        for path, number in self._calls:
            maker = self._made[number][1] if number in self._made else ""
            makers.setdefault(path, set()).add(maker)
        takers: dict[str, set[str]] = {}
        for number, (_, path) in self._made.items():
            alone = self._uses[number] == 1 and number not in results
            takers.setdefault(path, set()).add(normed.get(number, "") if alone else "")
        pairs = {}
        for norm, made_by in makers.items():
            (maker, *more) = made_by
            if maker and not more and takers[maker] == {norm}:
                pairs[norm] = maker
        outputs = {self._made[number][1] for number in results if number in self._made}
        return Flow(pairs, frozenset(outputs), norms)


def _tensors(given: Any) -> Iterable[torch.Tensor]:
    """Every tensor in nested containers."""
    if isinstance(given, torch.Tensor):
        yield given
    elif isinstance(given, Mapping):
        for value in given.values():
            yield from _tensors(value)
    elif isinstance(given, list | tuple):
        for value in given:
            yield from _tensors(value)
