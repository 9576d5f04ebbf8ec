"""Deletion certificates: signed once, and refused when anything about them was changed."""

from __future__ import annotations

import json
from threading import Thread

import pytest

from ray_backend.domain.errors import InvalidInput, NotFound
from ray_backend.services import certificates
from ray_backend.services.certificates import CertificateService, SiteKey
from ray_backend.storage.memory import MemoryStore

CONTENT = {
    "kind": certificates.KIND,
    "certificate_id": "0123456789abcdef",
    "finished_at": "2026-03-02T08:00:00+00:00",
    "verified": True,
    "site": "Example Wörks \u2028 \x7f",
    "removed": {"templates": 2, "punches": 0},
    "checks": [{"what": "gallery", "found": 0}],
}


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def signed(store):
    return SiteKey(store).sign(CONTENT)


@pytest.fixture
def file(signed) -> bytes:
    return certificates.to_file(signed)


def test_a_certificate_passes_with_the_key_of_its_site(store, signed, file):
    assert certificates.checked(file, SiteKey(store).public()) == signed
    assert CertificateService(store).check(file) == signed
    assert signed.verified


def test_the_key_of_a_site_is_made_once(store):
    keys = []
    threads = [Thread(target=lambda: keys.append(SiteKey(store).public())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_a_file_may_be_indented_and_sorted_anew(store, file):
    record = json.loads(file)
    again = json.dumps(dict(sorted(record.items(), reverse=True)), ensure_ascii=True).encode()
    assert again != file
    assert CertificateService(store).check(again).content == CONTENT


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record["certificate"].update(verified=False),
        lambda record: record["certificate"].update(site="Another site"),
        lambda record: record["certificate"]["removed"].update(templates=3),
        lambda record: record["certificate"]["checks"].clear(),
        lambda record: record["certificate"].update(more="words"),
        lambda record: record["certificate"].update(site="\ud800"),
        lambda record: record["certificate"].pop("site"),
        lambda record: record.update(signature=record["signature"][:-4] + "AAA="),
        lambda record: record.update(signature=""),
        lambda record: record.update(signature="not base64"),
    ],
)
def test_a_tampered_certificate_is_refused(store, file, change):
    record = json.loads(file)
    change(record)
    with pytest.raises(InvalidInput, match="not genuine"):
        CertificateService(store).check(json.dumps(record).encode())


def test_a_certificate_of_another_key_is_refused(file):
    with pytest.raises(InvalidInput, match="another key"):
        CertificateService(MemoryStore()).check(file)


def test_whoever_signs_anew_after_a_change_is_found_out(store, file):
    forged = certificates.to_file(SiteKey(MemoryStore()).sign({**CONTENT, "verified": False}))
    with pytest.raises(InvalidInput, match="another key"):
        CertificateService(store).check(forged)
    # With the site's own key written beside the forger's signature:
    record = json.loads(forged) | {"public_key": SiteKey(store).public()}
    with pytest.raises(InvalidInput, match="not genuine"):
        CertificateService(store).check(json.dumps(record).encode())


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"certificate": {}, "signature": "", "public_key": ""}',
        b'{"certificate": {"kind": "other", "certificate_id": "1"}, "signature": "", "public_key": ""}',
        b"[" * 100_000,
        b" " * 2_000_000,
    ],
    ids=range(9),
)
def test_what_is_no_certificate_is_said_to_be_none(store, junk):
    with pytest.raises(InvalidInput, match="no deletion certificate"):
        CertificateService(store).check(junk)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"verified": true', '"verified": false, "verified": true'),
        ('"templates": 2', '"templates": 2.0'),
        ('"templates": 2', '"templates": NaN'),
    ],
)
def test_what_readers_could_take_in_two_ways_is_refused(store, file, old, new):
    text = file.decode()
    assert old in text
    with pytest.raises(InvalidInput, match="no deletion certificate"):
        CertificateService(store).check(text.replace(old, new).encode())


@pytest.mark.parametrize("key", ["", "short", "A" * 44, "ä" * 44])
def test_a_key_that_is_none_is_said_to_be_none(file, key):
    with pytest.raises(InvalidInput, match="no public key"):
        certificates.checked(file, key)


def test_whoever_has_the_employee_id_can_show_whom_it_is_about():
    person = certificates.pseudonym("E-0815")
    assert certificates.is_about(person, " E-0815 ")
    assert not certificates.is_about(person, "E-0816")
    assert "E-0815" not in json.dumps(person)
    assert certificates.pseudonym("E-0815")["digest"] != person["digest"]


def test_certificates_are_found_and_listed_newest_first(store):
    service = CertificateService(store)
    assert service.all() == []
    for day in (2, 1, 3):
        content = {**CONTENT, "certificate_id": f"c{day}", "finished_at": f"2026-03-0{day}T08:00:00+00:00"}
        store.put_setting(
            certificates.PREFIX + f"c{day}", certificates.to_record(SiteKey(store).sign(content))
        )
    assert [one.certificate_id for one in service.all()] == ["c3", "c2", "c1"]
    assert service.check(certificates.to_file(service.find("c2"))).certificate_id == "c2"
    with pytest.raises(NotFound):
        service.find("c9")
