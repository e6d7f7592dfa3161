"""How long networks take with a picture: ours, all of it, beside the bare forward alone.

    python benchmarks/networks.py
    python benchmarks/networks.py --quick               # one round, a smaller tile to enlarge
    python benchmarks/networks.py --device cuda
    python benchmarks/networks.py --only schp rrdb --threads 1

`bare` is the same network as plain PyTorch, with nothing before and after it: eager, float32,
contiguous tensors in ordinary memory, without gradients, its inputs ready on the device. `ours` is
`mycloset.load(file)(picture)`: preparing the picture, the network, and the typed result at the
picture's size; `auto` is the same with `precision="auto"`. All three take turns in one process, so
that whatever else the machine does falls on each of them. A time is the least of all rounds; a
ratio is the median of the rounds' ratios to `bare`. `apart` is how far the network's outputs are
from `bare`'s, relative to the largest: the largest distance, and of `auto` also the mean.

Files are made for the run in the published layout, filled by the recipe of tests/goldens: what the
networks see is meaningless, what they compute is not less for it. Families that have no network
are left out, and it is said. It takes PyTorch (torchvision and transformers where a family's own
library is one), NumPy, OpenCV and Pillow. Aims: `ours` at most 1.10, `auto` below 1.
"""

from __future__ import annotations

import argparse
import copy
import gzip
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from plain_table import number, table

if TYPE_CHECKING:
    import torch

    import mycloset

ROOT = Path(__file__).resolve().parents[1]
Picture = NDArray[np.uint8]
Calls = list[tuple[str, dict[str, Any]]]
"""Method and inputs of each call of a network."""


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Attributes:
        title: what is measured.
        golden: "family/name" of the manifest that gives its file.
        size: height and width of the picture.
        quick: likewise with `--quick`.
        config, options: of `mycloset.load`, and of the call.
    """

    title: str
    golden: str
    size: tuple[int, int]
    quick: tuple[int, int] | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def family(self) -> str:
        """Whose network it is."""
        return self.golden.partition("/")[0]


@dataclass(frozen=True)
class Measured:
    """Seconds of each round, and distances.

    Attributes:
        bare, ours, auto: seconds.
        ours_apart: largest distance of the outputs in float32, relative to the largest output.
        auto_apart, auto_mean: largest and mean distance with "auto".
        precision: what "auto" did.
    """

    bare: list[float]
    ours: list[float]
    auto: list[float]
    ours_apart: float
    auto_apart: float
    auto_mean: float
    precision: str


PHOTO = (1024, 768)
CASES = (
    Case("HRNet-W48 384x288", "hrnet_pose/w48_coco_384x288", PHOTO,
         config={"input_size": [384, 288]}),
    Case("OpenPose body 368", "openpose/body_pose_model", PHOTO, options={"scales": (1.0,)}),
    Case("SCHP 473", "schp/lip", PHOTO),
    Case("U²-Net 320", "u2net/u2net", PHOTO),
    Case("SAM ViT-B, one box", "sam/sam_vit_b_01ec64", PHOTO,
         options={"boxes": [[192, 128, 576, 960]]}),
    Case("Real-ESRGAN x4, tile of 256", "rrdb/RealESRGAN_x4plus", (256, 256), quick=(64, 64)),
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    asked = _parser().parse_args(arguments)
    sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]
    import torch

    from mycloset.architectures.plans import has_network

    if asked.threads:
        torch.set_num_threads(asked.threads)
    rounds = asked.rounds or (1 if asked.quick else 5)
    rows, found, left_out = [], {}, []
    for case in CASES:
        if asked.only and case.family not in asked.only:
            continue
        if not has_network(case.family):
            left_out.append(case.title)
            continue
        with tempfile.TemporaryDirectory() as folder:
            file = write_file(case, Path(folder))
            size = case.quick if asked.quick and case.quick else case.size
            measured = measure(case, file, picture(size), device=asked.device, rounds=rounds)
        found[case.title] = asdict(measured)
        rows.append(row(case, measured))
        print(f"{'  '.join(rows[-1])}  ({measured.precision})", flush=True)
    print(f"\n{machine(asked.device)}; least of {rounds}, PyTorch {torch.__version__}\n")
    print(table(HEAD, rows))
    for title in left_out:
        print(f"{title}: left out, its family has no network yet")
    if asked.json is not None:
        asked.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    return 0


def write_file(case: Case, folder: Path) -> Path:
    """The case's file in its published layout."""
    import torch

    import golden_weights

    packed = (ROOT / "tests" / "goldens" / f"{case.golden}.json.gz").read_bytes()
    manifest = json.loads(gzip.decompress(packed))
    path = folder / f"{case.golden.rpartition('/')[2]}.pth"
    torch.save(golden_weights.checkpoint(manifest), path)
    return path


def picture(size: tuple[int, int]) -> Picture:
    """A drawn person, (H, W) = `size`."""
    from mycloset.wardrobe import paired_cases

    return np.asarray(paired_cases()[0].draw(size).person.rgb, np.uint8)


