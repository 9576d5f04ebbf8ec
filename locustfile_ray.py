"""A load test with real faces that looks at every answer. `make load` runs it; by hand:

    export ROLLCALL_LOAD_TOKEN=$(rollcall token create load --role admin)
    locust -f locustfile_ray.py --headless --shape ramp --users 60 --run-time 5m --html ramp.html

Exit code 1 when a limit is missed: see --max-p95-ms, --max-error-rate, --max-busy-rate and --max-wrong.
A full queue (503) is neither a success nor an error: it is counted as "503 busy", and the user waits as
long as the answer says. What is measured is load, not accuracy: people are shown much as on the photos
they were enrolled with, so any wrong or missing person is the system's fault.
"""

from __future__ import annotations

import random
from uuid import uuid4

import gevent
from gevent.event import Event
from gevent.lock import Semaphore
from locust import LoadTestShape, between, events, task
from locust.runners import MasterRunner, WorkerRunner

from bench.faces import unlike_any_before
from bench.load import checks, hosts
from bench.load.options import add_options
from bench.load.outcome import CHECK_IN, RECOGNISE, Outcome, conclude
from bench.load.shapes import USUAL_S, Shape, users_at
from bench.load.site import Actor, Cast, NotReady, SiteClient, draw, form, registration
from bench.load.timeline import ERROR, OTHER
from bench.load.user import ApiUser
from ray_backend.domain.errors import InvalidInput

JPEG = {"Content-Type": "image/jpeg"}
BATCH = 8
STRANGERS = 0.1  # of all pictures

outcome = Outcome()
site: SiteClient | None = None
cast: Cast | None = None
_drawn = Event()
_registering = Semaphore()  # the newcomer can be registered only once at a time

events.init_command_line_parser.add_listener(add_options)


@events.init.add_listener
def draw_people(environment, **_) -> None:
    """Makes the pictures before the clock starts."""
    global cast
    if isinstance(environment.runner, MasterRunner):
        return
    # In a thread: meanwhile a worker has to tell the master that it lives.
    try:
        cast = gevent.get_hub().threadpool.apply(draw, (environment.parsed_options.faces,))
    except InvalidInput as error:
        outcome.refusal = error.message
    _drawn.set()


@events.test_start.add_listener
def enrol_people(environment, **_) -> None:
    """Looks where the load goes, and enrols the people."""
    global cast, site
    if isinstance(environment.runner, MasterRunner):
        return
    options = environment.parsed_options
    url = environment.host or ApiUser.host
    try:
        hosts.require_allowed(url, options.allow_host)
        _drawn.wait()
        site = SiteClient(url, options.token)
        cast = cast and cast.known_as(site.enrol(cast.faces))
    except (NotReady, hosts.ForeignHost) as error:
        outcome.refusal = str(error)
    if outcome.refusal:
        environment.runner.quit()


@events.request.add_listener
def note(response_time, exception, context, start_time, **_) -> None:
    """Keeps what the report shows."""
    decision = context.get("decision", OTHER)
    if exception is not None:
        decision = context.get("fault", ERROR)
    outcome.timeline.add(
        start_time + response_time / 1000, response_time, decision, context.get("awaited", False)
    )


@events.test_stop.add_listener
def look_after(environment, **_) -> None:
    """Every punch that was acknowledged has to be there, once."""
    if site is None or outcome.refusal:
        return
    outcome.lost_punches = site.missing_punches(outcome.punch_ids, outcome.started)
    if environment.parsed_options.clean_up:
        site.erase_whom_we_enrolled()


@events.report_to_master.add_listener
def hand_over(client_id, data) -> None:
    """A worker's share of the outcome."""
    data["rollcall"] = outcome.taken()


@events.worker_report.add_listener
def take_over(client_id, data) -> None:
    """The master adds it to its own."""
    outcome.extend(data["rollcall"])


@events.quitting.add_listener
def judge(environment, **_) -> None:
    """Says whether the limits were kept, and writes the report."""
    if not isinstance(environment.runner, WorkerRunner):
        environment.process_exit_code = conclude(environment, outcome)


class ChosenShape(LoadTestShape):
    """The shape of --shape, with --users at its highest and --run-time long."""

    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        """Users, and how many may start or stop in a second."""
        options = self.runner.environment.parsed_options
        shape, peak = Shape(options.shape), options.num_users or 1
        users = users_at(shape, self.get_run_time(), peak, options.run_time or USUAL_S[shape])
        return None if users is None else (users, float(peak))


def somebody() -> Actor:
    """One of the people, now and then the stranger."""
    return cast.stranger if random.random() < STRANGERS else random.choice(cast.people)


def picture(of: Actor) -> bytes:
    """A frame of this person that nobody has sent before."""
    return unlike_any_before(random.choice(of.frames))


