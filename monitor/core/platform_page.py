"""Platform page: what the platform says of itself on its own status page, and whether one of our incidents is meant.

It is evidence and never a verdict. Readers believe a sentence that begins "the platform reports", so a post is taken
for one of our incidents only when it names what fails here; and a page that cannot be read is not a page that is
silent.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from monitor.core.board import Board, PlatformPage, Post
from monitor.core.expectation import Outcome, Result
from monitor.core.fields import needed, sequence, text, time
from monitor.core.incident import Incident, Update, with_update
from monitor.core.module import Platform
from monitor.core.observation import Observation
from monitor.core.probe import Probe

OVER = frozenset({"resolved", "postmortem", "completed"})
BEFORE = timedelta(hours=1)  # a post that is over and tells no end may have begun so long before our incident
SHORTEST = 3  # letters of a name that is looked for in a headline
SILENT: Mapping[str, Any] = {"found": False, "incident": None, "url": None}

_WORD = re.compile(r"[^\W_]+")


# -- the page ---------------------------------------------------------------------------------------------------------


def read(board: Board, probe: Probe, observation: Observation, result: Result) -> Board:
    """The board with what one run read of the page; one that could not be read leaves what was known."""
    if probe.kind != "statuspage" or result.outcome not in (Outcome.PASSED, Outcome.SLOW):
        return board
    try:
        page = _page(board.platform, observation)
    except (TypeError, ValueError):
        return board  # a recording of another version, or of somebody's making
    known = board.pages.get(probe.key)
    if known is not None and known.at >= page.at:
        return board
    return replace(board, pages={**board.pages, probe.key: page})


def _page(platform: Platform, observation: Observation) -> PlatformPage:
    values = observation.values
    posts = needed(sequence(values, "incidents"), "incidents")
    only = None
    if text(values, "component") is not None:
        only = _plain_names(_object(one) for one in sequence(values, "components") or ())
    at = observation.ended_at - _age(observation)
    return PlatformPage(at, tuple(_post(platform, _object(one)) for one in posts), only)


def _age(observation: Observation) -> timedelta:
    """How long a copy lay in a cache before it was handed out."""
    said = observation.http.headers.get("age", "") if observation.http else ""
    return timedelta(seconds=int(said) if said.isascii() and said.isdigit() and len(said) < 9 else 0)


def _post(platform: Platform, raw: Mapping[str, Any]) -> Post:
    name = needed(text(raw, "name"), "name")
    named = frozenset(filter(None, (plain(one) for one in sequence(raw, "components") or () if isinstance(one, str))))
    return Post(
        name=name,
        url=text(raw, "url") or "",
        about=named or _named_in(name, platform),
        impact=text(raw, "impact"),
        ongoing=text(raw, "status") not in OVER,
        started_at=time(raw, "started_at"),
        resolved_at=time(raw, "resolved_at"),
    )


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError("not an object")
    return value


def _plain_names(objects: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(plain(text(one, "name") or "") for one in objects)


# -- names ------------------------------------------------------------------------------------------------------------


def plain(name: str) -> str:
    """A name without case, spaces and punctuation: `Order Placement` is `order-placement`."""
    return "".join(_WORD.findall(name.casefold()))


def _names_of(platform: Platform, modules: Iterable[str], components: Iterable[str]) -> list[str]:
    """What these are called: their ids, and their names in every language."""
    found: list[str] = []
    for id in modules:
        module = platform.modules.get(id)
        found += [id, *(module.name.values() if module else ()), *(module.aliases if module else ())]
    for id in components:
        component = platform.components.get(id)
        found += [id, *(component.name.values() if component else ())]
    return found


def _named_in(headline: str, platform: Platform) -> frozenset[str]:
    """The plain names of what a headline names in whole words; within `catalog management`, `catalog` is not named."""
    rest = f" {' '.join(_WORD.findall(headline.casefold()))} "
    words = {
        " ".join(_WORD.findall(one.casefold())) for one in _names_of(platform, platform.modules, platform.components)
    }
    found: set[str] = set()
    for one in sorted(words, key=lambda word: (-len(word), word)):
        if len(one) >= SHORTEST and f" {one} " in rest:
            found.add(plain(one))
            rest = rest.replace(f" {one} ", " | ")
    return frozenset(found)


# -- our incidents ----------------------------------------------------------------------------------------------------


def reported(board: Board, incident: Incident, now: datetime) -> Incident:
    """The incident with what the platform reports of it; the first report stands in its timeline. Itself if nothing
    is new."""
    own = incident.is_open and not incident.is_regional and not incident.by_hand
    if not own or not (board.platform.pages or incident.cause.platform_reports):
        return incident
    before = incident.cause.platform_reports
    after = _reports(board, incident, before, now)
    if after == before:
        return incident
    incident = replace(incident, cause=replace(incident.cause, platform_reports=after))
    if after is None or not after["found"] or (before or {}).get("found"):
        return incident
    return with_update(incident, Update(now, incident.stage, "reported", {"report": after["incident"]}))


def _reports(
    board: Board, incident: Incident, before: Mapping[str, Any] | None, now: datetime
) -> Mapping[str, Any] | None:
    """What the page says; None while it says nothing that can be read. What was reported once stays reported, also when
    its post has left the page."""
    pages: list[PlatformPage] = []
    waiting, unread = False, not board.platform.pages
    for probe in board.platform.pages:
        page, patience = board.pages.get(probe.key), board.platform.tuning.fresh_for(probe)
        if page is not None and now - page.at <= patience:
            pages.append(page)
        elif page is None and now - (board.began_at or now) <= patience:
            waiting = True  # a restart: what was known holds until the first run had its chance
        else:
            unread = True
    names = {plain(one) for one in _names_of(board.platform, (m.module for m in incident.members), incident.components)}
    everything = 2 * len(incident.components) > len(board.platform.components)
    known = before or {}
    posts = [post for page in pages for post in page.posts if _is_about(post, incident, names, everything)]
    if posts:
        best = min(posts, key=lambda post: _distance(post, incident, known))
        return {"found": True, "incident": best.name, "url": best.url or None}
    if known.get("found") or waiting:
        return before
    if unread or not all(page.only is None or page.only & names for page in pages):
        return None
    return SILENT


def _is_about(post: Post, incident: Incident, names: set[str], everything: bool) -> bool:
    """Whether a post means an incident: it names what fails, while it fails. One that names nothing at all and is
    critical means an incident that touches most of the page."""
    if not _overlaps(post, incident):
        return False
    if post.about:
        return bool(post.about & names)
    return post.impact == "critical" and everything


def _overlaps(post: Post, incident: Incident) -> bool:
    if post.ongoing:
        return True
    if post.resolved_at is not None:
        return post.resolved_at >= incident.started_at
    return post.started_at is not None and post.started_at >= incident.started_at - BEFORE


def _distance(post: Post, incident: Incident, known: Mapping[str, Any]) -> tuple[Any, ...]:
    """The order in which posts are preferred: the one that was told before, those going on, the nearest in time."""
    same = post.name == known.get("incident") or (post.url != "" and post.url == known.get("url"))
    apart = abs(post.started_at - incident.started_at) if post.started_at else timedelta.max
    return (not same, not post.ongoing, apart, post.name, post.url)
