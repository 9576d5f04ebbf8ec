"""The page of unknown faces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ray_backend.domain.model import Quality
from ray_backend.domain.permissions import Role
from ray_backend.domain.queries import AuditQuery, PeopleQuery
from ray_backend.domain.unknown import Assigned, Sighting
from streamlit_app import unknown_words
from streamlit_app.unknown import assigning, enrolling
from streamlit_app.unknown import single as single_pictures
from streamlit_app.unknown.cards import chosen_key
from streamlit_app.views import unknown
from tests.fakes import FAKE_PACK, photo
from tests.ui.conftest import account, enrol, page, words
from tests.unit.services.conftest import look_alike

ADA, ALAN, STRANGER, OTHER = 1, 50, 120, 77
GOOD = Quality(150, 200, 120, 0, 0, 0, 1, 0.99)
POOR = replace(GOOD, size_px=50)


@pytest.fixture
def inbox(backend):
    """The backend of a site that keeps strangers' faces for two days."""
    backend.site.change({"keep_unknown_hours": 48}, actor="test")
    return backend


def face_of(backend, who: int) -> np.ndarray:
    return backend._faces.compute_embedding(photo(who))


def seen(backend, clock, who: int | np.ndarray, *, quality: Quality = GOOD) -> str:
    """A kiosk hands in somebody's face; returns the id of their group."""
    embedding = face_of(backend, who) if isinstance(who, int) else who
    thumbnail = backend._faces.analyse(photo(STRANGER), thumbnails=True).faces[0].thumbnail
    clock.move(minutes=1)
    backend.unknown.note(Sighting(clock.now(), "entrance", FAKE_PACK.pack_id, embedding, quality, thumbnail))
    return backend.unknown.cards().cards[0].group_id


def by_key(test, key: str):
    return next(button for button in test.button if button.key == key)


def choose(test, *group_ids: str):
    for group_id in group_ids:
        test.checkbox(key=chosen_key(group_id)).check()
    return test.run()


def groups(backend) -> list[str]:
    return [card.group_id for card in backend.unknown.cards().cards]


def test_where_it_is_switched_off_the_page_says_what_it_would_mean(backend):
    test = page(unknown.render, backend).run()
    assert "Strangers' faces are not kept" in words(test)
    assert "Ask whoever is responsible for privacy first" in words(test)
    assert not test.button


def test_an_empty_inbox_says_when_somebody_would_appear(inbox):
    test = page(unknown.render, inbox).run()
    assert "Nobody unknown was seen" in words(test)
    assert "2 days after it was seen" in words(test)


@pytest.mark.parametrize("role", [Role.MANAGER, Role.VIEWER])
def test_only_admins_see_it(inbox, clock, role):
    seen(inbox, clock, STRANGER)
    test = page(unknown.render, inbox, username=account(inbox, role)).run()
    assert "may not see this page" in words(test)
    assert "entrance" not in words(test)


def test_a_card_says_who_when_where_and_whom_it_looks_like(inbox, clock):
    enrol(inbox, ADA, name="Ada *Example*")
    seen(inbox, clock, STRANGER)
    seen(inbox, clock, STRANGER, quality=POOR)
    test = page(unknown.render, inbox).run()
    said = words(test)
    assert "Seen 2 times" in said
    assert "Kiosk: entrance" in said
    assert "1 picture is good enough" in said
    assert "hardly alike" in said
    assert [b.label for b in test.button if str(b.key).startswith("unknown-is-")] == [r"Ada \*Example\*"]
    assert "data:image/jpeg;base64," in said


def test_nothing_can_be_done_before_something_is_chosen(inbox, clock):
    seen(inbox, clock, STRANGER)
    test = page(unknown.render, inbox).run()
    keys = ("assign", "enrol", "merge", "ignore", "delete")
    assert all(by_key(test, f"unknown-{key}-chosen").disabled for key in keys)


def test_several_cards_are_deleted_at_once(inbox, clock):
    for who in (STRANGER, OTHER, 33):
        seen(inbox, clock, who)
    stays, *go = groups(inbox)
    test = choose(page(unknown.render, inbox).run(), *go)
    assert "2 of 3 cards chosen" in words(test)
    by_key(test, "unknown-delete-chosen").click().run()
    assert groups(inbox) == [stays]
    assert "They are deleted." in words(test)


