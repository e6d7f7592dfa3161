"""Python names that run code, reach files, processes or the network, or lead to what does.

Learned from what scanners' issue threads and advisories list (picklescan, fickling, modelscan), and
from what the named modules offer.
"""

from __future__ import annotations

from mycloset.checkpoints.pickles.known import words

MODULES = frozenset(words(
    # The interpreter, the system, processes.
    "os posix nt posixpath ntpath sys _posixsubprocess subprocess commands popen2 pty tty pexpect"
    " multiprocessing _multiprocessing concurrent threading _thread thread dummy_threading asyncio"
    " signal _signal faulthandler resource atexit sched select selectors fcntl mmap msvcrt winreg"
    " _winapi _winreg ctypes _ctypes cffi gc site sitecustomize sysconfig platform psutil sh"
    " plumbum"
    # Code that becomes code.
    " code codeop compileall py_compile runpy imp _imp importlib pkgutil zipimport modulefinder"
    " ast dis symtable tokenize types inspect opcode new marshal trace tracemalloc pdb bdb cProfile"
    " profile pstats hotshot timeit doctest unittest test pydoc pydoc_data rlcompleter cmd idlelib"
    " lib2to3 turtledemo turtle tkinter Tkinter _pyrepl antigravity this curses readline getpass"
    " six.moves nose pytest _pytest IPython jinja2 mako numexpr sympy"
    # Other loaders of code.
    " pickle _pickle cPickle pickletools dill cloudpickle joblib jsonpickle shelve dbm anydbm"
    " copyreg copy_reg klepto yaml ruamel srsly skops hickle xmlrpc xmlrpclib"
    " SimpleXMLRPCServer DocXMLRPCServer rpyc Pyro4 celery"
    # Files.
    " io _io _pyio shutil tempfile glob fileinput linecache filecmp zipfile tarfile zipapp gzip bz2"
    " lzma _bz2 _lzma codecs mailbox mailcap mimetypes sqlite3 _sqlite3 csv netrc configparser"
    " logging.config logging.handlers"
    # The network.
    " socket _socket socketserver SocketServer ssl _ssl http httplib urllib urllib2 urllib3"
    " requests httpx aiohttp tornado twisted flask smtplib smtpd imaplib poplib nntplib"
    " ftplib telnetlib webbrowser wsgiref cgi cgitb xml paramiko fabric boto3 botocore dns"
    " websocket websockets huggingface_hub.file_download gdown wget pycurl"
    # Installing.
    " pip _pip ensurepip venv virtualenv distutils setuptools pkg_resources easy_install conda"
    " _distutils_hack _aix_support _osx_support _bootsubprocess _bootlocale"
    # What puts calls together.
    " operator _operator functools _functools itertools weakref contextlib enum.EnumMeta"
    # Numbers and tables with a door in them.
    " numpy.f2py numpy.distutils numpy.testing numpy.lib.npyio numpy.lib._npyio_impl"
    " numpy.ctypeslib numpy._core.records.fromfile pandas.io pandas.core.computation"
    " scipy.io bottleneck"
    # PyTorch's own doors.
    " torch.hub torch.jit torch.package torch.fx torch._dynamo torch._inductor torch._functorch"
    " torch._export torch.export torch.distributed torch.multiprocessing torch.testing torch.onnx"
    " torch.utils.collect_env torch.utils.bottleneck torch.utils.cpp_extension torch.utils.data"
    " torch.utils.model_zoo torch.utils._config_module torch.utils.hipify torch.utils.tensorboard"
    " torch.utils.file_baton torch.utils.model_dump torch.utils.show_pickle"
    " torch.utils.mobile_optimizer torch.utils.benchmark torch.utils.dlpack"
    " torch.serialization torch._weights_only_unpickler torch.storage torch.classes torch.ops"
    " torch._ops torch._classes torch.library torch.compiler torch.profiler torch.cuda.jiterator"
    " torch._C._jit torch.backends.xeon torch.monitor torch.futures torch._lazy torch.quasirandom"
    " torch._appdirs torch._jit_internal torch._utils_internal torch._vendor torch.contrib"
    " torchvision.datasets torchvision.io transformers.dynamic_module_utils"
    " lightning.pytorch.cli pytorch_lightning.cli fsspec s3fs gcsfs"
))  # fmt: skip
"""Modules of which everything, below them as well, counts as dangerous unless it is known."""

