"""Counter: where people speak to the desk and read what it knows, by JSON. `run` serves it as a part of its ops side;
a command that finds no monitor running serves it to itself, so that there is one way to change something.

Nothing here knows the rooms it serves: `Counter` holds what they gave. Whatever changes something has to come as JSON,
and is answered once it is on disk. Who may ask is decided before (`access.py`).
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

from aiohttp import web

from monitor.clock import Clock, SystemClock
from monitor.core.alias import aliases_of
from monitor.core.board import Board
from monitor.core.effect import Answered, Deed, Lifted, Ordered, Refusal, Said, Scheduled, Silenced, Spoken
from monitor.core.entry import Entry, Sought, own_key
from monitor.core.history import History
from monitor.core.incident import Incident
from monitor.core.maintenance import Window
from monitor.core.outcome import Course
from monitor.core.roster import How, Roster
from monitor.core.search import Place, Search
from monitor.core.statement import Speaker
from monitor.core.subscriber import Subscriber
from monitor.web.access import address_of, name_for, person_of
from monitor.web.patience import SLOWEST

API = "/api/ops/v1"
STATUS = {  # of a refusal, by its kind
    "unknown": 404,
    "conflict": 409,
    "wrong": 400,
    "away": 503,
    "outdated": 412,
    "misused": 422,
}
LARGEST = 64 * 1024  # bytes of what is sent to us
LONGEST_KEY = 200  # characters of an idempotency key


class Planner(Protocol):
    """Whoever reads what people plan, as the configuration would; they raise ValueError with what is wrong."""

    def moment(self, said: str, now: datetime) -> datetime:
        """A time as people write it."""
        ...

    def scheduled(self, body: Mapping[str, Any], request: str | None, now: datetime) -> Scheduled:
        """Work, once or to be repeated."""
        ...

    def next_starts(self, window: Window, now: datetime, count: int) -> Sequence[datetime]:
        """When a window begins, the next times, however far ahead."""
        ...


class Roll(Protocol):
    """Whoever keeps subscribers."""

    async def everybody(self) -> list[Subscriber] | Refusal:
        """All that are known."""
        ...

    async def erase(self, ids: Sequence[str]) -> Refusal | None:
        """Forgets these."""
        ...


Check = Callable[[Incident | None], Refusal | None]


class Hear(Protocol):
    """Takes what a person said, and comes back once that is on disk. `check` may refuse it at the last moment."""

    def __call__(self, said: Said, check: Check | None = None) -> Awaitable[Answered]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """What people are answered from.

    `find` gives an incident, however old, or why it cannot; `incidents` and `entries` a page of incidents or of the
    audit log. `hear` takes what a person said, `perform` does something else on their word, `record` only writes it
    down. `planner` gives whoever reads what is planned, and `roster` who is named, by the configuration in force.
    `courses` what was said of incidents, by id, as far as that can be read now. `roll` keeps subscribers. `how`: the
    way in which all come who come here, None where each has their own.
    """

    board: Callable[[], Board]
    history: Callable[[], History]
    speech: Callable[[], Speaker]
    find: Callable[[str], Awaitable[Incident | Refusal]]
    hear: Hear
    perform: Callable[[Said, Callable[[], Awaitable[Answered]]], Awaitable[Answered]]
    record: Callable[[Said, Answered], Answered]
    incidents: Callable[[Search], Awaitable[tuple[list[Incident], Place | None] | Refusal]]
    entries: Callable[[Sought], Awaitable[list[tuple[int, Entry]] | Refusal]]
    how: str | None = None
    planner: Callable[[], Awaitable[Planner]] | None = None
    roster: Callable[[], Roster] = Roster
    courses: Callable[[Sequence[str]], Awaitable[Mapping[str, Course]]] | None = None
    roll: Roll | None = None
    clock: Clock = field(default_factory=SystemClock)


# -- what every handler needs -----------------------------------------------------------------------------------------


async def sent(request: web.Request, keys: Collection[str]) -> dict[str, Any]:
    """The JSON object that was sent, of these keys at most; raises the answer for anything else.

    A browser sends a form to anywhere without asking, but never as JSON.
    """
    if request.content_type != "application/json":
        raise refusal(415, "send JSON, with `Content-Type: application/json`")
    try:
        async with asyncio.timeout(SLOWEST):
            read = await request.read()
        body = json.loads(read or b"{}")
    except TimeoutError:
        raise refusal(408, f"what was sent did not arrive within {SLOWEST:.0f} s") from None
    except web.HTTPRequestEntityTooLarge:
        raise refusal(413, f"what was sent is longer than {LARGEST // 1024} KiB") from None
    except (ValueError, RecursionError):
        raise refusal(400, "what was sent is not JSON") from None
    if not isinstance(body, dict):
        raise refusal(400, "send a JSON object")
    strange = sorted(set(body) - set(keys))
    if strange:
        raise refusal(400, f"unknown key `{strange[0][:40]}`; known are {', '.join(keys)}")
    return body


def request_key(request: web.Request) -> str | None:
    """What names this request, so that it is followed once however often it is sent."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise refusal(400, f"`Idempotency-Key` takes up to {LONGEST_KEY} printable characters")
    person = person_of(request)
    return own_key(person.name if person is not None and person.known else None, key) if key else None


