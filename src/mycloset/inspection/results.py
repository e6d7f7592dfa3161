"""CheckpointAnalysis: all that was found out about one model file, ready for JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from mycloset.checkpoints.contents import Finding, GlobalUse

Verdict = Literal[
    "recognised", "incomplete", "altered", "unknown", "weightless", "not-a-model", "unreadable"
]


class Candidate(NamedTuple):
    """What one family says of a table.

    Attributes:
        family: the family's name.
        verdict: "yes", "broken" (its network, but tensors are missing or misshapen), "near" (its
            tensors, but too many others as well), "no".
        reason: one clause that names keys and shapes.
        variant: which of its networks, where it says more than no.
        share: tensors that fit, of all that either side has, 0..1.
    """

    family: str
    verdict: Literal["yes", "broken", "near", "no"]
    reason: str
    variant: str = ""
    share: float = 0.0


class Neighbour(NamedTuple):
    """A known network that an unknown table resembles.

    Attributes:
        family: its family.
        variant: its name there.
        likeness: 0..1, share of tensors of equal shape.
        differs: what differs, in words.
    """

    family: str
    variant: str
    likeness: float
    differs: str


@dataclass(frozen=True)
class Structure:
    """A network as its tensors alone describe it.

    Attributes:
        kind: likely kind, in words ("convolutional encoder-decoder"), or "".
        depth: layers with weights: convolutions, linears and recurrent ones.
        blocks: the longest numbered runs, as pattern and length ("blocks.{}", 12).
        convolutions: how many.
        transposed: transposed convolutions among them, where names or shapes show them.
        linears: fully connected layers.
        norms: normalisation layers.
        attentions: attention blocks.
        embeddings: embedding tables.
        heads: attention heads, where a tensor shows them; else None.
        channels: output channels in the file's order, repeats folded.
        widest: key and shape of the tensor with the most output channels, or None.
        largest: key and shape of the tensor with the most elements, or None.
    """

    kind: str
    depth: int
    blocks: tuple[tuple[str, int], ...]
    convolutions: int
    transposed: int
    linears: int
    norms: int
    attentions: int
    embeddings: int
    heads: int | None
    channels: tuple[int, ...]
    widest: tuple[str, tuple[int, ...]] | None
    largest: tuple[str, tuple[int, ...]] | None


@dataclass(frozen=True)
class Network:
    """One network of a file.

    Attributes:
        family: None where it is not recognised.
        variant: its name within the family, or None.
        title: name for people; for an unknown network a description.
        verdict: how sure the name is.
        layout: how its keys are named ("original", "mmpose-0.x", "diffusers", …), or None.
        config: what its constructor takes, as read from shapes.
        task: what it does, or None.
        steps: what it can serve.
        confidence: 0..1.
        evidence: what showed it.
        undecidable: what tensors cannot tell.
        also: other families whose files hold this very network.
        tensors: how many.
        parameters: numbers in them, shared ones once, running statistics left out.
        bytes: bytes of the tensors.
        precision: "float32", or "mixed (float16 98 %, float32 2 %)".
        dtypes: elements by dtype.
        input_channels: of the picture or features that it takes, or None.
        output_channels: of what it gives, or None.
        wrapper: keys that lead to it, joined by dots; "" for none.
        prefix: put before every key, dot included; "" for none.
        role: "weights" or "ema".
        licence: of the family's published weights, or "".
        missing: keys that a whole file has and this one lacks.
        unused: keys that the network has no place for.
        misshapen: key, shape found, shape expected.
        structure: the network as its tensors describe it.
        candidates: what each family said, the nearest first.
        neighbours: known networks that it resembles; empty where it is recognised.
        digest: hash of keys, dtypes and shapes.
    """

    family: str | None
    variant: str | None
    title: str
    verdict: Verdict
    layout: str | None
    config: Mapping[str, Any]
    task: str | None
    steps: tuple[str, ...]
    confidence: float
    evidence: tuple[str, ...]
    undecidable: tuple[str, ...]
    also: tuple[str, ...]
    tensors: int
    parameters: int
    bytes: int
    precision: str
    dtypes: Mapping[str, int]
    input_channels: int | None
    output_channels: int | None
    wrapper: str
    prefix: str
    role: str
    licence: str
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    misshapen: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
    structure: Structure
    candidates: tuple[Candidate, ...]
    neighbours: tuple[Neighbour, ...]
    digest: str

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON values; long key lists are cut, their lengths are told."""
        found: dict[str, Any] = plain(self)
        for name in ("missing", "unused", "misshapen"):
            every = found[name]
            found[name] = every[:KEYS_TOLD]
            found[f"{name}_count"] = len(every)
        return found


