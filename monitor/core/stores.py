"""Stores: for which of them a channel hears of an incident, and whom they turn to."""

from collections.abc import Iterable, Sequence
from typing import Any

from monitor.core.incident import Incident
from monitor.core.module import Platform
from monitor.core.plan import Client
from monitor.core.service import served
from monitor.core.wording import N_, Sentence

MOST = 20  # stores that are named in a text

FOR = N_("Store {store}, plan {plan}")
ALONE = N_("Store {store}")
TURNS_TO = N_("{store}, key account {person}")


def stores_of(
    channel: str, incident: Incident | None, platform: Platform, plan: str | None = None
) -> tuple[Client, ...]:
    """The stores that a channel looks after and that an incident concerns. A channel that looks after none is told of
    those that it concerns where these are not all. Of what a `plan` promises its own stores hear, and no others."""
    if incident is None or not platform.clients:
        return ()
    concerned = [one for one in served(incident, platform) if plan is None or one.plan == plan]
    if any(channel in (*one.team, *one.account) for one in platform.clients):
        return tuple(one for one in concerned if channel in (*one.team, *one.account))
    return tuple(concerned) if len(concerned) < len(platform.clients) else ()


def store_to_json(one: Client) -> dict[str, Any]:
    """A store as notices have it."""
    return {"id": one.id, "name": one.name, "plan": one.plan or None, "key_account": one.contact}


def for_whom(stores: Sequence[Client], platform: Platform) -> Iterable[Sentence]:
    """A line for each store: its plan, and the person it turns to."""
    plans = {one.id: one.name for one in platform.plans}
    for one in stores[:MOST]:
        store = Sentence(ALONE, {"store": one.name})
        said = Sentence(FOR, {"store": one.name, "plan": plans[one.plan]}) if one.plan else store
        yield Sentence(TURNS_TO, {"store": said, "person": one.contact}) if one.contact else said