def said(
    request: web.Request,
    counter: Counter,
    event: Spoken | Scheduled | Ordered | Silenced | Lifted | Deed,
    body: Mapping[str, Any],
    by: str | None = None,
    key: str | None = None,
) -> Said:
    """What a person said, with who they are. `by` is the name they gave, `key` what names the request; the object that
    was sent tells whether another request says the same."""
    person, by = person_of(request), name_for(request, by)
    how = How.SESSION if person is None else person.how
    if isinstance(event, Spoken | Silenced | Lifted):
        event = replace(event, by=by, request=key)
    told = json.dumps([request.method, request.path, body], sort_keys=True)
    return Said(
        event=event,
        how=counter.how or how.value,
        by=by,
        address=None if counter.how else address_of(request),
        request=key,
        digest=sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32],
    )


def recorder(counter: Counter) -> Callable[[web.Request, str, str], None]:
    """Writes down what was refused before any handler saw it; the log takes so many of an act within an hour."""

    def record(request: web.Request, act: str, why: str) -> None:
        told = said(request, counter, Deed(act, request.path, {"method": request.method}), {})
        counter.record(replace(told, how=told.how if person_of(request) else How.TOKEN, digest=None), _refused(why))

    return record


def _refused(why: str) -> Answered:
    return Answered(refusal=Refusal("wrong", why), changed=False)


def refusal(status: int, reason: str) -> web.HTTPException:
    """The answer that says no, and why, as `{"error": …}`. To be raised."""
    told = json.dumps({"error": reason}, ensure_ascii=False) + "\n"
    found = web.HTTPException(text=told.encode("utf-8", "replace").decode())  # what was sent may hold half a character
    found.content_type = "application/json"
    found.set_status(status)
    return found


def checked(answer: Answered) -> Answered:
    """The answer; raises the one that says why not."""
    if answer.refusal is not None:
        raise refusal_of(answer.refusal)
    return answer


def refusal_of(one: Refusal) -> web.HTTPException:
    """A refusal as an answer. To be raised."""
    found = refusal(STATUS[one.kind], one.reason)
    if one.kind == "away":
        found.headers["Retry-After"] = "5"
    return found


async def json_answer(make: Callable[..., Mapping[str, Any]], *given: Any, status: int = 200) -> web.Response:
    """What `make` gives, as JSON; made off the loop."""

    def body() -> bytes:
        return json_of(make(*given))

    headers = {"Content-Type": "application/json; charset=utf-8"}
    return web.Response(status=status, body=await asyncio.to_thread(body), headers=headers)


def json_of(found: Mapping[str, Any]) -> bytes:
    """An object as it is answered."""
    return json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")


def module_of(counter: Counter, request: web.Request) -> str:
    """The module in an address, by its present id where that has a former one."""
    given = request.match_info["id"]
    return aliases_of(counter.board().platform).get(given, given)
