"""What the API's batches are sent to: coroutines that call the actors, by the short way on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from ray_backend.domain.answers import CheckIn, Recognition
from ray_backend.domain.errors import ImageRejected
from ray_backend.domain.model import FrameAnalysis
from ray_backend.observing import origin
from ray_backend.serving import handles
from ray_backend.serving.batcher import BatchPolicy, Worker
from ray_backend.serving.beside import BesideQuestion
from ray_backend.serving.names import DATABASE_ACTOR
from ray_backend.serving.near import Lost, NearCalls, NotNear
from ray_backend.serving.recogniser import BatchingRecogniser, Question, Workers
from ray_backend.settings import Settings


def build_recogniser(settings: Settings) -> BatchingRecogniser:
    """The fast path over the actors of the cluster that this process belongs to, once they are named."""
    timeout_s, near = settings.call_timeout_s, NearCalls()

    async def check_in(analysis: FrameAnalysis, **kwargs: Any) -> CheckIn:
        call = handles.use_case("check_ins", "check_in")((analysis,), kwargs)
        return await handles.async_result(call, timeout_s)

    return BatchingRecogniser(
        Workers(
            recognise=lambda name: _recogniser(name, "analyse_batch", near, timeout_s),
            recognise_in_bulk=lambda name: _recogniser(name, "analyse_batch_in_bulk", near, timeout_s),
            analyse=lambda name: _analyser(name, near, timeout_s),
            recognise_beside=lambda name: _beside(name, timeout_s),
        ),
        check_in,
        BatchPolicy(max_waiting=settings.api_max_waiting, deadline_s=settings.api_deadline_s),
    )


def _recogniser(name: str, method: str, near: NearCalls, timeout_s: float) -> Worker:
    async def recognise(questions: list[Question]) -> Sequence[Recognition | ImageRejected]:
        with handles.our_errors():
            async with asyncio.timeout(timeout_s):
                return await answers(questions)

    async def answers(questions: list[Question]) -> Sequence[Recognition | ImageRejected]:
        images, departments, origins = zip(*questions, strict=True)
        asked = departments if any(departments) else ()
        whose = origin.joined(origins)
        try:
            analyses = await near.call(handles.actor_id(name), method, *images, origins=whose)
        except NotNear:
            # The analysis goes from one actor to the other; this process never unpacks it.
            analyses = getattr(handles.get_handle(name), method).remote(*images, origins=whose)
        else:
            try:
                database = handles.actor_id(DATABASE_ACTOR)
                found = await near.call(database, "recognise", analyses, asked, origins=whose)
                return found.value()
            except (NotNear, Lost):
                analyses = analyses.value()
        # Ray waits for an actor that was killed and starts again.
        remote = handles.get_handle(DATABASE_ACTOR).recognise.options(max_task_retries=-1)
        return await handles.async_result(remote.remote(analyses, asked, origins=whose), timeout_s)

    return recognise


def _analyser(name: str, near: NearCalls, timeout_s: float) -> Worker:
    async def analyse(pictures: list[tuple[bytes, str]]) -> Sequence[FrameAnalysis | ImageRejected]:
        images, origins = zip(*pictures, strict=True)
        whose = origin.joined(origins)
        with handles.our_errors():
            try:
                async with asyncio.timeout(timeout_s):
                    found = await near.call(handles.actor_id(name), "analyse_batch", *images, origins=whose)
                    return found.value()
            except NotNear:
                call = handles.get_handle(name).analyse_batch.remote(*images, origins=whose)
                return await handles.async_result(call, timeout_s)

    return analyse


def _beside(name: str, timeout_s: float) -> Worker:
    async def recognise(questions: list[BesideQuestion]) -> Sequence[Recognition | ImageRejected]:
        return [await answer(question) for question in questions]

    async def answer(question: BesideQuestion) -> Recognition | ImageRejected:
        look = handles.get_handle(name).analyse_batch_beside.remote(question.spec, question.image)
        analyses = await handles.async_result(look, timeout_s)
        call = handles.use_case("beside", "recognise")((analyses, [question.department]), {})
        (found,) = await handles.async_result(call, timeout_s)
        return found

    return recognise
