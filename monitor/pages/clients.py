"""Clients: the stores that are supported, as operators see them: plan, whom they turn to, how many users of the ticket
tool they have and may have, and what concerns them now."""

from dataclasses import dataclass

from monitor.core.plan import Client, Plan
from monitor.core.service import served
from monitor.core.wording import N_, title
from monitor.pages.lens import Lens
from monitor.pages.view import Link, Mark
from monitor.pages.watch import Watch


@dataclass(frozen=True, slots=True)
class ClientRow:
    """A store. `users` says how many of how many, `mark` whether that is too many; empty where it is not written."""

    id: str
    name: str
    plan: str
    contact: str
    channels: str
    users: str
    mark: Mark | None
    incidents: tuple[Link, ...]


def clients_view(lens: Lens, watch: Watch) -> tuple[ClientRow, ...]:
    """Every store, in the order of the configuration."""
    platform = watch.board.platform
    plans = {one.id: one for one in platform.plans}
    concerned = [(incident, {one.id for one in served(incident, platform)}) for incident in watch.open_incidents]
    return tuple(
        ClientRow(
            id=one.id,
            name=one.name,
            plan=lens.text(plans[one.plan].name) if one.plan in plans else one.plan,
            contact=one.contact or "",
            channels=", ".join(dict.fromkeys((*one.team, *one.account))),
            users=_users(lens, one, plans.get(one.plan)),
            mark=_mark(lens, one, plans.get(one.plan)),
            incidents=tuple(
                Link(lens.say(title(incident, platform)), f"healthcheck/incidents/{incident.id}")
                for incident, ids in concerned
                if one.id in ids
            ),
        )
        for one in platform.clients
    )


def _users(lens: Lens, one: Client, plan: Plan | None) -> str:
    if one.users is None:
        return ""
    count = lens.number(one.users)
    if plan is None or (plan.ticket_users is None and not plan.is_unlimited):
        return count
    if plan.ticket_users is None:
        return lens.word(N_("{count}, unlimited"), count=count)
    return lens.word(N_("{count} of {limit}"), count=count, limit=lens.number(plan.ticket_users))


def _mark(lens: Lens, one: Client, plan: Plan | None) -> Mark | None:
    if one.users is None or plan is None or plan.ticket_users is None:
        return None
    over = one.users > plan.ticket_users
    return lens.mark(("slow", N_("Over the limit")) if over else ("ok", N_("Within the limit")))