def test_choose_all_chooses_and_lets_go(inbox, clock):
    for who in (STRANGER, OTHER):
        seen(inbox, clock, who)
    test = page(unknown.render, inbox).run()
    by_key(test, "unknown-all").click().run()
    assert all(box.value for box in test.checkbox)
    by_key(test, "unknown-all").click().run()
    assert not any(box.value for box in test.checkbox)


def test_ignored_faces_are_found_again_and_shown_again(inbox, clock):
    group = seen(inbox, clock, STRANGER)
    test = choose(page(unknown.render, inbox).run(), group)
    by_key(test, "unknown-ignore-chosen").click().run()
    assert "Nobody unknown was seen" in words(test)
    test.toggle[0].set_value(True).run()
    by_key(test, f"unknown-show-{group}").click().run()
    assert groups(inbox) == [group]


def test_not_them_takes_the_suggestion_away(inbox, clock):
    ada = enrol(inbox, ADA)
    group = seen(inbox, clock, STRANGER)
    test = page(unknown.render, inbox).run()
    by_key(test, f"unknown-not-{group}-{ada.person_id}").click().run()
    assert "is not suggested for this face again" in words(test)
    assert "Nobody registered looks like this." in words(test)


def test_two_cards_of_one_person_become_one(inbox, clock):
    base = face_of(inbox, STRANGER)
    first = seen(inbox, clock, base)
    seen(inbox, clock, look_alike(base, 0.47))
    test = page(unknown.render, inbox).run()
    by_key(test, f"unknown-alike-{first}").click().run()
    by_key(test, "unknown-merge-chosen").click().run()
    assert "The cards are one now." in words(test)
    assert len(groups(inbox)) == 1


def test_who_was_registered_since_is_named(inbox, clock):
    seen(inbox, clock, STRANGER)
    enrol(inbox, STRANGER, name="Grace Example")
    assert "Now known as Grace Example" in words(page(unknown.render, inbox).run())


def dialog(render, backend, groups: tuple[str, ...], **state):
    """A dialog by itself: AppTest closes a dialog at the next click."""
    test = page(lambda backend: render(backend, groups), backend)
    for key, value in state.items():
        test.session_state[key] = value
    return test.run()


def test_a_name_opens_the_comparison(inbox, clock):
    ada = enrol(inbox, ADA, name="Ada Example")
    group = seen(inbox, clock, STRANGER)
    test = page(unknown.render, inbox).run()
    by_key(test, f"unknown-is-{group}-{ada.person_id}").click().run()
    assert "all of these pictures show Ada Example" in [box.label for box in test.checkbox][-1]


def test_faces_are_added_only_after_they_were_compared(inbox, clock):
    ada = enrol(inbox, ADA, name="Ada Example")
    group = seen(inbox, clock, look_alike(face_of(inbox, ADA), 0.4))
    test = dialog(assigning.assign, inbox, (group,), unknown_person=ada.person_id)
    assert "This writes no attendance record" in words(test)
    assert by_key(test, "unknown-assign").disabled
    test.checkbox(key=f"unknown-same-{ada.person_id}").check().run()
    by_key(test, "unknown-assign").click().run()
    assert len(inbox.people.details(ada.person_id).templates) == 2
    assert groups(inbox) == []
    assert test.session_state["note_of_a_change"] == "1 picture was added to Ada Example."


def test_the_person_is_searched_by_name(inbox, clock):
    enrol(inbox, ADA, name="Ada Example")
    enrol(inbox, ALAN, name="Alan Example")
    group = seen(inbox, clock, STRANGER)
    test = dialog(assigning.assign, inbox, (group,))
    test.text_input(key="unknown-text").set_value("nobody like that").run()
    assert "Nobody matches" in words(test)
    test.text_input(key="unknown-text").set_value("alan").run()
    assert [b.label for b in test.button] == ["Alan Example (E50)"]


