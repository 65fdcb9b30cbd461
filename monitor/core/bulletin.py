"""Bulletin: something new for the public, and who of the subscribers hears of it, how.

An incident or a piece of planned work brings a bulletin whenever its public timeline has grown. What is told is always
how things are when it is sent: whoever could not be reached for a while gets one message in place of many, and never
one that is out of date.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.core.announcement import components_of
from monitor.core.effect import Arranged, Saved
from monitor.core.incident import Incident, Stage
from monitor.core.maintenance import Maintenance
from monitor.core.module import Platform
from monitor.core.subscriber import Subscriber, Thread

RELEVANT = timedelta(hours=72)  # nobody wants to hear of what is older
CALM = timedelta(minutes=1)  # in which the monitor may think better of the cause before anybody hears of it again
# What of the monitor's own words is a message of its own; the rest is told along with the next one.
LOUD = frozenset({"opened", "worsened", "cause_changed", "resolved", "reopened", "merged", "outlived", "unmonitored"})

AFTERWARDS = (Stage.RESOLVED, Stage.POSTMORTEM)

Subject = Incident | Maintenance


@dataclass(frozen=True, slots=True)
class Bulletin:
    """The public timeline of `subject` has `step` entries since `at`. `number` says in which order they were stored,
    0 before that; `kind` is one of `incidents` and `maintenance`."""

    kind: str
    subject: str
    step: int
    at: datetime
    number: int = 0


@dataclass(frozen=True, slots=True)
class Edition:
    """What one subscriber is told next: of `subject` as it is, all of its updates from number `since` to `step`.

    `event` is `opened updated resolved summary` of an incident, and the kind of the newest update of planned work.
    `head` and `number` are the first and the last bulletin that this one message stands for.
    """

    kind: str
    subject: str
    since: int
    step: int
    event: str
    head: int
    number: int
    over: bool

    @property
    def event_id(self) -> str:
        """What a receiver tells repeats by."""
        return f"{self.subject}-{self.step}"


def bulletin_of(effect: Saved | Arranged) -> Bulletin | None:
    """What the public may be told of it; None of a draft. Told again while nothing was added, it is the same."""
    if isinstance(effect, Arranged):
        work = effect.work
        return Bulletin("maintenance", work.id, len(work.updates), work.updated_at)
    incident = effect.incident
    if incident.published_at is None or not incident.updates:
        return None
    at = max(incident.updates[-1].at, incident.published_at)
    return Bulletin("incidents", incident.id, len(incident.updates), at)


def next_edition(
    one: Subscriber,
    waiting: Sequence[Bulletin],
    find: Callable[[Bulletin], Subject | None],
    platform: Platform,
    repeated: Collection[str],
    now: datetime,
) -> Edition | datetime | None:
    """What a subscriber is told next, or not before when; None while there is nothing.

    `waiting` are the bulletins in order of number, `find` gives what they are about, as it was when the last of them
    was stored or later, and `repeated` are the windows that plan the same work again and again.
    """
    judged: set[str] = set()  # later bulletins of the same say the same
    calm: datetime | None = None
    for head in waiting:
        thread = one.threads.get(head.subject)
        if head.number <= one.cursor or head.subject in judged or (thread is not None and head.step <= thread.step):
            continue
        if now - head.at > RELEVANT:
            continue
        judged.add(head.subject)
        subject = find(head)
        if subject is None or not _concerns(one, head, subject, thread, platform):
            continue
        since = _unheard(head, subject) if thread is None else thread.step
        if is_loud(subject, since, repeated) or (
            thread is None and not _is_over(subject) and not isinstance(subject, Maintenance)
        ):
            if thread is not None and _may_change(subject, since) and head.at <= now < head.at + CALM:
                calm = min(calm or head.at + CALM, head.at + CALM)
                continue
            last = max(each.number for each in waiting if each.subject == head.subject)
            event, step = _event(subject, since, thread), len(subject.updates)
            return Edition(head.kind, head.subject, since, step, event, head.number, last, _is_over(subject))
    return calm


def _may_change(subject: Subject, since: int) -> bool:
    """Whether all that is new are thoughts of the monitor's own about what goes on."""
    ours = all(update.author == "monitor" for update in subject.updates[since:])
    return isinstance(subject, Incident) and subject.is_open and ours


def _concerns(one: Subscriber, head: Bulletin, subject: Subject, thread: Thread | None, platform: Platform) -> bool:
    """Whether they chose to hear of it; who was told that it began hears how it ends, whatever it turned out to be."""
    if thread is not None and not thread.over:
        return True
    touched = subject.components if isinstance(subject, Incident) else components_of(subject, platform)
    return head.kind in one.topics and (one.components is None or not one.components.isdisjoint(touched))


def _unheard(head: Bulletin, subject: Subject) -> int:
    """The last update before this bulletin: none, where it is the one by which an incident became public."""
    first = isinstance(subject, Incident) and head.at == subject.published_at
    return 0 if first else head.step - 1


def is_loud(subject: Subject, since: int, repeated: Collection[str]) -> bool:
    """Whether the updates from that number on are worth a message of their own."""
    if isinstance(subject, Maintenance):
        kinds = {update.kind for update in subject.updates[since:] if update.body is None}
        said = any(update.body is not None for update in subject.updates[since:])
        quiet = {"scheduled", "replanned"} if subject.window in repeated and subject.author == "monitor" else set()
        return said or bool(kinds - quiet)
    before = subject.updates[since - 1].stage if since else None
    for update in subject.updates[since:]:
        if update.kind in LOUD or update.author != "monitor" or update.stage is not before:
            return True
    return False


def _event(subject: Subject, since: int, thread: Thread | None) -> str:
    if isinstance(subject, Maintenance):
        return subject.updates[-1].kind
    knew = thread is not None and not thread.over
    if subject.is_open:
        return "updated" if knew else "opened"
    news = subject.updates[since:]
    if not knew and any(update.kind in ("opened", "reopened") for update in news):
        return "summary"
    was_over = since > 0 and subject.updates[since - 1].stage in AFTERWARDS
    return "updated" if was_over else "resolved"


def _is_over(subject: Subject) -> bool:
    return subject.is_over if isinstance(subject, Maintenance) else not subject.is_open


def told(one: Subscriber, edition: Edition) -> Subscriber:
    """The subscriber once an edition has arrived. What is over and has nothing left to be told is let go."""
    cursor = max(one.cursor, edition.head)
    threads = {**one.threads, edition.subject: Thread(edition.step, edition.number, edition.over)}
    kept = {id: thread for id, thread in threads.items() if not thread.over or thread.number > cursor}
    fresh = replace(one, cursor=cursor, threads=kept)
    return replace(fresh, attempts=0, failing_since=None, next_at=None, refusals=0)
