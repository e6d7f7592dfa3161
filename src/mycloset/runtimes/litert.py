"""LiteRT sessions: a .tflite file checked against its family's layout, run, and timed."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from mycloset.architectures.layouts import NetworkLayout, TensorSpec
from mycloset.errors import ModelFileError

_stderr_lock = threading.Lock()
_QUIET_PREFIX = b"INFO: "


class LiteRTSession:
    """One network ready to run; callable from several threads, one forward at a time.

    Args:
        path: the .tflite file.
        layout: what the file must take and give.
        threads: how many threads one forward may use.

    Attributes:
        calls: forwards so far.
        seconds: time spent in them, copies of input and output included.

    Raises:
        ModelFileError: the file is missing, is not a TFLite model that runs here, or is another
            network than `layout` says.
    """

    def __init__(self, path: Path, layout: NetworkLayout, *, threads: int = 1) -> None:
        if threads < 1:
            raise ValueError(f"threads is {threads}; at least one is needed.")
        self.path = path
        self.layout = layout
        self.calls = 0
        self.seconds = 0.0
        self._lock = threading.Lock()
        self._interpreter = _open(path, layout.name, threads)
        self._input = _find(self._interpreter.get_input_details(), layout.input, path, layout)
        found = self._interpreter.get_output_details()
        self._outputs = {spec.role: _find(found, spec, path, layout) for spec in layout.outputs}

    def run(self, tensor: NDArray[np.float32]) -> Mapping[str, NDArray[np.float32]]:
        """One forward.

        Args:
            tensor: float32, of the layout's input shape; the batch of one may be left out.

        Returns:
            role -> float32 array without the batch of one; the caller's own.
        """
        values = np.ascontiguousarray(tensor, dtype=np.float32).reshape(self.layout.input.shape)
        with self._lock:
            start = time.perf_counter()
            self._interpreter.set_tensor(self._input, values)
            self._interpreter.invoke()
            found = {
                role: self._interpreter.get_tensor(index)[0]
                for role, index in self._outputs.items()
            }
            self.seconds += time.perf_counter() - start
            self.calls += 1
        return found


def _open(path: Path, name: str, threads: int) -> Interpreter:
    if not path.is_file():
        raise ModelFileError(f"{name}: there is no file {path}.")
    try:
        with _quiet_stderr():
            interpreter = Interpreter(model_path=str(path), num_threads=threads)
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelFileError(
            f"{name}: LiteRT cannot run {path} ({error}).",
            hint="Remove the file, so that it is fetched again.",
        ) from error
    return interpreter


def _find(
    details: list[dict[str, Any]], spec: TensorSpec, path: Path, layout: NetworkLayout
) -> int:
    """Number of the tensor that `spec` names, checked for shape and type."""
    for tensor in details:
        if tensor["name"] != spec.name:
            continue
        shape = tuple(int(side) for side in tensor["shape"])
        if shape != spec.shape or tensor["dtype"] != np.float32:
            raise ModelFileError(
                f"{layout.name}: in {path} the {spec.role} tensor {spec.name!r} is "
                f"{np.dtype(tensor['dtype'])} {shape}, not float32 {spec.shape}.",
                hint="This is another network than it should be.",
            )
        return int(tensor["index"])
    names = ", ".join(repr(tensor["name"]) for tensor in details)
    raise ModelFileError(
        f"{layout.name}: {path} has no {spec.role} tensor {spec.name!r}; it has {names}.",
        hint="This is another network than it should be.",
    )


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Hold back LiteRT's informational lines; everything else written meanwhile is passed on.

    LiteRT writes "INFO: Created ... delegate" from C++ straight to the file descriptor and offers
    no switch for it.
    """
    with _stderr_lock, tempfile.TemporaryFile() as kept:
        if sys.stderr is not None:
            sys.stderr.flush()
        try:
            original = os.dup(2)
        except OSError:  # a process without a standard error has nothing to keep clean
            yield
            return
        try:
            os.dup2(kept.fileno(), 2)
            yield
        finally:
            os.dup2(original, 2)
            os.close(original)
            kept.seek(0)
            for line in kept:
                if not line.startswith(_QUIET_PREFIX):
                    os.write(2, line)
