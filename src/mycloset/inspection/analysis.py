"""CheckpointAnalyzer: a model file, or a folder of them, to all that can be known from headers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mycloset.checkpoints import averages
from mycloset.checkpoints.contents import Checkpoint, Finding
from mycloset.checkpoints.reading import read_checkpoint
from mycloset.checkpoints.uncollected import uncollected
from mycloset.inspection.names import mismatches
from mycloset.inspection.networks import network_of_graph, networks_of
from mycloset.inspection.results import CheckpointAnalysis, Network, Verdict

if TYPE_CHECKING:
    from mycloset.inspection.folders import FolderAnalysis, Progress

Safety = Literal["safe", "unknown", "dangerous", "no-code"]

PICKLED = frozenset(
    {"torch-zip", "torch-legacy", "torch-tar", "torchscript", "pickle", "torch-sharded"}
)
"""Formats that are read by running a pickle elsewhere; here they are only walked."""
_DAMAGED = 0.5
"""What is left of the confidence in a part of a network where the file is damaged."""
_HOLDING_CODE = PICKLED | {"zip", "tar", "7z"}


class CheckpointAnalyzer:
    """Says what model files really are.

    Args:
        deep: also read all bytes: archive checksums, NaN, Inf and all-zero tensors, SHA-256.
        sample: also read a few blocks of the largest tensors, by which copies are told; folders
            are always sampled.
    """

    def __init__(self, *, deep: bool = False, sample: bool = False) -> None:
        self.deep = deep
        self.sample = sample

    def analyze_checkpoint(self, path: Path | str) -> CheckpointAnalysis:
        """Analyse one file, or the folder of one model (config.json beside its weights).

        Whatever is wrong with the file is a finding, not an error.

        Raises:
            InputError: there is nothing at the path, or it is a folder of many models.
        """
        start = time.perf_counter()
        with uncollected():
            analysis = self._analysed(path)
        return replace(analysis, seconds=round(time.perf_counter() - start, 6))

    def _analysed(self, path: Path | str) -> CheckpointAnalysis:
        checkpoint = read_checkpoint(path)
        analysis = analyse(checkpoint, deep=self.deep)
        if self.sample:
            from mycloset.inspection.folders import sample

            analysis = replace(analysis, sample=sample(checkpoint))
        return analysis

    def analyze_folder(
        self,
        root: Path | str,
        on_progress: Progress | None = None,
        *,
        workers: int | None = None,
    ) -> FolderAnalysis:
        """Analyse every model file below a folder, on several cores.

        Args:
            root: the folder.
            on_progress: called as `on_progress(done, total, analysis)` after each file.
            workers: processes; None: one a core, or none where the process runs threads.

        Raises:
            InputError: there is no such folder.
        """
        from mycloset.inspection.folders import analyze_tree  # One file needs none of it.

        one = CheckpointAnalyzer(deep=self.deep, sample=True)
        return analyze_tree(Path(root), one.analyze_checkpoint, on_progress, workers=workers)


def inspect(path: Path | str, *, deep: bool = False) -> CheckpointAnalysis:
    """What a model file really is, from its headers alone; nothing in it is executed.

    Args:
        path: a file, or the folder of one model.
        deep: also read all bytes: checksums, NaN, Inf and all-zero tensors.

    Raises:
        InputError: there is nothing at the path, or it is a folder of many models.
    """
    return CheckpointAnalyzer(deep=deep).analyze_checkpoint(path)


def analyse(checkpoint: Checkpoint, *, deep: bool = False) -> CheckpointAnalysis:
    """What a checkpoint that was read is."""
    graph = network_of_graph(checkpoint)
    networks = (
        (graph,)
        if graph is not None
        else _ordered(
            [
                networks_of(group)
                for group in checkpoint.groups
                if group.role in ("weights", "ema") and len(group.table)
            ]
        )
    )
    networks = tuple(_with_operators(network, checkpoint) for network in networks)
    damaged = any(finding.kind == "corrupt" for finding in checkpoint.findings)
    if damaged:
        networks = tuple(map(_doubted, networks))
    findings = [*checkpoint.findings, *_leftovers(checkpoint), *_states(networks)]
    if not (damaged and networks and networks[0].verdict == "unknown"):
        # What is left of a damaged file cannot speak against its name.
        findings.extend(mismatches(checkpoint.path, networks))
    if deep:
        from mycloset.inspection.integrity import deep_findings

        findings.extend(deep_findings(checkpoint))
    return CheckpointAnalysis(
        path=checkpoint.path,
        format=checkpoint.format,
        size=checkpoint.size,
        verdict=_verdict(checkpoint, networks),
        networks=networks,
        findings=tuple(findings),
        safety=_safety(checkpoint),
        globals=checkpoint.globals,
        values=checkpoint.values,
        metadata=checkpoint.metadata,
        files=checkpoint.files,
    )


def _with_operators(network: Network, checkpoint: Checkpoint) -> Network:
    """An unknown network of a graph is described by the graph's operators."""
    operators = checkpoint.metadata.get("operators")
    if network.verdict != "unknown" or not isinstance(operators, dict) or not operators:
        return network
    told = ", ".join(f"{number} {name}" for name, number in list(operators.items())[:4])
    return replace(network, title=f"unknown network (a graph of {told})")


