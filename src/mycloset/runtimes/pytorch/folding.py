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

LAYERS: tuple[type[nn.Module], ...] = (
    nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d,
    nn.Linear,
)  # fmt: skip
"""Layers that multiply by their weights and do nothing else with them; not their subclasses."""

_FOLDING = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d)
_SMALL = 0.05
"""Share of a network's multiplications that its last layers may have to be called so."""
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
        last: the paths of layers after which no other comes before the network's outputs; none
            where they are much of the network (where it adds up what all its layers give).
        norms: how many batch norms there are.
    """

    pairs: Mapping[str, str]
    last: frozenset[str]
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
        elif type(module) in LAYERS and weights[id(module.weight)] == 1:
            hooks.append(module.register_forward_hook(watch.layer(path)))
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
        found = _affine(norm)
        if not isinstance(convolution, _FOLDING) or found is None:
            continue
        transposed = _transposed(convolution)
        if transposed and convolution.groups > 1:
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
    """Sees which tensors layers make, who uses them, and what becomes of them."""

    def __init__(self) -> None:
        super().__init__()
        # Tensors are kept, so that no other gets their identity.
        self._kept: list[torch.Tensor] = []
        self._made: dict[int, str] = {}
        self._of: dict[int, frozenset[str]] = {}
        self._work: Counter[str] = Counter()
        self._uses: Counter[int] = Counter()
        self._calls: list[tuple[str, int]] = []

    def layer(self, path: str) -> Callable[..., None]:
        """A hook behind a layer."""

        def hook(module: nn.Module, given: tuple[torch.Tensor], found: torch.Tensor) -> None:
            weight = module.weight
            assert isinstance(weight, torch.Tensor)
            places = given[0] if _transposed(module) else found
            self._work[path] += weight.numel() * places.numel() // max(weight.shape[0], 1)
            self._kept.append(found)
            self._made[id(found)] = path
            self._of[id(found)] = frozenset({path})

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
        found = func(*args, **(kwargs or {}))
        if getattr(func, "__name__", "") not in _LOOKS:
            before = frozenset[str]()
            for value in _tensors((args, kwargs or {})):
                before |= self._of.get(id(value), frozenset())
                if id(value) in self._made:
                    self._uses[id(value)] += 1
            for value in _tensors(found):
                self._kept.append(value)
                self._of[id(value)] = before
        return found

    def flow(self, given: Any, norms: int) -> Flow:
        """What was seen, once the network has given its result."""
        results = {id(value) for value in _tensors(given)}
        normed = {number: path for path, number in self._calls}
        makers: dict[str, set[str]] = {}
        for path, number in self._calls:
            makers.setdefault(path, set()).add(self._made.get(number, ""))
        takers: dict[str, set[str]] = {}
        for number, path in self._made.items():
            alone = self._uses[number] == 1 and number not in results
            takers.setdefault(path, set()).add(normed.get(number, "") if alone else "")
        pairs = {}
        for norm, made_by in makers.items():
            (maker, *more) = made_by
            if maker and not more and takers[maker] == {norm}:
                pairs[norm] = maker
        last = frozenset[str]().union(*(self._of.get(number, ()) for number in results))
        small = sum(self._work[path] for path in last) <= _SMALL * self._work.total()
        return Flow(pairs, last if small else frozenset(), norms)


def _transposed(module: nn.Module) -> bool:
    return isinstance(module, nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d)


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
