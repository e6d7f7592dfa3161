"""Restoration networks: any size of them, each naming, against an independent implementation."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

import golden_weights
import mycloset
from mycloset.architectures import gfpgan, rrdb, srvgg, swinir
from mycloset.architectures.family import Shape
from mycloset.architectures.gfpgan.layout import read as read_gfpgan
from mycloset.architectures.gfpgan.sizes import Sizes as FaceSizes
from mycloset.architectures.gfpgan.tensors import tensors as face_tensors
from mycloset.architectures.plans import plan_of
from mycloset.architectures.rrdb.names import MIDDLE, NEW, named_tensors, old_tensors
from mycloset.architectures.rrdb.names import Sizes as RrdbSizes
from mycloset.architectures.srvgg.layout import Sizes as CompactSizes
from mycloset.architectures.srvgg.layout import tensors as compact_tensors
from mycloset.architectures.swinir.sizes import Sizes as SwinSizes
from mycloset.architectures.swinir.sizes import tensors as swin_tensors
from mycloset.errors import ModelFileError, OptionError

State = dict[str, torch.Tensor]
Loaded = Callable[..., mycloset.Model]

SMALL = RrdbSizes(features=16, blocks=2)
RRDBS = {
    "x1": RrdbSizes(features=16, blocks=1, steps=0),
    "x2": RrdbSizes(features=16, blocks=3, steps=1),
    "x4": SMALL,
    "x8": RrdbSizes(features=8, blocks=1, steps=3),
    "x2 folded": RrdbSizes(inputs=12, features=16, blocks=2),
    "x1 folded": RrdbSizes(inputs=48, features=16, blocks=2),
    "grey": RrdbSizes(inputs=1, outputs=1, features=16, blocks=1),
    "plus": RrdbSizes(features=16, blocks=1, plus=True),
}
SWINS = {
    "classical x2": SwinSizes(24, (2, 2), (3, 3), 48, upsampler="pixelshuffle", scale=2),
    "classical x3": SwinSizes(24, (2,), (3,), 48, upsampler="pixelshuffle", scale=3),
    "classical x8": SwinSizes(24, (2,), (3,), 48, upsampler="pixelshuffle", scale=8),
    "light x3": SwinSizes(20, (2, 4), (2, 4), 40, upsampler="pixelshuffledirect", scale=3),
    "real x2": SwinSizes(24, (2,), (6,), 48, upsampler="nearest+conv", scale=2),
    "real large x4": SwinSizes(32, (4,), (8,), 64, 8, "nearest+conv", "3conv", 4),
    "noise": SwinSizes(24, (2, 2), (3, 3), 48, training=128),
    "grey jpeg": SwinSizes(24, (2,), (3,), 48, 7, inputs=1, outputs=1, training=126),
    "other ratio": SwinSizes(24, (2,), (3,), 96, 4, upsampler="pixelshuffle", scale=4),
}


def filled(tensors: dict[str, Shape], window: int = 0, training: int | None = 64) -> State:
    """Values for every tensor; true ones for the constants of SwinIR."""
    from mycloset.architectures.swinir.blocks import offsets_index, shift_mask

    found = {}
    for key, shape in tensors.items():
        if key.endswith("relative_position_index"):
            found[key] = offsets_index(window)
        elif key.endswith("attn_mask"):
            found[key] = shift_mask(training or 64, training or 64, window)
        else:
            found[key] = golden_weights.fill(key, shape)
    return found


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    def load(state: Any, **options: Any) -> mycloset.Model:
        # A file of its own each: a model looks at its file.
        path = tmp_path / f"weights{len(list(tmp_path.iterdir()))}.pth"
        torch.save(state, path)
        return mycloset.load(path, **options)

    return load


def reference(state: State) -> Callable[[torch.Tensor], torch.Tensor]:
    spandrel = pytest.importorskip("spandrel")
    made = spandrel.ModelLoader().load_from_state_dict(dict(state))
    return made.model.eval().requires_grad_(False)  # type: ignore[no-any-return]


def image(channels: int, height: int = 24, width: int = 16) -> torch.Tensor:
    return torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(5))


def assert_same(model: mycloset.Model, state: State, given: torch.Tensor) -> None:
    assert model.info.mapping["rate"] == 1.0
    assert model.info.unused == ()
    with torch.inference_mode():
        found, expected = model.network(given), reference(state)(given)
    assert torch.allclose(found, expected, atol=2e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("name", RRDBS)
def test_rrdb_of_any_size_is_the_reference(name: str, loaded: Loaded) -> None:
    sizes = RRDBS[name]
    state = filled(named_tensors(sizes, NEW) if not sizes.plus else old_tensors(sizes))
    assert_same(loaded(state), state, image(sizes.inputs // sizes.folding**2))


@pytest.mark.parametrize("name", RRDBS)
def test_rrdb_in_every_naming_is_the_same_network(name: str, loaded: Loaded) -> None:
    sizes = RRDBS[name]
    given = image(sizes.inputs // sizes.folding**2)
    new = filled(named_tensors(sizes, NEW))
    found = []
    for tensors in (named_tensors(sizes, NEW), named_tensors(sizes, MIDDLE), old_tensors(sizes)):
        # The three list the same tensors in the same order.
        state = dict(zip(tensors, new.values(), strict=True))
        with torch.inference_mode():
            found.append(loaded(state).network(given))
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def test_rrdb_with_pixel_shuffle_enlarges(loaded: Loaded) -> None:
    sizes = RrdbSizes(features=16, blocks=1, growth=8, steps=2, shuffled=True)
    model = loaded(filled(old_tensors(sizes)))
    with torch.inference_mode():
        assert model.network(image(3)).shape == (1, 3, 96, 64)


def test_one_enlargement_is_by_three_where_the_caller_says_so(loaded: Loaded) -> None:
    sizes = RrdbSizes(features=16, blocks=1, growth=8, steps=1)
    model = loaded(filled(old_tensors(sizes)), config={"scale": 3})
    with torch.inference_mode():
        assert model.network(image(3)).shape == (1, 3, 72, 48)


def test_a_scale_that_layers_cannot_give_is_refused(loaded: Loaded) -> None:
    with pytest.raises(OptionError, match="scale 5"):
        loaded(filled(named_tensors(SMALL, NEW)), config={"scale": 5})


@pytest.mark.parametrize(
    "sizes", [CompactSizes(16, 4, 2), CompactSizes(24, 7, 4), CompactSizes(8, 2, 1)]
)
def test_compact_of_any_size_is_the_reference(sizes: CompactSizes, loaded: Loaded) -> None:
    state = filled(compact_tensors(sizes))
    assert_same(loaded({"params": state}), state, image(3))


@pytest.mark.parametrize("name", SWINS)
def test_swinir_of_any_size_is_the_reference(name: str, loaded: Loaded) -> None:
    sizes = SWINS[name]
    state = filled(swin_tensors(sizes), sizes.window, sizes.training)
    model = loaded({"params": state})
    side = 2 * sizes.window
    assert_same(model, state, image(sizes.inputs, side, 3 * side))


def test_swinir_without_constants_in_its_file_computes_them(loaded: Loaded) -> None:
    sizes = SwinSizes(24, (2, 2), (3, 3), 48)
    state = filled(swin_tensors(sizes), sizes.window)
    bare = {k: v for k, v in state.items() if not k.endswith(("attn_mask", "_index"))}
    model = loaded(bare)
    for given in (image(3, 64, 64), image(3, 16, 40)):
        with torch.inference_mode():
            assert torch.equal(model.network(given), loaded(state).network(given))


def test_swinir_pads_pictures_to_windows_and_cuts_them_again(loaded: Loaded) -> None:
    sizes = SWINS["classical x2"]
    state = filled(swin_tensors(sizes), sizes.window, sizes.training)
    assert_same(loaded(state), state, image(3, 21, 30))


def test_a_batch_through_shifted_windows_is_each_picture_alone(loaded: Loaded) -> None:
    sizes = SWINS["classical x2"]
    network = loaded(filled(swin_tensors(sizes), 8, 64)).network
    pair = torch.rand(2, 3, 16, 24)
    with torch.inference_mode():
        both = network(pair)
        alone = torch.cat([network(pair[:1]), network(pair[1:])])
    assert torch.allclose(both, alone, atol=1e-5)


def test_swinir_folded_first_is_the_reference(loaded: Loaded) -> None:
    sizes = SwinSizes(24, (2,), (3,), 48, upsampler="nearest+conv", scale=4, folding=2)
    state = filled(swin_tensors(sizes), 8, 64)
    assert_same(loaded(state), state, image(3, 32, 48))


@pytest.mark.parametrize("clean", [True, False])
def test_gfpgan_of_any_size_restores(clean: bool, loaded: Loaded) -> None:
    sizes = FaceSizes(
        clean=clean, steps=4, low=32, high=16, style_low=64, style_high=32, style=16, mapping=2
    )
    state = filled(face_tensors(sizes))
    assert read_gfpgan(face_tensors(sizes)).config["out_size"] == 64
    model = loaded({"params_ema": state})
    with torch.inference_mode():
        first = model.network(2 * image(3, 64, 64) - 1)
        again = model.network(2 * image(3, 64, 64) - 1)
        noisy = model.network(2 * image(3, 64, 64) - 1, random_noise=True)
    assert first.shape == (1, 3, 64, 64)
    assert torch.equal(first, again)
    assert not torch.equal(first, noisy)


def test_a_missing_tensor_is_named(loaded: Loaded) -> None:
    state = filled(named_tensors(SMALL, NEW))
    del state["conv_hr.bias"]
    with pytest.raises(ModelFileError, match=r"conv_hr\.bias"):
        loaded(state)


@pytest.mark.parametrize("family", [rrdb, srvgg, swinir, gfpgan])
def test_networks_are_built_on_meta_by_several_threads(family: Any) -> None:
    layout = __import__(f"{family.__name__}.layout", fromlist=["examples"])
    claims = list(layout.examples())[:3]
    name = family.__name__.rpartition(".")[2]

    def build(claim: Any) -> set[str]:
        with torch.device("meta"):
            network = plan_of(name, claim.variant, claim.layout, claim.config).build()
        assert all(p.is_meta for p in network.parameters())
        return set(network.state_dict())

    with ThreadPoolExecutor(3) as pool:
        alone, together = [build(c) for c in claims], list(pool.map(build, claims))
    assert alone == together
