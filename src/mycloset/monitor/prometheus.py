"""What was measured as Prometheus metrics: as text, and served by HTTP."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from mycloset.errors import MissingExtraError, OptionError
from mycloset.monitor.alerts import Alert
from mycloset.monitor.hub_figures import HubFigures
from mycloset.monitor.ledger import Totals
from mycloset.monitor.system import SystemStatus

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from prometheus_client.registry import CollectorRegistry


class Figures(NamedTuple):
    """All that a page of metrics shows."""

    operations: list[Totals]
    running: dict[tuple[str, str], int]
    alerts: tuple[Alert, ...]
    alerts_raised: dict[tuple[str, str, str], int]
    subscriber_failures: int
    hub: HubFigures
    system: SystemStatus


class Collector:
    """Asks for the figures each time that somebody looks; nothing is counted twice."""

    def __init__(self, figures: Callable[[], Figures]) -> None:
        self._figures = figures

    def describe(self) -> list[Metric]:
        """Nothing: registering must not measure."""
        return []

    def collect(self) -> Iterator[Metric]:
        figures = self._figures()
        yield from _operations(figures)
        yield from _alerts(figures)
        yield from _hub(figures.hub)
        yield from _system(figures.system)


def registry(figures: Callable[[], Figures]) -> CollectorRegistry:
    """A registry of its own with this monitor's metrics, and no others.

    Raises:
        MissingExtraError: prometheus_client is not installed.
    """
    made: CollectorRegistry = _client().CollectorRegistry()
    made.register(Collector(figures))
    return made


def exposition(figures: Callable[[], Figures]) -> str:
    """The metrics in the text format.

    Raises:
        MissingExtraError: prometheus_client is not installed.
    """
    held = registry(figures)
    text: bytes = _client().generate_latest(held)
    return text.decode("utf-8")


class Page:
    """A web server of one page, on a thread of its own.

    Attributes:
        address, port: where it listens.
    """

    def __init__(self, figures: Callable[[], Figures], port: int, address: str) -> None:
        held = registry(figures)
        try:
            self._server, self._thread = _client().start_http_server(port, address, held)
        except (OSError, OverflowError) as error:
            raise OptionError(
                f"port: {address}:{port} cannot be had ({error}).",
                hint="Give another, or 0 for any that is free.",
            ) from error
        self.address = address
        self.port: int = self._server.server_port
        self._open = True
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where to look."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"http://{host}:{self.port}/metrics"

    def close(self) -> None:
        """Stop serving; may be called again."""
        with self._lock:
            if not self._open:
                return
            self._open = False
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def forked(self) -> None:
        """In a child process nobody serves, and the port is left to the parent."""
        self._open = False
        self._server.socket.close()


def _client() -> Any:
    try:
        import prometheus_client
    except ImportError as error:
        raise MissingExtraError(
            "prometheus_client is not installed.", hint="pip install 'mycloset[monitor]'"
        ) from error
    return prometheus_client


def _gauge(name: str, told: str, labels: tuple[str, ...] = ()) -> Any:
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(f"mycloset_{name}", told, labels=labels)


def _counter(name: str, told: str, labels: tuple[str, ...] = ()) -> Any:
    """`name` without the suffix _total, which is added."""
    from prometheus_client.core import CounterMetricFamily

    return CounterMetricFamily(f"mycloset_{name}", told, labels=labels)


def _histogram(name: str, told: str, labels: tuple[str, ...] = ()) -> Any:
    from prometheus_client.core import HistogramMetricFamily

    return HistogramMetricFamily(f"mycloset_{name}", told, labels=labels)


def _buckets(found: list[tuple[float, int]]) -> list[tuple[str, float]]:
    return [("+Inf" if bound == math.inf else str(bound), float(count)) for bound, count in found]


def _operations(figures: Figures) -> Iterator[Metric]:
    labels = ("name", "operation")
    durations = _histogram("operation_duration_seconds", "How long calls took.", labels)
    calls = _counter("operation_calls", "Calls that have ended.", labels)
    errors = _counter("operation_errors", "Calls that failed.", labels)
    cpu = _counter("operation_cpu_seconds", "CPU time of the process during calls.", labels)
    peak = _gauge(
        "operation_peak_resident_memory_bytes", "Most resident memory during a call.", labels
    )
    value = _gauge(
        "operation_value", "What was last recorded of an operation.", (*labels, "measure")
    )
    accuracy = _gauge("operation_accuracy_ratio", "The last recorded accuracy.", labels)
    for total in figures.operations:
        key = (total.name, total.operation)
        durations.add_metric(key, _buckets(total.buckets), total.seconds)
        calls.add_metric(key, total.calls)
        errors.add_metric(key, total.errors)
        cpu.add_metric(key, total.cpu_seconds)
        if total.peak_rss:
            peak.add_metric(key, total.peak_rss)
        for measure, last in total.values.items():
            if measure == "accuracy":
                accuracy.add_metric(key, last)
            else:
                value.add_metric((*key, measure), last)
    running = _gauge("operations_running", "Operations that have not ended.", labels)
    for key, count in figures.running.items():
        running.add_metric(key, count)
    yield from (durations, calls, errors, cpu, peak, value, accuracy, running)


def _alerts(figures: Figures) -> Iterator[Metric]:
    labels = ("name", "operation", "measure")
    raised = _counter("alerts_raised", "Alerts that were raised.", labels)
    for key, count in figures.alerts_raised.items():
        raised.add_metric(key, count)
    active = _gauge("alerts_active", "Alerts that are raised now.", labels)
    counts: dict[tuple[str, str, str], int] = {}
    for alert in figures.alerts:
        key = (alert.name, alert.operation, alert.threshold.measure)
        counts[key] = counts.get(key, 0) + (alert.state == "raised")
    for key, count in counts.items():
        active.add_metric(key, count)
    failures = _counter("subscriber_failures", "Exceptions that subscribers to alerts raised.")
    failures.add_metric((), figures.subscriber_failures)
    yield from (raised, active, failures)


def _hub(hub: HubFigures) -> Iterator[Metric]:
    loads = _histogram(
        "hub_load_seconds", "How long reading and building models took.", ("device", "precision")
    )
    for kind, histogram in hub.loads.items():
        loads.add_metric(kind, _buckets(histogram.buckets()), histogram.sum)
    waits = _histogram(
        "hub_wait_seconds", "How long those waited who asked for a model.", ("there",)
    )
    for there, histogram in hub.waits.items():
        waits.add_metric((str(there).lower(),), _buckets(histogram.buckets()), histogram.sum)
    loaded = _counter("hub_loaded_bytes", "Bytes of models that were loaded.", ("device",))
    for device, size in hub.loaded_bytes.items():
        loaded.add_metric((device,), size)
    models = _gauge("hub_resident_models", "Models in memory.", ("device",))
    resident = _gauge("hub_resident_bytes", "Bytes of models in memory.", ("device",))
    for device, (count, size) in hub.resident().items():
        models.add_metric((device,), count)
        resident.add_metric((device,), size)
    reloads = _counter("hub_reloads", "Loads of models that had been in memory before.")
    reloads.add_metric((), hub.reloads)
    ahead = _counter("hub_loads_ahead", "Loads before anybody asked.")
    ahead.add_metric((), hub.ahead)
    failures = _counter("hub_load_failures", "Loads that failed.")
    failures.add_metric((), hub.failures)
    fallbacks = _counter("hub_fallbacks", "Times that not the best model served.", ("role", "by"))
    for key, count in hub.fallbacks.items():
        fallbacks.add_metric(key, count)
    left = _counter("hub_evictions", "Models that left memory.", ("device", "reason"))
    freed = _counter("hub_evicted_bytes", "Bytes of models that left.", ("device", "reason"))
    for key, count in hub.left.items():
        left.add_metric(key, count)
        freed.add_metric(key, hub.left_bytes[key])
    yield from (loads, waits, loaded, models, resident)
    yield from (reloads, ahead, failures, fallbacks, left, freed)


def _system(system: SystemStatus) -> Iterator[Metric]:
    process = system.process
    plain_gauges: dict[str, tuple[str, float | None]] = {
        "process_resident_memory_bytes": ("Resident memory of the process.", process.rss),
        "process_peak_resident_memory_bytes": ("The most of it so far.", process.peak_rss),
        "process_threads": ("Threads of the process.", process.threads),
        "process_open_fds": ("Open descriptors of the process.", process.open_files),
        "memory_limit_bytes": ("What machine and container allow.", system.memory_limit),
        "memory_available_bytes": ("What the machine has left.", system.memory_available),
        "usable_cores": ("Cores that the process may keep busy.", system.usable_cores),
        "cache_disk_free_bytes": ("What the cache's disk has left.", system.disk.free),
    }
    for name, (told, value) in plain_gauges.items():
        if value is not None:
            gauge = _gauge(name, told)
            gauge.add_metric((), value)
            yield gauge
    cpu = _counter("process_cpu_seconds", "CPU time of the process.")
    cpu.add_metric((), process.cpu_seconds)
    labels = ("gpu", "model", "source")
    used = _gauge("gpu_memory_used_bytes", "Memory in use on a GPU.", labels)
    total = _gauge("gpu_memory_total_bytes", "Memory of a GPU.", labels)
    busy = _gauge("gpu_utilisation_ratio", "Share of the last moments it worked.", labels)
    for gpu in system.gpus:
        key = (str(gpu.index), gpu.name, gpu.source)
        used.add_metric(key, gpu.memory_used)
        total.add_metric(key, gpu.memory_total)
        if gpu.utilisation is not None:
            busy.add_metric(key, gpu.utilisation / 100)
    yield from (cpu, used, total, busy)
