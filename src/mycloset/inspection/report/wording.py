"""Words and figures for what an analysis holds, shared by the terminal and the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mycloset.inspection.results import CheckpointAnalysis, Network, Structure

FORMATS: dict[str, str] = {
    "torch-zip": "PyTorch zip file",
    "torch-legacy": "PyTorch stream (before 1.6)",
    "torch-tar": "PyTorch tar file (before 0.2)",
    "torchscript": "TorchScript archive",
    "pickle": "Python pickle",
    "safetensors": "safetensors",
    "safetensors-sharded": "safetensors in several files",
    "torch-sharded": "PyTorch files with an index",
    "onnx": "ONNX",
    "tflite": "TensorFlow Lite",
    "gguf": "GGUF",
    "npz": "NumPy archive (.npz)",
    "npy": "NumPy array (.npy)",
    "hdf5": "HDF5",
    "keras": "Keras archive",
    "html": "HTML page",
    "lfs-pointer": "Git LFS pointer",
    "json": "JSON text",
    "text": "text",
    "empty": "empty file",
    "zip": "zip archive",
    "tar": "tar archive",
    "7z": "7-Zip archive",
    "folder": "folder",
    "bzip2": "bzip2 archive",
    "elf": "Linux program",
    "executable": "program",
    "gzip": "gzip archive",
    "jpeg": "JPEG picture",
    "pdf": "PDF document",
    "png": "PNG picture",
    "rar": "RAR archive",
    "riff": "sound, film or picture (RIFF)",
    "xml": "XML text",
    "xz": "xz archive",
    "zeros": "nothing but zero bytes",
    "zstd": "Zstandard archive",
    "unknown": "no known format",
}
"""Names for people of what `Checkpoint.format` says."""

_ARTICLES = {
    "html": "an HTML page",
    "lfs-pointer": "a Git LFS pointer, which stands for a file that was not fetched",
    "json": "JSON text",
    "text": "text",
    "empty": "an empty file",
    "7z": "a 7-Zip archive",
    "folder": "a folder without a model",
    "unknown": "of no known format",
}

SAFETY: dict[str, str] = {
    "no-code": "no code: this format cannot hold any",
    "safe": "safe: names nothing but what plain weights need",
    "unknown": "not known: names code of which nothing is known, or could not be read",
    "dangerous": "DANGEROUS: it would run code when loaded with pickle",
}


def format_title(name: str) -> str:
    """The format's name for people."""
    return FORMATS.get(name, name)


def size_text(count: int) -> str:
    """Bytes as people read them, in powers of 1000: "267 MB", "1.25 GB"."""
    return _scaled(count, ("B", "kB", "MB", "GB", "TB", "PB", "EB"))


def count_text(count: int) -> str:
    """A number of parameters: "66.7 M", "859 M", "2.57 B", "812"."""
    return _scaled(count, ("", "k", "M", "B", "T", "P", "E"))


def confidence_text(confidence: float) -> str:
    """Whole per cent, rounded down: only certainty is 100 %."""
    return f"{int(confidence * 100 + 1e-9)} %"