NAMES = frozenset(
    {
        *(f"{place}.{name}" for place in ("builtins", "__builtin__", "__builtins__")
          for name in words(
            "eval exec execfile compile getattr setattr delattr hasattr __import__ open file input"
            " raw_input breakpoint vars globals locals dir apply reload exit quit help memoryview"
            " map filter reduce type super property classmethod staticmethod sorted"
            " __build_class__")),
        "numpy.load", "numpy.loadtxt", "numpy.genfromtxt", "numpy.fromfile", "numpy.memmap",
        "numpy.save", "numpy.savez", "numpy.savetxt", "numpy.vectorize", "numpy.apply_along_axis",
        "numpy.fromfunction", "numpy.frompyfunc", "numpy.DataSource", "numpy.core.memmap.memmap",
        "numpy._core.memmap.memmap", "numpy.ndarray.tofile", "numpy.piecewise",
        "pandas.read_pickle", "pandas.eval", "pandas.read_csv", "pandas.DataFrame.eval",
        "torch.load", "torch.save", "torch.compile", "torch.hub", "torch.import_ir_module",
        "torch.import_ir_module_from_buffer", "torch.from_file", "torch.PyTorchFileReader",
        "torch._C.PyTorchFileReader", "torch._C.PyTorchFileWriter", "torch._C.import_ir_module",
        "torch.set_default_tensor_type", "torch.storage._load_from_bytes",
        "torch.nn.modules.module.register_module_forward_hook",
        "logging.FileHandler", "logging.basicConfig", "logging.shutdown",
        "pathlib.Path.write_text", "pathlib.Path.write_bytes", "pathlib.Path.unlink",
        "uuid._get_command_stdout", "uuid._popen", "uuid.getnode",
        "nltk.data.load", "random._urandom", "statistics.reduce",
        "collections.namedtuple", "collections._eval", "dataclasses.make_dataclass",
        "dataclasses._create_fn", "enum.EnumMeta", "enum.Enum.__call__", "string.Formatter",
        "ultralytics.nn.tasks.parse_model", "ultralytics.nn.tasks.torch_safe_load",
        "ultralytics.nn.autobackend.AutoBackend", "transformers.pipeline",
        "transformers.pipelines.pipeline", "transformers.AutoModel.from_pretrained",
        "langchain.llms.load_llm", "wave.open", "chunk.open", "aifc.open", "sunau.open",
        "fileinput.input", "timm.models.create_model",
        "ultralytics.nn.tasks.SafeUnpickler", "ultralytics.nn.tasks.attempt_load_weights",
    }
)  # fmt: skip
"""Dangerous names of modules that have harmless ones, too."""

PREFIXES = (
    "uuid._", "torch._C._jit", "torch._C._load", "torch._C._dynamo", "torch._C._import",
    "torch._C._functions", "torch._C._distributed",
)  # fmt: skip
"""Beginnings of dangerous names."""

DOORS = frozenset(
    words(
        "os posix nt sys subprocess commands builtins __builtin__ __builtins__ shutil ctypes socket"
        " importlib runpy pickle _pickle cPickle marshal pty io _io code codecs operator functools"
        " multiprocessing threading asyncio pkgutil urllib http requests tempfile inspect types"
        " torch.hub webbrowser pydoc pdb imp linecache glob zipfile tarfile weakref gc"
    )
)
"""Modules that must not be reached as an attribute of another one."""

PLAIN_DOORS = frozenset(words(
    "os posix nt sys subprocess builtins __builtin__ shutil ctypes socket importlib runpy pickle"
    " _pickle marshal pty"
))  # fmt: skip
"""Those that no package has a module of its own named like."""

STATE_KEYS = frozenset(words(
    "__setstate__ __reduce__ __reduce_ex__ __class__ __code__ __globals__ __builtins__"
    " __closure__ __defaults__ __kwdefaults__ __getattr__ __getattribute__ __setattr__ __call__"
    " __del__ __init__ __new__ __bases__ __mro__ __subclasses__ __import__ __loader__ __spec__"
    " __getstate__ __eq__ __hash__ __setitem__ __getitem__"
))  # fmt: skip
"""Attributes that make an object do something else when BUILD sets them."""

METHODS = frozenset({"append", "extend", "add"})
"""Attributes that later opcodes call, where they are set to something that can be called."""

LOADERS = frozenset(
    {
        *(f"{place}.{name}" for place in ("pickle", "_pickle", "cPickle", "dill", "dill._dill",
          "cloudpickle", "cloudpickle.cloudpickle") for name in ("loads", "_loads")),
        "torch.storage._load_from_bytes", "joblib.load", "joblib.numpy_pickle.load",
    }
)  # fmt: skip
"""Functions that load the pickle in the bytes that they are given."""
