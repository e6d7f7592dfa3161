"""From a pickle's calls to tensors: dtype, shape, stride and place, each checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

from mycloset.checkpoints.arrays import ARRAY_MAKERS, array_of
from mycloset.checkpoints.contents import Finding, Severity
from mycloset.checkpoints.pickles.nodes import Call, Global, Persistent
from mycloset.checkpoints.pickles.rendering import shown
from mycloset.checkpoints.tensors import BITS, Shape, Storage, TensorEntry

CORRUPT = 50
"""Findings of one kind that are told one by one."""

LARGEST = 1 << 63
"""Elements that PyTorch can count."""

_CLASSES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16",
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16",
    "CharStorage": "int8", "ByteStorage": "uint8", "BoolStorage": "bool",
    "BFloat16Storage": "bfloat16", "ComplexDoubleStorage": "complex128",
    "ComplexFloatStorage": "complex64", "QUInt8Storage": "quint8", "QInt8Storage": "qint8",
    "QInt32Storage": "qint32", "QUInt4x2Storage": "quint4x2", "QUInt2x4Storage": "quint2x4",
    "UntypedStorage": "", "_UntypedStorage": "",
}  # fmt: skip
_DTYPES = {
    **{name: name for name in BITS},
    "float": "float32", "double": "float64", "half": "float16", "long": "int64", "int": "int32",
    "short": "int16", "cfloat": "complex64", "cdouble": "complex128", "chalf": "complex32",
}  # fmt: skip


class Stored(NamedTuple):
    """A storage that a persistent id names.

    Attributes:
        storage: where its bytes lie.
        dtype: of its elements; "" where only the tensor says.
        start: bytes from the storage's beginning (views of storages in old files).
        nbytes: bytes that the pickle says it has.
        trouble: what is wrong with it in the file, as a clause about a tensor in it; "" if nothing.
    """

    storage: Storage
    dtype: str
    start: int
    nbytes: int
    trouble: str = ""


class Raw(NamedTuple):
    """A tensor without a name."""

    dtype: str
    shape: Shape
    stored: Stored
    offset: int
    stride: Shape
    trainable: bool | None
    array: bool = False


class TroubleError(Exception):
    """A tensor cannot be described.

    Attributes:
        kind: "corrupt", where its description contradicts itself or the file; "unusual", where it
            is of a sort that is not read.
    """

    def __init__(self, message: str, kind: str = "corrupt") -> None:
        super().__init__(message)
        self.kind = kind


@lru_cache(256)
def storage_dtype(kind: Global) -> str:
    """The dtype that a storage class stands for; "" for the untyped one.

    Raises:
        TroubleError: no such class.
    """
    if kind.module.startswith("torch") and kind.name in _CLASSES:
        return _CLASSES[kind.name]
    raise TroubleError(f"lies in a storage of unknown kind {shown(kind)}")


def dtype_of(node: Any) -> str:
    """The dtype that a global names.

    Raises:
        TroubleError: no such dtype.
    """
    if isinstance(node, Global) and node.module == "torch" and node.name in _DTYPES:
        return _DTYPES[node.name]
    raise TroubleError(f"has the unknown dtype {shown(node)}")


def storage_parts(key: Any) -> tuple[str, str, int, tuple[Any, ...]]:
    """Dtype, name, elements and what follows of the persistent id of a storage.

    Raises:
        TroubleError: not the id of a storage.
    """
    if not isinstance(key, tuple) or len(key) < 5 or key[0] not in ("storage", b"storage"):
        raise TroubleError(f"lies in what is no storage: {shown(key)}")
    name, count = key[2], key[4]
    if isinstance(name, bytes):
        name = name.decode("latin1")
    if not isinstance(name, str) or count.__class__ is not int or count < 0:
        raise TroubleError(f"lies in a storage with the broken id {shown(key)}")
    kind = key[1]
    if kind.__class__ is not Global:
        raise TroubleError(f"lies in a storage of unknown kind {shown(kind)}")
    return storage_dtype(kind), name, count, key[5:]


class Rebuilder:
    """Finds tensors among nodes and makes entries of them.

    Args:
        storages: what a persistent id (or a call in its place) stands for; raises TroubleError
            where the file has no such storage.
        origin: what to add to a place in the pickle to get the place in the file, where the pickle
            lies in the file as it is.
        named: whether a persistent id that is a string stands for a tensor.
        sound: where the storage of this dtype, name and number of elements lies; None where
            anything about it needs a closer look. It is asked first, for plain ids.

    Attributes:
        findings: tensors that cannot be as they are described; those have no entry.
    """

    def __init__(
        self,
        storages: Callable[[Any], Stored | Raw],
        *,
        named: bool = False,
        origin: int | None = None,
        sound: Callable[[str, str, int], Storage | None] | None = None,
    ) -> None:
        self._sound = sound
        self._kinds: dict[Global, str] = {}
        self._named = named
        self._origin = origin
        self.findings: list[Finding] = []
        self.troubles = 0
        self._storages = storages
        self._makers: dict[Global, Callable[[tuple[Any, ...]], Raw] | None] = {}
        self._arrays: set[Global] = set()
        self._plain_makers: set[Global] = set()
        self._checked: dict[int, tuple[Any, Shape, int]] = {}
        self._seen: dict[Any, Stored | Raw] = {}
        self._contiguous: dict[Shape, tuple[Shape, int]] = {}

    def is_tensor(self, node: Any) -> bool:
        """Whether a node stands for a tensor, sound or not."""
        if node.__class__ is not Call:
            return self._named and node.__class__ is Persistent and isinstance(node.key, str)
        function = node.function
        if function.__class__ is not Global:
            return False
        try:
            if self._makers[function] is not None:
                return True
        except KeyError:
            self._makers[function] = self._maker(function)
            if function.path in ARRAY_MAKERS:
                self._arrays.add(function)
            if self._makers[function] == self._tensor:
                self._plain_makers.add(function)
            return self.is_tensor(node)
        return function in self._arrays and array_of(node, self._origin) is not None

    def entries(self, tensors: Iterable[tuple[str, Any]]) -> list[TensorEntry]:
        """The tensors that nodes stand for, with their dotted names; see `entry`."""
        makers, checked, kinds = self._plain_makers, self._checked, self._kinds
        sound, entry, new = self._sound, self.entry, tuple.__new__
        found: list[TensorEntry] = []
        for key, node in tensors:
            # What `_usual` does for a tensor like the ones before it, without its calls.
            if sound is not None and node.__class__ is Call and node.function in makers:
                args = node.args
                if args.__class__ is tuple and len(args) == 6:
                    place, offset, shape, stride, needs, _ = args
                    known = checked.get(id(shape))
                    if (
                        known is not None
                        and known[0] is shape
                        and shape.__class__ is tuple
                        and stride.__class__ is tuple
                        and stride == known[1]
                        and offset.__class__ is int
                        and not offset
                        and place.__class__ is Persistent
                        and (whole := place.key).__class__ is tuple
                        and (len(whole) == 5 or (len(whole) == 6 and whole[5] is None))
                    ):
                        word, kind, name, _, count = whole[:5]
                        dtype = kinds.get(kind) if kind.__class__ is Global else None
                        if (
                            dtype
                            and word == "storage"
                            and name.__class__ is str
                            and count.__class__ is int
                            and count >= known[2]
                            and (storage := sound(dtype, name, count)) is not None
                        ):
                            nbytes = known[2] * BITS[dtype] // 8
                            trainable = True if needs is True else None
                            fields = (key, dtype, shape, storage, 0, None, nbytes, trainable)
                            found.append(new(TensorEntry, fields))
                            continue
            made = entry(key, node)
            if made is not None:
                found.append(made)
        return found

    def entry(self, key: str, node: Any, trainable: bool | None = None) -> TensorEntry | None:
        """The tensor that a node stands for; None, and a finding, where it cannot be as described.

        Args:
            key: its dotted name.
            node: one that `is_tensor`.
            trainable: what the place where it stands says about it.
        """
        if node.__class__ is Call and node.function in self._plain_makers:
            usual = self._usual(key, node.args, trainable)
            if usual is not None:
                return usual
        try:
            raw = self.raw(node)
            dtype, shape, stored, offset, stride, calls_itself, _ = raw
            plain, elements = self._plain(shape)
            bits = BITS[dtype]
            storage = stored.storage
            nbytes = elements * bits // 8
            start = stored.start + offset * bits // 8
            if stride == plain:
                reach, steps = offset + elements, None
            else:
                reach, steps = self._reach(shape, stride, offset, elements)
                if steps == plain:
                    steps = None
            if elements and reach * bits > stored.nbytes * 8:
                raise TroubleError(
                    f"reaches to element {reach} of a storage of {stored.nbytes * 8 // bits}"
                )
        except TroubleError as error:
            self.trouble(key, str(error), error.kind)
            return None
        if stored.trouble:
            self.trouble(key, stored.trouble)
        says = calls_itself if trainable is None else trainable
        return TensorEntry(key, dtype, shape, storage, start, steps, nbytes, says)

    def _usual(self, key: str, args: Any, trainable: bool | None) -> TensorEntry | None:
        """The entry of a sound tensor in C order, as nearly all are; None for any other."""
        if args.__class__ is not tuple or len(args) < 5:
            return None
        persistent, offset, shape, stride, needs = args[:5]
        # The same sizes are mostly the same tuple, which was checked when it first came.
        known = self._checked.get(id(shape))
        if known is None or known[0] is not shape:
            try:
                known = (shape, *self._plain(_sizes(shape)))
            except TroubleError:
                return None
            self._checked[id(shape)] = known
        _, plain, elements = known
        if shape.__class__ is not tuple or stride.__class__ is not tuple or stride != plain:
            return None
        if offset.__class__ is not int or offset < 0:
            return None
        try:
            stored = self._stored(persistent)
        except TroubleError:
            return None
        if stored.__class__ is not Stored or stored.trouble:
            return None
        dtype = stored.dtype or "uint8"
        if stored.dtype and persistent.__class__ is Persistent:
            self._kinds[persistent.key[1]] = dtype
        bits = BITS[dtype]
        if (offset + elements) * bits > stored.nbytes * 8:
            return None
        if trainable is None and needs is True:
            trainable = True
        start = stored.start + offset * bits // 8
        fields = (key, dtype, shape, stored.storage, start, None, elements * bits // 8, trainable)
        return tuple.__new__(TensorEntry, fields)

    def trouble(self, key: str, what: str, kind: str = "corrupt") -> None:
        """Note that a tensor is broken, or not read."""
        self.troubles += 1
        if self.troubles <= CORRUPT:
            name = key if len(key) <= 200 else key[:200] + "…"
            message = f"Tensor {name!r} {what}."
            severity: Severity = "error" if kind == "corrupt" else "warning"
            self.findings.append(Finding(kind, severity, message, {"key": name}))

    def raw(self, node: Any) -> Raw:
        """The tensor that a node stands for.

        Raises:
            TroubleError: it cannot be as described.
        """
        if node.__class__ is Persistent:
            found = self._stored(node)
            if isinstance(found, Raw):
                return found
            raise TroubleError("is a storage")
        if not self.is_tensor(node):
            raise TroubleError(f"is made of what is no tensor: {shown(node)}")
        maker = self._makers[node.function]
        if maker is None:
            array = array_of(node, self._origin)
            assert array is not None
            dtype, shape, stride, storage = array
            return Raw(
                dtype, shape, Stored(storage, dtype, 0, storage.nbytes), 0, stride, None, True
            )
        args = node.args
        if not isinstance(args, tuple):
            raise TroubleError("is made with arguments that are no tuple")
        return maker(args)

    def _maker(self, function: Global) -> Callable[[tuple[Any, ...]], Raw] | None:
        maker: Callable[[tuple[Any, ...]], Raw] | None = {
            "torch._utils._rebuild_tensor": self._tensor,
            "torch._utils._rebuild_tensor_v2": self._tensor,
            "torch._utils._rebuild_tensor_v3": self._tensor_v3,
            "torch._utils._rebuild_qtensor": self._tensor,
            "torch._utils._rebuild_parameter": self._parameter,
            "torch._utils._rebuild_parameter_with_state": self._parameter,
            "torch.nn.parameter.Parameter": self._parameter,
            "torch.nn.parameter.Buffer": self._buffer,
            "torch.autograd.variable.Variable": self._first,
            "torch._tensor._rebuild_from_type_v2": self._of_type,
            "torch._tensor._rebuild_from_type": self._of_type,
            "torch.tensor._rebuild_from_type_v2": self._of_type,
            "torch._utils._rebuild_meta_tensor_no_storage": self._meta,
            "torch._utils._rebuild_device_tensor_from_cpu_tensor": self._first,
            "torch._utils._rebuild_sparse_tensor": self._unread,
            "torch._utils._rebuild_sparse_csr_tensor": self._unread,
            "torch._utils._rebuild_nested_tensor": self._unread,
            "torch._utils._rebuild_wrapper_subclass": self._unread,
        }.get(function.path)
        return maker

    def _stored(self, node: Any) -> Stored | Raw:
        if node.__class__ is not Persistent:
            return self._storages(node)
        key = node.key
        usual = (
            key.__class__ is tuple
            and (len(key) == 5 or (len(key) == 6 and key[5] is None))
            and key[1].__class__ is Global
            and key[2].__class__ is str
            and key[4].__class__ is int
        )
        # Other ids may be nested so deep that they have no hash.
        name = (key[1], key[2], key[4]) if usual else None
        if name in self._seen:
            return self._seen[name]
        found = self._storages(node)
        if usual:
            self._seen[name] = found
        return found

    def _tensor(self, args: tuple[Any, ...]) -> Raw:
        if len(args) < 4:
            raise TroubleError("is made with too few arguments")
        stored = self._stored(args[0])
        if isinstance(stored, Raw):
            raise TroubleError("lies in a tensor")
        offset, shape, stride = args[1], args[2], args[3]
        needs = True if len(args) > 4 and args[4] is True else None
        if offset.__class__ is not int or offset < 0:
            raise TroubleError(f"begins at {shown(offset)} of its storage")
        dtype = stored.dtype or "uint8"
        return Raw(dtype, _sizes(shape), stored, offset, _sizes(stride), needs)

    def _tensor_v3(self, args: tuple[Any, ...]) -> Raw:
        if len(args) < 7:
            raise TroubleError("is made with too few arguments")
        return self._tensor(args)._replace(dtype=dtype_of(args[6]))

    def _first(self, args: tuple[Any, ...]) -> Raw:
        if not args:
            raise TroubleError("is made of nothing")
        inner = args[0]
        # Wrappers of wrappers: each level is a call, so that a few are enough.
        for _ in range(4):
            if not self.is_tensor(inner):
                break
            if inner.__class__ is Persistent or self._makers[inner.function] == self._tensor:
                return self.raw(inner)
            if self._makers[inner.function] in (self._tensor_v3, self._meta):
                return self.raw(inner)
            inner = self._inner(inner)
        raise TroubleError(f"is made of what is no tensor: {shown(inner)}")

    def _inner(self, node: Call) -> Any:
        args = node.args
        if self._makers[node.function] == self._of_type:
            args = args[2] if isinstance(args, tuple) and len(args) > 2 else ()
            function = node.args[0] if isinstance(node.args, tuple) and node.args else None
            return Call(function, args, node.offset)
        return args[0] if isinstance(args, tuple) and args else None

    def _parameter(self, args: tuple[Any, ...]) -> Raw:
        return self._first(args)._replace(trainable=True)

    def _buffer(self, args: tuple[Any, ...]) -> Raw:
        return self._first(args)._replace(trainable=False)

    def _of_type(self, args: tuple[Any, ...]) -> Raw:
        if len(args) < 3:
            raise TroubleError("is made with too few arguments")
        kind = args[1]
        raw = self._first((Call(args[0], args[2], 0),))
        named = isinstance(kind, Global) and kind.path == "torch.nn.parameter.Parameter"
        return raw._replace(trainable=True) if named else raw

    def _unread(self, args: tuple[Any, ...]) -> Raw:
        raise TroubleError(
            "is of a sort that is not read (sparse, nested or distributed)", "unusual"
        )

    def _meta(self, args: tuple[Any, ...]) -> Raw:
        if len(args) < 3:
            raise TroubleError("is made with too few arguments")
        dtype, shape = dtype_of(args[0]), _sizes(args[1])
        stride = _sizes(args[2])
        nbytes = 1 << 62
        stored = Stored(Storage("", 0, None), dtype, 0, nbytes)
        return Raw(dtype, shape, stored, 0, stride, None)

    def _plain(self, shape: Shape) -> tuple[Shape, int]:
        try:
            return self._contiguous[shape]
        except KeyError:
            steps, step = [], 1
            for size in reversed(shape):
                steps.append(step)
                step *= max(size, 1)
            if step >= LARGEST:
                raise TroubleError(f"has the shape {shown(shape)}, more than can be") from None
            found = (tuple(reversed(steps)), prod(shape))
            self._contiguous[shape] = found
            return found

    def _reach(
        self, shape: Shape, stride: Shape, offset: int, elements: int
    ) -> tuple[int, Shape | None]:
        """Elements of the storage up to the last one used, and the stride; that of C order where
        it comes to the same."""
        if len(shape) != len(stride):
            raise TroubleError(f"has {len(shape)} sizes but {len(stride)} strides")
        plain = self._plain(shape)[0]
        pairs = zip(shape, stride, plain, strict=True)
        if not elements or all(size == 1 or here == there for size, here, there in pairs):
            return offset + elements, plain
        steps = zip(shape, stride, strict=True)
        return offset + 1 + sum((size - 1) * step for size, step in steps), stride


def _sizes(node: Any) -> Shape:
    """Sizes or strides: a tuple, torch.Size or list of whole numbers that are not negative."""
    if node.__class__ is Call and isinstance(node.function, Global):
        whole = node.function.path == "torch.Size" and isinstance(node.args, tuple) and node.args
        node = node.args[0] if whole else node
    if node.__class__ is list:
        node = tuple(node)
    if node.__class__ is not tuple or len(node) > 64:
        raise TroubleError(f"has {shown(node)} as its shape or stride")
    for size in node:
        if size.__class__ is not int or size < 0:
            raise TroubleError(f"has {shown(node)} as its shape or stride")
    return node
