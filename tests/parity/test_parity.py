"""Numerical parity: a golden's file through `mycloset.load` gives the outputs of the reference.

`pytest tests/parity --goldens DIR` runs whatever manifests lie in DIR.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch
from captures import captured
from manifests import heavy, manifests_of, read

import golden_weights
import mycloset
from mycloset.architectures.plans import has_network


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    given = metafunc.config.getoption("--goldens")
    cases = [
        pytest.param(
            path,
            id=f"{path.parent.name}/{path.name.removesuffix('.json.gz')}",
            marks=[pytest.mark.slow] if heavy(read(path), explicit=given is not None) else [],
        )
        for path in manifests_of(given)
    ]
    metafunc.parametrize("golden", cases)


def test_published_file_gives_the_outputs_of_the_reference(golden: Path, tmp_path: Path) -> None:
    manifest = read(golden)
    file = tmp_path / "weights.pth"
    torch.save(golden_weights.checkpoint(manifest), file)
    analysis = mycloset.inspect(file)
    if analysis.family is not None and not has_network(analysis.family):
        pytest.skip(f"{analysis.family} is recognised, but has no network yet")

    adaptor = importlib.import_module(f"adapt_{analysis.family}")
    beside = getattr(adaptor, "load_options", lambda manifest, folder: {})

    model = mycloset.load(file, **beside(manifest, tmp_path))

    assert model.info.mapping["missing"] == 0
    assert model.info.unused == ()
    found = _outputs(adaptor, model, manifest)
    apart = {
        expected["name"]: golden_weights.worst(expected, found[expected["name"]])
        for expected in manifest["outputs"]
    }
    allowed = {name: golden_weights.tolerance(manifest, name) for name in apart}
    assert {n: d for n, d in apart.items() if not d <= allowed[n]} == {}


def _outputs(
    adaptor: Any, model: mycloset.Model, manifest: dict[str, Any]
) -> dict[str, torch.Tensor]:
    """The outputs by the manifest's names, through the family's adaptor."""
    # What an adaptor does not name itself may be a module of the network by its own path.
    paths = {name for name, _ in model.network.named_modules()}
    inner = {o["name"]: o["name"] for o in manifest["outputs"] if o["name"] in paths}
    with torch.inference_mode(), captured(model.network, inner) as seen:
        given = golden_weights.inputs(manifest)
        named: dict[str, torch.Tensor] = adaptor.outputs(model, given, manifest)
    found = {**seen, **named}
    lacking = [o["name"] for o in manifest["outputs"] if o["name"] not in found]
    assert not lacking, f"the adaptor gives {sorted(found)}, not {lacking}"
    return found