KEYS_TOLD = 100
"""How many keys of a list stand in JSON."""


@dataclass(frozen=True)
class CheckpointAnalysis:
    """All that was found out about one file or folder of a model.

    Attributes:
        path: the file (or the folder of a model in several files).
        format: what the bytes are, whatever the suffix says; see `checkpoints.Checkpoint.format`.
        size: bytes on disk.
        verdict: the first network's, or why there is none.
        networks: the networks in it; the one that the file stands for first. Where one network is
            made of several that are known by themselves, it comes first and they follow.
        findings: what a person should know.
        safety: "safe", "unknown" (names code that is not known), "dangerous", or "no-code" for
            formats that cannot hold code.
        globals: Python globals that its pickles name.
        values: what lies beside the tensors.
        metadata: what the format itself states.
        files: names of its files.
        sample: hash of a few blocks of its largest tensors, equal for copies; "" where not taken.
        seconds: how long the analysis took.
    """

    path: Path
    format: str
    size: int
    verdict: Verdict
    networks: tuple[Network, ...] = ()
    findings: tuple[Finding, ...] = ()
    safety: Literal["safe", "unknown", "dangerous", "no-code"] = "no-code"
    globals: tuple[GlobalUse, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    sample: str = ""
    seconds: float = 0.0

    @property
    def network(self) -> Network | None:
        """The network that the file stands for."""
        return self.networks[0] if self.networks else None

    def __getattr__(self, name: str) -> Any:
        # `analysis.family` is the network's: what people ask a file for.
        if name in _NETWORK_FIELDS:
            network = self.network
            return getattr(network, name) if network is not None else _EMPTY[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def to_json(self) -> dict[str, Any]:
        """JSON values: the file's fields, the first network's beside them, all under `networks`.

        Each of those has the path and format, too, and the findings that are its own.
        """
        own = {
            item.name: plain(getattr(self, item.name))
            for item in dataclasses.fields(self)
            if item.name != "networks"
        }
        told = [network.to_json() for network in self.networks]
        first = told[0] if told else dict(_EMPTY)
        networks = [
            {
                "path": own["path"],
                "format": self.format,
                **network,
                "findings": [
                    finding
                    for finding in own["findings"]
                    if finding["details"].get("network") == number
                ],
            }
            for number, network in enumerate(told)
        ]
        return {**first, **own, "networks": networks}


_NETWORK_FIELDS = frozenset(item.name for item in dataclasses.fields(Network)) - {"verdict"}
_EMPTY: dict[str, Any] = {
    **dict.fromkeys(_NETWORK_FIELDS, None),
    **dict.fromkeys(
        ("evidence", "undecidable", "also", "missing", "unused", "misshapen", "steps"), ()
    ),
    **dict.fromkeys(("candidates", "neighbours"), ()),
    "config": {},
    "dtypes": {},
    **dict.fromkeys(("tensors", "parameters", "bytes"), 0),
    **dict.fromkeys(("title", "precision", "wrapper", "prefix", "role", "licence", "digest"), ""),
    "confidence": 0.0,
}


def plain(value: Any) -> Any:
    """A value as JSON takes it: dataclasses and mappings as objects, paths as strings."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Candidate | Neighbour | GlobalUse):
        return plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, str | int | float | bool | None.__class__):
        return value
    return str(value)
