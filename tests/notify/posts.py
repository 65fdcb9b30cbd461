"""A mail server on loopback that keeps what it got, and refuses as it is told."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Post:
    """A running mail server. `refuses` says by address what is answered to it, `after_data` to a whole mail;
    with `hangs_up` it never answers to QUIT."""

    server: str = ""
    refuses: Mapping[str, str] = field(default_factory=dict)
    after_data: str = "250 taken"
    hangs_up: bool = False
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    logins: list[tuple[str, str, bool]] = field(default_factory=list)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if not self.after_data.startswith("2"):
            return self.after_data
        assert isinstance(envelope.content, bytes)
        found = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        self.mails.append(found)
        self.envelopes.append(envelope)
        return self.after_data

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.hangs_up:
            await asyncio.Event().wait()
        return "221 bye"

    def login(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        name, password = data.login.decode(), data.password.decode()
        self.logins.append((name, password, server.transport.get_extra_info("sslcontext") is not None))
        return AuthResult(success=password == "right-password", handled=False)


@asynccontextmanager
async def post(security: str = "none", tls: ssl.SSLContext | None = None, **keys: Any) -> AsyncIterator[Post]:
    """A mail server that offers `starttls`, speaks `tls` from the start, or `none`."""
    found = Post(**keys)

    def made() -> SMTP:
        return SMTP(
            found,
            hostname="mail.test",
            tls_context=tls if security == "starttls" else None,
            authenticator=found.login,
            auth_required=False,
            auth_require_tls=False,
            loop=asyncio.get_running_loop(),
        )

    listening = await asyncio.get_running_loop().create_server(
        made, "127.0.0.1", 0, ssl=tls if security == "tls" else None
    )
    found.server = f"localhost:{listening.sockets[0].getsockname()[1]}"
    try:
        yield found
    finally:
        listening.close()
        await asyncio.sleep(0)
