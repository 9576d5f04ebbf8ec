"""The one place that opens onnxruntime sessions and sets how many threads inference takes.

Measured on two cores: sessions of one thread called from many threads give the most pictures a
second; a session with more threads gains little, and loses where onnxruntime's idle threads spin.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
# Best first. CoreML stays out: it wants a session for every input shape, and detection takes each
# picture in its own shape.
PREFERRED = (CUDA, CPU)

_OUT_OF_MEMORY = re.compile(r"failed to allocate memory|out of memory|bad_alloc", re.IGNORECASE)

# Parallelism comes from many callers here; OpenCV's own pool would only compete with them.
cv2.setNumThreads(1)


def session_options(threads: int = 1) -> ort.SessionOptions:
    """Options for a session that takes `threads` threads for one call and none between calls."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options


def providers(available: Iterable[str] | None = None) -> list[str]:
    """The execution providers to use, best first; by default of those in this onnxruntime."""
    have = set(ort.get_available_providers() if available is None else available)
    return [provider for provider in PREFERRED if provider in have]


def open_session(model: Path | bytes, threads: int = 1) -> ort.InferenceSession:
    """A session for an ONNX file or for the bytes of one."""
    chosen = providers()
    if CUDA in chosen:
        ort.preload_dlls()
    source = model if isinstance(model, bytes) else str(model)
    return ort.InferenceSession(source, session_options(threads), providers=chosen)


@contextmanager
def memory_errors() -> Iterator[None]:
    """Raises onnxruntime's ways of saying that memory is out as MemoryError, so that callers can halve."""
    try:
        yield
    except (RuntimeError, ort_errors.RuntimeException, ort_errors.Fail) as error:
        if _OUT_OF_MEMORY.search(str(error)):
            raise MemoryError(str(error)) from error
        raise
