"""What is said of GPUs, where there are some, none, or one that does not tell."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ray_backend.observing.snapshots import snapshot
from ray_backend.serving import gpus
from ray_backend.serving.figures import Asked


class NVMLError(Exception):
    """As NVIDIA's library raises it."""


class Nvml:
    """Looks like `pynvml` on a machine with these GPUs: memory used, total, and per cent busy."""

    NVMLError = NVMLError

    def __init__(self, *cards: tuple[int, int, int], broken: int | None = None, driver: bool = True) -> None:
        self._cards, self._broken, self._driver = cards, broken, driver
        self.open = 0

    def nvmlInit(self) -> None:
        if not self._driver:
            raise NVMLError("no driver")
        self.open += 1

    def nvmlShutdown(self) -> None:
        self.open -= 1

    def nvmlDeviceGetCount(self) -> int:
        return len(self._cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        if index == self._broken:
            raise NVMLError("fell off the bus")
        return index

    def nvmlDeviceGetMemoryInfo(self, gpu: int):
        return SimpleNamespace(used=self._cards[gpu][0], total=self._cards[gpu][1])

    def nvmlDeviceGetUtilizationRates(self, gpu: int):
        return SimpleNamespace(gpu=self._cards[gpu][2])


@pytest.fixture
def said(monkeypatch):
    def say(nvml) -> dict[tuple, float]:
        monkeypatch.setattr(gpus, "pynvml", nvml)
        families = snapshot("x", Asked(gpus.gpu_metrics)).families
        return {
            (figure.name.removeprefix("rollcall_gpu_"), *figure.labels.values()): figure.value
            for family in families
            for figure in family.figures
        }

    return say


def test_memory_and_how_busy_each_gpu_is(said):
    nvml = Nvml((1, 10, 50), (2, 20, 100))
    assert said(nvml) == {
        ("memory_bytes", "0", "used"): 1,
        ("memory_bytes", "0", "total"): 10,
        ("memory_bytes", "1", "used"): 2,
        ("memory_bytes", "1", "total"): 20,
        ("utilisation_ratio", "0"): 0.5,
        ("utilisation_ratio", "1"): 1.0,
    }
    assert nvml.open == 0


@pytest.mark.parametrize("nvml", [None, Nvml(driver=False)])
def test_nothing_without_the_package_or_the_driver(said, nvml):
    assert said(nvml) == {}


def test_a_gpu_that_does_not_tell_takes_nothing_from_the_others(said):
    nvml = Nvml((1, 10, 50), (2, 20, 100), broken=1)
    assert said(nvml)["utilisation_ratio", "0"] == 0.5
    assert nvml.open == 0
