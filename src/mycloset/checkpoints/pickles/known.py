"""Python names that model files use for good reason.

The weights-only set is what `torch.load(weights_only=True)` allows by default
(torch/_weights_only_unpickler.py), and NumPy's own reconstruction functions. The harmless ones are
data classes, and modules whose classes only hold attributes when they are made without a call.
"""

from __future__ import annotations

import re


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


_TYPES = ("Double", "Float", "Half", "Long", "Int", "Short", "Char", "Byte", "Bool", "BFloat16",
          "ComplexDouble", "ComplexFloat", "QUInt8", "QInt8", "QInt32", "QUInt4x2",
          "QUInt2x4", "Untyped", "_Untyped", "Typed", "_Typed")  # fmt: skip
_DTYPES = words(
    "float64 double float32 float float16 half bfloat16 int64 long int32 int int16 short int8 uint8"
    " uint16 uint32 uint64 bool complex32 complex64 complex128 cfloat cdouble chalf qint8 quint8"
    " qint32 quint4x2 quint2x4 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz"
    " float8_e8m0fnu float4_e2m1fn_x2 bits8 bits16 bits1x8 bits2x4 bits4x2"
    " uint1 uint2 uint3 uint4 uint5 uint6 uint7 int1 int2 int3 int4 int5 int6 int7"
    " per_tensor_affine per_tensor_symmetric per_channel_affine per_channel_symmetric"
    " per_channel_affine_float_qparams"
)
_REBUILD = words(
    "_rebuild_parameter _rebuild_parameter_with_state _rebuild_qtensor _rebuild_tensor"
    " _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_sparse_tensor _rebuild_sparse_csr_tensor"
    " _rebuild_meta_tensor_no_storage _rebuild_wrapper_subclass"
    " _rebuild_device_tensor_from_numpy _rebuild_device_tensor_from_cpu_tensor"
)
_CORES = ("numpy.core", "numpy._core")

WEIGHTS = frozenset(
    {
        *(f"{place}.{kind}Storage" for place in ("torch", "torch.cuda", "torch.storage")
          for kind in _TYPES),
        *(f"{place}.{kind}Tensor" for place in ("torch", "torch.cuda", "torch.sparse",
          "torch.cuda.sparse") for kind in _TYPES),
        *(f"torch.{name}" for name in _DTYPES),
        *(f"torch._utils.{name}" for name in _REBUILD),
        *(f"{core}.multiarray.{name}" for core in _CORES for name in ("_reconstruct", "scalar")),
        *(f"{core}.numeric._frombuffer" for core in _CORES),
        "numpy.dtype", "numpy.ndarray",
        "collections.OrderedDict", "collections.Counter",
        "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer",
        "torch.serialization._get_layout", "torch.Size", "torch.Tensor", "torch.device",
        "torch._tensor._rebuild_from_type_v2", "torch._tensor._rebuild_from_type",
        "_codecs.encode",
        "builtins.bytearray", "builtins.set", "builtins.complex",
        "__builtin__.bytearray", "__builtin__.set", "__builtin__.complex",
    }
)  # fmt: skip
"""What loading weights needs."""

_NUMBERS = words(
    "bool_ bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64"
    " complex64 complex128 str_ bytes_ object_ datetime64 timedelta64 longlong ulonglong intc uintc"
)
_BUILTINS = words(
    "object list dict tuple str unicode bytes int long float bool frozenset slice range xrange"
    " Exception ValueError KeyError TypeError RuntimeError NotImplementedError Ellipsis"
    " NotImplemented"
)

