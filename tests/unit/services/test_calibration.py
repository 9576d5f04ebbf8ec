"""The site's own accuracy, on templates whose similarities are known."""

from __future__ import annotations

import pickle
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from ray_backend.domain.errors import InvalidInput, StoreUnavailable
from ray_backend.domain.model import Person
from ray_backend.services import comparisons
from ray_backend.services.comparisons import Rows, attempts, genuine
from tests.fakes import FAKE_PACK
from tests.unit.services.conftest import Site, look_alike, stored_template

D = FAKE_PACK.dimension


def axis(number: int) -> np.ndarray:
    return np.eye(D, dtype=np.float32)[number]


def add(site: Site, name: str, *embeddings: np.ndarray, **changes: object) -> Person:
    """A person with these templates, past all checks of registration."""
    person = Person(name, name.title(), site.clock.now())
    templates = [
        stored_template(person, row, template_id=f"{name}-{index}", **changes)
        for index, row in enumerate(embeddings)
    ]
    site.store.add_person(person, templates)
    return person


def people_at_random(number: int, photos: int, seed: int = 0) -> list[list[np.ndarray]]:
    random = np.random.default_rng(seed)
    found = []
    for _ in range(number):
        rows = random.standard_normal(D) + 0.4 * random.standard_normal((photos, D))
        found.append(list((rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)))
    return found


def test_everybody_is_a_stranger_to_all_others_and_no_one_to_themselves():
    pair = look_alike(axis(0), 0.7)
    tried = attempts(Rows.of([[axis(0)], [pair], [axis(5), axis(6)]]), close_from=0.6)

    assert tried.people == 3
    assert tried.comparisons.total == pytest.approx(3 * 2)
    assert tried.nearest.share_at_or_above(0.7 - 0.001) == pytest.approx(2 / 3)
    ((first, second, similarity),) = tried.close
    assert (first, second) == (0, 1)
    assert similarity == pytest.approx(0.7, abs=1e-5)


def test_comparisons_are_those_of_a_plain_loop():
    people = people_at_random(12, 3)
    tried = attempts(Rows.of(people), close_from=0.2)

    nearest, wrong, weight = [], 0.0, 0.0
    for who, own in enumerate(people):
        for probe in own:
            best = [max(float(probe @ row) for row in other) for n, other in enumerate(people) if n != who]
            nearest.append(max(best))
            wrong += sum(value >= 0.2 for value in best) / 3
            weight += len(best) / 3
    assert tried.comparisons.share_at_or_above(0.2) == pytest.approx(wrong / weight)
    assert tried.nearest.share_at_or_above(0.3) == pytest.approx(np.mean(np.array(nearest) >= 0.3))


def test_small_pieces_give_the_same_as_one(monkeypatch):
    rows = Rows.of(people_at_random(40, 2))
    whole = attempts(rows, close_from=0.3)
    monkeypatch.setattr(comparisons, "_CHUNK_BYTES", 1000)
    told: list[float] = []
    pieces = attempts(rows, close_from=0.3, progress=told.append)

    assert pieces.comparisons.weights == pytest.approx(whole.comparisons.weights)
    assert pieces.nearest.weights == pytest.approx(whole.nearest.weights)
    assert [pair[:2] for pair in pieces.close] == [pair[:2] for pair in whole.close]
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_sample_of_a_large_site_comes_near_the_whole():
    rows = Rows.of(people_at_random(600, 2))
    whole, sample = attempts(rows, close_from=1), attempts(rows, close_from=1, most=200)

    assert (whole.people, sample.people) == (600, 200)
    assert sample.comparisons.share_at_or_above(0.2) == pytest.approx(
        whole.comparisons.share_at_or_above(0.2), rel=0.1
    )


def test_own_photos_are_compared_with_the_best_of_the_others_and_a_person_counts_once():
    rows = Rows.of([
        [axis(0), look_alike(axis(0), 0.9), look_alike(axis(0), 0.9)],
        [axis(1), look_alike(axis(1), 0.3)],
        [axis(2)],
    ])  # fmt: skip
    counts = genuine(rows)

    assert counts.total == pytest.approx(2)
    assert counts.share_below(0.5) == pytest.approx(1 / 2)