def test_somebody_new_is_registered_with_consent_only(inbox, clock):
    group = seen(inbox, clock, STRANGER)
    test = dialog(enrolling.enrol, inbox, (group,))
    test.text_input[0].set_value("N1")
    test.text_input[1].set_value("New Person")
    by_label = {button.label: button for button in test.button}
    by_label["Register"].click().run()
    assert "only if its owner agreed" in test.error[0].value
    assert inbox.people.find(PeopleQuery()).total == 0
    test.checkbox[0].check()
    next(button for button in test.button if button.label == "Register").click().run()
    (person,) = inbox.people.find(PeopleQuery()).items
    assert (person.name, bool(person.consent_at)) == ("New Person", True)
    assert inbox.check_in(photo(STRANGER), kiosk="entrance").person == person


def test_long_inboxes_are_paged(inbox, clock, monkeypatch):
    monkeypatch.setattr(unknown, "PAGE_SIZE", 2)
    for who in (3, 4, 5):
        seen(inbox, clock, who)
    test = page(unknown.render, inbox).run()
    assert "1 to 2 of 3 unknown people" in words(test)
    next(button for button in test.button if button.label == "Next").click().run()
    assert "Choose card 3" in [box.label for box in test.checkbox]
    (last,) = [card.group_id for card in inbox.unknown.cards(start=2).cards]
    inbox.unknown.delete([last], actor="test")
    test.run()
    assert "2 unknown people" in words(test)


def test_what_became_of_faces_is_told_in_whole_sentences(inbox):
    person = enrol(inbox, ADA, name="Ada {n} Example")
    said = unknown_words.assigned_words(Assigned(person, added=2, poor=1, nearer=3, unlike=1))
    assert said == (
        "2 pictures were added to Ada {n} Example. 1 picture was too poor to be added and is removed. "
        "3 pictures look more like somebody else and stay here. "
        "1 picture does not look like Ada {n} Example and stays here."
    )


def single(backend, group_id: str):
    """What stands in the dialog of single pictures."""

    def render(backend):
        single_pictures.pictures(backend, backend.unknown.cards().cards[0].group_id)

    assert backend.unknown.cards().cards[0].group_id == group_id
    return page(render, backend).run()


def faces_in(backend, group_id: str) -> list[str]:
    return [face.face_id for face in backend.unknown.faces([group_id])]


def test_a_single_picture_is_deleted_and_the_others_stay(inbox, clock):
    group_id = seen(inbox, clock, STRANGER)
    assert seen(inbox, clock, STRANGER) == seen(inbox, clock, STRANGER) == group_id
    first, second, third = faces_in(inbox, group_id)
    test = single(inbox, group_id)
    assert by_key(test, "unknown-single-delete").disabled
    test.checkbox(key=f"unknown-face-{second}").check().run()
    assert by_key(test, "unknown-single-delete").label == "Delete 1 picture"
    by_key(test, "unknown-single-delete").click().run()
    assert set(faces_in(inbox, group_id)) == {first, third}
    log = inbox._records.store.list_audit(AuditQuery(action="unknown.deleted")).items
    assert [entry.detail for entry in log] == [{"groups": 0, "faces": 1}]


def test_a_single_picture_is_given_to_somebody_and_the_others_stay(inbox, clock):
    ada = enrol(inbox, ADA, name="Ada Example")
    group_id = seen(inbox, clock, STRANGER)
    assert seen(inbox, clock, STRANGER) == group_id
    best, other = faces_in(inbox, group_id)
    test = single(inbox, group_id)
    test.checkbox(key=f"unknown-face-{best}").check().run()
    by_key(test, "unknown-single-give").click().run()
    test.text_input(key="unknown-text").set_value("ada").run()
    by_key(test, f"unknown-choose-{ada.person_id}").click().run()
    test.checkbox(key=f"unknown-same-{ada.person_id}").check().run()
    by_key(test, "unknown-assign").click().run()
    assert faces_in(inbox, group_id) == [other]
    assert len(inbox.people.details(ada.person_id).templates) == 2


def test_the_button_of_a_card_opens_its_pictures(inbox, clock):
    group_id = seen(inbox, clock, STRANGER)
    test = page(unknown.render, inbox).run()
    by_key(test, f"unknown-single-{group_id}").click().run()
    assert not test.exception
    assert "a picture that does not belong" in words(test)
