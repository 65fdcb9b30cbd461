"""Chronicle: what the log says of a decision, in a sentence for people and in fields that one can search by.

A field is there when it means something: `incident`, `module`, `probe`, `location`, and what was decided of them. Spans
carry the same ones.
"""

import logging

from monitor.core.board import Board
from monitor.core.detector import Transition
from monitor.core.effect import Arranged, Called, Effect, Event, Gap, Hushed, Keep, Lagging, Moved, Observed, Saved
from monitor.core.incident import Incident
from monitor.core.module import Status
from monitor.core.observation import Observation
from monitor.core.outbox import Letter, State

Fields = dict[str, str]


def told(effect: Effect) -> str | None:
    """The line of the log about an effect; None for what nobody reads there."""
    match effect:
        case Hushed(silence, change):
            return f"silence {silence.id} {change or 'kept'}: until {silence.until:%Y-%m-%d %H:%M}"
        case Arranged(work, change) if change not in (None, "scheduled"):
            return f"maintenance {work.id} {change}: {work.planned_from:%Y-%m-%d %H:%M} of {work.window}"
        case Gap(location, since, until, code):
            seen = "sees nothing" if until is None else f"sees again; it saw nothing until {until:%H:%M:%S}"
            return f"location {location} {seen}, since {since:%H:%M:%S} ({code})"
        case Moved(one):
            return f"{one.module} went {one.before} → {one.after} since {one.since:%H:%M:%S}"
        case Saved(incident):
            return f"incident {incident.id} {_change(effect)}: {_source(incident)} {incident.cause.code}".rstrip()
    return None


def told_of_run(keep: Keep) -> str:
    """The line about a single run, for whoever wants to read every one."""
    seen, result = keep.observation, keep.result
    name = "/".join(filter(None, (seen.module, seen.probe)))
    code = f" {result.code}" if result.code else ""
    return f"{name} from {seen.location}: {result.outcome}{code} in {seen.duration:.3f} s"


def about(effect: Effect, board: Board) -> Fields:
    """The fields of that line. A change of status names the incident its module is part of, or which ends with it."""
    match effect:
        case Keep(observation, result):
            return {**_of(observation), "outcome": result.outcome.value, **_known(code=result.code)}
        case Hushed(silence):
            return {"silence": silence.id}
        case Arranged(work):
            return {"maintenance": work.id}
        case Gap():
            return {"location": effect.location, "code": effect.code}
        case Moved(one):
            return {"module": one.module, "status": one.after.value, **_known(incident=_holding(one, board))}
        case Saved(incident):
            module = incident.cause.module or incident.root
            return {
                "incident": incident.id,
                "change": _change(effect),
                **_known(module=module, code=incident.cause.code),
            }
    return {}


def about_event(event: Event) -> Fields:
    """The fields of what the desk takes."""
    match event:
        case Observed(Observation() as seen):
            return _of(seen)
        case Called() | Lagging():
            return {"module": event.module, "probe": event.probe}
    return {}


def told_of_letter(after: Letter, *, turned: bool) -> list[tuple[int, str]]:
    """The lines after an attempt, with their levels. `turned`: the channel works again, or does not any more."""
    if after.state is State.DELIVERED:
        found = [(logging.INFO, f"channel {after.channel}: notice {after.event_id} is delivered")]
        return [(logging.INFO, f"channel {after.channel} delivers again"), *found] if turned else found
    return [(logging.WARNING, f"channel {after.channel} does not deliver: {after.last_error}")] if turned else []


def about_letter(letter: Letter) -> Fields:
    """The fields of a line about a letter."""
    about = {"channel": letter.channel, "notice": letter.event_id, "event": letter.event}
    return {**about, "incident": letter.incident}


def of_letter(letter: Letter) -> dict[str, Fields]:
    """The same, as `extra` of a line of the log."""
    return {"about": about_letter(letter)}


def _holding(one: Transition, board: Board) -> str | None:
    held = [known for known in board.incidents.values() if known.member(one.module)]
    held = [known for known in held if known.is_open or one.after is Status.UP]
    return max(held, key=lambda known: (known.is_open, known.detected_at)).id if held else None


def _of(seen: Observation) -> Fields:
    return _known(module=seen.module, probe=seen.probe, location=seen.location)


def _known(**fields: str | None) -> Fields:
    return {name: value for name, value in fields.items() if value}


def _change(effect: Saved) -> str:
    incident = effect.incident
    if incident.acts and incident.acts[-1].at == effect.at:
        return f"{incident.acts[-1].what} by a person"
    return effect.change or ("published" if incident.published_at == effect.at else "kept")


def _source(incident: Incident) -> str:
    cause = incident.cause
    if cause.shared is not None:
        return f"shared {cause.shared['kind']}"
    return cause.module or " ".join(filter(None, (cause.scope, incident.root)))
