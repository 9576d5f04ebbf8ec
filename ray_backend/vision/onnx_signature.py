"""Reads what goes into an ONNX model and what comes out, without reading its weights.

`onnx.load` would read every weight: 0.3 GB for the packs of insightface. This walks over the fields
of the protobuf message and skips all but the graph's inputs and outputs.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import DecodeError
from onnx import ValueInfoProto

# Field numbers of onnx.proto: ModelProto.graph, GraphProto.initializer, .input and .output.
GRAPH, INPUT, OUTPUT = 7, 11, 12
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
Shape = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """Shapes of a model's inputs and outputs; a dimension without a fixed size is its name."""

    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]


def read_signature(path: Path) -> Signature:
    """Raises ValueError when the file is no ONNX model."""
    if path.stat().st_size == 0:
        raise ValueError(f"{path.name} is empty")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        inputs: list[Shape] = []
        outputs: list[Shape] = []
        try:
            for number, start, end in _fields(data, 0, len(data)):
                if number == GRAPH:
                    _read_graph(data, start, end, inputs, outputs)
        except (ValueError, IndexError, DecodeError) as error:
            raise ValueError(f"{path.name} is no ONNX model") from error
    return Signature(tuple(inputs), tuple(outputs))


def _read_graph(data: mmap.mmap, start: int, end: int, inputs: list[Shape], outputs: list[Shape]) -> None:
    for number, at, stop in _fields(data, start, end):
        if number == INPUT:
            inputs.append(_shape(data[at:stop]))
        elif number == OUTPUT:
            outputs.append(_shape(data[at:stop]))


def _shape(message: bytes) -> Shape:
    value = ValueInfoProto.FromString(message)
    return tuple(d.dim_value or d.dim_param for d in value.type.tensor_type.shape.dim)


def _fields(data: mmap.mmap, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(number, start, end) of each field that holds bytes; numbers are passed over."""
    while at < end:
        key, at = _varint(data, at)
        kind = key & 7
        if kind == BYTES:
            length, at = _varint(data, at)
            if at + length > end:
                raise ValueError("a field reaches past its message")
            yield key >> 3, at, at + length
            at += length
        elif kind == VARINT:
            _, at = _varint(data, at)
        elif kind in (FIXED64, FIXED32):
            at += 8 if kind == FIXED64 else 4
        else:
            raise ValueError(f"unknown wire type {kind}")


def _varint(data: mmap.mmap, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")
