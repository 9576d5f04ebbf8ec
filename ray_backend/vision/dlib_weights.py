"""Reads the weight file of dlib's face ResNet with numpy alone.

dlib writes a network as nested wrappers; the format was found by reading such a file and dlib's
serialization code. `read_network` returns the layers in the order in which they run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ray_backend.domain.errors import PackUnavailable

TAG, LAYER, INNERMOST = 1, 2, 3
NEGATIVE, LENGTH = 0x80, 0x0F


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: its kind by dlib's name (`con_4`, `relu_`, ...; `tag` for tags and skips).

    `params`: flat float32, weights before biases. `sizes`: the layer's integers in file order.
    """

    kind: str
    params: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Network:
    """`mean_rgb`: what is taken off each channel before division by 256."""

    mean_rgb: tuple[float, float, float]
    layers: tuple[Layer, ...]


def read_network(path: Path) -> Network:
    """The network in a `dlib_face_recognition_resnet_model_v1.dat`. Raises PackUnavailable."""
    try:
        return _Reader(path.read_bytes()).network()
    except (ValueError, IndexError) as error:
        raise PackUnavailable(
            f"The weights of dlib-resnet are damaged: {error}. "
            "Run: pip install --force-reinstall face_recognition_models"
        ) from error


class _Reader:
    """Walks over the bytes of one file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def network(self) -> Network:
        self._expect(self._int(), 1, "file version")
        self._expect(self._string(), "loss_metric_2", "loss layer")
        self._floats(2)
        versions = list(self._wrapper_versions())
        self._expect(self._string(), "input_rgb_image_sized", "input layer")
        red, green, blue = self._floats(3)
        self._expect(self._ints(2), (150, 150), "input size")
        layers = tuple(self._wrapper(version) for version in reversed(versions))
        self._expect(self._at, len(self._data), "length of the file")
        return Network((red, green, blue), layers)

    def _wrapper_versions(self) -> Iterator[int]:
        """How each wrapper is stored, outermost first. The innermost layer ends the list."""
        version = 0
        while version != INNERMOST:
            version = self._int()
            if version not in (TAG, LAYER, INNERMOST):
                raise ValueError(f"unknown wrapper version {version}")
            yield version

    def _wrapper(self, version: int) -> Layer:
        if version == TAG:
            return Layer("tag")
        layer = self._layer()
        self._take(3)  # three flags, '0' or '1': set up, gradients kept, in-place
        for _ in range(3):
            self._expect(self._tensor().size, 0, "size of a scratch tensor")
        if version == INNERMOST:
            self._int()
        return layer

    def _layer(self) -> Layer:
        kind = self._string()
        match kind:
            case "con_4":
                params, sizes = self._tensor(), self._ints(7)
                self._aliases(2)
                self._floats(4)
            case "affine_":
                params, sizes = self._tensor(), ()
                self._aliases(2)
                self._int()
            case "max_pool_2" | "avg_pool_2":
                params, sizes = np.empty(0, np.float32), self._ints(6)
            case "relu_" | "add_prev_":
                params, sizes = np.empty(0, np.float32), ()
            case "fc_2":
                sizes, params = self._ints(2), self._tensor()
                self._aliases(2)
                self._int()
                self._floats(4)
            case _:
                raise ValueError(f"unknown layer {kind!r}")
        return Layer(kind, params, sizes)

    def _take(self, count: int) -> bytes:
        part = self._data[self._at : self._at + count]
        if len(part) != count:
            raise ValueError("the file ends too early")
        self._at += count
        return part

    def _int(self) -> int:
        control = self._take(1)[0]
        magnitude = int.from_bytes(self._take(control & LENGTH), "little")
        return -magnitude if control & NEGATIVE else magnitude

    def _ints(self, count: int) -> tuple[int, ...]:
        return tuple(self._int() for _ in range(count))

    def _floats(self, count: int) -> tuple[float, ...]:
        return tuple(self._int() * 2.0 ** self._int() for _ in range(count))

    def _string(self) -> str:
        return self._take(self._int()).decode("ascii")

    def _tensor(self) -> np.ndarray:
        self._expect(self._int(), 2, "tensor version")
        count = int(np.prod(self._ints(4)))
        return np.frombuffer(self._take(4 * count), "<f4").astype(np.float32)

    def _aliases(self, count: int) -> None:
        """Views on `params`, of which the layer's integers already tell the shape."""
        for _ in range(count):
            self._expect(self._int(), 1, "alias version")
            self._ints(4)

    @staticmethod
    def _expect(found: object, wanted: object, what: str) -> None:
        if found != wanted:
            raise ValueError(f"{what} is {found!r} and not {wanted!r}")
