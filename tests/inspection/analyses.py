"""Analyses made by hand: one of each kind of file that a report has to show."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from mycloset.checkpoints.contents import Finding, GlobalUse
from mycloset.inspection.results import (
    Candidate,
    CheckpointAnalysis,
    Neighbour,
    Network,
    Structure,
)

HOSTILE = "</script><img src=x onerror=\"document.title='ran'\">\x1b[31m\u202e&lt;'`"
"""A text that would act in a terminal and in a page, were it let."""

LIP = "models/exp-schp-201908261155-lip.pth"

_STRUCTURE: dict[str, Any] = {
    "kind": "convolutional encoder-decoder",
    "depth": 60,
    "blocks": (("layer3.{}", 23),),
    "convolutions": 112,
    "transposed": 0,
    "linears": 0,
    "norms": 110,
    "attentions": 0,
    "embeddings": 0,
    "heads": None,
    "channels": (64, 128, 256, 512, 2048, 20),
    "widest": ("layer4.0.conv3.weight", (2048, 512, 1, 1)),
    "largest": ("context_encoding.bottleneck.0.weight", (512, 4096, 3, 3)),
}
_NETWORK: dict[str, Any] = {
    "family": "schp",
    "variant": "lip",
    "title": "SCHP human parsing, 20 LIP classes",
    "verdict": "recognised",
    "layout": "original",
    "config": {"num_classes": 20, "layers": [3, 4, 23, 3], "os": 16},
    "task": "human parsing",
    "steps": ("human_parsing",),
    "confidence": 0.995,
    "evidence": ("`decoder.conv4.weight` is [20, 256, 1, 1]: LIP classes",),
    "undecidable": ("the input size: any multiple of 16 has the same tensors",),
    "also": ("graphonomy",),
    "tensors": 676,
    "parameters": 66_721_460,
    "bytes": 267_000_000,
    "precision": "float32",
    "dtypes": {"float32": 66_800_000, "int64": 110},
    "input_channels": 3,
    "output_channels": 20,
    "wrapper": "state_dict",
    "prefix": "module.",
    "role": "weights",
    "licence": "MIT",
    "missing": (),
    "unused": (),
    "misshapen": (),
    "candidates": (),
    "neighbours": (),
    "digest": "5c3f" * 16,
}


def structure(**changes: Any) -> Structure:
    """A structure; what is not given is that of SCHP."""
    return _made(Structure, {**_STRUCTURE, **changes})


def network(**changes: Any) -> Network:
    """A network; what is not given is that of SCHP for LIP."""
    values = {**_NETWORK, "structure": structure(), **changes}
    return _made(Network, values)


def unknown(**changes: Any) -> Network:
    """A network that no family knows."""
    values = {
        "family": None, "variant": None, "verdict": "unknown", "confidence": 0.0, "layout": None,
        "title": "unknown network (vision transformer)", "task": None, "steps": (), "config": {},
        "evidence": (), "undecidable": (), "licence": "", "output_channels": None,
        "wrapper": "", "prefix": "", "also": (), "digest": "77aa" * 16,
        "neighbours": (Neighbour("sam", "vit_b", 0.72, "no prompt encoder; 14 of 12 blocks"),),
        "candidates": (
            Candidate("sam", "near", "no `prompt_encoder.point_embeddings.0.weight`", "vit_b", 0.7),
            Candidate("schp", "no", "no `decoder.conv4.weight`"),
        ),
        **changes,
    }  # fmt: skip
    return network(**values)


def analysis(
    path: str = "models/exp-schp-201908261155-lip.pth", **changes: Any
) -> CheckpointAnalysis:
    """An analysis; what is not given is that of SCHP in a torch zip file."""
    values: dict[str, Any] = {
        "path": Path(path),
        "format": "torch-zip",
        "size": 267_449_349,
        "verdict": "recognised",
        "networks": (network(),),
        "safety": "safe",
        "globals": (GlobalUse("torch._utils._rebuild_tensor_v2", "weights", 31, "data.pkl", True),),
        "files": (Path(path).name,),
        "seconds": 0.011,
        **changes,
    }
    return _made(CheckpointAnalysis, values)


def mislabelled(path: str = "models/u2net.pth") -> CheckpointAnalysis:
    """A VGG-16 under the name of U2-Net."""
    vgg = network(
        family="torchvision", variant="vgg16", title="VGG-16, 1000 ImageNet classes", steps=(),
        task="image classification", confidence=0.97, tensors=32, parameters=138_357_544,
        wrapper="", prefix="", config={"depth": 16, "num_classes": 1000}, layout="torchvision",
        licence="BSD-3-Clause", output_channels=1000, digest="9e9e" * 16,
    )  # fmt: skip
    message = "The name says U2-Net; it is a VGG-16."
    return analysis(
        path, size=553_433_881, networks=(vgg,), findings=(Finding("mismatch", "error", message),)
    )


def dangerous(path: str = "downloads/free_model.ckpt") -> CheckpointAnalysis:
    """A pickle that would run a command."""
    use = GlobalUse(
        "posix.system", "dangerous", 1234, "archive/data.pkl", True, "posix.system('id')"
    )
    finding = Finding("dangerous", "error", "It would call posix.system('id').", {"offset": 1234})
    return analysis(
        path, safety="dangerous", globals=(use,), findings=(finding,), format="pickle",
        values={"epoch": 12},
    )  # fmt: skip


def corrupt(path: str = "models/graphonomy.pth") -> CheckpointAnalysis:
    """A zip archive that is cut off."""
    finding = Finding("corrupt", "error", "The archive ends before its central directory.")
    return analysis(
        path, verdict="unreadable", networks=(), findings=(finding,), size=1_230_000_000,
        globals=(), format="torch-zip",
    )  # fmt: skip


def web_page(path: str = "models/pytorch_model.bin") -> CheckpointAnalysis:
    """An HTML page where a model should be."""
    finding = Finding("not-a-model", "error", "An HTML page: the download failed.")
    return analysis(
        path, format="html", verdict="not-a-model", networks=(), findings=(finding,), size=2311,
        safety="no-code", globals=(),
    )  # fmt: skip


def single_file(path: str = "models/sd_xl_base_1.0.safetensors") -> CheckpointAnalysis:
    """SDXL with its parts in one file."""
    whole = network(
        family="stable_diffusion", variant="sdxl", title="Stable Diffusion XL, whole pipeline",
        steps=("virtual_fitting",), task="image generation", layout="ldm", confidence=0.99,
        tensors=2515, parameters=3_468_840_000, bytes=6_938_000_000, precision="float16",
        wrapper="", prefix="", config={"context_dim": 2048}, licence="OpenRAIL++-M",
        evidence=("`model.diffusion_model.label_emb.0.0.weight` is [1280, 2816]",), undecidable=(),
        digest="aa11" * 16,
    )  # fmt: skip
    vae = network(
        family="stable_diffusion", variant="vae", title="Stable Diffusion autoencoder",
        prefix="first_stage_model.", wrapper="", tensors=248, parameters=83_653_863, steps=(),
    )  # fmt: skip
    text = unknown(prefix="conditioner.embedders.1.", tensors=519, parameters=694_660_000)
    return analysis(
        path, format="safetensors", size=6_938_078_334, networks=(whole, vae, text),
        safety="no-code", globals=(), metadata={"modelspec.title": "SDXL base"},
    )  # fmt: skip


def with_optimizer(path: str = "runs/checkpoint_0040.pth") -> CheckpointAnalysis:
    """A trainer's checkpoint."""
    finding = Finding("leftover", "info", "Training state in `optimizer`: 534 MB of 801 MB.")
    return analysis(
        path, size=801_000_000, values={"epoch": 40, "best_miou": 0.5312}, findings=(finding,)
    )


