"""E-mail: one message to all receivers of a channel, over SMTP.

The connection is as safe as the configuration says or there is none: with `starttls` nothing is sent, neither a
password, before TLS stands. A receiver that the server refuses for now is asked again alone; one that it refuses for
good is told in the log, and does not keep the others from being served.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Protocol

import aiosmtplib

from monitor.notify.channel import DeliveryFailed, Message
from monitor.notify.content import line
from monitor.notify.mail import mail
from monitor.notify.receiver import SAID, secrets_of, trust
from monitor.notify.served import Served

log = logging.getLogger(__name__)

GOODBYE = 1.0  # seconds


class Section(Protocol):
    """What the configuration says of it."""

    server: str
    security: str
    username: str | None
    password: str | None
    from_: str
    to: Sequence[str]
    timeout: timedelta
    ca_file: str | None


class Email:
    """Sends through one server."""

    def __init__(self, section: Section) -> None:
        self._host, _, port = section.server.rpartition(":")
        self._host, self._port = self._host.strip("[]"), int(port)
        self._security = section.security
        self._login: tuple[str, str] | None = None
        if section.username:
            self._login = (section.username, section.password or "")
        self._sender = section.from_
        self._envelope = parseaddr(section.from_)[1]
        self._to = ", ".join(section.to)
        self._served = Served(section.to)
        self._limit = section.timeout.total_seconds()
        self._ca_file = section.ca_file
        self._mask = secrets_of(section)

    async def deliver(self, message: Message) -> str | None:
        """Sends a notice to whoever has not got it yet."""
        event = line(message.payload.get("event_id"), 255)
        written = mail(message, self._sender, datetime.now(UTC))
        written["To"] = self._to
        refused = await self.send(written, self._served.left(event))
        some = self._served.note(event, refused)
        if refused:
            self._tell(refused, some)
        return None

    async def close(self) -> None:
        """Holds nothing."""

    async def send(self, written: EmailMessage, to: Sequence[str]) -> Mapping[str, tuple[int, str]]:
        """Receivers that were refused, with what the server said. Raises DeliveryFailed when nobody could be asked."""
        try:
            async with asyncio.timeout(self._limit):
                client = await self._connected()
                try:
                    refused, _ = await client.sendmail(self._envelope, list(to), written.as_bytes())
                except BaseException:
                    client.close()
                    raise
        except aiosmtplib.SMTPRecipientsRefused as error:
            return {one.recipient: (one.code, one.message) for one in error.recipients}
        except aiosmtplib.SMTPResponseException as error:
            said = self._said(error.message)
            raise DeliveryFailed(f"{self._host} answered {error.code}: {said}", permanent=error.code >= 500) from None
        except TimeoutError:
            raise DeliveryFailed(f"{self._host} did not take the mail within {self._limit:g} s") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise DeliveryFailed(f"{self._host}: {self._said(str(error)) or type(error).__name__}") from None
        await _leave(client)
        return {one: (response.code, response.message) for one, response in refused.items()}

    async def _connected(self) -> aiosmtplib.SMTP:
        """A connection, safe and logged in as configured."""
        context = await asyncio.to_thread(trust, self._ca_file) if self._security != "none" else None
        client = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            timeout=self._limit,
            use_tls=self._security == "tls",
            start_tls=self._security == "starttls",
            tls_context=context,
        )
        try:
            await client.connect()
            if self._login is not None:
                await client.login(*self._login)
        except BaseException:
            client.close()
            raise
        return client

    def _tell(self, refused: Mapping[str, tuple[int, str]], some: bool) -> None:
        """Raises DeliveryFailed when somebody has to be asked again, or nobody got it."""
        said = "; ".join(f"{one}: {code} {self._said(text)}" for one, (code, text) in sorted(refused.items()))
        passing = any(code < 500 for code, _ in refused.values())
        if passing or not some:
            raise DeliveryFailed(f"{self._host} refused {said}", permanent=not passing)
        log.warning("mail went out, but %s refused %s", self._host, said)

    def _said(self, text: str) -> str:
        return self._mask.line(text, SAID)


async def _leave(client: aiosmtplib.SMTP) -> None:
    """Says good-bye. What the server took it has taken, whatever it answers to that."""
    with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        async with asyncio.timeout(GOODBYE):
            await client.quit()
    client.close()
