"""Answers that many ask for at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from ray_backend.services.shared_answers import SharedAnswers


def test_fifty_who_ask_at_once_cost_as_much_as_one():
    answers, worked, begun = SharedAnswers(60.0), [], threading.Event()

    def work() -> str:
        worked.append(1)
        begun.wait(5)
        return "everybody"

    with ThreadPoolExecutor(50) as tabs:
        asked = [tabs.submit(answers.get, "query", work) for _ in range(50)]
        begun.set()
        assert {one.result() for one in asked} == {"everybody"}
    assert (len(worked), answers.get("query", work), len(worked)) == (1, "everybody", 1)
    assert answers.get("another", lambda: "nobody") == "nobody"


def test_an_answer_grows_old():
    answers = SharedAnswers(-1.0)
    assert [answers.get("query", lambda one=one: one) for one in (1, 2)] == [1, 2]


def test_an_error_is_told_and_not_kept():
    answers = SharedAnswers(60.0)
    with pytest.raises(ValueError, match="away"):
        answers.get("query", lambda: _fail())
    assert answers.get("query", lambda: "back") == "back"


def _fail() -> str:
    raise ValueError("away")