def broken(path: str = "models/half.pth") -> CheckpointAnalysis:
    """A known network that lacks tensors, and has one of another shape."""
    part = network(
        verdict="incomplete", confidence=0.8,
        missing=("decoder.conv4.weight", "decoder.conv4.bias"),
        misshapen=(("edge.conv1.0.weight", (128, 256, 1, 1), (256, 256, 1, 1)),),
    )  # fmt: skip
    finding = Finding("incomplete", "error", "2 tensors of SCHP are missing.")
    return analysis(path, verdict="incomplete", networks=(part,), findings=(finding,))


def unrecognised(path: str = "models/mystery.safetensors") -> CheckpointAnalysis:
    """A network that no family knows."""
    finding = Finding("unknown", "warning", "Not recognised: vision transformer.")
    return analysis(
        path, format="safetensors", verdict="unknown", networks=(unknown(),), findings=(finding,),
        safety="no-code", globals=(),
    )  # fmt: skip


def hostile() -> CheckpointAnalysis:
    """A file whose every text tries to act."""
    inner = unknown(
        title=HOSTILE, unused=(HOSTILE,), missing=(HOSTILE,), prefix=HOSTILE, wrapper=HOSTILE,
        evidence=(HOSTILE,), config={HOSTILE: HOSTILE}, precision=HOSTILE, licence=HOSTILE,
        neighbours=(Neighbour(HOSTILE, HOSTILE, 0.5, HOSTILE),),
        candidates=(Candidate(HOSTILE, "near", HOSTILE, HOSTILE, 0.5),),
        structure=structure(widest=(HOSTILE, (1, 2)), largest=(HOSTILE, (3, 4))),
    )  # fmt: skip
    known = network(title=HOSTILE, family=HOSTILE, variant=HOSTILE, task=HOSTILE, steps=(HOSTILE,))
    return analysis(
        f"models/{HOSTILE.replace('/', '_')}.pth", networks=(inner, known), verdict="unknown",
        findings=(Finding(HOSTILE, "warning", HOSTILE, {HOSTILE: HOSTILE}),), safety="unknown",
        globals=(GlobalUse(HOSTILE, "unknown", 7, HOSTILE, True, HOSTILE),),
        values={HOSTILE: HOSTILE}, metadata={HOSTILE: HOSTILE}, files=(HOSTILE, "b"),
    )  # fmt: skip


def every() -> tuple[CheckpointAnalysis, ...]:
    """One of each kind, and a copy."""
    return (
        analysis(), analysis("backup/parsing.pth"), mislabelled(), dangerous(), corrupt(),
        web_page(), single_file(), with_optimizer(), broken(), unrecognised(), hostile(),
    )  # fmt: skip


def duplicate() -> Finding:
    """What `every` has twice."""
    paths = [LIP, "backup/parsing.pth"]
    return Finding(
        "duplicate", "warning", "2 files hold the same.", {"paths": paths, "bytes": 267_449_349}
    )


def _made(kind: type[Any], values: dict[str, Any]) -> Any:
    names = {item.name for item in dataclasses.fields(kind)}
    return kind(**{name: value for name, value in values.items() if name in names})
