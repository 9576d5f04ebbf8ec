"""What every gallery promises, held against a search that is too plain to be wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from qdrant_client import QdrantClient

from ray_backend.domain.model import Candidate, Template
from ray_backend.gallery.approximate import ApproximateGallery
from ray_backend.gallery.coarse import Codebook
from ray_backend.gallery.exact import ExactGallery
from ray_backend.gallery.files import FileBlocks
from ray_backend.gallery.qdrant import QdrantGallery
from ray_backend.gallery.sharding import ShardedGallery
from ray_backend.ports import GalleryIndex

DIMENSION = 16
BLOCK_ROWS = 128  # so that some hundred templates fill several blocks
KINDS = ["exact", "sharded", "approximate", "files", "qdrant"]
pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")
AT = datetime(2026, 3, 2, tzinfo=UTC)


def unit_rows(rng: np.random.Generator, count: int) -> np.ndarray:
    """(count, DIMENSION) float32, L2-normalised."""
    rows = rng.standard_normal((count, DIMENSION)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def template(person_id: str, template_id: str, embedding: np.ndarray) -> Template:
    return Template(person_id, "fake", embedding, 0.9, "upload", AT, template_id=template_id)


def some_templates(rng: np.random.Generator, people: int, each: int) -> list[Template]:
    rows = unit_rows(rng, people * each)
    return [template(f"p{i % people}", f"t{i}", row) for i, row in enumerate(rows)]


def plain_search(templates: list[Template], embedding: np.ndarray, limit: int) -> list[tuple[str, float]]:
    """The nearest people by a loop over everything."""
    best: dict[str, float] = {}
    for stored in templates:
        similarity = sum(float(a) * float(b) for a, b in zip(embedding, stored.embedding, strict=True))
        best[stored.person_id] = max(similarity, best.get(stored.person_id, -2.0))
    return sorted(best.items(), key=lambda item: -item[1])[:limit]


def assert_searches_like(
    gallery: GalleryIndex,
    templates: list[Template],
    queries: np.ndarray,
    limit: int,
    within: float = 1e-5,
    only: frozenset[str] | None = None,
) -> None:
    answers = gallery.search(queries, limit, only)
    assert len(answers) == len(queries)
    for query, answer in zip(queries, answers, strict=True):
        expected = plain_search(templates, query, limit)
        assert [c.person_id for c in answer] == [person_id for person_id, _ in expected]
        assert [c.similarity for c in answer] == pytest.approx([s for _, s in expected], abs=within)


class Packed(ApproximateGallery):
    """Searches by code only: each search waits until the last row is packed."""

    def search(
        self, embeddings: np.ndarray, limit: int = 2, only: frozenset[str] | None = None
    ) -> list[list[Candidate]]:
        self.settle()
        return super().search(embeddings, limit, only)


@cache
def codebook() -> Codebook:
    """One for all tests, so that even a gallery of one template is searched by code."""
    return Codebook.train(unit_rows(np.random.default_rng(0), 2000))


def open_gallery(kind: str, folder: Path, approximate: type[ApproximateGallery] = Packed) -> GalleryIndex:
    """An empty gallery; the approximate ones never search exactly of their own accord."""
    if kind == "exact":
        return ExactGallery(DIMENSION, block_rows=BLOCK_ROWS)
    if kind == "sharded":
        return ShardedGallery([ExactGallery(DIMENSION, block_rows=BLOCK_ROWS) for _ in range(3)], DIMENSION)
    if kind == "qdrant":
        return QdrantGallery(QdrantClient(":memory:"), "faces", DIMENSION, one_by_one=True)
    blocks = FileBlocks(folder, DIMENSION, BLOCK_ROWS) if kind == "files" else None
    return approximate(DIMENSION, 0, blocks, codebook=codebook(), block_rows=BLOCK_ROWS, step=1)


def close(gallery: GalleryIndex) -> None:
    if not isinstance(gallery, ExactGallery | ShardedGallery):
        gallery.close()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def gallery(kind: str, tmp_path: Path) -> Iterator[GalleryIndex]:
    opened = open_gallery(kind, tmp_path)
    yield opened
    close(opened)


def test_the_approximate_galleries_really_search_by_code(tmp_path, monkeypatch):
    gallery = open_gallery("approximate", tmp_path)
    templates = some_templates(np.random.default_rng(1), 300, 2)
    gallery.replace(iter(templates))
    monkeypatch.setattr("ray_backend.gallery.approximate.scan", None)
    assert_searches_like(gallery, templates, unit_rows(np.random.default_rng(2), 50), 3)


@pytest.mark.parametrize("limit", [1, 2, 1000])
@pytest.mark.parametrize("wanted", [0, 1, 7, 300])
def test_search_among_some_people_finds_the_nearest_of_them(gallery, wanted, limit):
    rng = np.random.default_rng(wanted)
    templates = some_templates(rng, 300, 2)
    gallery.replace(iter(templates))
    only = frozenset(f"p{number}" for number in rng.permutation(300)[:wanted]) | {"nobody of this name"}
    among = [each for each in templates if each.person_id in only]
    assert_searches_like(gallery, among, unit_rows(rng, 6), limit, only=only)


@pytest.mark.parametrize(("people", "each"), [(1, 1), (1, 7), (5, 1), (40, 3), (300, 2)])
@pytest.mark.parametrize("limit", [1, 2, 5, 1000])
def test_search_finds_the_nearest_people(gallery, people, each, limit):
    rng = np.random.default_rng(people * each)
    templates = some_templates(rng, people, each)
    gallery.replace(iter(templates))
    assert len(gallery) == people * each
    assert_searches_like(gallery, templates, unit_rows(rng, 6), limit)


def test_a_person_is_as_near_as_the_nearest_template(gallery):
    axes = np.eye(DIMENSION, dtype=np.float32)
    gallery.add([template("ada", "t1", axes[0]), template("ada", "t2", axes[1])])
    [[found]] = gallery.search(axes[1][None])
    assert (found.person_id, found.similarity) == ("ada", pytest.approx(1.0))


def test_an_empty_gallery_answers_every_row_with_nobody(gallery):
    assert gallery.search(unit_rows(np.random.default_rng(1), 3)) == [[], [], []]
    assert gallery.search(np.empty((0, DIMENSION), np.float32)) == []
    assert len(gallery) == 0


def test_no_rows_give_no_answers(gallery):
    gallery.replace(iter(some_templates(np.random.default_rng(1), 2, 1)))
    assert gallery.search(np.empty((0, DIMENSION), np.float32)) == []


@pytest.mark.parametrize("rows", [15, 40, 900])
def test_a_person_with_many_templates_does_not_hide_the_second(gallery, kind, rows):
    # All of them lie nearer than anybody else's, and more of them than are looked at first.
    rng = np.random.default_rng(rows)
    axis = np.eye(DIMENSION, dtype=np.float32)[0]
    near = axis + 0.01 * rng.standard_normal((rows, DIMENSION)).astype(np.float32)
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    crowd = [template("ada", f"a{i}", row) for i, row in enumerate(near)]
    others = some_templates(rng, 30, 2)
    gallery.replace(iter(crowd + others))
    # Of hundreds that are all but equal, codes tell who it is, but not which is the very nearest.
    within = 1e-3 if kind in ("approximate", "files") else 1e-5
    for limit in (1, 2, 3, 31, 50):
        assert_searches_like(gallery, crowd + others, axis[None], limit, within)


def test_it_grows_past_its_first_block(gallery):
    rng = np.random.default_rng(3)
    templates = some_templates(rng, people=50, each=BLOCK_ROWS // 50 + 20)
    first, rest = templates[: BLOCK_ROWS - 1], templates[BLOCK_ROWS - 1 :]
    gallery.replace(iter(first))
    for start in range(0, len(rest), 100):
        gallery.add(rest[start : start + 100])
    assert len(gallery) == len(templates) > BLOCK_ROWS
    assert_searches_like(gallery, templates, unit_rows(rng, 3), 3)


def test_it_can_be_filled_past_its_first_block_and_emptied_again(gallery):
    rng = np.random.default_rng(4)
    templates = some_templates(rng, people=3, each=BLOCK_ROWS)
    gallery.replace(iter(templates))
    gallery.remove_person("p0")
    gallery.remove_person("p1")
    rest = [t for t in templates if t.person_id == "p2"]
    assert_searches_like(gallery, rest, unit_rows(rng, 2), 2)
    gallery.remove_person("p2")
    assert gallery.search(unit_rows(rng, 1)) == [[]]


def test_a_template_that_is_there_already_is_replaced(gallery):
    axes = np.eye(DIMENSION, dtype=np.float32)
    gallery.add([template("ada", "t1", axes[0]), template("alan", "t2", axes[1])])
    gallery.add([template("ada", "t1", axes[2])])
    assert len(gallery) == 2
    [[best, _]] = gallery.search(axes[0][None])
    assert best.similarity == pytest.approx(0.0)
    assert gallery.search(axes[2][None], 1)[0][0].person_id == "ada"


def test_a_template_moves_to_another_person_and_back(gallery):
    axes = np.eye(DIMENSION, dtype=np.float32)
    ada, alan = template("ada", "t1", axes[0]), template("alan", "t2", axes[1])
    gallery.add([ada, alan])
    gallery.add([template("ada", "t2", axes[1])])
    assert [[one.person_id for one in row] for row in gallery.search(axes[:2])] == [["ada"], ["ada"]]
    assert gallery.search(axes[1][None], only=frozenset({"alan"})) == [[]]
    gallery.remove_person("alan")
    assert len(gallery) == 2
    gallery.add([alan])
    assert_searches_like(gallery, [ada, alan], axes[:2], 2)
    gallery.remove_person("ada")
    assert [one.person_id for one in gallery.search(axes[1][None])[0]] == ["alan"]


def test_of_one_id_twice_in_one_call_the_last_counts(gallery):
    axes = np.eye(DIMENSION, dtype=np.float32)
    gallery.add([template("ada", "t1", axes[0]), template("ada", "t1", axes[1])])
    assert len(gallery) == 1
    assert gallery.search(axes[1][None], 1)[0][0].similarity == pytest.approx(1.0)


def test_the_gallery_does_not_follow_later_changes_of_the_callers_array(gallery):
    embedding = np.eye(DIMENSION, dtype=np.float32)[0]
    gallery.add([template("ada", "t1", embedding)])
    asked = embedding.copy()
    embedding[:] = 0
    assert gallery.search(asked[None])[0][0].similarity == pytest.approx(1.0)


def test_unknown_ids_are_no_error_to_remove(gallery):
    templates = some_templates(np.random.default_rng(5), 3, 1)
    gallery.replace(iter(templates))
    gallery.remove_template("nobody's")
    gallery.remove_person("nobody")
    assert len(gallery) == 3


def test_the_version_grows_with_every_change(gallery):
    rng = np.random.default_rng(6)
    templates = some_templates(rng, 3, 2)
    versions = [gallery.version]
    for change in (
        lambda: gallery.replace(iter(templates[:4])),
        lambda: gallery.add(templates[4:]),
        lambda: gallery.remove_template("t0"),
        lambda: gallery.remove_person("p1"),
    ):
        change()
        versions.append(gallery.version)
    assert versions == sorted(set(versions))
    gallery.search(unit_rows(rng, 1))
    assert gallery.version == versions[-1]


WRONG = template("ada", "wrong", np.ones(DIMENSION + 1, np.float32))


@pytest.mark.parametrize("change", ["add", "replace"])
def test_a_template_of_another_dimension_is_refused_and_changes_nothing(gallery, change):
    rng = np.random.default_rng(7)
    templates = some_templates(rng, 4, 2)
    gallery.replace(iter(templates))
    version = gallery.version
    fresh = template("new", "fresh", unit_rows(rng, 1)[0])
    again = template("p0", "t0", unit_rows(rng, 1)[0])
    with pytest.raises(ValueError, match=f"{DIMENSION}"):
        getattr(gallery, change)(
            iter([fresh, again, WRONG]) if change == "replace" else [fresh, again, WRONG]
        )
    assert gallery.version == version
    assert_searches_like(gallery, templates, unit_rows(rng, 4), 3)


@pytest.mark.parametrize("shape", [(DIMENSION,), (1, DIMENSION - 1), (1, 1, DIMENSION)])
@pytest.mark.parametrize("filled", [True, False])
def test_a_question_of_another_shape_is_refused(gallery, shape, filled):
    if filled:
        gallery.replace(iter(some_templates(np.random.default_rng(8), 2, 1)))
    with pytest.raises(ValueError, match="expected"):
        gallery.search(np.ones(shape, np.float32))


class GalleryMachine(RuleBasedStateMachine):
    """Any order of changes: the gallery always finds what the plain list of templates holds."""

    kind = "exact"
    people = st.sampled_from(["ada", "alan", "grace", "linus"])
    ids = st.sampled_from([f"t{number}" for number in range(12)])

    @initialize(seed=st.integers(0, 2**16))
    def start(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.folder = TemporaryDirectory()
        self.gallery = open_gallery(self.kind, Path(self.folder.name))
        self.held: dict[str, Template] = {}

    @rule(chosen=st.lists(st.tuples(people, ids), max_size=4, unique_by=lambda pair: pair[1]))
    def add(self, chosen) -> None:
        templates = self._made(chosen)
        self.gallery.add(templates)
        self.held |= {t.template_id: t for t in templates}

    @rule(chosen=st.lists(st.tuples(people, ids), max_size=6, unique_by=lambda pair: pair[1]))
    def replace(self, chosen) -> None:
        templates = self._made(chosen)
        self.gallery.replace(iter(templates))
        self.held = {t.template_id: t for t in templates}

    @rule(template_id=ids)
    def remove_template(self, template_id: str) -> None:
        self.gallery.remove_template(template_id)
        self.held.pop(template_id, None)

    @precondition(lambda self: self.held)
    @rule(person_id=people)
    def remove_person(self, person_id: str) -> None:
        self.gallery.remove_person(person_id)
        self.held = {key: t for key, t in self.held.items() if t.person_id != person_id}

    @invariant()
    def searches_like_the_plain_list(self) -> None:
        assert len(self.gallery) == len(self.held)
        assert_searches_like(self.gallery, list(self.held.values()), unit_rows(self.rng, 2), 3)

    def teardown(self) -> None:
        if hasattr(self, "gallery"):
            close(self.gallery)
            self.folder.cleanup()

    def _made(self, chosen) -> list[Template]:
        rows = unit_rows(self.rng, len(chosen))
        return [template(person, key, row) for (person, key), row in zip(chosen, rows, strict=True)]


@pytest.mark.parametrize("kind", KINDS)
def test_any_order_of_changes(kind):
    machine = type(f"{kind.title()}Machine", (GalleryMachine,), {"kind": kind})
    run_state_machine_as_test(
        machine, settings=hypothesis_settings(max_examples=40, stateful_step_count=15, deadline=None)
    )


def test_searches_beside_changes_never_name_the_wrong_or_the_removed(kind, tmp_path):
    """Each person has an embedding of one's own, so that every answer can be checked without a lock."""
    gallery = open_gallery(kind, tmp_path, ApproximateGallery)
    rng = np.random.default_rng(9)
    own = {f"p{i}": row for i, row in enumerate(unit_rows(rng, 120))}
    staying, coming = [f"p{i}" for i in range(60)], [f"p{i}" for i in range(60, 120)]
    gallery.replace(template(p, f"{p}/0", own[p]) for p in staying)
    # Counted up before an addition and copied after a removal: equal while the person is surely away.
    additions, removed_after = dict.fromkeys(own, 0), dict.fromkeys(staying, -1) | dict.fromkeys(coming, 0)
    done = threading.Event()
    faults: list[str] = []
    checked_absences = [0]

    def change() -> None:
        for step in range({"qdrant": 200, "files": 500}.get(kind, 2000)):
            arriving, leaving = coming[step % 60], coming[(step * 7 + 30) % 60]
            additions[arriving] += 1
            gallery.add([template(arriving, f"{arriving}/{step % 3}", own[arriving])])
            gallery.remove_person(leaving)
            removed_after[leaving] = additions[leaving]
        done.set()

    def search(seed: int) -> None:
        local = np.random.default_rng(seed)
        while not done.is_set():
            asked = f"p{local.integers(120)}"
            seen = additions[asked]
            away = removed_after[asked] == seen
            [answer] = gallery.search(own[asked][None], 2)
            away = away and additions[asked] == seen
            checked_absences[0] += away
            faults.extend(faults_in(answer, asked, own))
            if asked in staying and answer[0].person_id != asked:
                faults.append(f"{asked} was there all the time, but {answer[0]} was found")
            if away and asked in [c.person_id for c in answer]:
                faults.append(f"{asked} was found after having been removed")

    searchers = [threading.Thread(target=search, args=(seed,)) for seed in range(3)]
    for thread in searchers:
        thread.start()
    change()
    for thread in searchers:
        thread.join()
    assert faults == []
    assert checked_absences[0] > 0


def faults_in(answer: list[Candidate], asked: str, own: dict[str, np.ndarray]) -> list[str]:
    """What is wrong with an answer whatever else happens meanwhile."""
    faults = [
        f"{candidate} has somebody else's similarity to {asked}"
        for candidate in answer
        if abs(candidate.similarity - float(own[candidate.person_id] @ own[asked])) > 1e-5
    ]
    if len({candidate.person_id for candidate in answer}) != len(answer):
        faults.append(f"the same person twice: {answer}")
    return faults
