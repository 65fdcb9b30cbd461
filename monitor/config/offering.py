"""Offering: `site` and `plans` of the configuration as pages read them."""

from collections.abc import Mapping
from typing import Any

from yarl import URL

from monitor.config.model import SiteSection
from monitor.config.probes import bare
from monitor.config.routes import DAYS, calendar_of
from monitor.core.plan import ALWAYS, Client, Feature, Opening, Plan, Price, Range
from monitor.core.site import Site

ALARMS = ("alertmanager", "pagerduty")  # kinds of channels to which everything is an alarm


def site(section: SiteSection, sections: Mapping[str, Any]) -> Site:
    """How the page presents itself, and what it offers."""
    return Site(
        name=section.name,
        url=_published(section.url),
        languages=tuple(section.languages),
        timezone=section.timezone,
        theme=section.theme,
        subscribe_url=section.subscribe_url.rstrip("/") if section.subscribe_url else None,
        plans=plans_of(sections),
        links={name: url for name, url in section.links.items() if url},
        help={name: url for name, url in section.help.items() if url},
    )


def _published(url: str) -> str:
    """The address of the page as feeds and sitemaps may hold it: in ASCII, and without a user, a query or a mark."""
    try:
        bared = URL(url).with_user(None).with_query(None).with_fragment(None)
    except ValueError:
        return bare(url).rstrip("/")
    return str(bared).rstrip("/")


def plans_of(sections: Mapping[str, Any]) -> tuple[Plan, ...]:
    """Every plan, in order, with what was written of it."""
    openings = {name: _opening(one) for name, one in sections.get("calendars", {}).items()}
    return tuple(_plan(one, openings, sections) for one in sections.get("plans", ()))


def clients_of(sections: Mapping[str, Any]) -> tuple[Client, ...]:
    """Every store, in order; of its channels those take reports that people read: others are for alarms."""
    kinds = {name: one["kind"] for name, one in sections.get("channels", {}).items()}
    found = []
    for one in sections.get("stores", ()):
        person = one.get("key_account") or {}
        team, account = (tuple(whose.get("channels", ())) for whose in (one, person))
        read = tuple(name for name in dict.fromkeys((*team, *account)) if kinds[name] not in ALARMS)
        name, plan = one.get("name") or one["id"], one.get("plan") or ""
        found.append(Client(one["id"], name, plan, read, team, account, person.get("name"), one.get("ticket_users")))
    return tuple(found)


def _plan(one: Mapping[str, Any], openings: Mapping[str, Opening], sections: Mapping[str, Any]) -> Plan:
    phone, rule = one.get("phone") or {}, one.get("suggested_when")
    return Plan(
        id=one["id"],
        name=one["name"],
        description=one.get("description"),
        price=Price(**{"period": "month", **one["price"]}) if one.get("price") else None,
        first_contact=one.get("first_contact"),
        hours=_hours(one.get("hours"), openings),
        clock=calendar_of(sections, one.get("hours")),
        objective=one.get("objective"),
        response=one.get("response") or {},
        update=one.get("update") or {},
        phone=_hours(phone.get("hours"), openings),
        phone_urgent_outside=phone.get("urgent_outside"),
        ticket_users=one.get("ticket_users"),
        is_unlimited="ticket_users" in one and one["ticket_users"] is None,
        key_account=one.get("key_account"),
        quarterly_review=one.get("quarterly_review"),
        suggested_when=None if rule is None else {name: Range(**(bounds or {})) for name, bounds in rule.items()},
        features=tuple(Feature(**feature) for feature in one.get("features") or ()),
    )


def _hours(name: str | None, openings: Mapping[str, Opening]) -> Opening | tuple[()] | None:
    return None if name is None else openings.get(name, ALWAYS)


def _opening(calendar: Mapping[str, Any]) -> Opening:
    days = tuple(DAYS.index(day) for day in calendar["days"])
    return Opening(days, calendar["from"], calendar["until"], calendar["timezone"])
