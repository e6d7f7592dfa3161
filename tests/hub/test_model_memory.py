"""Weights leave memory and come back; what is in memory, and why, is told."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.models import squeezenet1_1

from mycloset.hub.events import Event, FellBack, LoadFailed, ModelAsked, ModelLeft, ModelLoaded
from mycloset.hub.loader import ModelLoader
from mycloset.hub.refusals import BudgetError
from mycloset.hub.shelved import NoModelError
from small_vgg import STEP, save_vgg, vgg_bytes

PICTURE = np.full((64, 64, 3), 127, np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three models of equal size."""
    for number, name in enumerate("abc"):
        save_vgg(tmp_path / f"{name}.pth", seed=number)
    return tmp_path


def loader_for_two(folder: Path, **options: object) -> ModelLoader:
    """A loader with room for two of the models."""
    room = int(2.5 * vgg_bytes(folder / "a.pth"))
    return ModelLoader([folder], memory=room, **options)  # type: ignore[arg-type]


def names(loader: ModelLoader) -> list[str]:
    return [path.stem for path in loader.list_loaded_models()]


def test_a_model_that_left_comes_back_when_it_is_called(folder: Path) -> None:
    loader = loader_for_two(folder)
    model = loader.load_model("a")
    before = model(PICTURE)
    for name in "bc":
        loader.load_model(name)
    assert names(loader) == ["b", "c"]
    np.testing.assert_array_equal(model(PICTURE).vector, before.vector)
    assert names(loader) == ["c", "a"]


def test_one_who_holds_a_model_gets_the_same_again(folder: Path) -> None:
    loader = loader_for_two(folder)
    model = loader.load_model("a")
    loader.unload_model("a")
    assert loader.load_model("a") is model


def test_the_memory_of_a_network_that_is_kept_counts(folder: Path) -> None:
    loader = loader_for_two(folder)
    networks = [loader.load_model(name).network for name in "ab"]
    with pytest.raises(BudgetError, match="still holds"):
        loader.load_model("c")
    del networks
    assert loader.load_model("c")


def test_one_tensor_that_is_kept_keeps_what_was_cast_with_it(tmp_path: Path) -> None:
    for number, name in enumerate("ab"):
        save_vgg(tmp_path / f"{name}.pth", width=1000, seed=number)
    room = int(0.75 * vgg_bytes(tmp_path / "a.pth"))
    loader = ModelLoader([tmp_path], memory=room, precision="float16", device="cpu")
    bias = loader.load_model("a").network.features[0].bias
    with pytest.raises(BudgetError, match="still holds"):
        loader.load_model("b")
    del bias
    assert loader.load_model("b")


def test_a_model_that_is_pinned_stays(folder: Path) -> None:
    loader = loader_for_two(folder)
    loader.load_model("a")
    loader.pin("a")
    for name in "bc":
        loader.load_model(name)
    assert names(loader) == ["a", "c"]


def test_only_what_is_in_memory_can_be_pinned(folder: Path) -> None:
    with pytest.raises(NoModelError, match="a is not in memory"):
        ModelLoader([folder]).pin("a")


def test_a_bound_on_the_number_of_models_holds(folder: Path) -> None:
    loader = ModelLoader([folder], most=1)
    for name in "abc":
        loader.load_model(name)
    assert names(loader) == ["c"]


def test_what_will_be_asked_for_stays(folder: Path) -> None:
    loader = loader_for_two(folder)
    loader.expect(["a", "b", "c", "a"])
    for name in "abc":
        loader.load_model(name)
    assert "a" in names(loader)


def test_models_are_loaded_side_by_side_in_order(folder: Path) -> None:
    loader = ModelLoader([folder])
    assert [model.info.path.stem for model in loader.load_models("cab")] == ["c", "a", "b"]
    assert loader.statistics.loads == 3


def test_more_models_at_once_than_fit_are_loaded_all_the_same(folder: Path) -> None:
    loader = loader_for_two(folder)
    assert len(loader.load_models("abc")) == 3
    assert len(names(loader)) == 2


def test_a_model_that_was_fetched_ahead_is_not_loaded_again(folder: Path) -> None:
    events: list[Event] = []
    loader = ModelLoader([folder], observer=events.append)
    for future in loader.prefetch("a", "b"):
        future.result(30)
    loader.load_model("a")
    loads = [event for event in events if isinstance(event, ModelLoaded)]
    assert [event.ahead for event in loads] == [True, True]
    assert [event.there for event in events if isinstance(event, ModelAsked)] == [True]


def test_fetching_ahead_takes_no_room_of_what_was_just_asked_for(folder: Path) -> None:
    loader = ModelLoader([folder], memory=int(1.5 * vgg_bytes(folder / "a.pth")))
    loader.load_model("a")
    (future,) = loader.prefetch("b")
    assert isinstance(future.exception(30), BudgetError)
    assert names(loader) == ["a"]


def test_many_threads_load_one_model_once(folder: Path) -> None:
    loader = ModelLoader([folder])
    barrier = threading.Barrier(8)

    def ask(_: int) -> object:
        barrier.wait()
        return loader.load_model("a")

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    assert loader.statistics.loads == 1


def test_many_threads_with_little_room_get_their_results(folder: Path) -> None:
    loader = ModelLoader([folder], memory=int(1.5 * vgg_bytes(folder / "a.pth")))
    alone = {name: loader.load_model(name)(PICTURE).vector for name in "abc"}

    def ask(name: str) -> bool:
        return bool(np.array_equal(loader.load_model(name)(PICTURE).vector, alone[name]))

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(ask, "abcabcabcabc"))


