"""`precision="int8"`: linear layers with weights of one byte, multiplied as whole numbers.

Weights are whole numbers of -127..127 with a factor for each output; inputs become such numbers
with a factor for each row while the network runs (dynamic quantisation), so nothing has to be
calibrated. What is no large linear layer stays float32. Where PyTorch's product of bytes is missing
or not exact (processors without instructions for it may saturate), weights are multiplied out for
each call instead: as small in memory, but slower than float32.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import nn
from torch.nn import functional

from mycloset.errors import OptionError

LEAST_SHARE = 0.5
"""Share of a network's numbers that must be in large linear layers for it to be quantised."""

LEAST_SIZE = 1 << 12
"""Numbers that a layer's weights must have; with fewer, the way costs more than the product."""

_TOP = 127.0
_ROWS = 256
"""Rows of weights that are made into bytes at once."""


class QuantizedLinear(nn.Module):
    """A linear layer whose weights are bytes.

    It is made empty, on the meta device, and has the keys of the layer whose place it takes, until
    `fill` is given the weights.

    Args:
        inputs, outputs: how many features.
        bias: whether it adds one.
    """

    numbers: torch.Tensor
    factors: torch.Tensor

    def __init__(self, inputs: int, outputs: int, *, bias: bool) -> None:
        super().__init__()
        self.in_features, self.out_features = inputs, outputs
        self.register_buffer("weight", torch.empty(outputs, inputs, device="meta"))
        self.bias: nn.Parameter | None
        self.register_parameter(
            "bias", nn.Parameter(torch.empty(outputs, device="meta")) if bias else None
        )

    def fill(self, weight: torch.Tensor) -> None:
        """Take (outputs, inputs) floating weights; they may be let go afterwards."""
        del self._buffers["weight"]
        # The product of bytes wants the inputs outermost.
        numbers = torch.empty((self.in_features, self.out_features), dtype=torch.int8)
        factors = torch.empty(self.out_features)
        for first in range(0, self.out_features, _ROWS):
            rows = slice(first, first + _ROWS)
            made, factor = _quantised(weight[rows].float())
            numbers[:, rows] = made.t()
            factors[rows] = factor.view(-1)
        self.register_buffer("numbers", numbers, persistent=False)
        self.register_buffer("factors", factors, persistent=False)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(..., outputs) of (..., inputs)."""
        if not exact_products():
            return functional.linear(maps, self._multiplied_out().to(maps.dtype), self.bias)
        rows = maps.reshape(-1, self.in_features)
        numbers, factors = _quantised(rows.float())
        found = torch._int_mm(numbers, self.numbers).float()
        found.mul_(factors).mul_(self.factors)
        if self.bias is not None:
            found.add_(self.bias)
        return found.to(maps.dtype).view(*maps.shape[:-1], self.out_features)

    def extra_repr(self) -> str:
        """As `nn.Linear` tells it."""
        return f"in_features={self.in_features}, out_features={self.out_features}, int8"

    def __getattr__(self, name: str) -> torch.Tensor | nn.Module:
        """The weights as floating numbers too, for modules that ask a layer for them."""
        if name == "weight" and "numbers" in self._buffers:
            return self._multiplied_out()
        return super().__getattr__(name)

    def _multiplied_out(self) -> torch.Tensor:
        numbers, factors = self._buffers["numbers"], self._buffers["factors"]
        assert numbers is not None and factors is not None
        return numbers.t().float() * factors[:, None]


def prepare(network: nn.Module, name: str) -> float:
    """Put quantised layers in the place of a blank network's large linear ones.

    Args:
        network: on the meta device.
        name: what messages call the file.

    Returns:
        The share of the network's numbers that they have, 0..1.

    Raises:
        OptionError: it is less than `LEAST_SHARE`.
    """
    held: dict[int, int] = {}
    for module in network.modules():
        for parameter in module.parameters(recurse=False):
            held[id(parameter)] = held.get(id(parameter), 0) + 1
    chosen = [
        (path, module)
        for path, module in network.named_modules()
        if type(module) is nn.Linear
        and path
        and module.weight.numel() >= LEAST_SIZE
        and held[id(module.weight)] == 1
    ]
    whole = sum(parameter.numel() for parameter in network.parameters())
    share = sum(module.weight.numel() for _, module in chosen) / max(whole, 1)
    if share < LEAST_SHARE:
        raise OptionError(
            f"precision: {name} has only {share:.0%} of its numbers in linear layers, which int8"
            " is for.",
            hint='Use precision="float16", "bfloat16" or "auto".',
        )
    for path, module in chosen:
        parent, _, last = path.rpartition(".")
        made = QuantizedLinear(
            module.in_features, module.out_features, bias=module.bias is not None
        )
        network.get_submodule(parent)._modules[last] = made.eval().requires_grad_(False)
    return share


@cache
def exact_products() -> bool:
    """Whether PyTorch multiplies bytes on this processor, and exactly so."""
    extreme = torch.full((32, 64), 127, dtype=torch.int8)
    try:
        found = torch._int_mm(extreme, -extreme.t().contiguous())
    except (RuntimeError, AttributeError):
        # There is none for this processor.
        return False
    return bool((found == -127 * 127 * 64).all())


def _quantised(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Each row as whole numbers of -127..127, and (rows, 1) factors."""
    factors = values.abs().amax(-1, keepdim=True).div_(_TOP).clamp_(min=1e-30)
    return (values / factors).round_().to(torch.int8), factors
