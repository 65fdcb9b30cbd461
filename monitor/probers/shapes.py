"""Shapes: the two forms in which status pages tell machines what they tell people, brought to one.

Statuspage v2 has `page` and `incidents`; a page made with incident.io has `ongoing_incidents`, with names of components
apart. Both are somebody else's and may change any day: what is not as expected makes the page unreadable, and what is
read is masked, clipped and counted, so that nothing large or lively gets any further.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from yarl import URL

from monitor.core.fields import mapping, needed, sequence, text, time
from monitor.core.observation import stamp
from monitor.core.platform_page import OVER, plain
from monitor.internet import url_of
from monitor.mask import Mask
from monitor.probers.failure import Stopped

MOST_POSTS = 20
MOST_COMPONENTS = 60
MOST_LISTED = 3000  # of anything, before it is looked into
MOST_NAMED = 40  # components of one incident
TITLE, NAME, ADDRESS = 160, 80, 300  # characters

INDICATORS = ("none", "maintenance", "minor", "major", "critical")  # the worst last

# What a component's status means for the indicator. incident.io says `full_outage`.
STATUSES = {
    "operational": "none",
    "under_maintenance": "maintenance",
    "degraded_performance": "minor",
    "partial_outage": "major",
    "major_outage": "critical",
}

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Told:
    """A page in one form, texts as they came. `components` by name, with their status; `groups` by name."""

    name: str
    indicator: str | None
    posts: list[dict[str, Any]]
    components: dict[str, str | None]
    groups: dict[str, list[str]]


def page_of(document: Any, url: str, component: str | None, mask: Mask) -> dict[str, Any]:
    """The facts of a page: `page indicator component components incidents`.

    `url` is the page's own address; links that lead elsewhere are left out. Raises Stopped for everything that is not a
    status page, and for a `component` that is not on it.
    """
    try:
        told = _told(document)
    except (TypeError, ValueError) as error:
        raise Stopped("content.assertion", f"no status page that can be read: {error}") from None
    if component is not None:
        told = _only(told, component)
    return _bounded(told, url, component, mask)


def _told(document: Any) -> _Told:
    if not isinstance(document, Mapping):
        raise TypeError("it is no JSON object")
    summary = mapping(document, "summary")
    if summary is not None:
        needed(sequence(summary, "components"), "components")
        needed(sequence(summary, "affected_components"), "affected_components")
    own = document if summary is None else summary
    if "ongoing_incidents" in own:
        return _of_incident_io(own)
    if "incidents" in document:
        return _of_statuspage(document)
    raise ValueError("it names no incidents, as pages of neither shape do")


# -- Statuspage v2 ----------------------------------------------------------------------------------------------------


def _of_statuspage(document: Object) -> _Told:
    page = needed(mapping(document, "page"), "page")
    listed = _objects(document, "components")
    names = {text(one, "id") or "": _name(one) for one in listed}
    status = mapping(document, "status") or {}
    indicator = text(status, "indicator")
    return _Told(
        name=text(page, "name") or "",
        indicator=indicator if indicator in INDICATORS else None,
        posts=[_statuspage_post(one) for one in _objects(document, "incidents", must=True)],
        components={_name(one): _status(one) for one in listed if one.get("group") is not True},
        groups={
            _name(one): [names[id] for id in sequence(one, "components") or () if isinstance(id, str) and id in names]
            for one in listed
            if one.get("group") is True
        },
    )


def _statuspage_post(one: Object) -> dict[str, Any]:
    named = [_name(component) for component in _objects(one, "components")]
    if not named:
        # Those of the updates are spelt `Group - Component`.
        touched = (
            part for update in _objects(one, "incident_updates") for part in _objects(update, "affected_components")
        )
        named = [_name(part).rpartition(" - ")[2] for part in touched]
    impact = text(one, "impact")
    return {
        "id": text(one, "id"),
        "name": _name(one),
        "status": needed(text(one, "status"), "status"),
        "impact": impact if impact in INDICATORS else None,
        "url": text(one, "shortlink"),
        "started_at": _moment(one, "started_at") or _moment(one, "created_at"),
        "updated_at": _moment(one, "updated_at"),
        "resolved_at": _moment(one, "resolved_at"),
        "components": named,
    }


# -- incident.io ------------------------------------------------------------------------------------------------------


def _of_incident_io(summary: Object) -> _Told:
    listed = _objects(summary, "components")
    names = {text(one, "id") or "": _name(one) for one in listed}
    affected = {text(one, "component_id") or "": _status(one) for one in _objects(summary, "affected_components")}
    components = {name: affected.get(id, "operational") for id, name in names.items()}
    groups: dict[str, list[str]] = {}
    for item in _objects(mapping(summary, "structure") or {}, "items"):
        group = mapping(item, "group")
        if group is not None:
            groups[_name(group)] = [_name(one) for one in _objects(group, "components")]
    return _Told(
        name=text(summary, "name") or text(summary, "page_title") or "",
        indicator=_worst(components.values()) if components else None,
        posts=[_incident_io_post(one, names) for one in _objects(summary, "ongoing_incidents", must=True)],
        components=components,
        groups=groups,
    )


def _incident_io_post(one: Object, names: Mapping[str, str]) -> dict[str, Any]:
    touched = [*_objects(one, "affected_components"), *_objects(one, "component_impacts")]
    named = [text(part, "name") or names.get(text(part, "component_id") or "") for part in touched]
    updates, impacts = _objects(one, "updates"), _objects(one, "component_impacts")
    told = [_moment(one, "published_at"), *(_moment(update, "published_at") for update in updates)]
    began = [at for at in (*told, *(_moment(part, "start_at") for part in impacts)) if at]
    newest = [at for at in (*told, _moment(one, "last_update_at")) if at]
    ended = [at for part in impacts if (at := _moment(part, "end_at"))] or newest
    status = needed(text(one, "status"), "status")
    words = [text(one, "current_worst_impact"), *(_status(part) for part in touched)]
    return {
        "id": text(one, "id"),
        "name": _name(one),
        "status": status,
        "impact": _worst([_spelt(word) for word in words]),
        "url": text(one, "url"),
        "started_at": min(began, default=None),
        "updated_at": max(newest, default=None),
        "resolved_at": max(ended, default=None) if status in OVER else None,
        "components": [name for name in named if name],
    }


# -- parts ------------------------------------------------------------------------------------------------------------


def _objects(raw: Object, key: str, *, must: bool = False) -> list[Object]:
    """A list of objects, empty where there is none unless it must be there."""
    found = sequence(raw, key)
    if found is None and must:
        raise ValueError(f"`{key}` is missing")
    if found is not None and len(found) > MOST_LISTED:
        raise Stopped("content.json_limits", f"{len(found):,} `{key}`, at most {MOST_LISTED:,} are read")
    if not all(isinstance(one, Mapping) for one in found or ()):
        raise TypeError(f"`{key}` holds something that is not an object")
    return list(found or ())


def _name(raw: Object) -> str:
    name = text(raw, "name")
    if not name or not name.strip():
        raise ValueError("`name` is missing")
    return name


def _spelt(word: str | None) -> str | None:
    return "major_outage" if word == "full_outage" else word if word in STATUSES else None


def _status(raw: Object) -> str | None:
    return _spelt(text(raw, "status") or text(raw, "current_status"))


def _worst(statuses: Iterable[str | None]) -> str | None:
    """The indicator of the worst of these statuses; None when none is known."""
    return max((STATUSES[one] for one in statuses if one), key=INDICATORS.index, default=None)


def _moment(raw: Object, key: str) -> datetime | None:
    """A time; one that cannot be read is not worth the page."""
    try:
        return time(raw, key)
    except (TypeError, ValueError):
        return None


def _only(told: _Told, component: str) -> _Told:
    """The page as far as it speaks of one component or group. Raises Stopped when it has no such thing."""
    if not told.components:
        raise Stopped("self.config", f"this address lists no components, so `{component}` cannot be told from others")
    wanted = plain(component)
    known = [*told.components, *told.groups]
    match = next((name for name in known if plain(name) == wanted), None)
    if match is None:
        spelt = {name[:NAME].casefold(): name[:NAME] for name in known}
        near = get_close_matches(component.casefold(), list(spelt)[:1000], n=1, cutoff=0.4)
        hint = f"; did you mean `{spelt[near[0]]}`?" if near else ""
        raise Stopped("self.config", f"the page has no component `{component}`{hint}")
    kept = {match, *told.groups.get(match, ())}
    components = {name: status for name, status in told.components.items() if name in kept}
    wanted_ones = {plain(name) for name in kept}
    posts = [
        one for one in told.posts if not one["components"] or wanted_ones & {plain(name) for name in one["components"]}
    ]
    return _Told(told.name, _worst(components.values()), posts, components, {})


def _bounded(told: _Told, url: str, component: str | None, mask: Mask) -> dict[str, Any]:
    """The facts with every text masked and clipped: what goes on first, then the newest."""
    going_on = sum(one["status"] not in OVER for one in told.posts)
    if going_on > MOST_POSTS:
        raise Stopped("content.json_limits", f"{going_on} incidents at once, at most {MOST_POSTS} are read")
    by_age = sorted(told.posts, key=lambda one: stamp(one["updated_at"] or one["started_at"]) or "", reverse=True)
    newest = sorted(by_age, key=lambda one: one["status"] in OVER)
    return {
        "page": mask.line(told.name, NAME),
        "indicator": told.indicator,
        "component": None if component is None else mask.line(component, NAME),
        "components": [
            {"name": mask.line(name, NAME), "status": status}
            for name, status in list(told.components.items())[:MOST_COMPONENTS]
        ],
        "incidents": [
            {
                "id": None if one["id"] is None else mask.line(one["id"], NAME),
                "name": mask.line(one["name"], TITLE),
                "status": mask.line(one["status"], NAME),
                "impact": one["impact"],
                "url": _link(one["url"], one["id"], url, mask),
                "started_at": stamp(one["started_at"]),
                "updated_at": stamp(one["updated_at"]),
                "resolved_at": stamp(one["resolved_at"]),
                "components": [mask.line(name, NAME) for name in dict.fromkeys(one["components"][:MOST_NAMED])],
            }
            for one in newest[:MOST_POSTS]
        ],
    }


def _link(given: str | None, id: str | None, page: str, mask: Mask) -> str | None:
    """The address of an incident on the page's own host: the one it gives, else where pages of both makers have it."""
    try:
        home = URL(page).origin()
    except (ValueError, TypeError):
        return None
    for candidate in (given, f"{home}/incidents/{id}" if id and id.isascii() and plain(id) == id.casefold() else None):
        try:
            link = url_of(candidate or "").with_fragment(None)
            same = link.scheme in ("http", "https") and link.host == home.host and link.user is None
        except (ValueError, TypeError):
            continue
        if same and len(str(link)) <= ADDRESS and mask(str(link)) == str(link):
            return str(link)
    return None
