"""Grades what a pickle names and calls.

The grade of a name is decided by the whole of it: an allow-list first, then what is known to be
dangerous; what is on neither list is unknown. A name that reaches through one module into another
(`pathlib`, `os.system`) counts as the name that it reaches.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from mycloset.checkpoints.contents import Finding, GlobalUse, Grade
from mycloset.checkpoints.pickles import dangers, known
from mycloset.checkpoints.pickles.machine import read_pickle
from mycloset.checkpoints.pickles.nodes import (
    HIDDEN,
    Blob,
    Build,
    Call,
    Global,
    Persistent,
    Pickle,
    Tape,
)
from mycloset.checkpoints.pickles.rendering import shown

TOLD = 40
"""Dangerous and suspicious calls that are told one by one."""

TOLD_EACH = 8
"""Calls of one global that are told one by one."""

NESTED = 4
"""Pickles within pickles that are walked, one in the other."""

INNER_TEXT = 16 << 20
"""Bytes of text that are decoded to look for a pickle in them."""

_ORDER: tuple[Grade, ...] = ("weights", "harmless", "unknown", "dangerous")
_MAKERS = frozenset({"copyreg._reconstructor", "copy_reg._reconstructor"})
_NEW = frozenset({"copyreg.__newobj__", "copy_reg.__newobj__", "copyreg.__newobj_ex__"})
_PLAIN_BASES = frozenset(
    f"{place}.{name}"
    for place in ("builtins", "__builtin__")
    for name in ("object", "dict", "list", "tuple", "set", "str", "int", "float", "long", "unicode")
)
_CODECS = frozenset({"latin1", "latin-1", "utf-8", "utf8", "ascii"})


class Graded(NamedTuple):
    """What a pickle uses, and what a person should know about it."""

    globals: tuple[GlobalUse, ...]
    findings: tuple[Finding, ...]


def grade_pickle(pickle: Pickle, tape: Tape, name: str, member: str) -> Graded:
    """Grade every global of a pickle, and every call.

    Args:
        pickle: the description.
        tape: the bytes that it was read from.
        name: what messages call the pickle ("data.pkl").
        member: the archive's member that it is, or "".
    """
    grader = _Grader(tape, name, member, 0)
    grader.grade(pickle)
    return Graded(tuple(grader.uses.values()), tuple(grader.findings))


@lru_cache(4096)
def grade_name(module: str, name: str) -> Grade:
    """The grade of "module.name", taken by itself."""
    path = f"{module}.{name}"
    if path in known.WEIGHTS or (path in known.HARMLESS and "." not in name):
        return "weights" if path in known.WEIGHTS else "harmless"
    if not module or HIDDEN in (module, name) or name.startswith("extension "):
        return "dangerous"
    inner = name.split(".")
    if any(part.startswith("__") and part.endswith("__") for part in inner):
        return "dangerous"
    if path in dangers.NAMES or path.startswith(dangers.PREFIXES):
        return "dangerous"
    parts = path.split(".")
    for count in range(1, len(parts) + 1):
        if ".".join(parts[:count]) in dangers.MODULES:
            return "dangerous"
    # `_os` and the like are how modules name what they import for themselves.
    if not dangers.DOORS.isdisjoint(
        [*inner, *(part.lstrip("_") for part in inner)]
    ) or not dangers.PLAIN_DOORS.isdisjoint(parts):
        return "dangerous"
    if module.startswith("__torch__") or (path in known.HARMLESS):
        return "harmless"
    if "." in name:
        return "unknown"
    if known.is_bag(module, name) or known.is_numeric(module, name):
        return "harmless"
    return "unknown"


class _Grader:
    def __init__(self, tape: Tape, name: str, member: str, depth: int) -> None:
        self.uses: dict[str, GlobalUse] = {}
        self.findings: list[Finding] = []
        self._tape = tape
        self._name = name
        self._member = member
        self._depth = depth
        self._told: set[tuple[str, str]] = set()
        self._counts: dict[str, int] = {}
        # Globals whose further calls say nothing new.
        self._settled: set[Global] = set()

    def grade(self, pickle: Pickle) -> None:
        """Note all that a pickle uses."""
        for found in pickle.globals:
            if found.path not in self.uses:
                grade = grade_name(found.module, found.name)
                use = GlobalUse(found.path[:300], grade, found.offset, self._member)
                self.uses[found.path] = use
        for call in pickle.calls:
            self._call(call)
        for build in pickle.builds:
            self._build(build)
        for use in list(self.uses.values()):
            if use.grade == "dangerous" and not use.called:
                self._tell("dangerous", f"names {use.name}", use.offset, use.name)

    def _call(self, call: Call) -> None:
        function = call.function
        if function.__class__ is Global and function in self._settled:
            return
        if function.__class__ is Persistent:
            function = _class_of(function)
        if function.__class__ is not Global:
            if self._counts.get(_RESULT, 0) > TOLD_EACH and isinstance(function, Call):
                return
            if isinstance(function, Call):
                self._use(_RESULT, "dangerous", call, call.offset)
            elif function is not None and not isinstance(function, str | int | float):
                self._use("(no global)", "unknown", call, call.offset)
            return
        self._called(function, call)

    def _called(self, function: Global, call: Call) -> None:
        """Grade the call of a global, by its name and by how it is called."""
        path = function.path
        grade = grade_name(function.module, function.name)
        if grade == "weights" and path not in _WATCHED:
            use = self.uses[path]
            if not use.called:
                self.uses[path] = _as_called(use)
            self._settled.add(function)
            return
        args = call.args if isinstance(call.args, tuple) else ()
        bag = known.is_bag(function.module, function.name)
        new = call.how == "new" or (call.how == "object" and not args)
        if path in _MAKERS:
            grade = self._reconstructor(args, call)
        elif path in _NEW:
            grade = self._inner(args[0] if args else None, call, new=True)
        elif path in dangers.LOADERS:
            grade = self._loader(args, path)
            if grade == "unknown":
                call = Call(function, "a pickle of weights", call.offset)
        elif path == "functools.partial":
            inner = args[0] if args else None
            plain = isinstance(inner, Global) and self._rank(inner) <= 1
            grade = "harmless" if plain else "dangerous"
        elif path in ("builtins.getattr", "__builtin__.getattr"):
            grade = _getattr_grade(args)
        elif path == "_codecs.encode":
            plain = len(args) == 1 or (
                len(args) == 2 and isinstance(args[1], str) and args[1] in _CODECS
            )
            grade = grade if plain else "unknown"
        elif path.endswith(("_rebuild_from_type_v2", "_rebuild_from_type")):
            grade = self._from_type(args, call)
        elif bag and not new:
            # Its constructor runs.
            grade = "unknown" if grade == "harmless" else grade
        self._use(path, grade, call, function.offset)
        if self._counts[path] > TOLD_EACH and path not in _WATCHED and not bag:
            self._settled.add(function)

    def _reconstructor(self, args: tuple[Any, ...], call: Call) -> Grade:
        """`copyreg._reconstructor(cls, base, state)`: `base.__new__`, then `base.__init__`."""
        if len(args) != 3:
            return "unknown"
        base = args[1]
        plain = isinstance(base, Global) and base.path in _PLAIN_BASES
        inner = self._inner(args[0], call, new=True)
        return inner if plain else _worse(inner, "unknown")

    def _from_type(self, args: tuple[Any, ...], call: Call) -> Grade:
        """`_rebuild_from_type_v2(function, type, args, state)`: calls its first argument."""
        if len(args) < 3:
            return "unknown"
        inner = Call(args[0], args[2], call.offset)
        if isinstance(args[0], Global):
            self._called(args[0], inner)
        kind = self._inner(args[1], call, new=True)
        called = self._inner(args[0], call, new=False)
        state = args[3] if len(args) > 3 else None
        self._state(state, call.offset, "an object")
        return max("weights", kind, called, key=_ORDER.index)

    def _inner(self, node: Any, call: Call, *, new: bool) -> Grade:
        """The grade of a global that another call makes an object of, or calls."""
        if not isinstance(node, Global):
            return "dangerous" if isinstance(node, Call) else "unknown"
        grade = grade_name(node.module, node.name)
        if not new and grade == "harmless" and known.is_bag(node.module, node.name):
            grade = "unknown"
        self._use(node.path, grade, call, node.offset)
        return grade

    def _rank(self, node: Global) -> int:
        return _ORDER.index(grade_name(node.module, node.name))

    def _loader(self, args: tuple[Any, ...], path: str) -> Grade:
        """Walk the pickles that a loader is given; a loader of what is no more than weights is
        still not one that a file of weights needs."""
        tape = inner_tape(args[0], self._tape) if args else None
        if tape is None or self._depth >= NESTED:
            return "dangerous"
        inner = _Grader(tape, f"the pickle in {self._name}", self._member, self._depth + 1)
        place, grade, whole = 0, 0, 0
        for _ in range(8):
            found = read_pickle(tape, place)
            if not found.whole and whole and not found.calls:
                break  # a storage's bytes
            inner.grade(found)
            if not found.whole:
                break
            place, whole = found.end, whole + 1
        for name, use in inner.uses.items():
            grade = max(grade, _ORDER.index(use.grade))
            if name not in self.uses:
                self.uses[name] = use
        self.findings += inner.findings
        plain = path == "torch.storage._load_from_bytes" and grade <= 1 and whole
        return "unknown" if plain else "dangerous"

    def _build(self, build: Build) -> None:
        target, state, offset = build
        if isinstance(target, Global):
            self._tell("dangerous", f"sets attributes of {target.path}", offset, target.path)
        self._state(state, offset, shown(target, 60))

    def _state(self, state: Any, offset: int, whose: str) -> None:
        parts = state if isinstance(state, tuple) and len(state) == 2 else (state,)
        for part in parts:
            if isinstance(part, dict):
                for key in dangers.STATE_KEYS:
                    if key in part:
                        self._tell("dangerous", f"sets {key} of {whose}", offset, key)
                for key in dangers.METHODS:
                    if isinstance(part.get(key), Global | Call):
                        self._tell("dangerous", f"sets {key} of {whose}", offset, key)

    def _use(self, path: str, grade: Grade, call: Call, offset: int) -> None:
        """Note that a global is called; of many calls the first few are told."""
        use = self.uses.get(path)
        self._counts[path] = count = self._counts.get(path, 0) + 1
        if use is not None and use.called and use.grade == grade and count > TOLD_EACH:
            return
        worst = grade if use is None or not use.called else _worse(use.grade, grade)
        risky = grade in ("unknown", "dangerous")
        if use is None or not use.called or use.grade != worst:
            text = shown(call) if risky else ""
            self.uses[path] = GlobalUse(path[:300], worst, offset, self._member, True, text)
        if risky:
            kind = "dangerous" if grade == "dangerous" else "suspicious"
            verb = "makes an object of" if call.how == "new" else "calls"
            self._tell(kind, f"{verb} {shown(call)}", call.offset, path)

    def _tell(self, kind: str, what: str, offset: int, name: str) -> None:
        if (kind, what) in self._told or len(self._told) >= TOLD:
            return
        self._told.add((kind, what))
        message = f"{self._name} {what} at byte {offset}."
        details = {"offset": offset, "global": name[:300], "member": self._member}
        severity = "error" if kind == "dangerous" else "warning"
        self.findings.append(Finding(kind, severity, message, details))  # type: ignore[arg-type]


def inner_tape(node: Any, outer: Tape) -> Tape | None:
    """The bytes that a node stands for, as a tape; None where it stands for none, or too many.

    Args:
        node: bytes, or how protocol 2 wrote them.
        outer: what the pickle was read from.
    """
    if isinstance(node, Call) and isinstance(node.function, Global):
        usual = node.function.path == "_codecs.encode" and isinstance(node.args, tuple)
        node = node.args[0] if usual and node.args else None
    if isinstance(node, Blob):
        if node.kind != "str":
            place, origin = node.start, outer.origin
            return Tape(
                lambda start, length: outer.read(place + start, length),
                node.length,
                None if origin is None else origin + place,
            )
        if node.length > INNER_TEXT:
            return None
        node = outer.read(node.start, node.length).decode("utf-8", "replace")
    if isinstance(node, str):
        node = node.encode("latin1", "replace")
    return Tape.of(node) if isinstance(node, bytes) else None


_RESULT = "(result of a call)"
_WATCHED = frozenset(
    {
        *_MAKERS,
        *_NEW,
        *dangers.LOADERS,
        "functools.partial",
        "builtins.getattr",
        "__builtin__.getattr",
        "_codecs.encode",
        "torch._tensor._rebuild_from_type_v2",
        "torch._tensor._rebuild_from_type",
    }
)
"""Functions whose arguments matter for their grade."""


def _as_called(use: GlobalUse) -> GlobalUse:
    return GlobalUse(use.name, use.grade, use.offset, use.member, True, use.call)


def _getattr_grade(args: tuple[Any, ...]) -> Grade:
    """`getattr(Class, "Inner")` is how nested classes are named before protocol 4."""
    if len(args) == 2 and isinstance(args[0], Global) and isinstance(args[1], str):
        plain = not args[1].startswith("_") and "." not in args[1]
        if plain and known.is_bag(args[0].module, args[0].name):
            return "unknown"
    return "dangerous"


def _class_of(node: Persistent) -> Global | None:
    key = node.key if isinstance(node.key, tuple) else ()
    return next((part for part in key[:2] if isinstance(part, Global)), None)


def _worse(one: Grade, other: Grade) -> Grade:
    return max(one, other, key=_ORDER.index)
