"""The bound: decode, detect, embed and search in bare loops on all cores, with no server around them.

What a server on this machine could answer at most if serving cost nothing: once with Rollcall's own
pipeline, and once with the plain one, the models as their libraries run them.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
from collections.abc import Sequence
from contextlib import closing
from multiprocessing.connection import Connection as Pipe
from statistics import median
from time import perf_counter, process_time
from types import TracebackType
from typing import NamedTuple

import numpy as np

from bench.http_client import Shot, rotated
from bench.own_system import Site, pack_choice
from ray_backend.storage import open_store
from ray_backend.vision.images import PillowCodec
from ray_backend.vision.packs import open_pack


class WrongAnswer(Exception):
    """The bare loop took somebody for somebody else, so nothing that follows can be compared."""


class Rate(NamedTuple):
    """Pictures a second, and processor time of each."""

    rps: float
    cpu_ms: float


class BareLoop:
    """One core's loop over pictures."""

    def __init__(self, site: Site, plain: bool) -> None:
        settings = site.settings
        self._codec = PillowCodec(max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels)
        self._engine = open_pack(pack_choice(site), plain=plain)
        with closing(open_store(settings)) as store:
            templates = list(store.templates(site.pack.pack_id))
            names = {
                person_id: store.get_person(person_id).employee_id
                for person_id in {template.person_id for template in templates}
            }
        self._matrix = np.stack([template.embedding for template in templates])
        self._employee_ids = [names[template.person_id] for template in templates]

    def recognise(self, jpeg: bytes) -> str | None:
        """The employee id of the largest face, or None."""
        picture = self._codec.decode(jpeg)
        face = self._engine.detect(picture, quick=True)[0]
        embedding = self._engine.embed([self._engine.align(picture, face)])[0]
        similarities = self._matrix @ embedding
        best = int(similarities.argmax())
        return self._employee_ids[best] if similarities[best] >= self._engine.pack.threshold else None

    def run(self, shots: Sequence[Shot], seconds: float) -> Rate:
        """How fast it was. Raises WrongAnswer."""
        started, cpu_at_start = perf_counter(), process_time()
        for done, shot in enumerate(itertools.cycle(shots), start=1):
            if self.recognise(shot.jpeg) != shot.expected:
                raise WrongAnswer(f"the bare loop does not recognise {shot.expected}")
            if (elapsed := perf_counter() - started) >= seconds:
                return Rate(done / elapsed, 1000 * (process_time() - cpu_at_start) / done)
        raise ValueError("there are no pictures")


class Bound:
    """One process for each core, with a `BareLoop` of each pipeline."""

    def __init__(self, site: Site, shots: Sequence[Shot]) -> None:
        # Each process is to keep to its core; numpy's product would otherwise fight over all of them.
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Pipe] = []
        self._processes = []
        for number in range(os.cpu_count() or 1):
            ours, theirs = context.Pipe()
            arguments = (theirs, site, rotated(shots, 7 * number))
            process = context.Process(target=_serve, args=arguments, daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)
        for pipe in self._pipes:
            pipe.recv()

    def measure(self, seconds: float, plain: bool = False) -> Rate:
        """All cores together, with Rollcall's own pipeline or the plain one. Raises WrongAnswer."""
        for pipe in self._pipes:
            pipe.send((seconds, plain))
        answers = [pipe.recv() for pipe in self._pipes]
        for answer in answers:
            if isinstance(answer, WrongAnswer):
                raise answer
        return Rate(sum(answer.rps for answer in answers), median(answer.cpu_ms for answer in answers))

    def __enter__(self) -> Bound:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(10)


def _serve(pipe: Pipe, site: Site, shots: list[Shot]) -> None:
    loops = {plain: BareLoop(site, plain) for plain in (False, True)}
    for loop in loops.values():
        loop.run(shots, 0.3)
    pipe.send("ready")
    while True:
        try:
            seconds, plain = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(loops[plain].run(shots, seconds))
        except WrongAnswer as error:
            pipe.send(error)
