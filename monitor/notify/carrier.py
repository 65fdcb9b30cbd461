"""Carrier: takes one message to one subscriber, by mail or by a call, and knows whose fault it is when it does not
arrive: the receiver's, who may not exist any more, or that of our own mail server, which is nobody's who subscribed.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from monitor.core.bulletin import Edition, Subject
from monitor.core.subscriber import Subscriber
from monitor.notify.channel import DeliveryFailed, Message
from monitor.notify.circular import Bureau, call, challenge, is_answer, letter, message_of, question, signed
from monitor.notify.email import Email
from monitor.notify.outward import Gone, Outward

log = logging.getLogger(__name__)

SUSPICIOUS = 5  # addresses refused for good, from which on our own server may be at fault and not they
OUTAGE = timedelta(minutes=1)  # after which a mail server that takes nothing is tried again


class Removed(Exception):
    """There is nobody at this address: whoever it was is to be forgotten."""


class Unavailable(Exception):
    """Nothing leaves at the moment, whoever it is for."""


class Carrier:
    """`mail` is the section of the channel that mails go through, None where none do; `webhooks`: calls are made, with
    `allow_private` also to private addresses."""

    def __init__(
        self, mail: Mapping[str, Any] | None, *, webhooks: bool, allow_private: bool, ca_file: str | None
    ) -> None:
        self.allow_private = allow_private
        self.kinds = (*(("email",) if mail is not None else ()), *(("webhook",) if webhooks else ()))
        self._mail: Email | None = None
        self._sender = ""
        if mail is not None:
            self._sender = str(mail["from"])
            self._mail = Email(SimpleNamespace(**{"from_" if key == "from" else key: mail[key] for key in mail}))
        self._outward = Outward(allow_private=allow_private, ca_file=ca_file)
        self._bounced = self._arrived = 0
        self._away_since: datetime | None = None

    def waits(self, kind: str, now: datetime) -> bool:
        """Whether it is of no use to try now."""
        away = self._away_since
        return kind == "email" and away is not None and away <= now < away + OUTAGE

    def vouches(self, kind: str) -> bool:
        """Whether others are reached, so that who is not has only themselves to blame."""
        return kind != "email" or self._arrived > 0

    def fade(self) -> None:
        """What happened long ago counts less. To be called from time to time."""
        self._bounced, self._arrived = self._bounced // 2, (self._arrived + 1) // 2

    async def ask(self, one: Subscriber, bureau: Bureau, now: datetime) -> bool:
        """Asks an address whether it wants to be told; whether it has answered at once.

        Raises Removed, Unavailable or DeliveryFailed.
        """
        if one.kind == "email":
            await self._post(await asyncio.to_thread(question, one, bureau), one, bureau, now)
            return False
        word, asked = challenge(one, bureau)
        answer = await self._call(one, *signed(asked, f"confirm-{one.id}", bureau.tickets.key_of(one.id)))
        return is_answer(answer, word)

    async def tell(self, one: Subscriber, edition: Edition, subject: Subject, bureau: Bureau, now: datetime) -> None:
        """Tells a subscriber something. Raises Removed, Unavailable or DeliveryFailed."""
        message = await asyncio.to_thread(message_of, edition, subject, one, bureau, now)
        if one.kind == "email":
            await self._post(message, one, bureau, now)
        else:
            await self._call(one, *await asyncio.to_thread(call, message, one, bureau))

    async def close(self) -> None:
        """Closes what is open."""
        await self._outward.close()

    async def _post(self, message: Message, one: Subscriber, bureau: Bureau, now: datetime) -> None:
        assert self._mail is not None
        written = await asyncio.to_thread(letter, message, one, self._sender, bureau.site, datetime.now(UTC))
        try:
            refused = await self._mail.send(written, [one.address])
        except DeliveryFailed as error:
            if self._away_since is None:
                # What the server says may hold the address.
                log.warning("mails to subscribers do not leave: %s", str(error).partition(": ")[0])
            self._away_since = now
            raise Unavailable from None
        self._away_since = None
        code = max((code for code, _ in refused.values()), default=250)
        if code < 400:
            self._arrived += 1
        elif code < 500:
            raise DeliveryFailed("not now")
        else:
            self._bounced += 1
            if self._bounced <= max(SUSPICIOUS, self._arrived):
                raise Removed
            raise DeliveryFailed("refused")

    async def _call(self, one: Subscriber, body: bytes, headers: Mapping[str, str]) -> str:
        """What the receiver answered."""
        try:
            return (await self._outward.tell(one.address, body, headers)).text
        except Gone:
            raise Removed from None
