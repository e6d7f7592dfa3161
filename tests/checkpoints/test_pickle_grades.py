"""What the pickle reader says of names and calls."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from model_files import Call, Global, Module, Pickler
from mycloset.checkpoints.pickles.grading import grade_name
from mycloset.checkpoints.pickles.nodes import Tape
from mycloset.checkpoints.pickles.scanning import Scan, scan


def look(data: bytes) -> Scan:
    return scan(Tape.of(data), "data.pkl")


def text(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode()


SYSTEM = b"cos\nsystem\n"
TOUCH = text("touch x")

HOSTILE = {
    "reduce": b"\x80\x02" + SYSTEM + TOUCH + b"\x85R.",
    "the module's own name": b"cposix\nsystem\n(S'touch x'\ntR.",
    "Python 2's name": b"c__builtin__\nexecfile\n(S'x'\ntR.",
    "renamed module": b"ccommands\ngetoutput\n(S'x'\ntR.",
    "inst": b"(S'touch x'\nios\nsystem\n.",
    "obj": b"(" + SYSTEM + TOUCH + b"o.",
    "obj thrown away": b"(" + SYSTEM + TOUCH + b"o0N.",
    "stack global": b"\x80\x04" + text("os") + text("system") + b"\x93" + TOUCH + b"\x85R.",
    "name from the memo": b"\x80\x04" + text("os") + b"\x94" + text("system") + b"\x9400h\x00h\x01"
    + b"\x93" + TOUCH + b"\x85R.",
    "computed name": b"\x80\x04cbuiltins\nstr\n" + text("os") + b"\x85R" + text("system") + b"\x93"
    + TOUCH + b"\x85R.",
    "extension": b"\x80\x02\x82\x05)R.",
    "keyword arguments": b"\x80\x04" + text("subprocess") + text("Popen") + b"\x93)}" + text("args")
    + TOUCH + b"s\x92.",
    "through a harmless module": b"\x80\x04" + text("pathlib") + text("os.system") + b"\x93" + TOUCH
    + b"\x85R.",
    "a module as an attribute": b"\x80\x02ctorch.serialization\nos\n.",
    "second pickle": b"\x80\x02N.\x80\x02" + SYSTEM + TOUCH + b"\x85R.",
    "getattr": b"cbuiltins\ngetattr\n(cbuiltins\nlist\nS'append'\ntR.",
    "set state": b"ctorch.nn.modules.module\nModule\n)\x81}" + text("__setstate__") + SYSTEM + b"sb"
    + TOUCH + b"b.",
    "set method": b"cargparse\nNamespace\n)\x81}" + text("append") + SYSTEM + b"sb" + TOUCH + b"a.",
    "state of a function": b"cnumpy.testing._private.utils\nrunstring\n}" + text("a") + b"Nsb.",
    "called by a rebuild": b"ctorch._tensor\n_rebuild_from_type_v2\n(" + SYSTEM
    + b"cbuiltins\nint\n" + TOUCH + b"\x85NtR.",
    "base class": b"ccopyreg\n_reconstructor\n(cargparse\nNamespace\n" + SYSTEM + b"NtR.",
    "partial": b"cfunctools\npartial\n" + SYSTEM + b"\x85R.",
    "torch.hub": b"ctorch.hub\nload\n" + TOUCH + b"\x85R.",
    "collect_env": b"ctorch.utils.collect_env\nrun\n" + TOUCH + b"\x85R.",
    "numpy.load": b"cnumpy\nload\n" + TOUCH + b"\x85R.",
    "after damage": b"\x80\x02" + SYSTEM + TOUCH + b"\x85R\xff.",
    "without protocol": SYSTEM + TOUCH + b"\x85R.",
    "two protocols": b"\x80\x02\x80\x05" + SYSTEM + TOUCH + b"\x85R.",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_what_would_run_code_is_dangerous(name: str) -> None:
    assert "dangerous" in [finding.kind for finding in look(HOSTILE[name]).findings]


def test_a_finding_names_the_call_and_its_place() -> None:
    (finding,) = look(HOSTILE["reduce"]).findings
    assert finding.message == "data.pkl calls os.system('touch x') at byte 23."
    assert finding.details["offset"] == 23
    (use,) = look(HOSTILE["reduce"]).globals
    assert (use.name, use.grade, use.called, use.call, use.offset) == (
        "os.system",
        "dangerous",
        True,
        "os.system('touch x')",
        2,
    )


def test_a_pickle_in_a_pickle_is_walked() -> None:
    inner = b"\x80\x02" + SYSTEM + TOUCH + b"\x85R."
    outer = b"\x80\x03cpickle\nloads\nC" + bytes([len(inner)]) + inner + b"\x85R."
    found = look(outer)
    assert {use.name for use in found.globals} == {"pickle.loads", "os.system"}
    assert any("os.system('touch x')" in finding.message for finding in found.findings)


def test_pickles_behind_the_first_are_told() -> None:
    found = look(HOSTILE["second pickle"])
    assert [finding.message for finding in found.findings][-1] == (
        "Another pickle follows in data.pkl at byte 4."
    )


HARMLESS: dict[str, Any] = {
    "settings": Call(Global("argparse", "Namespace"), (), {"lr": 1}, new=True),
    "path": Call(Global("pathlib", "PosixPath"), ("a", "b")),
    "date": Call(Global("datetime", "datetime"), (b"\7\xe8\1\1\0\0\0\0\0\0",)),
    "defaults": Call(Global("collections", "defaultdict"), (Global("builtins", "list"),)),
    "module": Module("torch.nn.modules.linear.Linear"),
    "detector": Module("ultralytics.nn.tasks.DetectionModel"),
    "old class": Call(
        Global("copy_reg", "_reconstructor"),
        (Global("argparse", "Namespace"), Global("__builtin__", "object"), None),
    ),
    "part": Call(Global("functools", "partial"), (Global("torch.nn.modules.linear", "Linear"),)),
    "bytes": b"\x80\x02cos\nsystem\n",
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_files_of_weights_have_beside_them_raises_no_alarm(name: str) -> None:
    found = look(Pickler().dump({name: HARMLESS[name]}))
    assert found.findings == ()
    assert {use.grade for use in found.globals} <= {"weights", "harmless"}


def test_an_unknown_class_is_suspicious() -> None:
    found = look(Pickler().dump(Module("my.project.Net")))
    assert [(f.kind, f.severity) for f in found.findings] == [("suspicious", "warning")]


def test_a_constructor_that_runs_is_not_a_bag_of_attributes() -> None:
    call = Call(Global("ultralytics.nn.tasks", "DetectionModel"), ({"backbone": []},))
    assert [finding.kind for finding in look(Pickler().dump(call)).findings] == ["suspicious"]


@pytest.mark.parametrize(
    ("module", "name", "grade"),
    [
        ("torch._utils", "_rebuild_tensor_v2", "weights"),
        ("torch", "FloatStorage", "weights"),
        ("numpy._core.multiarray", "scalar", "weights"),
        ("torch.nn.functional", "relu", "harmless"),
        ("torch.nn.modules.module", "os", "dangerous"),
        ("torch.nn.modules.conv", "Conv2d.forward", "unknown"),
        ("torch.nn.modules.conv", "Conv2d.__init__", "dangerous"),
        ("torch.jit", "load", "dangerous"),
        ("collections", "_sys", "dangerous"),
        ("torch.storage", "_load_from_bytes", "dangerous"),
        ("torchvision.models.resnet", "resnet50", "unknown"),
        ("importlib", "import_module", "dangerous"),
        ("six.moves.builtins", "eval", "dangerous"),
        ("site", "execsitecustomize", "dangerous"),
        ("omegaconf.dictconfig", "DictConfig", "harmless"),
        ("my.module", "Thing", "unknown"),
        ("mymodule.code.net", "Thing", "unknown"),
    ],
)
def test_grades(module: str, name: str, grade: str) -> None:
    assert grade_name(module, name) == grade


def test_values_are_told_shortened() -> None:
    data = pickle.dumps({"x": 1})[:-1] + b"0" + SYSTEM + b"\x8a\xff" + b"\x7f" * 255 + b"\x85R."
    (finding,) = look(data).findings
    assert len(finding.message) < 200
