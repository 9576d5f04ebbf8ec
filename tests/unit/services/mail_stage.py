"""A mail server of one's own on this machine, as strict as a real one, and what it was handed."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from ray_backend.certificate import self_signed
from ray_backend.services.export_mail import MailServer

USER, PASSWORD = "rollcall", "a password of the mail server"


@dataclass
class Letterbox:
    """`refused` are addresses that are not taken, `answer` what is said after each message."""

    port: int
    certificate: Path
    received: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    users: list[str | None] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    answer: str = "250 taken"

    @property
    def trusted(self) -> ssl.SSLContext:
        """What trusts this server and no other."""
        return ssl.create_default_context(cafile=self.certificate)

    def server(self, **changes: object) -> MailServer:
        """How to reach it."""
        given = {"host": "localhost", "port": self.port, "sender": "Rollcall <rollcall@example.org>"}
        return MailServer(**given | changes)

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        if address in self.refused:
            return "550 5.1.1 nobody of this name"
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, server, session, envelope) -> str:
        if self.answer.startswith("250"):
            self.received.append(message_from_bytes(envelope.content, policy=policy.default))
            self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
            self.encrypted.append(server.transport.get_extra_info("sslcontext") is not None)
            self.users.append(session.auth_data)
        return self.answer


def _login(server, session, envelope, mechanism, data) -> AuthResult:
    right = (
        isinstance(data, LoginPassword) and data.login == USER.encode() and data.password == PASSWORD.encode()
    )
    return AuthResult(success=right, handled=False, auth_data=USER if right else None)


@contextmanager
def mail_server(folder: Path, security: str = "off", *, login: bool = False) -> Iterator[Letterbox]:
    """A server that offers STARTTLS, or speaks TLS at once, or neither; with `login` it insists on one."""
    made = self_signed(folder, ["localhost", "127.0.0.1"], datetime.now(UTC))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    options: dict[str, object] = {"authenticator": _login, "auth_required": login, "auth_require_tls": login}
    if security == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    elif security == "tls":
        # It does not see that the connection is encrypted already.
        options = {"authenticator": _login, "auth_require_tls": False, "ssl_context": context}
    box = Letterbox(free_port(), made.certificate)
    controller = Controller(box, hostname="127.0.0.1", port=box.port, **options)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]
