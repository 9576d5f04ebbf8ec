"""People come before bulk work, which gets on nevertheless."""

from __future__ import annotations

import threading
import time

from ray_backend.serving.turns import Turns


def started(work) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_who_waits_goes_before_bulk_work_that_came_earlier():
    turns, done = Turns(patience_s=60), []

    def take(kind, name):
        with getattr(turns, kind)():
            done.append(name)

    with turns.bulk():
        threads = [started(lambda n=n: take("bulk", f"bulk {n}")) for n in range(3)]
        time.sleep(0.05)
        threads += [started(lambda n=n: take("person", f"person {n}")) for n in range(2)]
        time.sleep(0.05)
    for thread in threads:
        thread.join(5)
    assert {*done[:2]} == {"person 0", "person 1"}
    assert len(done) == 5


def test_people_have_their_turns_in_the_order_in_which_they_came():
    turns, done = Turns(), []

    def take(number):
        with turns.person():
            done.append(number)

    with turns.person():
        threads = []
        for number in range(6):
            threads.append(started(lambda number=number: take(number)))
            time.sleep(0.02)
    for thread in threads:
        thread.join(5)
    assert done == list(range(6))


def test_only_one_has_its_turn():
    turns, inside, most = Turns(), [], []

    def work(kind):
        for _ in range(50):
            with getattr(turns, kind)():
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [started(lambda kind=kind: work(kind)) for kind in ("person", "bulk") * 3]
    for thread in threads:
        thread.join(10)
    assert max(most) == 1
    assert len(most) == 300


def test_bulk_work_gets_on_while_people_never_stop_coming():
    turns, stop = Turns(patience_s=0.1), threading.Event()

    def people():
        while not stop.is_set():
            with turns.person():
                time.sleep(0.005)

    threads = [started(people) for _ in range(3)]
    time.sleep(0.02)
    began = time.monotonic()
    with turns.bulk():
        waited = time.monotonic() - began
    stop.set()
    for thread in threads:
        thread.join(5)
    assert 0.1 <= waited < 5


def test_a_turn_that_failed_is_given_back():
    turns = Turns()
    for kind in ("person", "bulk"):
        try:
            with getattr(turns, kind)():
                raise ValueError
        except ValueError:
            pass
    with turns.person():
        pass
