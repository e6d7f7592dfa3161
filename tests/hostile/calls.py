"""Every way known to hide a call in a pickle; none is a real payload: each would make a marker."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator

from opcodes import args, call, glob, pickle, raw_bytes, short, stack_glob, text

NONE, EMPTY, DICT = b"N", b")", b"}"

SHELL = (
    ("os", "system"),
    ("posix", "system"),
    ("nt", "system"),
    ("os", "popen"),
    ("posix", "popen"),
    ("subprocess", "getoutput"),
    ("subprocess", "call"),
    ("subprocess", "Popen"),
    ("subprocess", "check_output"),
    ("subprocess", "run"),
    ("commands", "getoutput"),
    ("popen2", "popen3"),
    ("pty", "spawn"),
    ("asyncio", "create_subprocess_shell"),
    ("torch.utils.collect_env", "run"),
    ("distutils.spawn", "spawn"),
    ("numpy.distutils.exec_command", "exec_command"),
    ("_osx_support", "_read_output"),
    ("_aix_support", "_read_cmd_output"),
    ("pydoc", "pipepager"),
    ("ensurepip", "_run_pip"),
    ("platform", "popen"),
    ("webbrowser", "open"),
    ("venv", "create"),
    ("imaplib", "IMAP4_stream"),
    ("uuid", "_get_command_stdout"),
)
"""Functions that run a command."""

CODE = (
    ("builtins", "eval"),
    ("builtins", "exec"),
    ("__builtin__", "eval"),
    ("__builtin__", "execfile"),
    ("__builtin__", "apply"),
    ("builtins", "compile"),
    ("code", "InteractiveInterpreter"),
    ("codeop", "compile_command"),
    ("timeit", "timeit"),
    ("trace", "Trace"),
    ("cProfile", "run"),
    ("profile", "run"),
    ("pdb", "run"),
    ("bdb", "Bdb"),
    ("doctest", "debug_script"),
    ("idlelib.run", "Executive"),
    ("idlelib.pyshell", "ModifiedInterpreter"),
    ("lib2to3.pgen2.grammar", "Grammar"),
    ("numpy.testing._private.utils", "runstring"),
    ("numpy.f2py.crackfortran", "myeval"),
    ("torch.fx._symbolic_trace", "Tracer.trace"),
    ("torch._dynamo.guards", "GuardBuilder.get"),
    ("torch.jit.unsupported_tensor_ops", "execWrapper"),
    ("torch._inductor.codecache", "compile_file"),
    ("torch.fx.experimental.symbolic_shapes", "ShapeEnv.evaluate_guards_expression"),
    ("torch.utils._config_module", "ConfigModule.load_config"),
    ("torch.utils.data.datapipes.utils.decoder", "basichandlers"),
    ("test.support.script_helper", "assert_python_ok"),
    ("pandas", "eval"),
    ("_pyrepl.pager", "pipe_pager"),
    ("xmlrpc.server", "resolve_dotted_attribute"),
)
"""Functions that run Python."""

LOADERS = (
    ("pickle", "loads"),
    ("_pickle", "loads"),
    ("cPickle", "loads"),
    ("dill", "loads"),
    ("cloudpickle", "loads"),
    ("marshal", "loads"),
    ("joblib", "load"),
    ("torch", "load"),
    ("torch.storage", "_load_from_bytes"),
    ("numpy", "load"),
    ("pandas", "read_pickle"),
    ("shelve", "open"),
    ("torch.hub", "load"),
    ("torch.hub", "load_state_dict_from_url"),
    ("torch.jit", "load"),
    ("torch.serialization", "load"),
    ("ctypes", "CDLL"),
    ("ctypes", "WinDLL"),
    ("importlib", "import_module"),
    ("importlib.machinery", "SourceFileLoader"),
    ("pkgutil", "resolve_name"),
    ("pydoc", "locate"),
    ("runpy", "run_path"),
    ("runpy", "_run_code"),
    ("pip", "main"),
    ("pip._internal", "main"),
    ("builtins", "__import__"),
)
"""Functions that bring and run more."""

FILES = (
    ("builtins", "open"),
    ("io", "open"),
    ("io", "FileIO"),
    ("_io", "FileIO"),
    ("codecs", "open"),
    ("logging", "FileHandler"),
    ("logging.config", "dictConfig"),
    ("distutils.file_util", "write_file"),
    ("shutil", "rmtree"),
    ("shutil", "copyfile"),
    ("os", "remove"),
    ("os", "unlink"),
    ("posix", "unlink"),
    ("tempfile", "NamedTemporaryFile"),
    ("pathlib", "Path.write_text"),
    ("sqlite3", "connect"),
    ("zipfile", "ZipFile"),
    ("fileinput", "FileInput"),
)
"""Functions that read, write or delete files."""

NETWORK = (
    ("socket", "create_connection"),
    ("socket", "socket"),
    ("http.client", "HTTPConnection"),
    ("urllib.request", "urlopen"),
    ("requests", "get"),
    ("requests.api", "get"),
    ("httpx", "get"),
    ("aiohttp", "request"),
    ("smtplib", "SMTP"),
    ("ftplib", "FTP"),
    ("telnetlib", "Telnet"),
    ("ssl", "get_server_certificate"),
    ("poplib", "POP3"),
    ("nntplib", "NNTP"),
)
"""Functions that speak to other machines."""

ATTRIBUTES = (
    ("builtins", "getattr"),
    ("builtins", "setattr"),
    ("operator", "attrgetter"),
    ("operator", "methodcaller"),
    ("operator", "itemgetter"),
    ("functools", "partial"),
    ("functools", "reduce"),
    ("types", "CodeType"),
    ("types", "FunctionType"),
    ("builtins", "map"),
    ("builtins", "globals"),
    ("builtins", "breakpoint"),
    ("builtins", "input"),
    ("sys", "setprofile"),
    ("sys", "exit"),
    ("signal", "signal"),
    ("threading", "Thread"),
    ("multiprocessing.util", "spawnv_passfds"),
    ("copyreg", "add_extension"),
    ("copyreg", "pickle"),
    ("atexit", "register"),
    ("weakref", "finalize"),
)
"""What chains of calls are made of."""


def plain_calls(marker: str) -> Iterator[tuple[str, bytes]]:
    """One REDUCE of each function that scanners know."""
    command, python = f"touch {marker}", f"open({marker!r}, 'w').close()"
    for group, argument in (
        (SHELL, command),
        (CODE, python),
        (LOADERS, marker),
        (FILES, marker),
        (NETWORK, "127.0.0.1"),
        (ATTRIBUTES, "system"),
    ):
        for module, name in group:
            yield f"{module}.{name}", pickle(call(glob(module, name), text(argument)))


def hidden_calls(marker: str) -> Iterator[tuple[str, bytes]]:
    """A call of os.system by every opcode and trick but a plain REDUCE."""
    command = text(f"touch {marker}")
    system = glob("os", "system")
    yield "protocol 0", b"cos\nsystem\n(S'touch " + marker.encode() + b"'\ntR."
    yield "protocol 1", pickle(call(system, command), 1)
    yield "protocol 3", pickle(call(system, command), 3)
    body = stack_glob(short("os"), short("system")) + args(command) + b"R"
    yield "protocol 4", pickle(body, 4)
    frame = b"\x95" + struct.pack("<Q", len(body) + 1)
    yield "protocol 4, framed", pickle(frame + body, 4)
    yield "frame that ends too early", pickle(b"\x95" + struct.pack("<Q", 3) + body, 4)
    yield "frame that ends too late", pickle(b"\x95" + struct.pack("<Q", 10**6) + body, 4)
    yield "protocol 5", pickle(body, 5)
    yield "PROTO twice", b"\x80\x02\x80\x04" + body + b"."
    yield "PROTO in the middle", pickle(system + b"\x80\x04" + args(command) + b"R")
    yield "no PROTO", body + b"."
    yield "INST", b"(S'touch " + marker.encode() + b"'\nios\nsystem\n."
    yield "OBJ", pickle(b"(" + system + command + b"o")
    yield "OBJ, popped", pickle(b"(" + system + command + b"o0N")
    yield "NEWOBJ", pickle(glob("subprocess", "Popen") + args(command) + b"\x81")
    yield "NEWOBJ_EX", pickle(glob("subprocess", "Popen") + args(command) + DICT + b"\x92", 4)
    yield "result popped", pickle(call(system, command) + b"0N")
    yield "result popped by mark", pickle(b"(" + call(system, command) + b"1N")
    yield "in a list", pickle(b"]" + call(system, command) + b"a")
    yield "as a dictionary's key", pickle(b"}" + call(system, command) + NONE + b"s")
    yield "as a persistent id", pickle(call(system, command) + b"Q")
    yield "as an argument", pickle(call(glob("collections", "OrderedDict"), call(system, command)))
    yield (
        "as a state",
        pickle(glob("argparse", "Namespace") + EMPTY + b"\x81" + call(system, command) + b"b"),
    )
    yield "BUILD on a function", pickle(system + b"}" + text("__code__") + NONE + b"sb")
    yield (
        "BUILD with __setstate__",
        pickle(
            glob("argparse", "Namespace")
            + EMPTY
            + b"\x81}"
            + text("__setstate__")
            + system
            + b"sb"
            + command
            + b"b"
        ),
    )
    yield (
        "BUILD with __class__",
        pickle(
            glob("argparse", "Namespace") + EMPTY + b"\x81}" + text("__class__") + system + b"sb"
        ),
    )
    yield (
        "BUILD of builtins",
        pickle(glob("numpy", "ndarray") + b"}" + text("__builtins__") + system + b"sb"),
    )
    for code in (b"\x82\x01", b"\x83\x01\x01", b"\x84\x01\x01\x01\x01"):
        yield f"extension registry, {len(code) - 1} bytes", pickle(code + args(command) + b"R")
    yield (
        "names from the memo",
        pickle(
            short("os")
            + b"\x940"
            + short("system")
            + b"\x940"
            + b"h\x00h\x01\x93"
            + args(command)
            + b"R",
            4,
        ),
    )
    yield (
        "names from the memo, overwritten",
        pickle(
            short("collections") + b"q\x00" + short("os") + b"q\x000" + short("system") + b"q\x01"
            b"00h\x00h\x01\x93" + args(command) + b"R",
            4,
        ),
    )
    yield (
        "names by long opcodes",
        pickle(
            b"\x8d"
            + struct.pack("<Q", 2)
            + b"os"
            + text("system")
            + b"\x93"
            + args(command)
            + b"R",
            4,
        ),
    )
    yield "names as bytes", pickle(b"U\x02os" + b"U\x06system" + b"\x93" + args(command) + b"R", 4)
    computed = call(glob("builtins", "str"), text("os"))
    yield (
        "name that is computed",
        pickle(stack_glob(computed, text("system")) + args(command) + b"R", 4),
    )
    joined = call(glob("_codecs", "decode"), raw_bytes(b"bf"), text("rot13"))
    yield (
        "name that is decoded",
        pickle(stack_glob(joined, text("system")) + args(command) + b"R", 4),
    )
    yield (
        "dotted attribute through a module",
        pickle(call(stack_glob(text("pathlib"), text("os.system")), command), 4),
    )
    yield (
        "dotted attribute through torch",
        pickle(
            call(
                stack_glob(text("torch.nn.modules.module"), text("warnings.sys.modules")), command
            ),
            4,
        ),
    )
    yield (
        "dotted attribute, deep",
        pickle(call(stack_glob(text("collections"), text("abc.sys.modules")), command), 4),
    )
    getter = call(glob("operator", "attrgetter"), text("system"))
    module = call(glob("importlib", "import_module"), text("os"))
    yield (
        "attrgetter on an imported module",
        pickle(getter + args(module) + b"R" + args(command) + b"R"),
    )
    bound = call(glob("functools", "partial"), system, command)
    yield "partial that is called", pickle(bound + EMPTY + b"R")
    yield (
        "map that is consumed",
        pickle(
            call(
                glob("builtins", "list"),
                call(glob("builtins", "map"), system, b"]" + command + b"a"),
            )
        ),
    )
    yield (
        "getattr of a module",
        pickle(call(call(glob("builtins", "getattr"), module, text("system")), command)),
    )
    inner = pickle(call(system, command))
    yield "pickle within a pickle", pickle(call(glob("pickle", "loads"), raw_bytes(inner)))
    yield (
        "torch storage from bytes",
        pickle(call(glob("torch.storage", "_load_from_bytes"), raw_bytes(inner))),
    )
    encoded = base64.b64encode(inner).decode()
    yield (
        "pickle within base64",
        pickle(call(glob("pickle", "loads"), call(glob("base64", "b64decode"), text(encoded)))),
    )
    yield "second pickle after STOP", pickle(NONE) + inner
    yield "third pickle after STOP", pickle(NONE) + pickle(b"]") + inner
    yield "invalid bytes after the call", pickle(call(system, command)) + b"\xff\xfe\xfd"
    yield "cut off after the call", b"\x80\x02" + call(system, command)
    yield "unknown opcode after the call", b"\x80\x02" + call(system, command) + b"\xff."
    yield (
        "marks without end after the call",
        b"\x80\x02" + call(system, command) + b"(" * 5000 + b".",
    )
    yield "call before a stack error", b"\x80\x02" + call(system, command) + b"00000."
    yield (
        "weights function with a call inside",
        pickle(call(glob("torch._utils", "_rebuild_tensor_v2"), call(system, command))),
    )
    yield (
        "rebuild from type",
        pickle(
            call(
                glob("torch._tensor", "_rebuild_from_type_v2"), system, system, args(command), NONE
            )
        ),
    )
    yield (
        "module tampering",
        pickle(glob("sys", "modules") + b"q\x00" + text("math") + glob("os", "system") + b"s"),
    )
    yield (
        "reconstructor of a process",
        pickle(
            call(glob("copy_reg", "_reconstructor"), glob("subprocess", "Popen"), command, NONE)
        ),
    )


HARMLESS: tuple[tuple[str, bytes], ...] = (
    ("plain dictionary", pickle(b"}" + text("epoch") + b"K\x03s")),
    ("ordered dictionary", pickle(call(glob("collections", "OrderedDict")))),
    (
        "argparse namespace",
        pickle(glob("argparse", "Namespace") + EMPTY + b"\x81}" + text("lr") + b"K\x01sb"),
    ),
    (
        "numpy scalar",
        pickle(
            call(
                glob("numpy.core.multiarray", "scalar"),
                call(glob("numpy", "dtype"), text("f8"), b"\x89", b"\x88"),
                call(glob("_codecs", "encode"), text("\x00" * 8), text("latin1")),
            )
        ),
    ),
    ("size", pickle(call(glob("torch", "Size"), b"]K\x01a"))),
    ("set of Python 2", pickle(call(glob("__builtin__", "set"), b"]K\x01a"))),
    ("path", pickle(call(glob("pathlib", "PosixPath"), text("a"), text("b")))),
    (
        "time",
        pickle(call(glob("datetime", "datetime"), raw_bytes(b"\x07\xe8\x01\x01\0\0\0\0\0\0"))),
    ),
    ("words like code", pickle(text("os.system('rm')") + b"q\x00")),
    ("bytes like a pickle", pickle(raw_bytes(pickle(call(glob("os", "system"), text("x")))))),
)
"""Pickles without which training files could not be read: no alarm."""