def test_the_result_tells_who_can_be_helped(site):
    ada = add(site, "ada", axis(0), look_alike(axis(0), 0.9))
    bob = add(site, "bob", look_alike(axis(0), 0.48, seed=2))
    add(site, "eve", axis(7), axis(7), quality=0.3)

    result = site.backend.calibration.measure()

    assert (result.people, result.templates, result.repeated) == (3, 5, 2)
    assert [(pair.first, pair.second) for pair in result.look_alikes] == [(ada, bob)]
    assert result.look_alikes[0].similarity == pytest.approx(0.48, abs=0.1)
    assert result.too_few == (bob,)
    assert result.too_few_count == 1
    assert {photo.template_id for photo in result.poor} == {"eve-0", "eve-1"}


def test_trials_are_counted_honestly(site):
    for number in range(10):
        add(site, f"p{number}", axis(number), axis(number))

    result = site.backend.calibration.measure()

    assert result.comparisons == 45, "pairs of people, each once"
    assert result.trials == pytest.approx(5), "attempts, of which half repeat the others"
    wrong = result.wrong(0.5)
    assert (wrong.errors, wrong.trials) == (0, pytest.approx(5))
    assert wrong.high == pytest.approx(1 - 0.025 ** (1 / 5))
    assert result.threshold_for(0.1) is None
    assert result.refused(0.5).trials == 10, "a person is a trial"
    assert result.wrong_for_each_comparison(0.5).trials == 45


def test_a_threshold_is_named_where_the_people_support_it(site):
    for number, own in enumerate(people_at_random(150, 2)):
        add(site, f"p{number}", *own)

    result = site.backend.calibration.measure()
    choice = result.threshold_for(0.1)

    assert result.wrong(choice.safe).high <= 0.1
    assert choice.low <= choice.measured <= choice.safe
    assert result.curve.fmr[0] == pytest.approx(1)


def test_the_deactivated_and_other_packs_are_left_out(site):
    add(site, "ada", axis(0))
    add(site, "bob", axis(1))
    gone = add(site, "eve", axis(2))
    site.store.update_person(replace(gone, active=False))
    add(site, "old", axis(3), pack_id="another")

    assert site.backend.calibration.measure().people == 2


def test_at_most_five_photos_of_a_person_are_compared(site):
    add(site, "ada", *[axis(n) for n in range(9)])
    add(site, "bob", axis(20))

    assert site.backend.calibration.measure().templates == 6


def test_fewer_than_two_people_cannot_be_measured(site):
    add(site, "ada", axis(0))

    with pytest.raises(InvalidInput, match="two people"):
        site.backend.calibration.measure()


def test_it_runs_in_the_background_once_at_a_time_and_keeps_its_result(site, monkeypatch):
    add(site, "ada", axis(0))
    add(site, "bob", axis(1))
    go, runs = threading.Event(), []
    service = site.backend._records.calibration
    measure = type(service).measure

    def slow(progress):
        runs.append(1)
        progress(0.5)
        go.wait(10)
        return measure(service, progress)

    monkeypatch.setattr(service, "measure", slow)
    assert not service.state().running
    service.start()
    service.start()
    deadline = time.monotonic() + 10
    while service.state().share < 0.5 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert service.state().running
    go.set()

    done = _finished(service)
    assert runs == [1]
    assert done.result.people == 2
    assert pickle.loads(pickle.dumps(done)).result.trials == done.result.trials


def test_what_went_wrong_is_kept_in_words(site):
    service = site.backend.calibration
    service.start()

    assert "Register two people" in _finished(service).problem


def test_a_database_that_goes_away_is_told(site, monkeypatch):
    def away():
        raise StoreUnavailable("The database does not answer.")

    monkeypatch.setattr(site.store, "count_templates", away)
    site.backend.calibration.start()

    assert _finished(site.backend.calibration).problem == "The database does not answer."


def _finished(service):
    deadline = time.monotonic() + 10
    while service.state().running:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return service.state()
