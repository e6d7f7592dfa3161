"""`precision="auto"`: folded norms change nothing, and what was done is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import mycloset
from mycloset.architectures.densenet.network import DenseNet
from mycloset.architectures.schp.network import ActivatedNorm
from mycloset.architectures.vgg.network import Vgg
from mycloset.runtimes.pytorch import precision
from mycloset.runtimes.pytorch.folding import fold, watched
from mycloset.runtimes.pytorch.precision import Exact, tune

CPU = torch.device("cpu")


def filled(make: Callable[[], nn.Module]) -> nn.Module:
    """The network with norms that do something."""
    torch.manual_seed(0)
    network = make().eval().requires_grad_(False)
    for name, value in [*network.named_parameters(), *network.named_buffers()]:
        if name.endswith("running_var"):
            value.uniform_(0.5, 2.0)
        elif value.is_floating_point() and value.dim() == 1:
            value.uniform_(-1.0, 1.0)
    return network


def twin(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.device("meta"):
        return make().eval()


def picture() -> torch.Tensor:
    return torch.linspace(-2, 2, 3 * 32 * 32).reshape(1, 3, 32, 32).sin()


def folded(make: Callable[[], nn.Module]) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Outputs before and after, and how many norms were folded."""
    network = filled(make)
    before = network(picture())
    flow = watched(twin(make), {"input": torch.empty(1, 3, 32, 32, device="meta")})
    count = fold(network, flow.pairs)
    return before, network(picture()), count


def straight() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(True),
        nn.ConvTranspose2d(4, 5, 3, bias=False),
        nn.BatchNorm2d(5, affine=False),
        nn.Conv2d(5, 6, 3, groups=1, bias=False),
        ActivatedNorm(6, active=True),
    )


class Two(nn.Module):
    """A convolution and a norm, joined by what a test says."""

    def __init__(self, join: Callable[[nn.Module, nn.Module, torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.bn = nn.BatchNorm2d(3)
        self.join = join

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - as Sequential has it
        return self.join(self.conv, self.bn, input)


def test_norms_behind_convolutions_are_folded_within_rounding() -> None:
    before, after, count = folded(straight)
    assert count == 3
    assert torch.allclose(before, after, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "join",
    [
        lambda conv, bn, x: bn(torch.relu(conv(x))),
        lambda conv, bn, x: conv(bn(x)),
        lambda conv, bn, x: (lambda y: bn(y) + y)(conv(x)),
        lambda conv, bn, x: bn(conv(conv(x))),
        lambda conv, bn, x: bn(bn(conv(x))),
        lambda conv, bn, x: torch.cat([bn(conv(x)), bn(x)]),
        lambda conv, bn, x: (lambda y: (bn(y), y)[0] * y.mean())(conv(x)),
    ],
    ids=["activation between", "norm first", "skipped", "conv twice", "norm twice", "norm of two",
         "mean beside"],
)  # fmt: skip
def test_norms_that_see_something_else_stay(join: Callable[..., torch.Tensor]) -> None:
    before, after, count = folded(lambda: Two(join))
    assert count == 0
    assert torch.equal(before, after)


def test_a_convolution_that_is_an_output_itself_keeps_its_norm() -> None:
    def join(conv: nn.Module, bn: nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
        found = conv(x)
        return {"seen": found, "normed": bn(found)}

    flow = watched(
        twin(lambda: Two(join)),  # type: ignore[arg-type]
        {"input": torch.empty(1, 3, 32, 32, device="meta")},
    )
    assert flow.pairs == {}


def test_a_densenet_keeps_the_norms_that_see_several_layers() -> None:
    def make() -> nn.Module:
        return DenseNet(
            stem=8, growth=4, blocks=(2, 2), bottleneck=16, transitions=(8,), input_channels=3,
            classes=5,
        )  # fmt: skip

    network, given = filled(make), torch.nn.functional.interpolate(picture(), 64)
    before = network(given)
    tuning = tune(network, twin(make), CPU, dtype=torch.float32)
    # norm0 and each layer's second.
    assert (tuning.folded, tuning.norms) == (5, 11)
    for name, value in network(given).items():
        assert torch.allclose(value, before[name], rtol=1e-4, atol=1e-5)


def test_networks_that_take_no_picture_stay_as_they_are() -> None:
    def make() -> nn.Module:
        return nn.Sequential(nn.Embedding(5, 4), nn.Conv1d(7, 3, 1), nn.BatchNorm1d(3))

    tuning = tune(filled(make), twin(make), CPU, dtype=torch.float32)
    assert (tuning.folded, tuning.norms) == (0, 1)


def test_short_types_leave_norms_and_last_layers_alone() -> None:
    def make() -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, 32, 3), nn.GroupNorm(4, 32), nn.Conv2d(32, 64, 3), nn.ReLU(),
            nn.Conv2d(64, 1, 1),
        )  # fmt: skip

    network = filled(make)
    before = network(picture())
    tuning = tune(network, twin(make), CPU, dtype=torch.bfloat16)
    assert isinstance(network[4], Exact)
    assert [network[k].weight.dtype for k in (0, 1, 2, 4)] == [
        torch.bfloat16, torch.float32, torch.bfloat16, torch.float32,
    ]  # fmt: skip
    with tuning.casting(CPU):
        after = network(picture())
    assert after.dtype == torch.float32
    assert float((after - before).abs().max() / before.abs().max()) < 0.05


def test_tasks_that_measure_stay_float32() -> None:
    tuning = tune(filled(straight), twin(straight), CPU, task="optical flow", dtype=torch.bfloat16)
    assert (tuning.dtype, tuning.channels_last, tuning.folded) == (torch.float32, False, 3)


@pytest.mark.parametrize("short", [torch.float32, torch.bfloat16])
def test_load_tells_what_auto_did_and_changes_no_key_and_no_type(
    short: torch.dtype, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "short_type", lambda device: short)
    cfg: list[int | str] = [4, "M", 4, "M", 8, 8, "M", 8, 8, "M", 8, 8, "M"]
    network = filled(
        lambda: Vgg(
            cfg=cfg, batch_norm=True, input_channels=3, widths=(8 * 49, 16, 16, 5), pooled=7
        )
    )
    torch.save(network.state_dict(), tmp_path / "x.pth")
    plain = mycloset.load(tmp_path / "x.pth")
    auto = mycloset.load(tmp_path / "x.pth", precision="auto")

    name = str(short).removeprefix("torch.")
    assert plain.info.precision == "float32"
    assert auto.info.precision == f"auto: {name}, channels last, 8 of 8 batch norms folded"
    assert auto.info.mapping == plain.info.mapping
    assert auto.info.unused == plain.info.unused
    image = picture().numpy()
    image = np.concatenate([image, image], 2)[..., :64]
    expected, found = plain.session(image=image), auto.session(image=image)
    assert found.keys() == expected.keys()
    for key, value in found.items():
        assert value.dtype == expected[key].dtype
        assert value.flags.c_contiguous
        apart = np.abs(value - expected[key]).max() / np.abs(expected[key]).max()
        assert apart < (1e-4 if short == torch.float32 else 0.1)
