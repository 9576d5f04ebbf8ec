"""Writes dlib's face ResNet as an ONNX graph, so that onnxruntime can run it.

The graph takes `crops` (N, 3, 150, 150) float32 RGB in 0..255 and gives `descriptors` (N, 128)
float32, not normalised: what dlib's `compute_face_descriptor` returns, within 1e-5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ray_backend.vision.alignment import DLIB_SIZE
from ray_backend.vision.dlib_weights import Layer, Network

OPSET, IR_VERSION = 17, 8  # old enough for every onnxruntime since 1.12
PIXEL_SCALE = 256.0  # dlib's input layer divides by it


@dataclass(frozen=True, slots=True)
class _Value:
    """A tensor of the graph: its name and shape without the batch."""

    name: str
    channels: int
    side: int


def to_onnx(network: Network) -> bytes:
    """The serialized ONNX model of a network of dlib."""
    return _Writer(network).model().SerializeToString()


class _Writer:
    def __init__(self, network: Network) -> None:
        self._network = network
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def model(self) -> onnx.ModelProto:
        """Runs through the layers: `x` is the current value, `saved` the shortcut of a block."""
        x = saved = _Value("crops", 3, DLIB_SIZE)
        layers = self._network.layers
        at = 0
        while at < len(layers):
            layer, following = layers[at], layers[at + 1] if at + 1 < len(layers) else None
            match layer.kind:
                case "tag" if following is not None and following.kind == "tag":
                    x, saved = saved, x  # a tag and a skip back to the tag before
                    at += 1
                case "tag":
                    saved = x
                case "con_4":
                    if following is None or following.kind != "affine_":
                        raise ValueError("a convolution without its affine layer")
                    x = self._convolution(x, layer, following)
                    at += 1
                case "relu_":
                    x = self._add("Relu", [x], x.channels, x.side)
                case "add_prev_":
                    x = self._sum(x, saved)
                case "max_pool_2" | "avg_pool_2":
                    x = self._pool(x, layer)
                case "fc_2":
                    x = self._fully_connected(x, layer)
                case _:
                    raise ValueError(f"layer {layer.kind!r} at an unexpected place")
            at += 1
        return self._wrap(x)

    def _convolution(self, x: _Value, layer: Layer, affine: Layer) -> _Value:
        """Convolution with the affine layer after it folded in, and the input's scaling too."""
        filters, rows, columns, stride, _, pad, _ = layer.sizes
        weights, bias = layer.params[:-filters], layer.params[-filters:]
        weights = weights.reshape(filters, x.channels, rows, columns).astype(np.float64)
        gamma, beta = affine.params.astype(np.float64).reshape(2, filters)
        weights, bias = weights * gamma[:, None, None, None], bias * gamma + beta
        if x.name == "crops":
            mean = np.array(self._network.mean_rgb)[None, :, None, None]
            weights = weights / PIXEL_SCALE
            bias = bias - (weights * mean).sum(axis=(1, 2, 3))
        return self._add(
            "Conv",
            [x, self._weight(weights), self._weight(bias)],
            filters,
            (x.side + 2 * pad - rows) // stride + 1,
            kernel_shape=[rows, columns],
            strides=[stride, stride],
            pads=[pad] * 4,
        )

    def _pool(self, x: _Value, layer: Layer) -> _Value:
        rows, columns, stride, _, pad, _ = layer.sizes
        if rows == 0:
            return self._add("GlobalAveragePool", [x], x.channels, 1)
        kind = "MaxPool" if layer.kind == "max_pool_2" else "AveragePool"
        side = (x.side + 2 * pad - rows) // stride + 1
        return self._add(
            kind,
            [x],
            x.channels,
            side,
            kernel_shape=[rows, columns],
            strides=[stride, stride],
            pads=[pad] * 4,
        )

    def _sum(self, x: _Value, y: _Value) -> _Value:
        """Sum of two values; the smaller is filled up with zeros at the far end, as dlib does."""
        channels, side = max(x.channels, y.channels), max(x.side, y.side)
        return self._add("Add", [self._grown(v, channels, side) for v in (x, y)], channels, side)

    def _grown(self, x: _Value, channels: int, side: int) -> _Value:
        more = (channels - x.channels, side - x.side, side - x.side)
        if not any(more):
            return x
        pads = self._weight(np.array([0, 0, 0, 0, 0, *more]), np.int64)
        return self._add("Pad", [x, pads], channels, side, mode="constant")

    def _fully_connected(self, x: _Value, layer: Layer) -> _Value:
        outputs = layer.sizes[0]
        flat = self._add("Flatten", [x], x.channels, 1, axis=1)
        weights = self._weight(layer.params.reshape(x.channels, outputs))
        return self._add("MatMul", [flat, weights], outputs, 1)

    def _weight(self, values: np.ndarray, dtype: type = np.float32) -> str:
        name = f"w{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(values.astype(dtype), name))
        return name

    def _add(
        self, op: str, inputs: list[_Value | str], channels: int, side: int, **attributes: object
    ) -> _Value:
        out = _Value(f"x{len(self._nodes)}", channels, side)
        names = [value.name if isinstance(value, _Value) else value for value in inputs]
        self._nodes.append(helper.make_node(op, names, [out.name], **attributes))
        return out

    def _wrap(self, last: _Value) -> onnx.ModelProto:
        self._nodes.append(helper.make_node("Identity", [last.name], ["descriptors"]))
        crops = helper.make_tensor_value_info("crops", TensorProto.FLOAT, ["batch", 3, DLIB_SIZE, DLIB_SIZE])
        descriptors = helper.make_tensor_value_info(
            "descriptors", TensorProto.FLOAT, ["batch", last.channels]
        )
        graph = helper.make_graph(self._nodes, "dlib_face_resnet", [crops], [descriptors], self._weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
