"""How well the current threshold suits the people of this site, measured on their stored templates.

What it cannot see: registration already refused photos that looked like somebody else, and photos that
did not look like their owner's other ones. So both rates are lower bounds at thresholds up to the one that
was in force then, and strangers may do worse than the registered people among themselves.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from ray_backend.domain import accuracy
from ray_backend.domain.accuracy import Counts, Curve
from ray_backend.domain.errors import InvalidInput, PersonNotFound, RollcallError
from ray_backend.domain.model import Person, Template
from ray_backend.ports import Clock, Store
from ray_backend.services.comparisons import Attempts, Progress, Rows, attempts, genuine
from ray_backend.services.confidence import Choice, Estimate, interval, threshold_for
from ray_backend.services.identity import live_templates
from ray_backend.services.policy import Policy

TEMPLATES_NEEDED = 2
# A template on the limits of registration scores 0.5; below this it was made by another program, or is hardly
# better than that.
POOR_QUALITY = 0.55
MOST_OF_A_PERSON = 5
MOST_LISTED = 100
_COMPARING_FROM = 0.2  # of the progress: before it, templates are read


@dataclass(frozen=True, slots=True)
class LookAlikes:
    """Two people whose templates are as similar as `similarity`, within the margin of the threshold."""

    first: Person
    second: Person
    similarity: float


@dataclass(frozen=True, slots=True)
class PoorTemplate:
    """A template with a quality (0 to 1) that spoils recognition."""

    person: Person
    template_id: str
    quality: float


@dataclass(frozen=True, slots=True, eq=False)
class SiteAccuracy:
    """What the site's own templates say. `threshold` is the one in force.

    `people` have a template; `repeated` of them have two or more, which `genuine` was measured on. In
    `attempts` each person tried was a stranger to all others. At most 100 people, pairs and
    templates are listed; `too_few_count` counts all who have fewer than two templates.
    """

    measured_at: datetime
    pack_id: str
    threshold: float
    people: int
    templates: int
    repeated: int
    genuine: Counts
    attempts: Attempts
    look_alikes: tuple[LookAlikes, ...]
    too_few: tuple[Person, ...]
    too_few_count: int
    poor: tuple[PoorTemplate, ...]

    @property
    def others(self) -> int:
        """How many people each attempt was compared with."""
        return max(0, self.people - 1)

    @property
    def trials(self) -> float:
        """How many attempts tell something new; see `accuracy.separate_attempts`."""
        return accuracy.separate_attempts(self.attempts.people, self.people)

    @property
    def comparisons(self) -> int:
        """How many pairs of people were compared, each counted once."""
        return round(self.trials * self.others)

    @property
    def curve(self) -> Curve:
        """Both error rates by threshold, the false matches for each comparison with one person."""
        return accuracy.curve(self.genuine, self.attempts.comparisons)

    def wrong(self, threshold: float) -> Estimate:
        """The share of attempts of strangers that would be taken for one of the others."""
        return interval(self.attempts.nearest.share_at_or_above(threshold) * self.trials, self.trials)

    def refused(self, threshold: float) -> Estimate:
        """The share of attempts of registered people that would be refused; a person is a trial."""
        return interval(self.genuine.share_below(threshold) * self.repeated, self.repeated)

    def wrong_for_each_comparison(self, threshold: float) -> Estimate:
        """The false match rate: of comparisons with one other person. Takes pairs of people for trials of
        their own."""
        share = self.attempts.comparisons.share_at_or_above(threshold)
        return interval(share * self.comparisons, self.comparisons)

    def threshold_for(self, rate: float) -> Choice | None:
        """The threshold for a share of wrong attempts at this site's size; None when the people here are
        too few to tell."""
        return threshold_for(self.attempts.nearest, self.trials, rate)


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationState:
    """`share` of the running measurement, 0 to 1. `result` of the last one, `problem` if it failed."""

    running: bool
    share: float
    result: SiteAccuracy | None = None
    problem: str = ""


class CalibrationService:
    """Measures in the background, one measurement at a time: it may take a minute at a large site."""

    def __init__(self, store: Store, clock: Clock, policy: Policy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="calibration")
        self._run: Future[SiteAccuracy] | None = None
        self._share = 0.0

    def start(self) -> None:
        """Begins to measure, unless it is under way."""
        with self._lock:
            if self._run is None or self._run.done():
                self._share = 0.0
                self._run = self._worker.submit(self.measure, self._tell)

    def state(self) -> CalibrationState:
        """Where the measurement stands, and its result once it is done."""
        run = self._run
        if run is None:
            return CalibrationState(running=False, share=0.0)
        if not run.done():
            return CalibrationState(running=True, share=self._share)
        try:
            return CalibrationState(running=False, share=1.0, result=run.result())
        except RollcallError as error:
            return CalibrationState(running=False, share=1.0, problem=error.message)

    def forget(self) -> None:
        """Drops the last measurement, which may name somebody who was erased, and one that is under way."""
        with self._lock:
            self._run = None

    def measure(self, progress: Progress = lambda share: None) -> SiteAccuracy:
        """The measurement itself. Holds up to five templates of each active person in memory.

        Raises StoreUnavailable, and InvalidInput when fewer than two people are registered.
        """
        people, poor = self._read(progress)
        if len(people) < 2:
            raise InvalidInput("Register two people at least, with two photos each, then measure again.")
        ids = list(people)
        rows = Rows.of(list(people.values()))
        tried = attempts(
            rows,
            close_from=self._policy.threshold - self._policy.margin,
            progress=lambda share: progress(_COMPARING_FROM + (1 - _COMPARING_FROM) * share),
        )
        few = [who for who, size in zip(ids, rows.sizes, strict=True) if size < TEMPLATES_NEEDED]
        return SiteAccuracy(
            measured_at=self._clock.now(),
            pack_id=self._policy.pack_id,
            threshold=self._policy.threshold,
            people=rows.people,
            templates=len(rows.embeddings),
            repeated=rows.people - len(few),
            genuine=genuine(rows),
            attempts=tried,
            look_alikes=self._look_alikes(tried, ids),
            too_few=tuple(self._people(few[:MOST_LISTED])),
            too_few_count=len(few),
            poor=self._poor(poor),
        )

    def _tell(self, share: float) -> None:
        self._share = share

    def _read(self, progress: Progress) -> tuple[dict[str, list], list[tuple[float, str, str]]]:
        """Embeddings by person, and the worst templates as (quality, template_id, person_id)."""
        expected = max(1, self._store.count_templates().get(self._policy.pack_id, 0))
        people: dict[str, list] = {}
        worst: list[tuple[float, str, str]] = []
        for number, template in enumerate(live_templates(self._store, self._policy.pack_id)):
            own = people.setdefault(template.person_id, [])
            if len(own) < MOST_OF_A_PERSON:
                own.append(template.embedding)
            _keep_worst(worst, template)
            if number % 1000 == 0:
                progress(_COMPARING_FROM * min(1.0, number / expected))
        return people, sorted((-quality, template_id, who) for quality, template_id, who in worst)

    def _look_alikes(self, tried: Attempts, ids: Sequence[str]) -> tuple[LookAlikes, ...]:
        close = tried.close[:MOST_LISTED]
        known = {
            person.person_id: person
            for person in self._people({ids[one] for pair in close for one in pair[:2]})
        }
        return tuple(
            LookAlikes(known[ids[first]], known[ids[second]], similarity)
            for first, second, similarity in close
            if ids[first] in known and ids[second] in known
        )

    def _poor(self, worst: Sequence[tuple[float, str, str]]) -> tuple[PoorTemplate, ...]:
        known = {person.person_id: person for person in self._people({who for *_, who in worst})}
        return tuple(
            PoorTemplate(known[who], template_id, quality)
            for quality, template_id, who in worst
            if who in known
        )

    def _people(self, ids: Iterable[str]) -> list[Person]:
        """The people with these ids, without those who were erased meanwhile."""
        found = []
        for person_id in ids:
            try:
                found.append(self._store.get_person(person_id))
            except PersonNotFound:
                continue
        return found


def _keep_worst(worst: list[tuple[float, str, str]], template: Template) -> None:
    """Keeps the `MOST_LISTED` poorest as a heap of (-quality, ...), the best of them on top."""
    if template.quality >= POOR_QUALITY:
        return
    entry = (-template.quality, template.template_id, template.person_id)
    if len(worst) < MOST_LISTED:
        heapq.heappush(worst, entry)
    else:
        heapq.heappushpop(worst, entry)