def plural(count: int, noun: str) -> str:
    """ "1 tensor", "1,204 tensors"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def shape_text(shape: tuple[int, ...]) -> str:
    """ "[20, 256, 1, 1]"; a number without dimensions is []."""
    return f"[{', '.join(map(str, shape))}]"


def value_text(value: Any) -> str:
    """A config's value in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {value_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(value_text(item) for item in value)}]"
    if isinstance(value, bool) or value is None:
        return str(value).lower() if value is not None else "none"
    if isinstance(value, int) and value.bit_length() > 200:
        return hex(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def headline(analysis: CheckpointAnalysis) -> str:
    """What the file is, in one sentence without its full stop."""
    network = analysis.network
    if network is None:
        return _without_network(analysis)
    sure = f" · confidence {confidence_text(network.confidence)}"
    if network.verdict == "recognised":
        return f"{network.title}{sure}"
    if network.verdict == "incomplete":
        lacks = [f"{plural(len(network.missing), 'tensor')} missing"] if network.missing else []
        if network.misshapen:
            lacks.append(f"{plural(len(network.misshapen), 'tensor')} of another shape")
        return f"{network.title}, incomplete ({', '.join(lacks) or 'not whole'}){sure}"
    if network.verdict == "altered":
        return f"{network.title}, altered{sure}"
    if network.verdict == "unknown":
        return f"{network.title[:1].upper()}{network.title[1:]} · not recognised"
    return f"{network.title}{sure}"


def kinds(analysis: CheckpointAnalysis) -> list[str]:
    """The kinds of its findings, its verdict and its danger among them; each once."""
    found = dict.fromkeys(finding.kind for finding in analysis.findings)
    if analysis.verdict not in ("recognised", "weightless"):
        found.setdefault(analysis.verdict)
    if analysis.safety == "dangerous":
        found.setdefault("dangerous")
    elif analysis.safety == "unknown":
        found.setdefault("suspicious")
    return list(found)


def severity(analysis: CheckpointAnalysis) -> str:
    """The worst of it: "error", "warning", "unknown", "nothing" (it is no model) or "good"."""
    told = {finding.severity for finding in analysis.findings}
    if "error" in told or analysis.safety == "dangerous" or analysis.verdict == "unreadable":
        return "error"
    if analysis.verdict in ("not-a-model", "weightless"):
        return "nothing"
    if analysis.verdict == "unknown":
        return "unknown"
    if "warning" in told or analysis.verdict in ("incomplete", "altered"):
        return "warning"
    return "good"


def place_text(network: Network) -> str:
    """Where in the file a network lies: wrapper, prefix and role."""
    parts = []
    if network.wrapper:
        parts.append(f"under {network.wrapper}")
    if network.prefix:
        parts.append(f"prefix {network.prefix}")
    if network.role == "ema":
        parts.append("moving average (EMA)")
    return ", ".join(parts)


def channels_text(network: Network) -> str:
    """Channels in and out, as far as known."""
    parts = []
    if network.input_channels is not None:
        parts.append(f"{network.input_channels} in")
    if network.output_channels is not None:
        parts.append(f"{network.output_channels} out")
    return ", ".join(parts)


def structure_text(structure: Structure) -> str:
    """The network's build in one line: counts of layers, depth, heads."""
    counts = (
        (structure.convolutions, "convolution"),
        (structure.transposed, "transposed convolution"),
        (structure.linears, "linear layer"),
        (structure.norms, "norm"),
        (structure.attentions, "attention block"),
        (structure.embeddings, "embedding"),
    )
    parts = [plural(count, noun) for count, noun in counts if count]
    if structure.heads:
        parts.append(plural(structure.heads, "head"))
    if structure.depth:
        parts.append(f"depth {structure.depth}")
    return ", ".join(parts)


def tensor_text(tensor: tuple[str, tuple[int, ...]]) -> str:
    """Key and shape."""
    return f"{tensor[0]} {shape_text(tensor[1])}"


def _without_network(analysis: CheckpointAnalysis) -> str:
    told = {finding.kind for finding in analysis.findings}
    if "corrupt" in told and analysis.format not in _ARTICLES:
        return f"Damaged: {format_title(analysis.format)}"
    if analysis.verdict == "unreadable":
        return "Cannot be read"
    if analysis.verdict == "weightless":
        return f"No weights in it: {format_title(analysis.format)}"
    return f"Not a model: {_ARTICLES.get(analysis.format, format_title(analysis.format))}"


def _scaled(count: int, units: tuple[str, ...]) -> str:
    value = float(count)
    unit = 0
    # 999.5 would be written as "1000".
    while abs(value) >= 999.5 and unit < len(units) - 1:
        value /= 1000
        unit += 1
    if unit == 0:
        text = f"{count}"
    elif value < 9.995:
        text = f"{value:.2f}"
    elif value < 99.95:
        text = f"{value:.1f}"
    else:
        text = f"{value:.0f}"
    return f"{text} {units[unit]}".rstrip()
