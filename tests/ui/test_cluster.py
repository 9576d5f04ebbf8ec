"""The page of the cluster."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ray_backend.domain.beside import Beside
from ray_backend.domain.cluster import GalleryStatus, PartState, Queue
from ray_backend.domain.permissions import Role
from streamlit_app import cluster_words
from streamlit_app.views import cluster
from tests.fakes import FAKE_PACK
from tests.ui.conftest import account, page, words
from tests.unit.domain.test_cluster_health import FACES, WELL, moment


@pytest.fixture
def machines(backend, monkeypatch):
    """What the ClusterActor would say."""

    class Machines:
        found = replace(
            WELL, queues=(Queue("api", 3, 8),), galleries=(GalleryStatus("DatabaseActor", 120, 7),)
        )
        moments = (moment(10), moment(5))

        def status(self):
            return self.found

        def history(self):
            return self.moments

    made = Machines()
    # Records is frozen, as its parts never change.
    object.__setattr__(backend._records, "cluster", made)
    return made


def test_one_process_has_no_cluster(backend):
    assert "no cluster" in words(page(cluster.render, backend).run())


def test_a_second_pack_that_is_tried_is_named(backend, machines):
    assert "are tried" not in words(page(cluster.render, backend).run())
    backend.beside.put(Beside(replace(FAKE_PACK, pack_id="second"), "/models/second", 0.25), actor="test")
    told = [box.value for box in page(cluster.render, backend).run().info]
    assert told == ["The face models second are tried on 25% of the recognitions. They decide nothing."]


def test_machines_parts_and_figures_are_shown(backend, machines):
    test = page(cluster.render, backend).run()
    assert not test.exception
    assert [box.value for box in test.success] == ["All is well."]
    assert {metric.label: metric.value for metric in test.metric} == {
        "Machines": "2",
        "Looking at faces": "2 of 2",
        "Pictures a second": "3.0",
        "Pictures waiting": "3",
        "Faces to search": "120",
        "Punches waiting": "0",
    }
    nodes, parts, queues = (frame.value for frame in test.dataframe)
    assert list(nodes["Machine"]) == ["head", "worker"]
    assert dict(zip(parts["Part"], parts["Machine"], strict=True)) == {
        "DatabaseActor": "head",
        "FaceEmbeddingActor-0": "worker",
        "FaceEmbeddingActor-1": "worker",
    }
    assert parts["Version of the faces"][0] == "7"
    assert list(queues["Waiting"]) == [3]
    assert "3.0 pictures a second" in words(test)


def test_what_is_wrong_is_said_in_plain_words(backend, machines):
    away = tuple(replace(part, state=PartState.AWAY) for part in FACES)
    machines.found = replace(machines.found, pool=replace(WELL.pool, parts=away), journal=2)
    machines.moments = (moment(5, refused=1.5),)
    test = page(cluster.render, backend).run()
    assert not test.success
    assert [box.value.split(":")[0] for box in test.error] == [
        "Nobody can be recognised",
        "2 punches wait on the head machine's disk, because the database does not answer. They are kept "
        "there and delivered when the database is back",
    ]
    assert test.warning[0].value.startswith("1.5 requests a second")


def test_every_trouble_and_state_has_words():
    assert set(cluster_words._WORDS) == set(cluster_words.Trouble)
    assert set(cluster_words.STATES) == set(PartState)


def test_the_dashboards_are_linked_where_they_are(backend, machines, settings, monkeypatch):
    assert "ROLLCALL_GRAFANA_URL" in words(page(cluster.render, backend).run())
    known = settings.model_copy(update={"grafana_url": "https://grafana.example.org"})
    monkeypatch.setattr(cluster.deps, "settings", lambda: known)
    assert "ROLLCALL_GRAFANA_URL" not in words(page(cluster.render, backend).run())


@pytest.mark.parametrize("role", [Role.MANAGER, Role.VIEWER])
def test_only_an_admin_sees_it(backend, machines, role):
    test = page(cluster.render, backend, username=account(backend, role)).run()
    assert "may not see this page" in words(test)
    assert not test.dataframe
