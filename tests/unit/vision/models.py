"""Tiny ONNX models with the shapes of insightface's: enough to tell them apart and to open them."""

from __future__ import annotations

from pathlib import Path

from onnx import TensorProto, helper, save


def save_model(path: Path, inputs: list[list], outputs: list[list]) -> Path:
    """A model that puts out zeros of these shapes, whatever comes in."""
    sources = [
        helper.make_tensor_value_info(f"in{i}", TensorProto.FLOAT, shape) for i, shape in enumerate(inputs)
    ]
    nodes, results, weights = [], [], []
    for i, shape in enumerate(outputs):
        fixed = [size if isinstance(size, int) else 1 for size in shape]
        count = 1
        for size in fixed:
            count *= size
        weights.append(helper.make_tensor(f"w{i}", TensorProto.FLOAT, fixed, [0.0] * count))
        nodes.append(helper.make_node("Identity", [f"w{i}"], [f"out{i}"]))
        results.append(helper.make_tensor_value_info(f"out{i}", TensorProto.FLOAT, shape))
    graph = helper.make_graph(nodes, "test", sources, results, weights)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def save_detector(path: Path) -> Path:
    """In and out like SCRFD with landmarks."""
    return save_model(path, [[1, 3, "?", "?"]], [[2, width] for width in (1, 4, 10) for _ in range(3)])


def save_embedder(path: Path, dimension: int = 16) -> Path:
    """In and out like an ArcFace model."""
    return save_model(path, [["batch", 3, 112, 112]], [["batch", dimension]])


def save_pack(folder: Path) -> Path:
    """A folder like that of a pack of insightface, with the models that Rollcall leaves alone."""
    folder.mkdir(parents=True)
    save_detector(folder / "det_test.onnx")
    save_embedder(folder / "w_test.onnx")
    save_model(folder / "1k3d68.onnx", [["N", 3, 192, 192]], [["N", 3309]])
    save_model(folder / "2d106det.onnx", [["N", 3, 192, 192]], [["N", 212]])
    save_model(folder / "genderage.onnx", [["N", 3, 96, 96]], [["N", 3]])
    return folder