def measure(
    case: Case, file: Path, shown: Picture, *, device: str = "cpu", rounds: int = 5
) -> Measured:
    """Let the bare network, ours, and ours with "auto" take turns with one picture."""
    import mycloset

    ours = mycloset.load(file, config=case.config, device=device)
    auto = mycloset.load(file, config=case.config, device=device, precision="auto")
    calls = seen(ours, shown, case.options)
    plain = Bare(ours.network, calls, device)
    turns: dict[str, Callable[[Picture], Any]] = {
        "bare": lambda _: plain(),
        "ours": lambda given: ours(given, **case.options),
        "auto": lambda given: auto(given, **case.options),
    }
    taken: dict[str, list[float]] = {name: [] for name in turns}
    # The first round of each warms up.
    for turn in range(rounds + 1):
        # Each time another picture: what is kept of one must not be counted as speed.
        given = shown.copy()
        given[0, 0] = turn
        for name, action in turns.items():
            seconds = timed(partial(action, given), device)
            if turn:
                taken[name].append(seconds)
    true = plain.outputs()
    ours_apart, _ = apart(outputs(ours, calls), true)
    auto_apart, auto_mean = apart(outputs(auto, calls), true)
    return Measured(**taken, ours_apart=ours_apart, auto_apart=auto_apart, auto_mean=auto_mean,
                    precision=auto.info.precision)  # fmt: skip


class Bare:
    """The network alone: a copy in ordinary memory, and its inputs as tensors on the device."""

    def __init__(self, network: torch.nn.Module, calls: Calls, device: str) -> None:
        import torch

        self._network = copy.deepcopy(network).eval()
        self._calls = [
            (
                method,
                {
                    name: torch.from_numpy(value.copy()).to(device)
                    if isinstance(value, np.ndarray)
                    else value
                    for name, value in inputs.items()
                },
            )
            for method, inputs in calls
        ]

    def __call__(self) -> list[Any]:
        """What each call gives."""
        import torch

        with torch.no_grad():
            return [
                (self._network if method == "forward" else getattr(self._network, method))(**inputs)
                for method, inputs in self._calls
            ]

    def outputs(self) -> list[NDArray[np.float32]]:
        """All floating outputs, as arrays."""
        return [found for given in self() for found in _arrays(given)]


def seen(model: mycloset.Model, shown: Picture, options: Mapping[str, Any]) -> Calls:
    """What the processing of a picture asks of the network."""
    calls: Calls = []

    def forward(method: str = "forward", /, **inputs: Any) -> dict[str, NDArray[Any]]:
        calls.append((method, inputs))
        return model.session(method, **inputs)

    model.processing(forward, shown, **options)
    return calls


def outputs(model: mycloset.Model, calls: Calls) -> list[NDArray[np.float32]]:
    """All floating outputs of the model for those calls."""
    return [found for method, inputs in calls for found in _arrays(model.session(method, **inputs))]


def _arrays(given: Any) -> list[NDArray[np.float32]]:
    if isinstance(given, Mapping):
        given = list(given.values())
    elif not isinstance(given, list | tuple):
        given = [given]
    arrays = [
        value if isinstance(value, np.ndarray) else value.detach().cpu().numpy()
        for value in given
        if hasattr(value, "shape")
    ]
    return [array for array in arrays if array.dtype.kind == "f"]


def apart(
    found: Sequence[NDArray[np.float32]], true: Sequence[NDArray[np.float32]]
) -> tuple[float, float]:
    """Largest and mean distance, relative to the largest value, of the worst output."""
    worst = (0.0, 0.0)
    for one, other in zip(found, true, strict=True):
        scale = max(float(np.abs(other).max()), 1e-12)
        distance = np.abs(one - other)
        worst = max(worst, (float(distance.max()) / scale, float(distance.mean()) / scale))
    return worst


def timed(action: Callable[[], object], device: str) -> float:
    """Wall time of an action, to the end of what it started on the device."""
    import torch

    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    began = time.perf_counter()
    action()
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    return time.perf_counter() - began


HEAD = ("network", "bare ms", "ours ms", "ratio", "apart", "auto ms", "ratio", "apart", "mean")


def row(case: Case, measured: Measured) -> tuple[str, ...]:
    """A line of the table."""
    return (
        case.title,
        number(1000 * min(measured.bare), 1),
        number(1000 * min(measured.ours), 1),
        number(_ratio(measured.ours, measured.bare), 2),
        f"{measured.ours_apart:.0e}",
        number(1000 * min(measured.auto), 1),
        number(_ratio(measured.auto, measured.bare), 2),
        f"{measured.auto_apart:.0e}",
        f"{measured.auto_mean:.0e}",
    )


def _ratio(taken: Sequence[float], bare: Sequence[float]) -> float:
    return statistics.median(one / other for one, other in zip(taken, bare, strict=True))


def machine(device: str) -> str:
    """The device, in words."""
    import torch

    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{torch.get_num_threads()} threads, {capability}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one round, a smaller tile")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, ...")
    parser.add_argument("--rounds", type=int, default=0, metavar="N", help="how often each runs")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="of PyTorch")
    parser.add_argument("--only", nargs="+", metavar="FAMILY", help="only these families")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
