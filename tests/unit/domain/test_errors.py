"""The error tree: drawn as it is, and the same after a process border."""

import pickle
import re

import pytest

from ray_backend.domain import errors
from ray_backend.domain.answers import PhotoReview
from ray_backend.domain.model import PhotoProblem

WITH_FACTS = [
    errors.PhotosRefused("No photo could be used.", (PhotoReview("a.jpg", PhotoProblem.NO_FACE),)),
    errors.FaceBelongsToAnother("This is Ada.", "E1", "Ada"),
    errors.TooManyAttempts("Wait 30 seconds.", 30.5),
    errors.Overloaded("Try again.", 1.5),
]


def defined() -> dict[str, type]:
    return {name: thing for name, thing in vars(errors).items() if isinstance(thing, type)}


def drawn() -> dict[str, str | None]:
    """Each class in the docstring's drawing with the class that it hangs on."""
    found, path = {}, []
    for line in errors.__doc__.splitlines():
        match = re.match(r"    ([ │├└─]*)([A-Z][A-Za-z]+)(?:$| )", line)
        if not match:
            continue
        depth, name = len(match[1]) // 4, match[2]
        path = [*path[:depth], name]
        found[name] = path[-2] if depth else None
    return found


def test_the_drawing_shows_every_class_where_it_hangs():
    root = {"RollcallError": None}
    assert drawn() == root | {
        name: cls.__base__.__name__ for name, cls in defined().items() if name not in root
    }


def test_the_drawing_can_be_read():
    assert len(drawn()) > 20
    assert drawn()["BrokenImage"] == "ImageRejected"


def plain_errors() -> list[errors.RollcallError]:
    with_facts = {type(error) for error in WITH_FACTS}
    return [cls("What to do next.") for cls in defined().values() if cls not in with_facts]


@pytest.mark.parametrize("error", [*plain_errors(), *WITH_FACTS], ids=lambda error: type(error).__name__)
def test_an_error_is_the_same_after_pickling(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert again.message == error.message == str(error)
    assert again.args == error.args
    assert vars(again) == vars(error)


def test_every_error_can_be_raised_and_caught_as_the_root():
    for error in [*plain_errors(), *WITH_FACTS]:
        with pytest.raises(errors.RollcallError):
            raise error


def test_an_error_without_words_is_called_by_its_name():
    assert str(errors.StoreUnavailable()) == "StoreUnavailable"


def test_facts_travel_as_attributes():
    refused, another, locked, full = WITH_FACTS
    assert refused.reviews[0].label == "a.jpg"
    assert (another.employee_id, another.name) == ("E1", "Ada")
    assert locked.retry_after_s == 30.5
    assert full.retry_after_s == 1.5
    assert errors.PhotosRefused("Add at least one photo.").reviews == ()
