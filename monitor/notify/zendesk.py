"""Zendesk: one ticket per incident and store, its later notices as comments, solved with it.

A channel that looks after no store has one ticket per incident. The ticket carries our key, and its store, as
`external_id`, by which it is found again when its number was never stored, and each
comment ends with the id of its event, by which an attempt that is made again finds that the one before was taken. A
ticket that is closed for good takes no comment and is followed by a new one; so is one that is gone.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from yarl import URL

from monitor.core.plan import Client
from monitor.notify import receiver
from monitor.notify.channel import DeliveryFailed, Message
from monitor.notify.content import body_of, incident_of, key_of, line, links_of, priority_of, subject_of
from monitor.notify.receiver import Answer, Receiver, as_json
from monitor.notify.replies import PAGE, PAGES, Reply, comments_of, staff_of

BUSY = (409,)  # two changes of one ticket met; Zendesk asks to try again
SUBJECT, COMMENT = 150, 20_000  # characters
REMEMBERED = 1000  # tickets whose answers are not read again until they change
MOST_AUTHORS = 100  # of one ticket, whose roles are asked for
NOTHING: Mapping[str, str] = {}
STATUS = {"resolved": "solved", "test": "solved", "reopened": "open"}  # otherwise it stays as agents have it


class Section(receiver.Section, Protocol):
    """What the configuration says of it."""

    username: str
    token: str
    tags: Sequence[str]
    public: bool


class Zendesk:
    """Keeps the tickets of one account."""

    exchanges = 4  # at most, for one ticket: two look for it, one for the comment, one writes

    def __init__(self, section: Section) -> None:
        self._tickets = URL(section.url) / "api/v2/tickets"
        self._agent = section.username
        login = b64encode(f"{section.username}/token:{section.token}".encode()).decode()
        self._headers = {"authorization": f"Basic {login}"}
        self._tags = list(section.tags)
        self._public = section.public
        self._replied: dict[str, tuple[str, list[Reply]]] = {}  # by ticket: when that was so, and what it was
        self._receiver = Receiver(section, BUSY, [login])

    async def deliver(self, message: Message) -> str | None:
        """Opens tickets or comments on those there are. Gives their numbers: one, or one for each store, also of those
        that this message is not for."""
        if not message.stores:
            return await self._keep(message, None, number_of(message.external))
        known = numbers_of(message.external)
        told = {one.id: await self._keep(message, one, known.get(one.id)) for one in message.stores}
        return " ".join(f"{store}={number}" for store, number in {**known, **told}.items())

    async def _keep(self, message: Message, store: Client | None, known: str | None) -> str:
        """Opens the ticket of a store, or comments on it. Gives its number."""
        tickets = await self._list("show_many", ids=known) if known is not None else []
        if not any(_takes_comments(one) for one in tickets):
            tickets = await self._list(external_id=_key(message, store))
        # The newest, one that still takes comments before one that does not.
        ticket = max(tickets, key=lambda one: (_takes_comments(one), int(one["id"])), default=None)
        if ticket is not None and message.payload.get("attempt") != 1 and await self._has(ticket, message):
            return str(ticket["id"])
        change = self._change(message, bool(ticket and ticket.get("assignee_id")))
        if ticket is not None and _takes_comments(ticket):
            return self._number(await self._send("PUT", self._tickets / str(ticket["id"]), change))
        return await self._open(message, store, change, ticket)

    async def replies(self, external: str) -> list[Reply]:
        """What people of the support answered in these tickets so that whoever asked reads it; the oldest first."""
        alone = number_of(external)
        tickets = numbers_of(external) if alone is None else {"": alone}
        if not tickets:
            return []
        listed = await self._list("show_many", ids=",".join(tickets.values()))
        changed_at = {str(one["id"]): str(one.get("updated_at")) for one in listed}
        found: list[Reply] = []
        for store, number in tickets.items():
            if (at := changed_at.get(number)) is not None:
                known_at, known = self._replied.pop(number, ("", []))
                self._replied[number] = (at, known if at == known_at else await self._replies(store, number))
                found += self._replied[number][1]
        while len(self._replied) > REMEMBERED:
            del self._replied[next(iter(self._replied))]
        return sorted(found, key=lambda one: one.at)

    async def _replies(self, store: str, number: str) -> list[Reply]:
        comments = comments_of(await self._history(number))
        authors = list(dict.fromkeys(one.author for one in comments))[:MOST_AUTHORS]
        if not authors:
            return []
        url = (self._tickets.parent / "users" / "show_many").with_query(ids=",".join(map(str, authors)))
        staff = staff_of(await self._page(url, "users"))
        return [Reply(store, number, one.audit, one.at) for one in comments if one.author in staff]

    async def _history(self, number: str) -> list[Any]:
        """Everything that happened to a ticket, the oldest first; nothing of one that is gone."""
        asked, found = {"page[size]": str(PAGE)}, list[Any]()
        for _ in range(PAGES):
            answer = await self._receiver.send(
                "GET", (self._tickets / number / "audits").with_query(asked), None, self._headers
            )
            said = answer.json()
            listed = said.get("audits") if isinstance(said, dict) else None
            if not isinstance(listed, list):
                raise DeliveryFailed(f"{self._tickets.host} answered {answer.status}, but with no history of a ticket")
            found += listed
            meta = said.get("meta")
            if not isinstance(meta, dict) or meta.get("has_more") is not True:
                break
            asked["page[after]"] = str(meta.get("after_cursor"))[:200]
        return found

    async def _page(self, url: URL, name: str) -> list[Any]:
        said = (await self._receiver.send("GET", url, None, self._headers)).json()
        listed = said.get(name) if isinstance(said, dict) else None
        if not isinstance(listed, list):
            raise DeliveryFailed(f"{self._tickets.host} answered with no list of {name}")
        return listed

    async def close(self) -> None:
        """Closes what is open."""
        await self._receiver.close()

    async def _list(self, *place: str, **asked: str) -> list[dict[str, Any]]:
        """Tickets by number or by our key. Those that are gone are left out."""
        url = self._tickets.joinpath(*place).with_query(asked)
        answer = await self._receiver.send("GET", url, None, self._headers)
        said = answer.json()
        listed = said.get("tickets") if isinstance(said, dict) else None
        if not isinstance(listed, list):
            raise DeliveryFailed(f"{self._tickets.host} answered {answer.status}, but with no list of tickets")
        return [one for one in listed if isinstance(one, dict) and number_of(one.get("id")) is not None]

    async def _has(self, ticket: Mapping[str, Any], message: Message) -> bool:
        """Whether an attempt before this one was taken, whatever became of its answer: among the newest comments."""
        url = (self._tickets / str(ticket["id"]) / "comments").with_query(sort_order="desc")
        comments = (await self._receiver.send("GET", url, None, self._headers)).json()
        listed = comments.get("comments") if isinstance(comments, dict) else None
        if not isinstance(listed, list):
            raise DeliveryFailed(f"{self._tickets.host} answered with no list of comments")
        mark = _mark(message)
        return any(isinstance(one, dict) and mark in str(one.get("body")) for one in listed)

    async def _open(
        self, message: Message, store: Client | None, change: dict[str, Any], before: dict[str, Any] | None
    ) -> str:
        """A new ticket; `before` is the closed one that it follows."""
        subject = subject_of(message, SUBJECT)
        ticket = {
            "subject": subject if store is None else line(f"{store.name}: {subject}", SUBJECT),
            "external_id": _key(message, store),
            "type": "incident",
            "tags": [*self._tags, *_tags(store)],
            **change,
            **({"via_followup_source_id": before["id"]} if before is not None else {}),
        }
        # As long as Zendesk remembers this key, the same request again opens no second ticket.
        event = f"{message.payload.get('event_id')}{'' if store is None else f'-{store.id}'}"
        key = line(event, 255).encode("ascii", "replace").decode()
        return self._number(await self._send("POST", self._tickets, ticket, {"Idempotency-Key": key}))

    def _change(self, message: Message, assigned: bool) -> dict[str, Any]:
        """What a notice adds to a ticket. One that nobody took is solved in the name of the agent whose token it is,
        for Zendesk solves none without an assignee."""
        told = links_of(message)
        if self._public:  # customers read it: nothing of what is for operators alone
            message = replace(message, body=message.public or message.subject)
            told = {name: url for name, url in told.items() if name == "page"}
        text = body_of(message, COMMENT)
        links = [url for url in told.values() if url not in text]
        status = STATUS.get(message.event)
        if message.event == "summary" and incident_of(message):  # it was, and is over
            status = "solved"
        return {
            "comment": {"body": "\n".join([text, *links, "", _mark(message)]), "public": self._public},
            "priority": priority_of(message),
            **({"status": status} if status else {}),
            **({"assignee_email": self._agent} if status == "solved" and not assigned else {}),
        }

    async def _send(self, method: str, url: URL, ticket: dict[str, Any], more: Mapping[str, str] = NOTHING) -> Answer:
        return await self._receiver.send(method, url, *as_json({"ticket": ticket}, {**self._headers, **more}))

    def _number(self, answer: Answer) -> str:
        said = answer.json()
        ticket = said.get("ticket") if isinstance(said, dict) else None
        number = number_of(ticket.get("id")) if isinstance(ticket, dict) else None
        if number is None:
            raise DeliveryFailed(f"{self._tickets.host} answered {answer.status}, but with no ticket")
        return number


def _key(message: Message, store: Client | None) -> str:
    """What its ticket is found by."""
    return key_of(message) if store is None else f"{key_of(message)[:180]}:{store.id}"


def _tags(store: Client | None) -> list[str]:
    """What rules of the account lead a ticket to its team by."""
    return [] if store is None else [f"store-{store.id}", *([f"plan-{store.plan}"] if store.plan else [])]


def numbers_of(external: str | None) -> dict[str, str]:
    """The numbers of tickets by store, as they were given."""
    pairs = (one.partition("=") for one in (external or "").split())
    return {store: number for store, _, told in pairs if (number := number_of(told)) is not None}


def _mark(message: Message) -> str:
    """What a comment of this event ends with."""
    return f"[{line(message.payload.get('event_id'), 255)}]"


def _takes_comments(ticket: Mapping[str, Any]) -> bool:
    return ticket.get("status") != "closed"


def number_of(found: Any) -> str | None:
    """A ticket's number, when it is one: it becomes part of an address."""
    text = str(found)
    return text if text.isascii() and text.isdigit() and len(text) < 20 else None
