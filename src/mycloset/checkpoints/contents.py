"""Checkpoint: what one file was found to hold, before anybody asks which network it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from mycloset.checkpoints.tensors import TensorTable

Severity = Literal["info", "warning", "error"]
Grade = Literal["weights", "harmless", "unknown", "dangerous"]
Role = Literal["weights", "ema", "optimizer", "other"]


@dataclass(frozen=True)
class Finding:
    """Something that a person should know about a file.

    Attributes:
        kind: "corrupt" (damaged, cut off, lies about itself), "dangerous" (code that would run),
            "suspicious" (names code that is not known), "not-a-model", "unreadable",
            "mismatch" (name against content), "duplicate", "leftover", "ambiguous",
            "incomplete", "altered", "extra", "unknown", "unusual".
        severity: "error" for what makes the file unusable or unsafe, "warning" for what a person
            should look at, "info" for the rest.
        message: one sentence that names what was found.
        details: values behind the message, ready for JSON (offset, keys, other paths).
    """

    kind: str
    severity: Severity
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)


def limited(findings: list[Finding], most: int = 50) -> list[Finding]:
    """The first findings, and one that says how many more there are."""
    if len(findings) <= most:
        return findings
    more = findings[most:]
    severities: tuple[Severity, ...] = ("error", "warning", "info")
    worst = next(level for level in severities if any(f.severity == level for f in more))
    text = f"{len(more)} more findings of this kind."
    return [*findings[:most], Finding(more[0].kind, worst, text)]


class GlobalUse(NamedTuple):
    """A Python global that a pickle names.

    Attributes:
        name: "module.attribute" as written.
        grade: "weights" (what torch's weights-only loading allows), "harmless", "unknown",
            "dangerous".
        offset: place of the opcode in the pickle, bytes.
        member: archive member, or "" where the file is the pickle.
        called: whether the pickle calls it (REDUCE, OBJ, INST, NEWOBJ), not only names it.
        call: the call with its arguments, shortened, for those graded unknown or dangerous.
    """

    name: str
    grade: Grade
    offset: int
    member: str = ""
    called: bool = False
    call: str = ""


@dataclass(frozen=True)
class TensorGroup:
    """One state dict (or module tree) within a file.

    Attributes:
        wrapper: keys and indices that lead to it from the file's outermost object.
        table: its tensors.
        role: "weights"; "ema" for a moving average beside the weights; "optimizer" for an
            optimizer's or scheduler's state; "other" for tensors that belong to no state dict.
        kind: "state dict", "module" (a pickled module tree), "script" (TorchScript), "arrays".
        class_name: the pickled class of a module, or "".
    """

    wrapper: tuple[str, ...]
    table: TensorTable
    role: Role = "weights"
    kind: str = "state dict"
    class_name: str = ""


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds.

    Attributes:
        path: the file, or the folder of a model in several files.
        format: "torch-zip", "torch-legacy", "torch-tar", "torchscript", "pickle", "safetensors",
            "safetensors-sharded", "torch-sharded", "diffusers" (a pipeline's folder),
            "onnx", "tflite", "gguf", "npz", "npy", "hdf5", "keras", "tensorflow", "coreml",
            "html", "lfs-pointer", "json", "text", "empty", "zip", "tar", "7z", "folder",
            "unknown" …; what the bytes are, whatever the suffix says.
        size: bytes on disk (of all its files).
        groups: the state dicts, in the file's order.
        files: the files that it consists of, relative to its folder; the file itself first.
        values: what lies beside the tensors (epoch, args, version …): scalars as they are,
            anything else as a short description.
        metadata: what the format itself states (safetensors' __metadata__, ONNX' producer, opset,
            operators, inputs and outputs, GGUF's key-values, a folder's config.json as "config").
        globals: the Python globals that its pickles name.
        findings: damage and danger found while reading.
    """

    path: Path
    format: str
    size: int
    groups: tuple[TensorGroup, ...] = ()
    files: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    globals: tuple[GlobalUse, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def tensors(self) -> int:
        """How many tensors all its groups hold."""
        return sum(len(group.table) for group in self.groups)

    @property
    def safe(self) -> bool:
        """Whether nothing in it is graded dangerous."""
        return not any(finding.kind == "dangerous" for finding in self.findings)
