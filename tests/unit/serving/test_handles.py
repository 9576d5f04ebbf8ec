"""What Ray raises reaches callers as what the actor raised, or as "not there just now"."""

from __future__ import annotations

import pytest
from ray.exceptions import (
    ActorDiedError,
    ActorUnavailableError,
    GetTimeoutError,
    ObjectLostError,
    RayTaskError,
)

from ray_backend.domain.errors import BackendUnavailable, PersonNotFound
from ray_backend.serving.handles import our_errors


def raised_in_a_task(cause: Exception) -> RayTaskError:
    return RayTaskError("recognise", "traceback", cause)


@pytest.mark.parametrize(
    "error",
    [
        ActorDiedError(),
        ActorUnavailableError("no answer", None),
        GetTimeoutError(),
        ObjectLostError("00" * 28, None, ""),
        TimeoutError(),
        ConnectionError(),
        raised_in_a_task(ActorDiedError()),
        raised_in_a_task(raised_in_a_task(ActorUnavailableError("no answer", None))),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whoever_is_away_is_said_to_be_away(error):
    with pytest.raises(BackendUnavailable), our_errors():
        raise error


def test_what_an_actor_raised_is_raised_here():
    wrong = PersonNotFound("nobody")
    for error in (raised_in_a_task(wrong), raised_in_a_task(raised_in_a_task(wrong))):
        with pytest.raises(PersonNotFound) as found, our_errors():
            raise error
        assert found.value is wrong
