"""All families, and which of them a table of tensors belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Literal, NamedTuple

from mycloset.architectures.comparison import Comparison, compare
from mycloset.architectures.family import Claim, Family, NotThisError, Shape, Shapes
from mycloset.architectures.index import Neighbour, Twin, neighbours_of, summary, twins_of
from mycloset.architectures.roster import read_roster

if TYPE_CHECKING:
    from mycloset.architectures.layouts import NetworkLayout

Verdict = Literal["yes", "broken", "near", "no"]

SURE = 0.99
"""Confidence in a table whose every tensor is the family's, in name and shape."""

RELATIVE = 0.6
"""What is left of the confidence in a copy that also has tensors of nobody."""

MOST = 20_000
"""Tensors above which no family is asked: the largest known network has a tenth of them."""

_RANK = {"yes": 3, "broken": 2, "near": 1, "no": 0}
_LEVELS = 6


class Opinion(NamedTuple):
    """What one family says of a table.

    Attributes:
        family: who says it.
        verdict: "yes"; "broken" (its network, but tensors are missing or misshapen); "near" (too
            much differs to be its network); "no".
        reason: one clause that names keys and shapes.
        claim: what it takes the table for; None for "no".
        comparison: the claim's tensors against the table's; None for "no".
        prefix: what was taken off every key before the family was asked.
        confidence: 0..1 that the table is what the claim says.
    """

    family: Family
    verdict: Verdict
    reason: str
    claim: Claim | None = None
    comparison: Comparison | None = None
    prefix: str = ""
    confidence: float = 0.0

    @property
    def share(self) -> float:
        """Tensors that fit, of all that either side has, 0..1."""
        return self.comparison.share if self.comparison is not None else 0.0


