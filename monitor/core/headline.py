"""Headline: what a notice says first, in one line, and the lines below it.

The line names the module, how bad it is, since when, and the cause as far as it is known: whoever is woken by it should
not have to open anything.
"""

from collections.abc import Mapping
from typing import Any

from monitor.core.digest import Line
from monitor.core.incident import Incident, Stage
from monitor.core.module import Platform, Priority, Status
from monitor.core.text import Text
from monitor.core.wording import N_, SHARED, Place, Sentence, names, seen, update_body

PRIORITIES: dict[Priority, str] = {
    Priority.URGENT: N_("URGENT"),
    Priority.HIGH: N_("HIGH"),
    Priority.NORMAL: N_("NORMAL"),
    Priority.LOW: N_("LOW"),
}
LINKS: dict[str, str] = {  # what stands below, with the address of each
    "page": N_("Status page: {url}"),
    "dashboard": N_("Dashboard: {url}"),
    "runbook": N_("What to do: {url}"),
    "acknowledge": N_("I have it: {url}"),
}
WITNESSES = N_("What was seen:")
SURE = 0.9  # confidence from which on a cause is told without "likely"


def headline(event: str, incident: Incident, platform: Platform, since: Text, lasted: Text, until: Text) -> Sentence:
    """The first line. `since` and `until` are times of day, `lasted` how long it has gone on, each by language."""
    places: dict[str, Place] = {
        "priority": Sentence(PRIORITIES[incident.priority]),
        "what": what_of(incident, platform),
        "since": since,
        "until": until,
        "lasted": _length(incident, lasted),
        "cause": _cause(incident, platform),
    }
    if event == "summary":
        return Sentence(N_("[WAS DOWN] {what} from {since} to {until} ({lasted}): {cause}"), places)
    if incident.merged_into is not None:
        return Sentence(N_("[JOINED] {what} is part of another incident now, which goes on: {cause}"), places)
    if _is_unmonitored(incident):
        return Sentence(N_("[RESOLVED] {what} is no longer monitored, after {lasted}: {cause}"), places)
    if event == "resolved" or not incident.is_open:
        return Sentence(N_("[RESOLVED] {what} works again after {lasted}: {cause}"), places)
    match event:
        case "acknowledged":
            return Sentence(N_("[ACKNOWLEDGED] {what} in trouble since {since} ({lasted}): {cause}"), places)
        case "lowered":
            entry = next((one for one in reversed(incident.updates) if one.kind == "lowered"), None)
            places["why"] = "" if entry is None else update_body(entry, incident, platform)[0]
            return Sentence(N_("[{priority}] {what}, in trouble since {since} ({lasted}). {why}"), places)
        case "escalated" | "reminder":
            if incident.acknowledged_at is None:
                places["lasted"] = Sentence(N_("{lasted}, nobody has it yet"), {"lasted": places["lasted"]})
            still = N_("[{priority}] {what} still in trouble since {since} ({lasted}): {cause}")
            down = N_("[{priority}] {what} still down since {since} ({lasted}): {cause}")
            return Sentence(down if _is_down(incident) else still, places)
        case "reopened":
            again = N_("[{priority}] {what} in trouble again; it began at {since} ({lasted}): {cause}")
            return Sentence(again, places)
        case "cause_changed":
            return Sentence(N_("[{priority}] {what} in trouble since {since} ({lasted}), corrected: {cause}"), places)
        case _:
            ill = N_("[{priority}] {what} in trouble since {since} ({lasted}): {cause}")
            down = N_("[{priority}] {what} down since {since} ({lasted}): {cause}")
            return Sentence(down if _is_down(incident) else ill, places)


def short(event: str, incident: Incident, platform: Platform, since: Text, lasted: Text) -> Sentence:
    """The same for telephones and small displays: what matters stands in front, for its end may be cut off."""
    places: dict[str, Place] = {
        "priority": Sentence(PRIORITIES[incident.priority]),
        "what": what_of(incident, platform),
        "since": since,
        "lasted": _length(incident, lasted),
        "cause": _cause(incident, platform),
    }
    if incident.merged_into is not None:
        return Sentence(N_("{what} is part of another incident now, which goes on: {cause}"), places)
    if _is_unmonitored(incident):
        return Sentence(N_("Over: {what} is no longer monitored: {cause}"), places)
    if event in ("resolved", "summary") or not incident.is_open:
        return Sentence(N_("OK: {what} works again after {lasted}: {cause}"), places)
    if event == "acknowledged":
        return Sentence(N_("Somebody has it: {what}, since {since}: {cause}"), places)
    if event == "lowered":
        return Sentence(N_("{priority} now, lowered: {what}, since {since}: {cause}"), places)
    if event == "reopened":
        return Sentence(N_("{priority}: {what} in trouble again, first at {since}: {cause}"), places)
    ill = N_("{priority}: {what} in trouble since {since}: {cause}")
    down = N_("{priority}: {what} down since {since}: {cause}")
    return Sentence(down if _is_down(incident) else ill, places)


