"""How fast and how well it runs: measurements, alerts, metrics."""

from mycloset.monitor.alerts import Alert, Threshold
from mycloset.monitor.measurement import Measuring, Metrics
from mycloset.monitor.performance_monitor import PerformanceMonitor
from mycloset.monitor.sampling import Sample
from mycloset.monitor.series import OperationSummary
from mycloset.monitor.statistics import Distribution
from mycloset.monitor.system import SystemStatus

__all__ = [
    "Alert",
    "Distribution",
    "Measuring",
    "Metrics",
    "OperationSummary",
    "PerformanceMonitor",
    "Sample",
    "SystemStatus",
    "Threshold",
]
