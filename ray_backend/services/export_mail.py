"""Sends a message over SMTP, within bounds of time."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from ipaddress import ip_address
from typing import Literal

from ray_backend.domain.errors import InvalidInput, Unavailable

Security = Literal["starttls", "tls", "off"]
# Some servers look through a large file before they take it; nobody waits for an export on a page, but for
# a test.
TIMEOUT_S, TEST_TIMEOUT_S = 60.0, 4.0
# With a third more for its way in letters this is what Postfix takes by default. It also bounds for how long
# nobody else gets a turn in this process: measured, 0.4 seconds on a very crowded machine.
MOST_BYTES = 7_000_000
_NOT_SET_UP = (
    "This server sends no e-mail. The operator may set that up with ROLLCALL_SMTP_HOST and "
    "ROLLCALL_SMTP_SENDER."
)
_IN_CLEAR = (
    "The password of the mail server would be sent without encryption. Set ROLLCALL_SMTP_SECURITY to "
    "starttls or tls."
)
_NO_CONNECTION = "The mail server could not be reached, or did not answer in time."
_NOT_SAFE = "The connection to the mail server is not safe: its certificate is not valid."
_NO_STARTTLS = "The mail server offers no encryption (STARTTLS)."
_WRONG_LOGIN = "The mail server did not take user and password."
_TOO_LARGE = "The file is too large for an e-mail. Choose fewer days, or a folder on the server."


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where messages go to. Without a host nothing is sent. `sender` is the address that they are from."""

    host: str = ""
    port: int = 587
    security: Security = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file; `media_type` such as `text/csv`."""

    name: str
    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mail:
    """A message of plain text. Who gets the same `message_id` twice can tell that it is the same one."""

    subject: str
    text: str
    recipients: tuple[str, ...]
    message_id: str
    at: datetime
    attachment: Attachment | None = None


class MailSender:
    """Sends to one server. Safe to call from several threads."""

    def __init__(self, server: MailServer, *, trusted: ssl.SSLContext | None = None) -> None:
        """`trusted` checks the server's certificate, by default against the authorities that this machine
        trusts."""
        self._server = server
        self._trusted = trusted

    @property
    def there(self) -> bool:
        """Whether there is a server at all."""
        return bool(self._server.host and self.sender)

    @property
    def sender(self) -> str:
        """The address that messages are from; empty where none is set."""
        return parseaddr(self._server.sender)[1]

    def message_id(self, unique: str) -> str:
        """The same for the same text."""
        return f"<{unique}@{self.sender.rpartition('@')[2]}>"

    def send(self, mail: Mail, *, timeout_s: float = TIMEOUT_S) -> tuple[str, ...]:
        """Hands the message over, and returns those addresses that the server did not take. `timeout_s` is
        for each answer of the server.

        Raises InvalidInput where trying again is of no use, and Unavailable where it may be.
        """
        if not self.there:
            raise InvalidInput(_NOT_SET_UP)
        if mail.attachment and len(mail.attachment.data) > MOST_BYTES:
            raise InvalidInput(_TOO_LARGE)
        if self._server.user and self._server.security == "off" and not _is_this_machine(self._server.host):
            raise InvalidInput(_IN_CLEAR)
        try:
            return self._send(_written(mail, self._server.sender), mail.recipients, timeout_s)
        except smtplib.SMTPAuthenticationError as error:
            raise Unavailable(_WRONG_LOGIN) from error
        except smtplib.SMTPNotSupportedError as error:
            raise Unavailable(_NO_STARTTLS) from error
        except smtplib.SMTPRecipientsRefused as error:
            answers = list(error.recipients.values())
            said = f"The mail server took none of the addresses: {_answer(answers)}."
            raise _kind(answers)(said) from error
        except smtplib.SMTPResponseException as error:
            answers = [(error.smtp_code, error.smtp_error)]
            said = f"The mail server did not take the message: {_answer(answers)}."
            raise _kind(answers)(said) from error
        except ssl.SSLError as error:
            raise Unavailable(_NOT_SAFE) from error
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable(_NO_CONNECTION) from error

    def _send(self, message: EmailMessage, recipients: Sequence[str], timeout_s: float) -> tuple[str, ...]:
        server, trusted = self._server, self._trusted or ssl.create_default_context()
        at_once = server.security == "tls"
        more = {"context": trusted} if at_once else {}
        kind = smtplib.SMTP_SSL if at_once else smtplib.SMTP
        connection = kind(server.host, server.port, timeout=timeout_s, **more)
        try:
            if server.security == "starttls":
                connection.starttls(context=trusted)
            if server.user:
                connection.login(server.user, server.password)
            refused = connection.send_message(message, self.sender, list(recipients))
            # It is taken: that the server says no goodbye must not have it sent again.
            with suppress(smtplib.SMTPException):
                connection.quit()
        finally:
            connection.close()
        return tuple(refused)


def _written(mail: Mail, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = sender, ", ".join(mail.recipients)
    message["Subject"], message["Message-ID"] = mail.subject, mail.message_id
    message["Date"] = format_datetime(mail.at)
    # No answers from absence assistants (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    if mail.attachment is not None:
        main, _, sub = mail.attachment.media_type.partition(";")[0].partition("/")
        message.add_attachment(
            mail.attachment.data, maintype=main, subtype=sub, filename=mail.attachment.name
        )
    return message


def _answer(answers: list[tuple[int, bytes]]) -> str:
    """The first of what the server answered, in one line."""
    code, text = answers[0]
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return f"{code} {' '.join(said.split())[:200]}"


def _kind(answers: list[tuple[int, bytes]]) -> type[InvalidInput] | type[Unavailable]:
    """A code from 500 on is for good, as RFC 5321 has it."""
    return InvalidInput if all(code >= 500 for code, _ in answers) else Unavailable


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
