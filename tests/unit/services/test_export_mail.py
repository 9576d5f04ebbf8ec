"""E-mail against a real server on this machine: encryption, login, what is refused, what is tried again."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

import pytest

from ray_backend.domain.errors import InvalidInput, Unavailable
from ray_backend.services import export_mail
from ray_backend.services.export_mail import Attachment, Mail, MailSender, MailServer
from tests.unit.services.mail_stage import PASSWORD, USER, free_port, mail_server

FILE = Attachment("Büro_2026.csv", "text/csv; charset=utf-8", "Name\r\nÅsa\r\n".encode())


def mail(*recipients: str, attachment: Attachment | None = FILE) -> Mail:
    return Mail(
        "Werk Süd: Anwesenheit", "Anbei der Bericht „Anwesenheit“.\n", recipients or ("hr@example.org",),
        "<one@example.org>", datetime(2026, 3, 2, 8, tzinfo=UTC), attachment,
    )  # fmt: skip


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_message_arrives_encrypted_after_a_login(tmp_path, security):
    with mail_server(tmp_path, security, login=True) as box:
        sender = MailSender(box.server(security=security, user=USER, password=PASSWORD), trusted=box.trusted)
        assert sender.send(mail("hr@example.org", "ceo@example.org")) == ()
    assert (box.encrypted, box.users) == ([True], [USER])
    assert box.envelopes == [("rollcall@example.org", ["hr@example.org", "ceo@example.org"])]
    (message,) = box.received
    assert message["Subject"] == "Werk Süd: Anwesenheit"
    assert message["From"] == "Rollcall <rollcall@example.org>"
    assert message["To"] == "hr@example.org, ceo@example.org"
    assert message["Message-ID"] == "<one@example.org>"
    assert message["Date"] == "Mon, 02 Mar 2026 08:00:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_body().get_content().strip() == "Anbei der Bericht „Anwesenheit“."
    (attached,) = message.iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == (FILE.name, "text/csv")
    assert attached.get_payload(decode=True) == FILE.data


def test_a_server_without_encryption_is_handed_nothing_unless_that_is_wanted(tmp_path):
    with mail_server(tmp_path, "off") as box:
        with pytest.raises(Unavailable, match="offers no encryption"):
            MailSender(box.server()).send(mail())
        assert box.received == []
        MailSender(box.server(security="off")).send(mail())
    assert box.encrypted == [False]


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path):
    for security in ("starttls", "tls"):
        with (
            mail_server(tmp_path, security) as box,
            pytest.raises(Unavailable, match="certificate is not valid"),
        ):
            MailSender(box.server(security=security)).send(mail())
        assert box.received == []


def test_a_wrong_password_is_said_and_stands_in_no_message(tmp_path):
    with mail_server(tmp_path, "starttls", login=True) as box:
        sender = MailSender(box.server(user=USER, password="wrong password"), trusted=box.trusted)
        with pytest.raises(Unavailable, match="did not take user and password") as said:
            sender.send(mail())
    assert "wrong password" not in str(said.value)
    assert "wrong password" not in repr(box.server(password="wrong password"))


def test_a_password_is_not_sent_in_clear_to_another_machine():
    server = MailServer("mail.example.org", 25, "off", USER, PASSWORD, "rollcall@example.org")
    with pytest.raises(InvalidInput, match="without encryption"):
        MailSender(server).send(mail())


def test_those_whom_the_server_does_not_know_are_told_and_the_others_get_it(tmp_path):
    with mail_server(tmp_path) as box:
        box.refused = {"gone@example.org"}
        sender = MailSender(box.server(security="off"))
        assert sender.send(mail("hr@example.org", "gone@example.org")) == ("gone@example.org",)
        assert box.envelopes[0][1] == ["hr@example.org"]
        with pytest.raises(InvalidInput, match="took none of the addresses: 550"):
            sender.send(mail("gone@example.org"))


@pytest.mark.parametrize(
    ("answer", "error"), [("451 later, please", Unavailable), ("554 no such content", InvalidInput)]
)
def test_later_is_tried_again_and_never_is_not(tmp_path, answer, error):
    with mail_server(tmp_path) as box:
        box.answer = answer
        with pytest.raises(error, match=f"did not take the message: {answer}"):
            MailSender(box.server(security="off")).send(mail())


def test_a_server_that_is_not_there_or_says_nothing_ends_in_time():
    with pytest.raises(Unavailable, match="could not be reached"):
        MailSender(MailServer("localhost", free_port(), "off", sender="a@example.org")).send(mail())
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = MailServer("127.0.0.1", silent.getsockname()[1], "off", sender="a@example.org")
        with pytest.raises(Unavailable, match="in time"):
            MailSender(server).send(mail(), timeout_s=0.2)


def test_without_a_server_or_a_sender_nothing_is_sent():
    for server in (MailServer(), MailServer("localhost")):
        assert not MailSender(server).there
        with pytest.raises(InvalidInput, match="ROLLCALL_SMTP_HOST"):
            MailSender(server).send(mail())


def test_a_file_that_no_server_takes_is_not_sent(monkeypatch):
    monkeypatch.setattr(export_mail, "MOST_BYTES", 5)
    with pytest.raises(InvalidInput, match="too large"):
        MailSender(MailServer("localhost", sender="a@example.org")).send(mail())


def test_a_line_break_cannot_become_a_header(tmp_path):
    with mail_server(tmp_path) as box:
        bad = Mail("x\r\nBcc: eve@example.org", "", ("hr@example.org",), "<1@x>", datetime.now(UTC))
        with pytest.raises(ValueError, match="linefeed"):
            MailSender(box.server(security="off")).send(bad)
    assert box.received == []
