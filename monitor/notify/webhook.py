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
from monitor.template import TemplateFailed, render

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

    def __init__(self, section: Section) -> None:
        self._url = URL(section.url)
        self._key = key_of(section.secret) if section.secret else None
        self._headers = sent(section.headers)
        self._template = section.template or None
        self._content_type = section.content_type
        self._statuspage = section.body == "statuspage"
        self._receiver = Receiver(section)

    async def deliver(self, message: Message) -> str | None:
        """Posts a notice. A receiver knows one it has already by `webhook-id`, which is also the `Idempotency-Key`."""
        body, content_type = await self._body(message)
        id = line(message.payload.get("event_id"), 255).encode("ascii", "replace").decode()
        headers = {**self._headers, "content-type": content_type, "Idempotency-Key": id, "webhook-id": id}
        if self._key is not None:
            stamp = int(time.time())
            headers |= {"webhook-timestamp": str(stamp), "webhook-signature": signature(self._key, id, stamp, body)}
        await self._receiver.send("POST", self._url, body, headers)
        return None

    async def close(self) -> None:
        """Closes what is open."""
        await self._receiver.close()

    async def _body(self, message: Message) -> tuple[bytes, str]:
        if self._template is None:
            payload = statuspage.body(message) if self._statuspage else message.payload
            return as_json(payload)[0], self._content_type
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
        return text.encode("utf-8", "replace"), self._content_type


def key_of(secret: str) -> bytes:
    """The key a secret stands for: `whsec_` and base64, or the text itself. Raises ValueError."""
    if secret.startswith(ENCODED):
        return base64.b64decode(secret.removeprefix(ENCODED), validate=True)
    return secret.encode()


def signature(key: bytes, id: str, stamp: int, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over `ID.STAMP.BODY`; `stamp` in seconds since 1970."""
    signed = b".".join((id.encode(), str(stamp).encode(), body))
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"