def _doubted(network: Network) -> Network:
    """A part of a network in a damaged file: how much more there was is not to be known."""
    if network.verdict not in ("incomplete", "altered"):
        return network
    return replace(
        network,
        confidence=round(network.confidence * _DAMAGED, 3),
        undecidable=(*network.undecidable, "which layers the damage took: it may have been larger"),
    )


def _ordered(groups: list[tuple[Network, ...]]) -> tuple[Network, ...]:
    """The state dict that the file stands for first: a recognised one, of those the averaged."""

    def rank(networks: tuple[Network, ...]) -> tuple[int, int, int]:
        first = networks[0]
        known = {"recognised": 0, "altered": 1, "incomplete": 1}.get(first.verdict, 2)
        # OpenMMLab swaps before it saves: the plain names hold what is to be run.
        averaged = first.role == "ema" and not first.wrapper.endswith(averages.PREFIX)
        return known, 0 if averaged else 1, -first.parameters

    return tuple(network for networks in sorted(groups, key=rank) for network in networks)


def _leftovers(checkpoint: Checkpoint) -> Iterator[Finding]:
    state = [group for group in checkpoint.groups if group.role == "optimizer"]
    if not state:
        return
    own = sum(group.table.nbytes for group in state)
    total = sum(group.table.nbytes for group in checkpoint.groups)
    where = ", ".join(f"`{'.'.join(group.wrapper) or '(root)'}`" for group in state)
    yield Finding(
        "leftover",
        "info",
        f"Training state in {where}: {_size(own)} of {_size(total)}, not needed to run it.",
        {"bytes": own, "of": total},
    )


def _states(networks: tuple[Network, ...]) -> Iterator[Finding]:
    for number, network in enumerate(networks):
        where = f" ({network.prefix or network.wrapper})" if len(networks) > 1 else ""
        if network.verdict in ("incomplete", "altered") and network.evidence:
            kind = "incomplete" if network.verdict == "incomplete" else "altered"
            yield Finding(
                kind,
                "error",
                f"{network.evidence[0]}{where}.",
                {
                    "network": number,
                    "missing": list(network.missing[:20]),
                    "unused": list(network.unused[:20]),
                    "misshapen": [list(item) for item in network.misshapen[:20]],
                },
            )
        elif network.verdict == "recognised" and network.unused:
            yield Finding(
                "extra",
                "info",
                f"{len(network.unused)} tensors are none of {network.title}'s own, such as"
                f" `{network.unused[0]}`: a further head{where}.",
                {"network": number, "unused": list(network.unused[:20])},
            )
        elif network.verdict == "recognised" and network.misshapen:
            yield Finding(
                "altered",
                "warning",
                f"{len(network.misshapen)} tensors have other widths than {network.title}: pruned"
                f" or widened{where}.",
                {
                    "network": number,
                    "misshapen": [list(item) for item in network.misshapen[:20]],
                },
            )
    if networks and networks[0].verdict == "unknown":
        text = f"Not recognised: {networks[0].title}."
        yield Finding("unknown", "warning", text, {"network": 0})
    for number, network in enumerate(networks):
        if network.confidence and network.verdict == "recognised" and network.confidence <= 0.5:
            text = f"{'; '.join(network.undecidable)}."
            yield Finding("ambiguous", "warning", text, {"network": number})


def _verdict(checkpoint: Checkpoint, networks: tuple[Network, ...]) -> Verdict:
    if networks:
        return networks[0].verdict
    kinds = {finding.kind for finding in checkpoint.findings}
    if "not-a-model" in kinds:
        return "not-a-model"
    if kinds & {"corrupt", "unreadable"}:
        return "unreadable"
    return "weightless"


def _safety(checkpoint: Checkpoint) -> Safety:
    if not checkpoint.safe:
        return "dangerous"
    if any(use.grade == "unknown" for use in checkpoint.globals) or any(
        finding.kind == "suspicious" for finding in checkpoint.findings
    ):
        return "unknown"
    damaged = any(finding.kind == "corrupt" for finding in checkpoint.findings)
    if damaged and not checkpoint.globals and checkpoint.format in _HOLDING_CODE:
        # Nothing was seen of the pickle that another reader may still come to.
        return "unknown"
    return "safe" if checkpoint.globals or checkpoint.format in PICKLED else "no-code"


def _size(count: float) -> str:
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"
