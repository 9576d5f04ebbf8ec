"""What a line of the log looks like."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from ray_backend.observing import logs, origin


@pytest.fixture
def written(monkeypatch) -> Iterator[io.StringIO]:
    """Where the lines go. What other tests log to is put back."""
    root, ours = logging.getLogger(), logging.getLogger("ray_backend")
    before, level, our_level = root.handlers[:], root.level, ours.level
    out = io.StringIO()
    monkeypatch.setattr("sys.__stderr__", out)
    yield out
    root.handlers[:] = before
    root.setLevel(level)
    ours.setLevel(our_level)


def test_json_says_when_who_what_and_for_which_request(written):
    logs.set_up("json", "DatabaseActor")
    with origin.of("req-7"):
        logging.getLogger("ray_backend.x").info("database %s", "add_punch", extra={"ms": 2})
    (line,) = written.getvalue().splitlines()
    said = json.loads(line)
    assert said.pop("at").endswith("+00:00")
    assert said == {
        "level": "INFO",
        "logger": "ray_backend.x",
        "process": "DatabaseActor",
        "request_id": "req-7",
        "message": "database add_punch",
        "ms": 2,
    }


def test_a_line_stays_one_line_whatever_is_in_it(written):
    logs.set_up("json", "app")
    try:
        raise ValueError("one\ntwo")
    except ValueError:
        logging.getLogger("ray_backend.x").exception("it\nbroke")
    (line,) = written.getvalue().splitlines()
    assert json.loads(line)["message"] == "it\nbroke"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_fault_says_where_it_came_from_but_not_about_whom(written, log_format):
    ada = " ".join(["Ada", "Example"])

    def look_up() -> None:
        raise KeyError(f"dup key: {ada}")

    logs.set_up(log_format, "app")
    try:
        try:
            look_up()
        except KeyError as error:
            raise RuntimeError(f"{ada} is there already") from error
    except RuntimeError:
        logging.getLogger("ray_backend.x").exception("it broke")
    assert ada not in written.getvalue()
    for said in ("look_up", "builtins.KeyError", "led to", "builtins.RuntimeError", "test_logs.py"):
        assert said in written.getvalue()


def test_text_is_for_people(written):
    logs.set_up("text", "app")
    with origin.of("req-7"):
        logging.getLogger("ray_backend.x").info("hello")
    assert written.getvalue().endswith(" INFO app req-7 hello\n")


def test_of_libraries_only_what_matters_is_kept(written):
    logs.set_up("text", "app")
    logging.getLogger("somebody.else").info("chatter")
    logging.getLogger("somebody.else").warning("mind this")
    assert written.getvalue().count("\n") == 1


def test_others_who_listen_go_on_doing_so(written, caplog):
    logs.set_up("text", "app")
    logging.getLogger("ray_backend").info("for both")
    assert "for both" in caplog.text
    assert "for both" in written.getvalue()


def test_setting_up_twice_writes_each_line_once(written):
    logs.set_up("text", "app")
    logs.set_up("text", "app")
    logging.getLogger("ray_backend").info("once")
    assert written.getvalue().count("once") == 1
