"""Where whoever lives in the DatabaseActor has reports made: in the ReportActor, where there is one."""

from __future__ import annotations

from typing import Any

from ray_backend.domain.permissions import Caller
from ray_backend.services.gate import Call
from ray_backend.serving.handles import REPORT_TIMEOUT_S, actor_names, get_handle, result
from ray_backend.serving.names import REPORT_ACTOR


def made_elsewhere(own: Call) -> Call:
    """As `own`, without its work in this process. Callers need no session here: who they are is known."""

    def call(caller: Caller, service: str, method: str, args: tuple, kwargs: dict) -> Any:
        if REPORT_ACTOR not in actor_names():
            return own(caller, service, method, args, kwargs)
        remote = get_handle(REPORT_ACTOR).call.options(max_task_retries=-1)
        return result(remote.remote(caller, service, method, args, kwargs), REPORT_TIMEOUT_S)

    return call
