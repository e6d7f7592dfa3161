"""A claim's tensors against those that a table has."""

from __future__ import annotations

from typing import NamedTuple

from mycloset.architectures.family import Claim, Shape, Shapes

COUNTER = "num_batches_tracked"
"""Batch norms of PyTorch before 0.4.1 have none: it is never demanded and never in the way."""

EXTRA_SHARE = 0.35
"""How large a part of a table may be extra heads before it is another network."""
BROKEN_SHARE = 0.4
"""How much of a network must be there for a table to be a broken copy of it."""
SLIPS = 0.005
"""Share of tensors that may both be missing and unknown (a renamed key) in a broken copy."""
MISSHAPEN_SHARE = 0.1
"""Share of tensors of other shape up to which a copy is altered rather than another network."""


class Comparison(NamedTuple):
    """How a claim's tensors and a table's agree; counters of batch norms are left out.

    Attributes:
        matched: how many agree in key and shape.
        missing: keys that the claim has and the table lacks.
        unused: keys that the table has and the claim lacks.
        misshapen: key, the table's shape, the claim's shape.
        intruding: whether an unused key lies within the claim's numbered blocks: another network
            then, rather than this one with an extra head.
        narrower: whether every misshapen tensor differs only in widths (first two sizes).
    """

    matched: int
    missing: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    misshapen: tuple[tuple[str, Shape, Shape], ...] = ()
    intruding: bool = False
    narrower: bool = False

    @property
    def total(self) -> int:
        """All tensors that either side has."""
        return self.matched + len(self.missing) + len(self.unused) + len(self.misshapen)

    @property
    def share(self) -> float:
        """Matched of all, 0..1."""
        return self.matched / self.total if self.total else 0.0

    @property
    def exact(self) -> bool:
        """Nothing is missing, unknown or misshapen."""
        return self.matched == self.total > 0

    @property
    def extended(self) -> bool:
        """All of the network is there, and further heads beside it."""
        return (
            not self.missing
            and not self.misshapen
            and not self.intruding
            and 0 < len(self.unused) <= EXTRA_SHARE * self.total
        )

    @property
    def rewidened(self) -> bool:
        """Every key is there and none else, but widths do not fit each other (pruned)."""
        return (
            not self.missing
            and not self.unused
            and self.narrower
            and len(self.misshapen) > MISSHAPEN_SHARE * self.total
            and self.share >= 0.1
        )

    @property
    def broken(self) -> bool:
        """A damaged copy: a part of the network, or a few tensors that cannot be its own."""
        slips = max(1.0, SLIPS * self.total)
        few = max(2.0, MISSHAPEN_SHARE * self.total)
        return (
            self.share >= BROKEN_SHARE
            and len(self.misshapen) <= few
            and len(self.unused) <= slips
            and (len(self.missing) <= slips or not self.unused)
        )

    @property
    def differences(self) -> str:
        """What differs, with one example of each kind."""
        told = []
        if self.missing:
            told.append(f"{len(self.missing)} are missing (`{self.missing[0]}`)")
        if self.misshapen:
            key, found, wanted = self.misshapen[0]
            told.append(
                f"{len(self.misshapen)} have another shape"
                f" (`{key}` is {list(found)}, not {list(wanted)})"
            )
        if self.unused:
            told.append(f"{len(self.unused)} are none of its own (`{self.unused[0]}`)")
        return ", ".join(told)


def compare(claim: Claim, shapes: Shapes) -> Comparison:
    """Compare what a claim expects with what a table has."""
    expected = claim.tensors
    if expected == shapes:
        return Comparison(sum(not key.endswith(COUNTER) for key in expected))
    matched = 0
    missing: list[str] = []
    misshapen: list[tuple[str, Shape, Shape]] = []
    for key, shape in expected.items():
        if key.endswith(COUNTER):
            continue
        found = shapes.get(key)
        if found == shape:
            matched += 1
        elif found is not None:
            misshapen.append((key, found, shape))
        elif key not in claim.optional:
            missing.append(key)
    unused: list[str] = []
    for key, found in shapes.items():
        if key in expected or key.endswith(COUNTER):
            continue
        if key in claim.optional:
            wanted = claim.optional[key]
            if wanted is None or wanted == found:
                matched += 1
            else:
                misshapen.append((key, found, wanted))
        else:
            unused.append(key)
    return Comparison(
        matched,
        tuple(missing),
        tuple(unused),
        tuple(misshapen),
        intruding=bool(unused) and _intrudes(unused, expected),
        narrower=all(_same_but_for_widths(found, wanted) for _, found, wanted in misshapen),
    )


def _intrudes(unused: list[str], expected: Shapes) -> bool:
    """Whether a key lies below a numbered module that the claim has."""
    numbered = set()
    for key in expected:
        parts = key.split(".")
        for place, part in enumerate(parts[:-1]):
            if part.isdecimal():
                numbered.add(".".join(parts[: place + 1]))
    for key in unused:
        parts = key.split(".")
        for place, part in enumerate(parts[:-1]):
            if part.isdecimal() and ".".join(parts[: place + 1]) in numbered:
                return True
    return False


def _same_but_for_widths(found: Shape, wanted: Shape) -> bool:
    return len(found) == len(wanted) and found[2:] == wanted[2:]
