"""What the GPUs of this machine say, where there are any and `nvidia-ml-py` is installed."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric

try:
    import pynvml
except ImportError:  # an optional package: most machines have no GPU
    pynvml = None


def gpu_metrics() -> Iterable[Metric]:
    """Memory and utilisation of each GPU; nothing where none can be asked."""
    if pynvml is None:
        return []
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    memory = GaugeMetricFamily("rollcall_gpu_memory_bytes", "A GPU's memory.", labels=["gpu", "kind"])
    busy = GaugeMetricFamily(
        "rollcall_gpu_utilisation_ratio", "How busy a GPU was lately, 0 to 1.", labels=["gpu"]
    )
    try:
        for index in range(pynvml.nvmlDeviceGetCount()):
            gpu = pynvml.nvmlDeviceGetHandleByIndex(index)
            held = pynvml.nvmlDeviceGetMemoryInfo(gpu)
            memory.add_metric([str(index), "used"], held.used)
            memory.add_metric([str(index), "total"], held.total)
            busy.add_metric([str(index)], pynvml.nvmlDeviceGetUtilizationRates(gpu).gpu / 100)
    except pynvml.NVMLError:
        pass  # it was taken away, or does not tell; what the others said stays
    finally:
        pynvml.nvmlShutdown()
    return [memory, busy]
