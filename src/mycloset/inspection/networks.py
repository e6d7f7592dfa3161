"""From a state dict to Networks: recognition, put together with what the table itself says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from mycloset.architectures.comparison import Comparison
from mycloset.architectures.family import Family
from mycloset.architectures.index import Twin
from mycloset.architectures.registry import (
    SURE,
    Opinion,
    Recognition,
    families,
    family,
    recognise,
    recognise_graph,
)
from mycloset.checkpoints.contents import Checkpoint, TensorGroup
from mycloset.checkpoints.tensors import FLOATING, RUNNING, TensorTable
from mycloset.inspection.adapters import Adapted, adapted
from mycloset.inspection.results import Candidate, Neighbour, Network, Verdict
from mycloset.inspection.structure import describe

RENAMED_IN_ORDER = 0.95
"""Confidence in a known network whose every key is renamed, its shapes in the known order."""
RENAMED = 0.8
"""The same where the order is another."""

_LEAST = 2
"""Tensors that a component has at least to be looked at by itself."""
_MOST_COMPONENTS = 24
_COUNTERS = 8
"""Single numbers beside the components (`step`, `decay`) that make no network of their own."""
_TRUNK = 0.9
"""Share of tensors and of parameters from which a component stands for the whole."""
_AVERAGE = re.compile(r"(?:^|[._])ema(?:[._]|$)", re.I)
_WELL_KNOWN = 0.7
"""Share of a network that is there above which its broken copy is not split further."""


def networks_of(group: TensorGroup) -> tuple[Network, ...]:
    """The networks in one state dict.

    The first stands for the whole. Where it is made of networks that are known by themselves
    (its claim says so), or is unknown as a whole, the components that are recognised follow,
    each with its prefix. Where every component is recognised and the whole is not, only they
    are given, the largest first. An adapter that is not merged is listed behind its network.
    """
    table = group.table
    if (parts := adapted(table)) is not None:
        return _of_adapted(group, parts)
    return _of_table(group, table)


def _of_adapted(group: TensorGroup, parts: Adapted) -> tuple[Network, ...]:
    rank = f" of rank {parts.ranks[0]}" if parts.ranks else ""
    what = f"adapter (LoRA{rank})" if parts.ranks else "adapter"
    recognition = recognise(parts.adapter.shapes)
    own = _network(group, parts.adapter, "", recognition)
    if own.verdict == "unknown":
        own = replace(own, title=f"{what} for a network that is not named in it")
    if not len(parts.base):
        return (own,)
    first, *more = _of_table(group, parts.base)
    told = f"with {len(parts.adapter)} tensors of an {what} beside its own, not merged"
    if own.verdict == "unknown":
        own = replace(own, title=f"{what} for the {first.title}")
    # Its keys are not those of the file, so that it is no copy of the network without adapters.
    first = replace(first, evidence=(*first.evidence, told), digest=group.table.digest)
    return (first, own, *more)


def _of_table(group: TensorGroup, table: TensorTable) -> tuple[Network, ...]:
    recognition = recognise(table.shapes)
    whole = _network(group, table, "", recognition)
    best = recognition.best
    if best is not None and best.verdict == "yes":
        claimed = best.claim.parts if best.claim is not None else ()
        return (whole, *_recognised(group, [best.prefix + part for part in claimed]))
    if recognition.twins or (best is not None and best.share >= _WELL_KNOWN):
        return (whole,)
    found = list(_recognised(group, _components(table)))
    if found and _covered(table, found):
        return tuple(sorted(found, key=lambda part: (part.role != "ema", -part.parameters)))
    if len(found) == 1 and best is None and _carries(table, found[0]):
        return (_with_heads(table, found[0]),)
    if found and best is None:
        inside = ", ".join(f"{part.title} in `{part.prefix}`" for part in found[:2])
        whole = replace(whole, title=f"{whole.title} with {inside}")
    return (whole, *found)


def _carries(table: TensorTable, part: Network) -> bool:
    """Whether a component is all of a network but for small heads beside it."""
    return (
        part.verdict == "recognised"
        and part.tensors >= _TRUNK * len(table)
        and part.parameters >= _TRUNK * table.parameters
    )


def _with_heads(table: TensorTable, trunk: Network) -> Network:
    """The component, with what lies beside it as further heads."""
    heads = tuple(key for key in table if not key.startswith(trunk.prefix))
    return replace(
        trunk,
        confidence=round(trunk.confidence * _TRUNK, 3),
        tensors=len(table),
        parameters=table.parameters - (table.below(trunk.prefix).parameters - trunk.parameters),
        bytes=table.nbytes,
        unused=(*trunk.unused, *heads),
        digest=table.digest,
    )


def _covered(table: TensorTable, parts: list[Network]) -> bool:
    """Whether nothing but counters lies outside the parts."""
    rest = len(table) - sum(part.tensors for part in parts)
    if rest == 0:
        return True
    starts = tuple(part.prefix for part in parts)
    return rest <= _COUNTERS and rest == sum(
        entry.elements == 1 and not key.startswith(starts) for key, entry in table.items()
    )


def network_of_graph(checkpoint: Checkpoint) -> Network | None:
    """The network of a file that holds a graph, told by what it takes and gives."""
    borders = []
    for name in ("inputs", "outputs"):
        told = checkpoint.metadata.get(name)
        if not isinstance(told, list) or not told:
            return None
        borders.append({item["name"]: tuple(item["shape"] or ()) for item in told})
    found = recognise_graph(*borders)
    if found is None:
        return None
    owner, graph = found
    table = checkpoint.groups[0].table if checkpoint.groups else TensorTable(())
    identity = _Identity(
        title=f"{owner.title}, {graph.name}",
        verdict="recognised",
        family=owner.name,
        variant=graph.name,
        layout=checkpoint.format,
        config={"height": graph.size[0], "width": graph.size[1]},
        task=owner.task,
        steps=owner.steps,
        confidence=SURE,
        evidence=(
            f"it takes `{graph.input.name}` {list(graph.input.shape)} and gives "
            + ", ".join(f"`{spec.name}` {list(spec.shape)}" for spec in graph.outputs),
        ),
        licence=owner.licence,
        input_channels=graph.input.shape[-1],
    )
    opinions = tuple(
        Opinion(other, "yes" if other is owner else "no", _graph_reason(other, owner))
        for other in sorted(families(), key=lambda other: other is not owner)
    )
    group = checkpoint.groups[0] if checkpoint.groups else TensorGroup((), table)
    return _assembled(group, table, "", identity, Recognition(opinions))


def _graph_reason(other: Family, owner: Family) -> str:
    if other is owner:
        return "its graph takes and gives exactly these tensors"
    return "its graphs take and give others" if other.graphs else "its files hold a state dict"


def precision_of(dtypes: Mapping[str, int]) -> str:
    """The floating dtype, or the mix of them with shares of elements; "" without tensors."""
    floating = {name: number for name, number in dtypes.items() if name in FLOATING and number}
    counted = floating or {name: number for name, number in dtypes.items() if number}
    total = sum(counted.values())
    if len(counted) < 2:
        return next(iter(counted), "")
    told = ", ".join(f"{name} {_percent(number / total)}" for name, number in counted.items())
    return f"mixed ({told})"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "<1 %"


def _recognised(group: TensorGroup, prefixes: Iterable[str]) -> Iterator[Network]:
    for prefix in prefixes:
        cut = len(prefix)
        shapes = {
            key[cut:]: shape for key, shape in group.table.shapes.items() if key.startswith(prefix)
        }
        if len(shapes) >= _LEAST:
            found = recognise(shapes, neighbours=False)
            if found.best is not None or found.twins:
                network = _network(group, group.table.below(prefix), prefix, found)
                yield replace(network, role="ema") if _AVERAGE.search(prefix) else network


def _components(table: TensorTable) -> Iterator[str]:
    """The prefixes at which the table splits: the first component that its keys do not share."""
    prefix = ""
    while True:
        cut = len(prefix)
        heads = dict.fromkeys(key[cut:].partition(".")[0] for key in table)
        if len(heads) != 1:
            break
        start = f"{prefix}{next(iter(heads))}."
        if not all(key.startswith(start) for key in table):
            return
        prefix = start
    if len(heads) <= _MOST_COMPONENTS:
        for head in heads:
            yield f"{prefix}{head}."


class _Identity(NamedTuple):
    """Which network it is: the part of a Network that recognition gives."""

    title: str
    verdict: Verdict
    family: str | None = None
    variant: str | None = None
    layout: str | None = None
    config: Mapping[str, Any] | None = None
    task: str | None = None
    steps: tuple[str, ...] = ()
    confidence: float = 0.0
    evidence: tuple[str, ...] = ()
    undecidable: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    licence: str = ""
    input_channels: int | None = None
    output_channels: int | None = None
    prefix: str = ""
    comparison: Comparison = Comparison(0)
    buffers: frozenset[str] = frozenset()


def _network(
    group: TensorGroup, table: TensorTable, prefix: str, recognition: Recognition
) -> Network:
    best = recognition.best
    if recognition.twins:
        identity = _of_twins(recognition.twins)
    elif best is not None:
        identity = _of_opinion(best, recognition.rivals)
    else:
        identity = _unknown(table)
    return _assembled(group, table, prefix, identity, recognition)


def _assembled(
    group: TensorGroup,
    table: TensorTable,
    prefix: str,
    identity: _Identity,
    recognition: Recognition,
) -> Network:
    structure = describe(table.shapes)
    title = identity.title
    if identity.verdict == "unknown":
        title = f"unknown network ({structure.kind or 'no layers with weights'})"
    comparison = identity.comparison
    return Network(
        family=identity.family,
        variant=identity.variant,
        title=title,
        verdict=identity.verdict,
        layout=identity.layout,
        config=identity.config or {},
        task=identity.task,
        steps=identity.steps,
        confidence=identity.confidence,
        evidence=identity.evidence,
        undecidable=identity.undecidable,
        also=identity.also,
        tensors=len(table),
        parameters=table.parameters - _size(table, identity),
        bytes=table.nbytes,
        precision=precision_of(table.dtypes),
        dtypes=table.dtypes,
        input_channels=identity.input_channels,
        output_channels=identity.output_channels,
        wrapper=".".join(group.wrapper),
        prefix=prefix + identity.prefix,
        role=group.role,
        licence=identity.licence,
        missing=comparison.missing,
        unused=comparison.unused,
        misshapen=comparison.misshapen,
        structure=structure,
        candidates=tuple(_candidate(opinion) for opinion in recognition.opinions),
        neighbours=tuple(
            Neighbour(near.known.family, near.known.variant, near.likeness, near.differs)
            for near in recognition.neighbours
        ),
        digest=table.digest,
    )


def _of_opinion(opinion: Opinion, rivals: tuple[Opinion, ...]) -> _Identity:
    claim, comparison, owner = opinion.claim, opinion.comparison, opinion.family
    assert claim is not None
    assert comparison is not None
    verdict: Verdict = "recognised"
    if opinion.verdict == "broken":
        verdict = "incomplete" if comparison.missing and not comparison.misshapen else "altered"
    return _Identity(
        title=claim.title,
        verdict=verdict,
        family=owner.name,
        variant=claim.variant,
        layout=claim.layout,
        config=claim.config,
        task=claim.task or owner.task,
        steps=claim.steps if claim.steps is not None else owner.steps,
        confidence=round(opinion.confidence / (1 + len(rivals)), 3),
        evidence=(opinion.reason, *claim.evidence),
        undecidable=(
            *claim.undecidable,
            *(f"{rival.family.title} has the same tensors" for rival in rivals),
        ),
        also=claim.also,
        licence=claim.licence if claim.licence is not None else owner.licence,
        input_channels=claim.input_channels,
        output_channels=claim.output_channels,
        prefix=opinion.prefix,
        comparison=comparison,
        buffers=frozenset(opinion.prefix + key for key in claim.buffers),
    )


def _of_twins(twins: tuple[Twin, ...]) -> _Identity:
    """Every key is renamed; the shapes are those of a known network."""
    first = twins[0].known
    others = {
        twin.known.title
        for twin in twins[1:]
        if (twin.known.family, twin.known.variant) != (first.family, first.variant)
    }
    ordered = twins[0].ordered
    owner = family(first.family)
    order = "in the same order" if ordered else "in another order"
    return _Identity(
        title=first.title,
        verdict="recognised",
        family=first.family,
        variant=first.variant,
        layout="renamed",
        task=owner.task if owner is not None else None,
        steps=owner.steps if owner is not None else (),
        confidence=round((RENAMED_IN_ORDER if ordered else RENAMED) / (1 + len(others)), 3),
        evidence=(
            f"no key is known, but all {first.count} shapes are those of {first.title}, {order}",
        ),
        undecidable=tuple(f"{title} has the same shapes" for title in sorted(others)),
        licence=owner.licence if owner is not None else "",
    )


def _unknown(table: TensorTable) -> _Identity:
    return _Identity("", "unknown", input_channels=_first_width(table))


def _first_width(table: TensorTable) -> int | None:
    """Channels into the first convolution; None where there is none."""
    for key, entry in table.items():
        if len(entry.shape) == 4 and key.endswith("weight"):
            return entry.shape[1]
    return None


def _size(table: TensorTable, identity: _Identity) -> int:
    """Numbers in tensors that the family knows as buffers, though the file does not say so.

    A buffer that shares its place with a parameter is counted there, and is left out here.
    """
    if not identity.buffers:
        return 0
    shared = {
        (entry.storage, entry.offset) for key, entry in table.items() if key not in identity.buffers
    }
    return sum(
        entry.elements
        for key in identity.buffers
        if (entry := table.get(key)) is not None
        and entry.trainable is not False
        and entry.dtype in FLOATING
        and not key.endswith(RUNNING)
        and (entry.storage, entry.offset) not in shared
    )


def _candidate(opinion: Opinion) -> Candidate:
    claim = opinion.claim
    return Candidate(
        family=opinion.family.name,
        verdict=opinion.verdict,
        reason=opinion.reason,
        variant=claim.variant if claim is not None else "",
        share=round(opinion.share, 4),
    )
