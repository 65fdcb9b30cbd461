"""E-mail: one message to all receivers of a channel, over SMTP.

The connection is as safe as the configuration says or there is none: with `starttls` nothing is sent, neither a
password, before TLS stands. A receiver that the server refuses for now is asked again alone; one that it refuses for
good is told in the log, and does not keep the others from being served.
"""

import asyncio
import logging
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Protocol

import aiosmtplib

from monitor.loop import apart
from monitor.notify.channel import DeliveryFailed, Message
from monitor.notify.content import line
from monitor.notify.mail import mail
from monitor.notify.patience import within
from monitor.notify.receiver import SAID, secrets_of, trust
from monitor.notify.served import Served

log = logging.getLogger(__name__)

GOODBYE = 0.3  # seconds; less than a worker that is to stop waits for an attempt, which has succeeded by then
OWN_NAME = 1.0  # seconds that the system may take to say what this machine is called
REFUSED = range(500, 600)  # codes by which a server refuses for good


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
        self._called: str | None = None

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
        client: aiosmtplib.SMTP | None = None
        try:
            client = await self._client()
            refused = await within(self._limit, self._exchange(client, written, to))
            await _say_goodbye(client)
        except aiosmtplib.SMTPRecipientsRefused as error:
            return {one.recipient: (one.code, one.message) for one in error.recipients}
        except aiosmtplib.SMTPResponseException as error:
            what = f"answered {error.code}" if error.code > 0 else "gave no answer of SMTP"
            said = f"{self._host} {what}: {self._said(error.message)}"
            raise DeliveryFailed(said, permanent=error.code in REFUSED) from None
        except TimeoutError:
            raise DeliveryFailed(f"{self._host} did not take the mail within {self._limit:g} s") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise DeliveryFailed(f"{self._host}: {self._said(str(error)) or type(error).__name__}") from None
        finally:
            if client is not None:
                client.close()
        return {one: (response.code, response.message) for one, response in refused.items()}

    async def _client(self) -> aiosmtplib.SMTP:
        context = await asyncio.to_thread(trust, self._ca_file) if self._security != "none" else None
        return aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            local_hostname=await self._own_name(),
            timeout=self._limit,
            use_tls=self._security == "tls",
            start_tls=self._security == "starttls",
            tls_context=context,
        )

    async def _own_name(self) -> str:
        """What this machine is called in full. That takes a name server, which may not answer."""
        if self._called is None:
            try:
                async with asyncio.timeout(OWN_NAME):
                    self._called = await apart(socket.getfqdn)
            except TimeoutError:
                return socket.gethostname()
        return self._called

    async def _exchange(
        self, client: aiosmtplib.SMTP, written: EmailMessage, to: Sequence[str]
    ) -> Mapping[str, aiosmtplib.SMTPResponse]:
        """Connects as safely as configured, logs in and hands over a mail; who was refused it."""
        await client.connect()
        if self._login is not None:
            await client.login(*self._login)
        refused, _ = await client.sendmail(self._envelope, list(to), written.as_bytes())
        return refused

    def _tell(self, refused: Mapping[str, tuple[int, str]], some: bool) -> None:
        """Raises DeliveryFailed when somebody has to be asked again, or nobody got it."""
        said = "; ".join(f"{one}: {code} {self._said(text)}" for one, (code, text) in sorted(refused.items()))
        passing = any(code not in REFUSED for code, _ in refused.values())
        if passing or not some:
            raise DeliveryFailed(f"{self._host} refused {said}", permanent=not passing)
        log.warning("mail went out, but %s refused %s", self._host, said)

    def _said(self, text: str) -> str:
        return self._mask.line(text, SAID)


async def _say_goodbye(client: aiosmtplib.SMTP) -> None:
    """What the server took it has taken, whatever it answers to that."""
    with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        await within(GOODBYE, client.quit())