class Recognition(NamedTuple):
    """What a table was found to be.

    Attributes:
        opinions: what each family says, the best first; those that found none of their markers
            come last with "no".
        twins: known networks whose tensors have the very same shapes under other names; filled
            only where no family says "yes".
        neighbours: known networks that are alike; filled only where the table stays unknown.
    """

    opinions: tuple[Opinion, ...]
    twins: tuple[Twin, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()

    @property
    def best(self) -> Opinion | None:
        """The opinion that stands: "yes", or else "broken"; None where the table is unknown."""
        first = self.opinions[0] if self.opinions else None
        return first if first is not None and first.verdict in ("yes", "broken") else None

    @property
    def rivals(self) -> tuple[Opinion, ...]:
        """Other families that say "yes" just as surely: the tensors cannot tell."""
        best = self.best
        if best is None or best.verdict != "yes":
            return ()
        return tuple(
            other
            for other in self.opinions[1:]
            if other.verdict == "yes"
            and other.family.name != best.family.name
            and (other.share, other.confidence) >= (best.share, best.confidence)
        )


@cache
def families() -> tuple[Family, ...]:
    """Every family by name, from the roster; a family's own module is imported when it is asked."""
    return tuple(read_roster())


def family(name: str) -> Family | None:
    """The family of that name, if there is one."""
    return _by_name().get(name)


def recognise(shapes: Shapes, *, neighbours: bool = True) -> Recognition:
    """Which network a table of tensors is.

    Args:
        shapes: shape by key, in the file's order; prefixes that all keys share may still be on.
        neighbours: whether to look for networks that are alike, where nobody knows the table.

    Returns:
        Every family's opinion. A family is asked at each level of shared prefixes where one of
        its marker groups is there.
    """
    if len(shapes) > MOST:
        reason = f"{len(shapes)} tensors are more than any of its networks has"
        return Recognition(tuple(Opinion(other, "no", reason) for other in families()))
    best: dict[str, Opinion] = {}
    for prefix, table in _levels(shapes):
        for asked in _asked(table):
            opinion = _ask(asked, table, prefix)
            before = best.get(asked.name)
            if before is None or _order(opinion) > _order(before):
                best[asked.name] = opinion
        if any(opinion.verdict == "yes" for opinion in best.values()):
            break
    told = sorted(best.values(), key=_order, reverse=True)
    told.extend(_refusals(shapes, best))
    if told and told[0].verdict == "yes":
        return Recognition(tuple(told))
    counts, sequence = summary(shapes)
    twins = twins_of(counts, sequence)
    if twins or not neighbours or (told and told[0].verdict == "broken"):
        return Recognition(tuple(told), twins)
    return Recognition(tuple(told), (), neighbours_of(counts))


def recognise_graph(
    inputs: Mapping[str, Shape], outputs: Mapping[str, Shape]
) -> tuple[Family, NetworkLayout] | None:
    """The network whose graph takes and gives exactly these tensors, by name and shape."""
    for owner in families():
        for graph in owner.graphs:
            wanted = {spec.name: spec.shape for spec in graph.outputs}
            if inputs == {graph.input.name: graph.input.shape} and outputs == wanted:
                return owner, graph
    return None


def _levels(shapes: Shapes) -> Iterator[tuple[str, Shapes]]:
    """The table as it is, then without each component that all its keys begin with."""
    prefix = ""
    table = shapes
    for _ in range(_LEVELS):
        yield prefix, table
        first = next(iter(table), "")
        head, dot, rest = first.partition(".")
        if not dot or not rest:
            return
        start = head + "."
        if not all(key.startswith(start) for key in table):
            return
        cut = len(start)
        table = {key[cut:]: shape for key, shape in table.items()}
        if "" in table:
            return
        prefix += start


def _asked(table: Shapes) -> list[Family]:
    """Families of which a whole marker group is in the table."""
    found = []
    for first, groups in _markers().items():
        if first in table:
            for rest, owner in groups:
                if owner not in found and all(key in table for key in rest):
                    found.append(owner)
    return found


@cache
def _markers() -> Mapping[str, list[tuple[tuple[str, ...], Family]]]:
    """First key of each marker group -> its other keys and whose it is."""
    found: dict[str, list[tuple[tuple[str, ...], Family]]] = {}
    for owner in families():
        for first, *rest in owner.markers:
            found.setdefault(first, []).append((tuple(rest), owner))
    return found


@cache
def _strangers() -> tuple[Mapping[str, set[str]], tuple[tuple[Family, Opinion], ...]]:
    """Marker key -> the families that have it; and what each says where none of its own is."""
    whose: dict[str, set[str]] = {}
    for owner in families():
        for group in owner.markers:
            for key in group:
                whose.setdefault(key, set()).add(owner.name)
    said = ((owner, Opinion(owner, "no", _lacking(owner, {}))) for owner in families())
    return whose, tuple(said)


@cache
def _by_name() -> Mapping[str, Family]:
    return {item.name: item for item in families()}


def _ask(asked: Family, table: Shapes, prefix: str) -> Opinion:
    try:
        claim = asked.read(table)
    except NotThisError as refusal:
        return Opinion(asked, "no", str(refusal), prefix=prefix)
    comparison = compare(claim, table)
    if comparison.exact:
        verdict: Verdict = "yes"
        confidence = min(SURE, claim.confidence)
        reason = f"all {len(table)} tensors are those of {claim.title}"
    elif comparison.extended:
        verdict = "yes"
        confidence = min(SURE, claim.confidence) * (0.75 + 0.2 * comparison.share)
        reason = (
            f"every tensor of {claim.title} is there, and {len(comparison.unused)} more"
            f" ({_some(comparison.unused)})"
        )
    elif comparison.rewidened:
        verdict = "yes"
        confidence = min(SURE, claim.confidence) * 0.8
        reason = f"every key of {claim.title} is there, in other widths"
    elif comparison.broken:
        verdict = "broken"
        confidence = min(SURE, claim.confidence) * comparison.share * 0.9
        if comparison.unused:
            # It lacks some and has others instead: perhaps a relative that nobody here knows.
            confidence *= RELATIVE
        reason = f"{claim.title}, but {comparison.differences}"
    else:
        verdict = "near"
        confidence = 0.0
        reason = f"{comparison.matched} tensors fit {claim.title}, but {comparison.differences}"
    return Opinion(asked, verdict, reason, claim, comparison, prefix, round(confidence, 3))


def _order(opinion: Opinion) -> tuple[float, ...]:
    fitting = opinion.comparison.matched if opinion.comparison is not None else 0
    return _RANK[opinion.verdict], opinion.share, opinion.confidence, fitting


def _refusals(shapes: Shapes, asked: Mapping[str, Opinion]) -> Iterator[Opinion]:
    """The "no" of every family that was not asked. Most have none of their marker keys there:
    theirs is always the same."""
    whose, strangers = _strangers()
    met = {name for key in whose.keys() & shapes.keys() for name in whose[key]}
    for owner, opinion in strangers:
        if owner.name in asked:
            continue
        yield Opinion(owner, "no", _lacking(owner, shapes)) if owner.name in met else opinion


def _lacking(asked: Family, shapes: Shapes) -> str:
    """Why a family was not asked: the key of its best marker group that is not there."""
    if not asked.markers:
        return "its files hold a graph, not a state dict"
    fewest: list[str] | None = None
    for group in asked.markers:
        absent = [key for key in group if key not in shapes]
        if fewest is None or len(absent) < len(fewest):
            fewest = absent
    return f"no `{fewest[0]}`" if fewest else "its keys lie under no common prefix"


def _some(keys: tuple[str, ...], number: int = 2) -> str:
    told = ", ".join(f"`{key}`" for key in islice(keys, number))
    return f"{told}, …" if len(keys) > number else told
