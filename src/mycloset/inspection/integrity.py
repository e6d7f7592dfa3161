"""validate_checkpoint: whether a model file is whole, unharmed and what it should be."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mycloset.architectures.registry import families, family
from mycloset.checkpoints import verification
from mycloset.checkpoints.contents import Checkpoint, Finding
from mycloset.checkpoints.reading import read_checkpoint
from mycloset.checkpoints.source import Source
from mycloset.errors import OptionError
from mycloset.inspection.names import is_generic
from mycloset.inspection.results import Network


@dataclass(frozen=True)
class Validation:
    """What a check of a model file found.

    Attributes:
        path: the file.
        valid: whether nothing of severity "error" was found.
        expected: the architecture that was asked for, or "".
        found: family and variant of the network in the file, "" for none.
        missing: keys that the architecture has and the file lacks.
        unused: keys that the file has and the architecture lacks.
        misshapen: key, shape in the file, shape of the architecture.
        findings: all that was found.
        sha256: of the whole file; "" unless the check was deep.
        seconds: how long it took.
    """

    path: Path
    valid: bool
    expected: str
    found: str
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    misshapen: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
    findings: tuple[Finding, ...]
    sha256: str
    seconds: float

    def to_json(self) -> Mapping[str, Any]:
        """JSON values."""
        from mycloset.inspection.results import plain

        found: Mapping[str, Any] = plain(self)
        return found


def validate_checkpoint(
    path: Path | str, expected_architecture: str | None = None, deep: bool = False
) -> Validation:
    """Check a model file.

    Args:
        path: the file, or a model's folder.
        expected_architecture: "family" or "family/variant" ("sam", "sam/vit_b").
        deep: also read every byte: archive checksums, SHA-256 against a sidecar file and the
            family's published files, NaN, Inf and all-zero tensors.

    Returns:
        What was found; whatever is wrong with the file is a finding, not an error.

    Raises:
        InputError: there is nothing at the path.
        OptionError: there is no such architecture.
    """
    from mycloset.inspection.analysis import analyse

    start = time.perf_counter()
    wanted, _, variant = (expected_architecture or "").partition("/")
    if wanted and family(wanted) is None:
        names = ", ".join(known.name for known in families())
        raise OptionError(f"No architecture is named {wanted!r}.", hint=f"Known ones: {names}.")
    checkpoint = read_checkpoint(path)
    analysis = analyse(checkpoint)
    findings = [*analysis.findings]
    network = _fitting(analysis.networks, wanted, variant)
    if wanted and (
        network is None or network.family != wanted or (variant and variant != network.variant)
    ):
        held = network.title if network is not None else analysis.verdict
        findings.append(
            Finding(
                "mismatch",
                "error",
                f"It should be {expected_architecture}, but holds {held}{_why(network, wanted)}.",
                {"expected": expected_architecture, "found": _name(network)},
            )
        )
    digest = ""
    if deep:
        findings.extend(deep_findings(checkpoint))
        if checkpoint.path.is_file():
            digest = verification.sha256(checkpoint.path)
            findings.extend(verification.compare_sidecar(checkpoint.path, digest))
            findings.extend(_published(checkpoint.path, digest, analysis.networks))
    return Validation(
        path=checkpoint.path,
        valid=not any(finding.severity == "error" for finding in findings),
        expected=expected_architecture or "",
        found=_name(network),
        missing=network.missing if network is not None else (),
        unused=network.unused if network is not None else (),
        misshapen=network.misshapen if network is not None else (),
        findings=tuple(findings),
        sha256=digest,
        seconds=round(time.perf_counter() - start, 6),
    )


def deep_findings(checkpoint: Checkpoint) -> list[Finding]:
    """What only reading every byte shows: wrong checksums, NaN, Inf, tensors of zeros."""
    if not checkpoint.path.is_file():
        return []
    with Source(checkpoint.path) as source:
        return [
            *verification.check_archive(source, checkpoint),
            *verification.check_values(source, checkpoint),
        ]


def _fitting(networks: tuple[Network, ...], wanted: str, variant: str) -> Network | None:
    """The network that was asked for, or else the first."""
    fitting = [
        network
        for network in networks
        if network.family == wanted and (not variant or network.variant == variant)
    ]
    return fitting[0] if fitting else (networks[0] if networks else None)


def _name(network: Network | None) -> str:
    if network is None or network.family is None:
        return ""
    return f"{network.family}/{network.variant}"


def _why(network: Network | None, wanted: str) -> str:
    """What the wanted family itself says of the tensors."""
    if network is None:
        return ""
    said = [other.reason for other in network.candidates if other.family == wanted]
    return f" ({wanted} says: {said[0]})" if said and network.family != wanted else ""


def _published(path: Path, digest: str, networks: tuple[Network, ...]) -> list[Finding]:
    """The digest against those that authors state for files of this name."""
    stated = [
        file
        for network in networks
        if network.family is not None and (owner := family(network.family)) is not None
        for file in owner.published
        if file.sha256 and file.variant == network.variant
    ]
    named = [file for file in stated if file.file.rsplit("/", 1)[-1] == path.name]
    if is_generic(path) or not named or any(digest.startswith(f.sha256) for f in stated):
        return []
    return [
        Finding(
            "altered",
            "warning",
            f"{path.name} is not the published file of that name: its SHA-256 begins with"
            f" {digest[:8]}, not {named[0].sha256[:8]}.",
            {"sha256": digest, "published": named[0].sha256},
        )
    ]
