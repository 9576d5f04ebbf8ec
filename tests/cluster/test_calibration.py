"""The measurement of a site's accuracy runs in the DatabaseActor and reaches the page whole."""

from __future__ import annotations

import time

from ray_backend.client import Photo
from ray_backend.domain.requests import PersonDraft
from tests.people import face_photo


def test_it_is_started_followed_and_read_over_ray(backend):
    for person in range(2):
        photos = [Photo(f"{variant}.jpg", face_photo(person, variant)) for variant in range(2)]
        draft = PersonDraft(f"E{person}", f"Person {person}", consent=True)
        backend.enrol(draft, photos, source="upload", actor="test")

    backend.calibration.start()
    deadline = time.monotonic() + 30
    while (state := backend.calibration.state()).running:
        assert time.monotonic() < deadline
        time.sleep(0.05)

    assert state.problem == ""
    assert (state.result.people, state.result.repeated, state.result.comparisons) == (2, 2, 1)
    assert state.result.refused(state.result.threshold).errors == 0
