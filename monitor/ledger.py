"""Ledger: which lines of the audit log a person's words leave, and which named requests were followed already.

Said twice under one name, something is done once: the second time it is only answered.
"""

from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import uuid4

from monitor.core.audit import entry_of
from monitor.core.effect import Answered, Audited, Refusal, Said
from monitor.core.entry import Entry

REQUESTS = 2000  # named requests that are remembered; older ones are looked up in the store
REFUSED = 60  # refusals of one act that are recorded within an hour: more would be a flood
HOUR = timedelta(hours=1)
MISUSED = Refusal("misused", "this Idempotency-Key named another request before: take a new one")


class Ledger:
    """`stored` gives the line for what was done by a request of a name, or why that cannot be told."""

    def __init__(self, stored: Callable[[str], Awaitable[Entry | Refusal | None]]) -> None:
        self._stored = stored
        self._named: OrderedDict[str, tuple[str | None, Answered]] = OrderedDict()  # digest and answer by request
        self._refusals: dict[str, deque[datetime]] = {}

    async def before(self, said: Said) -> Answered | None:
        """What the same request was answered before; None for a new one, and where nobody can tell."""
        if said.request is None:
            return None
        if (known := self._named.get(said.request)) is None:
            entry = await self._stored(said.request)
            if entry is None or isinstance(entry, Refusal):
                return None
            known = (entry.digest, Answered(entry.subject, detail=entry.detail))
        digest, answer = known
        return answer if digest == said.digest else Answered(refusal=MISUSED, changed=False)

    def remember(self, said: Said, answer: Answered) -> None:
        """This request was followed. One that was refused may be sent again under its name."""
        if said.request is not None and answer.refusal is None:
            self._named[said.request] = (said.digest, answer)
            while len(self._named) > REQUESTS:
                self._named.popitem(last=False)

    def lines(self, said: Said, answer: Answered, now: datetime) -> list[Audited]:
        """The line for what a person said; none where it was no news, where the same may be said again, or where there
        were too many refusals of late."""
        refusal = answer.refusal
        if (refusal is None and not answer.changed) or (refusal is not None and refusal.kind == "away"):
            return []
        entry = entry_of(said, answer, uuid4().hex[:16], now)
        if entry.outcome == "refused":
            lately = self._refusals.setdefault(entry.act, deque(maxlen=REFUSED))
            if len(lately) == REFUSED and now - lately[0] < HOUR:
                return []
            lately.append(now)
        return [Audited(entry)]
