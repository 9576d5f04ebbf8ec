"""The trial's certificate: whom it names, how long it lasts, and that it is used again."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509

from ray_backend.certificate import Certificate, host_names, lan_addresses, self_signed

NOW = datetime.now(UTC)
NAMES = ["localhost", "127.0.0.1", "::1", "kiosk.local", "192.0.2.7"]


def opened(made: Certificate) -> x509.Certificate:
    return x509.load_pem_x509_certificate(made.certificate.read_bytes())


def served(made: Certificate) -> tuple[int, threading.Thread]:
    """A port of this machine where one TLS connection is answered with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        with listener, listener.accept()[0] as plain:
            try:
                with context.wrap_socket(plain, server_side=True) as secure:
                    secure.sendall(b"hello")
            except ssl.SSLError:
                pass  # the client did not like us, which is what one test is about

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    return listener.getsockname()[1], thread


def asked(port: int, name: str, trusted: Path) -> bytes:
    context = ssl.create_default_context(cafile=trusted)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        return secure.recv(16)


@pytest.mark.parametrize("name", NAMES)
def test_whoever_trusts_it_gets_through_by_each_of_its_names(tmp_path, name):
    made = self_signed(tmp_path, NAMES, NOW)
    port, thread = served(made)
    assert asked(port, name, made.certificate) == b"hello"
    thread.join(5)


def test_another_name_is_refused(tmp_path):
    made = self_signed(tmp_path, NAMES, NOW)
    port, thread = served(made)
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        asked(port, "elsewhere.example.org", made.certificate)
    thread.join(5)


def test_it_lasts_as_long_as_browsers_take_and_cannot_sign_for_others(tmp_path):
    found = opened(self_signed(tmp_path, NAMES, NOW))
    assert found.not_valid_before_utc < NOW
    assert found.not_valid_after_utc - found.not_valid_before_utc <= timedelta(days=398)
    assert not found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_only_its_owner_may_read_the_key(tmp_path):
    made = self_signed(tmp_path, NAMES, NOW)
    assert made.key.stat().st_mode & 0o777 == 0o600
    made.key.chmod(0o644)
    self_signed(tmp_path, NAMES, NOW)
    assert made.key.stat().st_mode & 0o777 == 0o600


def test_it_is_used_again_until_it_nears_its_end(tmp_path):
    first = self_signed(tmp_path, NAMES, NOW).certificate.read_bytes()
    for days in (1, 366):
        again = self_signed(tmp_path, NAMES, NOW + timedelta(days=days))
        assert again.certificate.read_bytes() == first
        assert again.valid_until == opened(again).not_valid_after_utc

    renewed = self_signed(tmp_path, NAMES, NOW + timedelta(days=368))

    assert renewed.certificate.read_bytes() != first
    assert opened(renewed).not_valid_after_utc > NOW + timedelta(days=700)


def test_a_new_address_needs_a_new_one_and_fewer_do_not(tmp_path):
    first = self_signed(tmp_path, NAMES, NOW).certificate.read_bytes()
    assert self_signed(tmp_path, NAMES[:2], NOW).certificate.read_bytes() == first
    moved = self_signed(tmp_path, [*NAMES, "192.0.2.99"], NOW)
    assert moved.certificate.read_bytes() != first
    names = opened(moved).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert ip_address("192.0.2.99") in names.get_values_for_type(x509.IPAddress)


@pytest.mark.parametrize("damage", ["key gone", "key of another", "certificate damaged"])
def test_what_does_not_fit_together_is_made_anew(tmp_path, damage):
    made = self_signed(tmp_path, NAMES, NOW)
    first = made.certificate.read_bytes()
    if damage == "key gone":
        made.key.unlink()
    elif damage == "key of another":
        (tmp_path / "other").mkdir()
        made.key.write_bytes(self_signed(tmp_path / "other", NAMES, NOW).key.read_bytes())
    else:
        made.certificate.write_bytes(b"no certificate")

    again = self_signed(tmp_path, NAMES, NOW)

    assert again.certificate.read_bytes() != first
    port, thread = served(again)
    assert asked(port, "localhost", again.certificate) == b"hello"
    thread.join(5)


def test_this_machine_is_named_with_its_addresses():
    names = host_names("0.0.0.0")
    assert {"localhost", "127.0.0.1", socket.gethostname(), *lan_addresses()} <= set(names)
    assert "0.0.0.0" not in names
    assert "192.0.2.200" in host_names("192.0.2.200")
    assert len(names) == len(set(names))


def test_nobody_outside_is_sent_to_a_loopback_address():
    for address in map(ip_address, lan_addresses()):
        assert not address.is_loopback
        assert not address.is_link_local
