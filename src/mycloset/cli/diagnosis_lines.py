"""A diagnosis for people: what there is, which way each step goes and why, what would be better."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from mycloset.cli.diagnosis import Advice, Diagnosis, StepDiagnosis, shown
from mycloset.inspection.report.text import Line, Span, padded, wrapped
from mycloset.inspection.report.wording import plural, size_text
from mycloset.tryon.result import FALLBACKS

_LABEL = 14
"""Columns of the labels of the first parts."""
_STEP = 25
"""Columns before what is said of a step."""
_REFUSED = 12
"""Files that no step can take, which are told one by one."""
_MARKS = {"served": ("✓", "good"), "embedded": ("·", "dim"), "less": ("!", "warn"),
          "none": ("✗", "bad bold")}  # fmt: skip


def diagnosis_lines(found: Diagnosis, *, width: int | None) -> list[Line]:
    """The report.

    Args:
        found: what was found out.
        width: columns of the terminal; None breaks no line.
    """
    parts = (_environment(found), _steps(found), _refused(found), _end(found))
    lines: list[Line] = []
    for part in parts:
        told = [line for entry, indent in part for line in wrapped(entry, width, indent=indent)]
        lines += [[Span("")], *told] if lines and told else told
    return lines


Entry = tuple[Line, int]
"""A line, and the indent of its continuations."""


def _labelled(label: str, *said: Span | str) -> Entry:
    spans = [part if isinstance(part, Span) else Span(part) for part in said]
    return [Span(padded(f"  {label}", _LABEL), "dim"), *spans], _LABEL


def _title(text: str, more: str = "") -> Entry:
    return [Span(text, "bold"), Span(more, "dim")], 0


def _environment(found: Diagnosis) -> Iterator[Entry]:
    machine, cache = found.machine, found.cache
    yield _title(f"mycloset {found.mycloset}", f"  on Python {found.python}")
    features = f", {' '.join(machine.features)}" if machine.features else ""
    yield _labelled("processor", f"{machine.processor}, {machine.architecture}{features}")
    few = f"{machine.usable_cores:g} of {machine.cores or '?'} usable"
    yield _labelled("cores", few)
    limit = machine.container_memory
    told = f"; this container may take {size_text(limit)}" if limit is not None else ""
    free = f"{size_text(machine.free)} free of {size_text(machine.memory)}{told}"
    yield _labelled("memory", free)
    yield _labelled("graphics", ", ".join(machine.gpus) or "no card that a driver tells of")
    yield _labelled("runs on", f"{found.device or machine.device}", *_by_auto(found))
    torch = found.packages["torch"]
    others = [f"{name} {v}" for name, v in found.packages.items() if v and name != "torch"]
    if torch is None:
        yield _labelled(
            "torch", "not installed; only model files need it: pip install 'mycloset[torch]'"
        )
    else:
        yield _labelled("torch", torch)
    yield _labelled("libraries", ", ".join(others))
    place = f"{shown(cache.folder, ())}, {size_text(cache.free)} free"
    yield _labelled("cache", place, *([] if cache.writable else [Span(", read-only", "warn")]))
    if cache.absent:
        few = f"{len(cache.absent)} of {len(cache.absent) + len(cache.embedded)} not there yet"
        yield _labelled("embedded", Span(few, "warn"), ": mycloset pull embedded")
    else:
        yield _labelled("embedded", f"all {len(cache.embedded)} networks there and whole")
    for number, root in enumerate(found.roots):
        yield _labelled("models" if number == 0 else "", shown(root, ()))
    if found.roots:
        yield _labelled("", f"{plural(found.models, 'network')}, {found.runnable:,} can run")
        budget = ", ".join(f"{size_text(size)} on {name}" for name, size in found.budget.items())
        yield _labelled("budget", budget)


def _by_auto(found: Diagnosis) -> list[Span]:
    if found.device and found.device != found.machine.device:
        return [Span(f"  (the fastest is {found.machine.device})", "dim")]
    return []


def _steps(found: Diagnosis) -> Iterator[Entry]:
    more = "" if found.roots else "  (for steps by models of your own: --models DIR)"
    yield _title(f"Steps of the pipeline {found.pipeline}", more)
    for number, step in enumerate(found.steps, start=1):
        sign, style = _MARKS[_state(step)]
        head = padded(f" {number} {step.step}", _STEP - 3)
        first, *rest = _served(found, step)
        yield [Span(f"  {sign}", style), Span(head), *first], _STEP
        for line in rest:
            inner = len(line[0].text) - len(line[0].text.lstrip())
            yield [Span(" " * _STEP), *line], _STEP + inner


def _state(step: StepDiagnosis) -> str:
    if not step.way:
        return "none"
    if any(passed.kind in FALLBACKS for passed in step.passed_over):
        return "less"
    return "embedded" if step.way == "embedded" else "served"


def _served(found: Diagnosis, step: StepDiagnosis) -> Iterator[Line]:
    """What is said of one step, line by line."""
    if step.way == "":
        yield [Span("nothing can serve", "bad bold")]
    elif step.way == "embedded":
        yield [Span("embedded")]
    for model in step.models:
        yield [Span(model.title, "title"), Span(f"  {size_text(model.bytes)}", "dim")]
        yield [Span(shown(model.file, found.roots))]
        forbidden = model.non_commercial
        licence = model.licence or "licence not known"
        yield [Span(f"{licence}{' ⊘' if forbidden else ''}", "warn" if forbidden else "dim")]
    if step.way not in ("", "embedded") and not step.models:
        yield [Span(f"goes on with what {step.after} by {step.way} makes")]
    yield from _why(found, step)
    if step.pull:
        best, *others = step.pull
        folder = shown(found.roots[0], ()) if found.roots else "models"
        yield [Span(f"mycloset pull {best.name} --to {folder}", "good")]
        yield [Span(f"  {_facts(best)}", "dim")]
        if others:
            yield [Span(f"  or {', '.join(advice.name for advice in others)}", "dim")]


def _facts(advice: Advice) -> str:
    """What a published file is, how large, and under which licence."""
    facts = [advice.title, advice.licence + (" ⊘" if advice.non_commercial else "")]
    if advice.bytes is not None:
        facts.insert(1, size_text(advice.bytes))
    if advice.by_hand:
        facts.append("by hand: it says from where")
    return "; ".join(facts)


def _why(found: Diagnosis, step: StepDiagnosis) -> Iterator[Line]:
    """Why nothing better serves; ways that no file is there for are told together."""
    absent = [passed.way for passed in step.passed_over if passed.kind == "absent"]
    if absent and found.roots:
        yield [Span(f"no file of {', '.join(absent)}", "dim")]
    for passed in step.passed_over:
        if passed.kind != "absent":
            said = f"{passed.model or passed.way}: {passed.reason}"
            yield [Span(said, "dim" if passed.kind == "other way" else "warn")]


def _refused(found: Diagnosis) -> Iterator[Entry]:
    if not found.refused:
        return
    kinds = Counter(refused.kind for refused in found.refused)
    counts = ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())
    yield _title("Files that no step can take", f"  {counts}")
    for refused in found.refused[:_REFUSED]:
        where = shown(refused.file, found.roots)
        kind = padded(f"  {refused.kind}", _LABEL)
        yield [Span(kind, "warn"), Span(f"{where}: {refused.reason}")], _LABEL
    more = len(found.refused) - _REFUSED
    if more > 0:
        yield [Span(f"  and {more:,} more: --json has all of them", "dim")], 4


def _end(found: Diagnosis) -> Iterator[Entry]:
    if any(step.non_commercial for step in _licensed(found)):
        yield [Span("⊘ the licence forbids commercial use", "dim")], 2
    if not found.problems:
        yield [Span("✓ ", "good bold"), Span(f"All {len(found.steps)} steps can run.")], 2
    for problem in found.problems:
        yield [Span("✗ ", "bad bold"), Span(problem)], 2


def _licensed(found: Diagnosis) -> Iterable[Advice]:
    for step in found.steps:
        yield from step.pull[:1]
        yield from (
            Advice("", model.title, model.bytes, model.licence, model.non_commercial, False)
            for model in step.models
        )
