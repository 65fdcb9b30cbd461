"""Webhook: each notice posted as JSON, as a Statuspage message, or as a body of the operator's own; signed.

Signed as Standard Webhooks has it (`webhook-id`, `webhook-timestamp`, `webhook-signature`), over the bytes that leave.
"""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Protocol

from yarl import URL

from monitor.notify import receiver, statuspage
from monitor.notify.channel import DeliveryFailed, Message
from monitor.notify.content import body_of, in_words, line, subject_of
from monitor.notify.receiver import Receiver, as_json, sent
from monitor.notify.served import Taken
from monitor.template import TemplateFailed, render

SEVERAL = 5  # messages of a Statuspage notice that an attempt has time for; the next one goes on behind them
ENCODED = "whsec_"  # what a secret in base64 begins with


class Section(receiver.Section, Protocol):
    """What the configuration says of it."""

    secret: str | None
    headers: Mapping[str, str]
    body: str
    template: str | None
    content_type: str


class Webhook:
    """Posts to one address."""

    exchanges = 1  # at most, for one notice

    def __init__(self, section: Section) -> None:
        self._url = URL(section.url)
        self._key = key_of(section.secret) if section.secret else None
        self._headers = sent(section.headers)
        self._template = section.template or None
        self._content_type = section.content_type
        self._statuspage = section.body == "statuspage"
        self._receiver = Receiver(section)
        self._taken = Taken()
        if self._statuspage:
            self.exchanges = SEVERAL

    async def deliver(self, message: Message) -> str | None:
        """Posts a notice. A receiver knows one it has already by `webhook-id`, which is also the `Idempotency-Key`.

        As Statuspage has it a notice is several messages; those that were taken before are not posted again. Then it
        gives what is told of components by now.
        """
        if self._statuspage and self._template is None:
            event, found = str(message.payload.get("event_id")), statuspage.bodies(message)
            for id in self._taken.left(event, found):
                await self._post(id, as_json(found[id])[0])
                self._taken.note(event, id)
            self._taken.forget(event)
            return statuspage.statuses(message)
        await self._post(line(message.payload.get("event_id"), 255), await self._body(message))
        return None

    async def _post(self, name: str, body: bytes) -> None:
        id = name.encode("ascii", "replace").decode()
        headers = {**self._headers, "content-type": self._content_type, "Idempotency-Key": id, "webhook-id": id}
        if self._key is not None:
            stamp = int(time.time())
            headers |= {"webhook-timestamp": str(stamp), "webhook-signature": signature(self._key, id, stamp, body)}
        await self._receiver.send("POST", self._url, body, headers)

    async def close(self) -> None:
        """Closes what is open."""
        await self._receiver.close()

    async def _body(self, message: Message) -> bytes:
        if self._template is None:
            return as_json(message.payload)[0]
        names = {
            **message.payload,
            "subject": subject_of(message, 1000),
            "body": body_of(message, 20_000),
            "language": message.language,
            "short": line(in_words(message.payload.get("text_short"), message.language), 200),
        }
        try:
            text = await asyncio.to_thread(render, self._template, names)
        except TemplateFailed as error:
            said = self._receiver.mask.line(f"`template` gives no body for this notice: {error}")
            raise DeliveryFailed(said, permanent=True) from None
        return text.encode("utf-8", "replace")


def key_of(secret: str) -> bytes:
    """The key a secret stands for: `whsec_` and base64, or the text itself. Raises ValueError."""
    if secret.startswith(ENCODED):
        return base64.b64decode(secret.removeprefix(ENCODED), validate=True)
    return secret.encode()


def signature(key: bytes, id: str, stamp: int, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over `ID.STAMP.BODY`; `stamp` in seconds since 1970."""
    signed = b".".join((id.encode(), str(stamp).encode(), body))
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"