class KioskUser(ApiUser):
    """A kiosk at a busy door: somebody walks up every second or so."""

    weight = 10
    wait_time = between(0.5, 1.5)

    def on_start(self) -> None:
        """Each kiosk has a name."""
        self.kiosk = f"load-{uuid4().hex[:8]}"

    @task(9)
    def check_in(self) -> None:
        """Somebody checks in."""
        self._check_in(somebody(), uuid4().hex)

    @task(1)
    def check_in_again(self) -> None:
        """The answer got lost, and the kiosk asks again with the same key."""
        actor, key = random.choice(cast.people), uuid4().hex
        first = self._check_in(actor, key)
        if first is not None:
            self._check_in(actor, key, checks.same_punch(first))

    def _check_in(self, actor: Actor, key: str, also: checks.Check = lambda answer: None):
        answer = self.send(
            "POST",
            f"/check_in?kiosk={self.kiosk}",
            lambda answer: checks.check_in(answer, actor.employee_id) or also(answer),
            name=CHECK_IN,
            body=picture(actor),
            headers=JPEG | {"Idempotency-Key": key},
            awaited=True,
        )
        if answer is not None and actor.employee_id:
            outcome.recognised += 1
            if not answer["repeated"]:
                outcome.punch_ids.add(answer["punch"]["punch_id"])
        return answer


class RecognizeUser(ApiUser):
    """A program that asks who is in a picture."""

    weight = 6
    wait_time = between(0.2, 1.0)

    @task
    def recognise(self) -> None:
        """One picture."""
        actor = somebody()
        answer = self.send(
            "POST",
            "/recognize",
            lambda answer: checks.recognition(answer, actor.employee_id),
            name=RECOGNISE,
            body=picture(actor),
            headers=JPEG,
            awaited=True,
        )
        outcome.recognised += answer is not None and actor.employee_id is not None


class BatchUser(ApiUser):
    """A program that goes through a day's pictures."""

    weight = 1
    wait_time = between(2, 5)

    @task
    def recognise_many(self) -> None:
        """Several pictures in one request."""
        actors = [somebody() for _ in range(BATCH)]
        body, kind = form([picture(actor) for actor in actors], "files")
        expected = [actor.employee_id for actor in actors]
        self.send(
            "POST",
            "/batch_recognize",
            lambda answer: checks.batch(answer, expected),
            name=f"batch of {BATCH}",
            body=body,
            headers={"Content-Type": kind},
        )


class RegisterUser(ApiUser):
    """The desk where people are registered."""

    weight = 1
    wait_time = between(3, 8)

    @task(2)
    def register_a_known_face(self) -> None:
        """Somebody who is registered tries again under another id: refused, and it is said who it is."""
        actor = random.choice(cast.people)
        body, kind = form(
            [actor.photo], "photos", employee_id=f"LOAD-{uuid4().hex[:8]}", name="Twice", consent="true"
        )
        self.send(
            "POST",
            "/register",
            lambda answer: checks.owner_named(answer, actor.employee_id),
            name="register a known face",
            body=body,
            headers={"Content-Type": kind},
            expected=(409,),
        )

    @task(1)
    def register_and_erase(self) -> None:
        """A newcomer is registered, and leaves."""
        newcomer = cast.newcomer
        with _registering:
            body, kind = registration(newcomer, newcomer.employee_id)
            stored = self.send(
                "POST",
                "/register",
                lambda answer: None,
                name="register",
                body=body,
                headers={"Content-Type": kind},
                expected=(201, 409),  # 409: another process of this test registered the newcomer
            )
            if stored is not None and "person" in stored:
                self.send(
                    "DELETE",
                    f"/people/{newcomer.employee_id}?keep_punches=false&confirm={newcomer.employee_id}",
                    lambda answer: None,
                    name="erase",
                    expected=(200, 404),
                )


class ReportUser(ApiUser):
    """Somebody in the office who looks at lists."""

    weight = 2
    wait_time = between(2, 6)

    @task(3)
    def punches(self) -> None:
        """The latest punches."""
        self.send(
            "GET",
            "/attendance?limit=100",
            lambda answer: None if isinstance(answer.get("punches"), list) else checks.MALFORMED,
            name="list punches",
        )

    @task(2)
    def csv(self) -> None:
        """The month's report as CSV."""
        self.download(
            "/attendance/export?format=csv", name="export csv", starts_with=b"\xef\xbb\xbfEmployee id"
        )

    @task(1)
    def xlsx(self) -> None:
        """The same for a spreadsheet program, which is a ZIP file."""
        self.download("/attendance/export?format=xlsx", name="export xlsx", starts_with=b"PK")
