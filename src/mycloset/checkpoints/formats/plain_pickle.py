"""Reads pickles that are no checkpoint of PyTorch: one, or several in a row."""

from __future__ import annotations

from typing import Any

from mycloset.checkpoints import containers
from mycloset.checkpoints.contents import Checkpoint, Finding, TensorGroup
from mycloset.checkpoints.formats import torch_legacy
from mycloset.checkpoints.objects import build_tree
from mycloset.checkpoints.pickles.grading import inner_tape
from mycloset.checkpoints.pickles.nodes import Call, Tape
from mycloset.checkpoints.pickles.rendering import shown
from mycloset.checkpoints.pickles.scanning import scan
from mycloset.checkpoints.rebuilding import Rebuilder, Stored, TroubleError
from mycloset.checkpoints.source import DamagedError, Source


def read(source: Source) -> Checkpoint:
    """What a file of pickles holds; a stream of old PyTorch is read as such, however its magic
    number is written.

    Raises:
        DamagedError: not one opcode of it makes sense.
    """
    tape = Tape.over(source)
    found = scan(tape, source.path.name)
    pickles = (found.pickle, *found.following)
    old = len(pickles) > 2 and pickles[1].value == torch_legacy.PROTOCOL
    if found.pickle.value == torch_legacy.MAGIC or old:
        return torch_legacy.read(source)
    if not found.pickle.whole and found.pickle.value is None and not found.globals:
        message = found.findings[-1].message if found.findings else "it is empty"
        raise DamagedError(f"{source.path.name} is no pickle: {message}", place=found.pickle.end)
    groups: list[TensorGroup] = []
    values: dict[str, Any] = {}
    findings = list(found.findings)
    if any(use.name.startswith("joblib.numpy_pickle") for use in found.globals):
        message = "The file was written by joblib, which puts arrays between opcodes; not read on."
        findings = [item for item in findings if item.kind != "corrupt"]
        findings.append(Finding("unreadable", "warning", message))

    def storage(node: Any) -> Stored:
        """A storage that the pickle holds in a pickle of its own."""
        if isinstance(node, Call) and isinstance(node.args, tuple) and node.args:
            inside = inner_tape(node.args[0], tape)
            if containers.class_of(node) == "torch.storage._load_from_bytes" and inside:
                return torch_legacy.inner_storage(inside)
        raise TroubleError(f"lies in what the file does not have: {shown(node)}")

    for index, pickle in enumerate(pickles):
        wrapper = (str(index),) if index else ()
        contents = build_tree(pickle.value, Rebuilder(storage, origin=0), wrapper)
        groups += [group for group in contents.groups if group.table]
        values = {**contents.values, **values}
        findings += contents.findings
    if not any(group.table for group in groups):
        message = f"A pickle without tensors: {shown(found.pickle.value)}."
        findings.append(Finding("not-a-model", "error", message))
    return Checkpoint(
        path=source.path,
        format="pickle",
        size=source.size,
        groups=tuple(groups),
        files=(source.path.name,),
        values=values,
        globals=found.globals,
        findings=tuple(findings),
    )
