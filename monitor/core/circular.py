"""Circular: what subscribers read, as sentences that any language can be put to. It says what the public page says.

The first line names what is in trouble, what is seen of it and how bad it is, so that a subject alone tells it.
"""

from collections.abc import Sequence

from monitor.core.announcement import components_of, work_body, work_message, work_title
from monitor.core.bulletin import Edition, Subject
from monitor.core.maintenance import Maintenance
from monitor.core.module import Platform
from monitor.core.text import Text
from monitor.core.wording import N_, Place, Sentence, public_summary, title, update_body

IMPACT: dict[str, str] = {
    "minor": N_("Minor impact"),
    "major": N_("Major impact"),
    "critical": N_("Critical impact"),
}
_INCIDENT: dict[str, str] = {
    "opened": N_("{title} · {impact} · since {since}"),
    "updated": N_("Update: {title} · {impact} · since {since}"),
    "resolved": N_("Resolved: {title} · lasted {lasted}"),
    "summary": N_("Over already: {title} · {impact} · since {since}, lasted {lasted}"),
}
_MERGED = N_("Goes on with another incident: {title}")
_AFTERWARDS = N_("Update: {title} · it is over, lasted {lasted}")
_WORK: dict[str, str] = {
    "scheduled": N_("Planned work: {title} · {span}"),
    "begun": N_("Planned work has begun: {title} · {span}"),
    "completed": N_("Planned work is over: {title}"),
    "cancelled": N_("Planned work is called off: {title} · {span}"),
}
_WORK_CHANGED = N_("Update of planned work: {title} · {span}")
# What an address is asked before anything is told to it, and what stands below everything that is: of a `site`.
CONFIRM = N_("Confirm your subscription to {site}")
ASKED = N_("Somebody, hopefully you, wants this address to be told of incidents and planned work at {site}.")
TO_CONFIRM = N_("Open this to confirm:")
OTHERWISE = N_("Otherwise do nothing: within 48 hours the address is forgotten.")
TO_END = N_("You get this because you subscribed to {site}. To end that:")
Sentences = Sequence[Sentence]


def first_line(
    edition: Edition, subject: Subject, platform: Platform, since: Text, lasted: Text, span: Text
) -> Sentence:
    """The subject of a mail. `since` is when it began, `lasted` how long it took, `span` from when till when; each by
    language."""
    if isinstance(subject, Maintenance):
        return Sentence(_WORK.get(edition.event, _WORK_CHANGED), {"title": work_title(subject), "span": span})
    over = edition.event == "updated" and not subject.is_open
    places: dict[str, Place] = {
        "title": title(subject, platform),
        "impact": Sentence(IMPACT[subject.impact]),
        "since": since,
        "lasted": lasted,
    }
    if subject.merged_into is not None:
        return Sentence(_MERGED, places)
    return Sentence(_AFTERWARDS if over else _INCIDENT[edition.event], places)


def paragraphs(edition: Edition, subject: Subject, platform: Platform) -> list[Sentences]:
    """What stands below it: what people wrote since they were last told, the cause, who feels it and who does not."""
    if isinstance(subject, Maintenance):
        touched = tuple(platform.components[id].name for id in components_of(subject, platform))
        affected = [(Sentence(N_("Affected: {components}."), {"components": touched}),)] if touched else []
        return [(work_body(subject.updates[-1]),), (work_message(subject),), *affected]
    news = subject.updates[edition.since :]
    written = [one for one in news if one.author != "monitor" or one.kind in ("merged", "outlived")]
    return [*(update_body(one, subject, platform) for one in written), public_summary(subject, platform)]