def test_what_comes_and_goes_is_told(folder: Path) -> None:
    events: list[Event] = []
    loader = ModelLoader([folder], most=1, observer=events.append)
    for name in "aba":
        loader.load_model(name)
    told = [type(event).__name__ for event in events]
    assert told.count("ModelAsked") == told.count("ModelLoaded") == 3
    assert [event.path.stem for event in events if isinstance(event, ModelLeft)] == ["a", "b"]
    assert [event.again for event in events if isinstance(event, ModelLoaded)] == [
        False, False, True,
    ]  # fmt: skip


def test_the_state_of_a_model_tells_what_it_holds(folder: Path) -> None:
    loader = ModelLoader([folder])
    assert not loader.get_model_info("a").loaded
    loader.load_model("a")
    state = loader.get_model_info("a")
    assert (state.loaded, state.device, state.precision) == (True, "cpu", "float32")
    assert state.bytes == pytest.approx(vgg_bytes(folder / "a.pth"), rel=0.01)
    assert state.resident <= state.bytes
    assert state.seconds is not None


def test_without_a_name_the_state_of_all_is_told(folder: Path) -> None:
    loader = ModelLoader([folder])
    loader.load_model("b")
    told = {state.path.stem: state.loaded for state in loader.get_model_info()}
    assert told == {"a": False, "b": True, "c": False}


def test_an_observer_is_called_once_until_it_is_taken_away(folder: Path) -> None:
    events: list[Event] = []
    loader = ModelLoader([folder], observer=events.append)
    more: list[Event] = []
    ends = [loader.subscribe(more.append) for _ in range(2)]
    loader.load_model("a")
    assert len(more) == len(events) == 2
    for end in ends:
        end()
    loader.load_model("a")
    assert (len(more), len(events)) == (2, 3)


def test_another_model_that_serves_says_for_which_and_why(folder: Path) -> None:
    save_vgg(folder / "best.pth", width=20)
    events: list[Event] = []
    loader = ModelLoader([folder], observer=events.append)
    best = loader.candidates(STEP)[0]
    assert best.path.stem == "best"
    data = bytearray(best.path.read_bytes())
    data[-2000:] = bytes(2000)
    loader.load_model("a")
    (folder / "new").write_bytes(data)
    (folder / "new").replace(best.path)
    model = loader.load_model_for_step(STEP)
    assert model.info.path.stem == "a"
    assert model.info.fallback is not None
    assert "best.pth" in model.info.fallback.wanted
    assert "best.pth" in model.info.fallback.reason
    assert any(isinstance(event, FellBack) for event in events)


def test_a_model_that_does_not_fit_gives_way_to_one_that_does(folder: Path) -> None:
    save_vgg(folder / "huge.pth", width=2000)
    loader = loader_for_two(folder)
    model = loader.load_model_for_step(STEP)
    assert model.info.path.stem == "a"
    assert model.info.fallback is not None
    assert "more than" in model.info.fallback.reason


def test_a_failing_load_does_not_touch_the_others(folder: Path) -> None:
    events: list[Event] = []
    loader = ModelLoader([folder], observer=events.append)
    kept = loader.load_model("a")
    loader.candidates(STEP)
    (folder / "b.pth").unlink()
    with pytest.raises(Exception, match=r"b\.pth"):
        loader.load_model("b")
    assert kept(PICTURE) is not None
    assert loader.load_model("c")
    assert names(loader) == ["a", "c"]
    assert all(not isinstance(event, LoadFailed) or event.path.stem == "b" for event in events)


def test_a_closed_loader_holds_nothing(folder: Path) -> None:
    with ModelLoader([folder]) as loader:
        loader.load_models("abc")
    assert names(loader) == []


def test_a_checkpoint_is_given_by_its_own_keys(folder: Path) -> None:
    held = ModelLoader([folder]).load_checkpoint("a")
    theirs = torch.load(folder / "a.pth", weights_only=True)
    assert set(held) == set(theirs)
    assert all(torch.equal(held[key], theirs[key]) for key in held)


def test_what_is_done_to_a_checkpoints_tensors_reaches_no_model(folder: Path) -> None:
    loader = ModelLoader([folder])
    model = loader.load_model("a")
    before = model(PICTURE).vector
    for tensor in loader.load_checkpoint("a").values():
        tensor.zero_()
    np.testing.assert_array_equal(model(PICTURE).vector, before)


def test_a_model_that_is_spread_leaves_in_its_file_what_there_is_no_room_for(
    folder: Path,
) -> None:
    pytest.importorskip("accelerate")
    whole = ModelLoader([folder]).load_model("a")(PICTURE)
    room = vgg_bytes(folder / "a.pth") // 2
    loader = ModelLoader([folder], memory=room, device="spread")
    model = loader.load_model("a")
    np.testing.assert_allclose(model(PICTURE).vector, whole.vector, atol=1e-5)
    state = loader.get_model_info("a")
    assert "disk" in state.device
    assert "disk" in state.device_map.values()
    assert state.bytes <= room


def test_models_that_share_a_backbones_file_share_its_memory(tmp_path: Path) -> None:
    trunk = tmp_path / "trunk" / "squeezenet1_1.pth"
    trunk.parent.mkdir()
    torch.save(squeezenet1_1().state_dict(), trunk)
    widths = (64, 128, 256, 384, 384, 512, 512)
    for name in ("one", "other"):
        heads = {f"lin{n}.model.1.weight": torch.rand(1, w, 1, 1) for n, w in enumerate(widths)}
        torch.save(heads, tmp_path / f"{name}.pth")
    loader = ModelLoader([tmp_path])
    loader.load_model("one", backbone=trunk)
    assert loader.get_model_info("one").shared == 0
    loader.load_model("other", backbone=trunk)
    state = loader.get_model_info("other")
    assert state.shared == loader.get_model_info("one").shared
    assert state.shared > 0.9 * state.bytes
