"""What is said about this machine and its settings."""

from __future__ import annotations

import pytest

from ray_backend.machine import liveness_words
from ray_backend.settings import Settings


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"liveness": "off"}, "not looked for"),
        ({"liveness": "observe"}, "ROLLCALL_LIVENESS_MODELS"),
        ({"liveness": "observe", "liveness_models": "somewhere"}, "noted with the punch, found by a model"),
        ({"liveness": "require", "liveness_models": "somewhere"}, "refused, found by a model"),
        ({"liveness": "require", "liveness_way": "active"}, "refused, found by asking for movements"),
        ({"liveness": "observe", "liveness_way": "active"}, "noted with the punch, found by asking"),
    ],
)
def test_it_is_said_aloud_whether_held_up_pictures_are_looked_for(chosen, said):
    assert said in liveness_words(Settings(**chosen))