HARMLESS = frozenset(
    {
        *(f"{place}.{name}" for place in ("builtins", "__builtin__") for name in _BUILTINS),
        *(f"numpy.{name}" for name in _NUMBERS),
        *(f"collections.{name}" for name in ("defaultdict", "deque", "ChainMap", "UserDict",
          "UserList")),
        *(f"datetime.{name}" for name in ("datetime", "date", "time", "timedelta", "timezone")),
        *(f"pathlib.{name}" for name in ("Path", "PosixPath", "WindowsPath", "PurePath",
          "PurePosixPath", "PureWindowsPath")),
        *(f"pathlib._local.{name}" for name in ("Path", "PosixPath", "WindowsPath", "PurePath",
          "PurePosixPath", "PureWindowsPath")),
        *(f"numpy.random._pickle.{name}" for name in ("__randomstate_ctor",
          "__bit_generator_ctor", "__generator_ctor")),
        *(f"torch.jit._pickle.{name}" for name in ("build_intlist", "build_tensorlist",
          "build_doublelist", "build_boollist", "build_tensor_from_id", "restore_type_tag")),
        "argparse.Namespace", "types.SimpleNamespace", "decimal.Decimal", "fractions.Fraction",
        "uuid.UUID", "uuid.SafeUUID", "random.Random", "re._compile", "logging.getLogger",
        "logging.Logger", "zoneinfo.ZoneInfo._unpickle", "UserDict.UserDict",
        "inspect._ParameterKind", "inspect.Signature", "inspect.Parameter", "inspect._empty",
        "typing.Any", "typing.Union", "typing.Optional",
        "numpy.random.mtrand.RandomState", "numpy.random.bit_generator.SeedSequence",
        "numpy.random.bit_generator.SeedlessSeedSequence",
        "numpy.ma.core._mareconstruct", "numpy.ma.core.MaskedArray",
        "copyreg._reconstructor", "copy_reg._reconstructor", "copyreg.__newobj__",
        "copy_reg.__newobj__", "copyreg.__newobj_ex__",
        "torch._C.Generator", "torch.Generator", "torch.strided", "torch.contiguous_format",
        "torch.preserve_format", "torch.channels_last",
        "torch.autograd.variable.Variable",
        "torch.nn.backends.thnn._get_thnn_function_backend",
        "torch.backends.cudnn.rnn.Unserializable",
        "torch.tensor._rebuild_from_type_v2", "torch._utils._rebuild_nested_tensor",
        "torch.utils.hooks.RemovableHandle", "torch.utils.hooks.BackwardHook",
        "torch.amp.grad_scaler.GradScaler", "torch.cuda.amp.grad_scaler.GradScaler",
        "torch.amp.grad_scaler.OptState", "torch.cuda.amp.grad_scaler.OptState",
        "torch.cuda.amp.grad_scaler._refresh_per_optimizer_state",
        "torch.amp.grad_scaler._refresh_per_optimizer_state",
        "torch.nn.parallel.data_parallel.DataParallel",
        "torch.nn.parallel.distributed.DistributedDataParallel",
        "torch.distributed.device_mesh.DeviceMesh",
        "torch.distributed.tensor.DTensor", "torch.distributed.tensor._api.DTensor",
        "torch.distributed.tensor._dtensor_spec.DTensorSpec",
        "torch.distributed.tensor._dtensor_spec.TensorMeta",
        "torch.distributed.tensor.placement_types.Partial",
        "torch.distributed.tensor.placement_types.Replicate",
        "torch.distributed.tensor.placement_types.Shard",
        "easydict.EasyDict", "addict.addict.Dict", "addict.Dict", "munch.Munch",
        "box.box.Box", "yacs.config.CfgNode", "fvcore.common.config.CfgNode",
        "detectron2.config.config.CfgNode", "attrdict.dictionary.AttrDict",
        "ml_collections.config_dict.config_dict.ConfigDict",
        "ml_collections.config_dict.config_dict.FieldReference",
        "mmengine.config.config.ConfigDict", "mmengine.config.config.Config",
        "mmcv.utils.config.ConfigDict", "mmcv.utils.config.Config",
        "mmengine.logging.history_buffer.HistoryBuffer",
        "pytorch_lightning.utilities.parsing.AttributeDict",
        "lightning.pytorch.utilities.parsing.AttributeDict",
        "lightning_fabric.utilities.data.AttributeDict",
        "lightning.fabric.utilities.data.AttributeDict",
        "ultralytics.utils.IterableSimpleNamespace",
        "ultralytics.yolo.utils.IterableSimpleNamespace",
        "huggingface_hub.utils.AttrDict",
        "tokenizers.AddedToken",
    }
)  # fmt: skip
"""Data, and what only puts data together."""

_BAGS = (
    "torch.nn.modules", "torch.nn.quantized", "torch.nn.intrinsic", "torch.nn.qat", "torch.ao.nn",
    "torch.nn.utils.weight_norm", "torch.nn.utils.spectral_norm", "torch.nn.utils.parametrize",
    "torch.nn.utils.parametrizations", "torch.optim", "torch.quantization", "torch.ao.quantization",
    "torchvision.models", "torchvision.ops", "torchvision.transforms", "timm.models", "timm.layers",
    "timm.optim", "timm.scheduler",
    "ultralytics.nn.tasks", "ultralytics.nn.modules", "ultralytics.utils.loss",
    "ultralytics.utils.tal", "ultralytics.yolo.utils.loss", "ultralytics.yolo.utils.tal",
    "models.yolo", "models.common", "models.experimental",
    "segmentation_models_pytorch", "efficientnet_pytorch", "torchaudio.models",
    "transformers.models", "transformers.configuration_utils", "diffusers.models",
    "pytorch_lightning.callbacks", "lightning.pytorch.callbacks", "pytorch_lightning.core",
    "omegaconf", "numpy.random", "numpy.dtypes", "mmcv.cnn", "mmengine.model", "mmseg.models",
    "mmdet.models", "mmpose.models", "mmpretrain.models", "mmcls.models", "kornia",
)  # fmt: skip
_FUNCTIONS = ("torch.nn.functional", "torch._C._nn", "torch.nn.init")

_BAG_PREFIXES = tuple(f"{name}." for name in _BAGS)
_CLASS = re.compile(r"_*[A-Z]\w*")
_FUNCTION = re.compile(r"[a-z]\w*")


def is_bag(module: str, name: str) -> bool:
    """Whether a name is a class that only holds attributes, when it is made without a call."""
    return f"{module}.".startswith(_BAG_PREFIXES) and _CLASS.fullmatch(name) is not None


def is_numeric(module: str, name: str) -> bool:
    """Whether a name is a function of numbers, as modules keep them among their attributes."""
    return module in _FUNCTIONS and _FUNCTION.fullmatch(name) is not None
