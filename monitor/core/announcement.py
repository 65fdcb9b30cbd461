"""Announcement: what planned work says to people, as sentences that any language can be put to, and as JSON."""

from typing import Any

from monitor.core.maintenance import Maintenance, Window, WorkStage, WorkUpdate
from monitor.core.module import Platform
from monitor.core.observation import stamp
from monitor.core.statement import Speaker
from monitor.core.wording import N_, Sentence

WORK_STAGE: dict[WorkStage, str] = {
    WorkStage.SCHEDULED: N_("Scheduled"),
    WorkStage.IN_PROGRESS: N_("In progress"),
    WorkStage.VERIFYING: N_("Verifying"),
    WorkStage.COMPLETED: N_("Completed"),
    WorkStage.CANCELLED: N_("Cancelled"),
}

_SAID: dict[str, str] = {
    "scheduled": N_("This work is planned."),
    "replanned": N_("The plan has changed. What stands here now holds."),
    "extended": N_("The work takes longer than planned. The end given here is the new one."),
    "begun": N_("The work has begun."),
    "verifying": N_("The work is done and is being verified."),
    "completed": N_("The work is over."),
    "cancelled": N_("The work will not take place."),
}


def work_title(work: Maintenance) -> Sentence:
    """The headline, as it was written."""
    return Sentence("{text}", {"text": work.title})


def work_message(work: Maintenance) -> Sentence:
    """More about it; an empty text where nothing was written."""
    return Sentence("{text}", {"text": work.message})


def work_body(update: WorkUpdate) -> Sentence:
    """One entry of the timeline in words; a person's text stands as it was written."""
    if update.body is not None:
        return Sentence("{text}", {"text": update.body})
    return Sentence(_SAID[update.kind])


def components_of(work: Maintenance, platform: Platform) -> tuple[str, ...]:
    """Ids of the components that are worked on, in page order."""
    return platform.components_of(work.modules or platform.modules)


def window_object(window: Window, speech: Speaker) -> dict[str, Any]:
    """A window that a person planned to repeat; `from` and `until` are those of the first time."""
    return {
        "id": window.id,
        "title": speech.every(Sentence("{text}", {"text": window.title})),
        "message": speech.every(Sentence("{text}", {"text": window.message})) if window.message else None,
        "from": stamp(window.begins),
        "until": stamp(window.ends),
        "rrule": window.rule,
        "timezone": window.zone,
        "modules": list(window.modules),
        "excuses": list(window.excuses),
    }


def work_object(work: Maintenance, platform: Platform, speech: Speaker) -> dict[str, Any]:
    """Planned work whole, as our own JSON has it. `modules` empty: everything."""
    return {
        "id": work.id,
        "key": work.key,
        "window": work.window,
        "title": speech.every(work_title(work)),
        "message": speech.every(work_message(work)) if work.message else None,
        "status": work.stage.value,
        "planned_from": stamp(work.planned_from),
        "planned_until": stamp(work.planned_until),
        "started_at": stamp(work.started_at),
        "ended_at": stamp(work.ended_at),
        "announced_at": stamp(work.announced_at),
        "modules": list(work.modules),
        "components": list(components_of(work, platform)),
        "excuses": list(work.excuses),
        "sequence": work.sequence,
        "updates": [
            {
                "at": stamp(update.at),
                "status": update.stage.value,
                "author": update.author,
                "body": speech.every(work_body(update)),
            }
            for update in work.updates
        ],
    }
