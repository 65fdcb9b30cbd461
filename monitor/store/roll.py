"""Roll: the rows of subscribers, and of what there is to tell them; and back."""

import json

from monitor.core.bulletin import Bulletin
from monitor.core.subscriber import Subscriber, subscriber_from_json, subscriber_to_json
from monitor.store.rows import Row, Stored, dumps, instant, micros


def bulletin_row(one: Bulletin) -> Row:
    """A bulletin but for its number, which it gets when it is stored."""
    return {"kind": one.kind, "subject": one.subject, "step": one.step, "at": micros(one.at)}


def stored_bulletin(row: Stored) -> Bulletin:
    """A bulletin as it was stored."""
    return Bulletin(row["kind"], row["subject"], row["step"], instant(row["at"]), row["number"])


def subscriber_row(one: Subscriber) -> Row:
    """A subscriber."""
    return {
        "id": one.id,
        "key": one.key,
        "created_at": micros(one.created_at),
        "confirmed_at": None if one.confirmed_at is None else micros(one.confirmed_at),
        "document": dumps(subscriber_to_json(one)),
    }


def subscriber_of(row: Stored) -> Subscriber:
    """The inverse of `subscriber_row`."""
    return subscriber_from_json(json.loads(row["document"]))