DUE: dict[tuple[str, bool], str] = {  # what is promised, and whether that is broken
    ("response", False): N_("[{plan}] First answer due {at}: {share} of {limit} has passed."),
    ("response", True): N_("[{plan}] The first answer was due {at} and has not come within {limit}."),
    ("update", False): N_("[{plan}] Next word due {at}: {share} of {limit} has passed."),
    ("update", True): N_("[{plan}] The next word was due {at} and has not come within {limit}."),
}


def due(clock: Mapping[str, Any], at: Text, limit: Text, share: Text) -> Sentence:
    """That a part of what a plan allows has passed: of its JSON, and the figures of that by language."""
    places: dict[str, Place] = {"plan": clock["name"], "at": at, "limit": limit, "share": share}
    return Sentence(DUE[clock["promise"], clock["breached"]], places)


def _length(incident: Incident, lasted: Text) -> Place:
    """How long it has gone on, and how often it came back meanwhile."""
    if not incident.reopened:
        return lasted
    return Sentence(N_("{lasted}, relapses: {count}"), {"lasted": lasted, "count": str(incident.reopened)})


def _is_unmonitored(incident: Incident) -> bool:
    """Whether it ended as what failed left the configuration, and not as it works again."""
    ended = [one.kind for one in incident.updates if one.stage is Stage.RESOLVED]
    return not incident.is_open and ended[-1:] == ["unmonitored"]


def _is_down(incident: Incident) -> bool:
    return any(m.status is Status.DOWN and m.until is None and m.seen for m in incident.members)


def what_of(incident: Incident, platform: Platform) -> Place:
    """What is in trouble for whoever reads: what failed first, before a root that was only found behind it."""
    if incident.title is not None:
        return incident.title
    if incident.is_regional:
        return incident.cause.locations
    failing = [m.module for m in incident.members if m.seen]
    first = incident.key.split(":")[1] if incident.key.count(":") else ""
    chosen = first if first in failing else next(iter(failing), incident.root or "")
    return names(platform, (chosen,))[0] if chosen else tuple(incident.components)


def _cause(incident: Incident, platform: Platform) -> Sentence:
    """The cause in a few words."""
    cause, what = incident.cause, seen(incident.cause.code)
    places: dict[str, Place] = {"seen": what}
    if incident.by_hand:
        return Sentence(N_("reported by a person"))
    if incident.is_regional:
        return Sentence(N_("only seen from there – {seen}"), places)
    if cause.scope == "shared":
        kind = str((cause.shared or {}).get("kind", "unknown"))
        if kind not in SHARED or kind == "unknown":
            return Sentence(N_("several modules at once – {seen}"), places)
        places["thing"] = Sentence(SHARED[kind], {"value": str((cause.shared or {}).get("value") or "?")})
        return Sentence(N_("several modules at once, which share {thing} – {seen}"), places)
    if cause.module is not None and what_of(incident, platform) == names(platform, (cause.module,))[0]:
        return what  # it is named already
    if cause.module is None:
        likely = names(platform, cause.likely)
        if not likely:
            return Sentence(N_("cause not known – {seen}"), places)
        if len(likely) == 1:
            return Sentence(N_("cause likely {module} – {seen}"), {**places, "module": likely[0]})
        return Sentence(N_("cause probably one of {modules} – {seen}"), {**places, "modules": likely})
    (module,) = names(platform, (cause.module,))
    places["module"] = module
    if cause.state == "confirmed" or cause.confidence >= SURE:
        return Sentence(N_("cause {module} – {seen}"), places)
    return Sentence(N_("cause likely {module} – {seen}"), places)


def digest(what: Place, count: str) -> Sentence:
    """What happened in a while, in one line."""
    return Sentence(N_("[SUMMARY] Incidents: {count} – {what}"), {"what": what, "count": count})


def told_of(line: Line, since: Text, until: Text | None, lasted: Text) -> Sentence:
    """One incident of them."""
    places: dict[str, Place] = {"what": line.what, "seen": seen(line.code), "since": since, "lasted": lasted}
    if line.reopened:
        places["lasted"] = Sentence(N_("{lasted}, relapses: {count}"), {"lasted": lasted, "count": str(line.reopened)})
    if until is None:
        return Sentence(N_("{what}: {seen}, since {since} ({lasted}), still going on"), places)
    return Sentence(N_("{what}: {seen}, from {since} to {until} ({lasted})"), {**places, "until": until})


def unreachable(channel: str, count: str, reason: str) -> Sentence:
    """That notices do not arrive on a channel."""
    places: dict[str, Place] = {"channel": channel, "count": count, "reason": reason}
    return Sentence(N_("[MONITOR] Channel {channel} does not deliver, {count} given up: {reason}"), places)


def unstored(reason: str) -> Sentence:
    """That what is seen and decided cannot be stored."""
    told = N_("[MONITOR] Nothing can be stored, judging and notices go on from memory: {reason}")
    return Sentence(told, {"reason": reason})


def trial(channel: str) -> Sentence:
    """That this is only a test."""
    return Sentence(N_("[TEST] Channel {channel} works; nothing is wrong."), {"channel": channel})
