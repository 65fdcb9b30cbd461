"""Review: the report of a quarter that is over, as it leaves for whoever a plan promises one.

It leaves once for each store, and tells the figures of the public report, with how the plan was kept. Quarters are
those of the site, so that it says what page and report say; it leaves in the hours of the plan.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

from monitor.core.availability import PLATFORM, Subject
from monitor.core.hours import Hours
from monitor.core.observation import stamp
from monitor.core.outbox import REVIEW, Letter
from monitor.core.period import Period, before, quarter_of
from monitor.core.plan import Client, Plan
from monitor.core.report import Report, Row, Spending
from monitor.core.service import service_to_json
from monitor.core.statement import floored

WHY = "review "  # why its letters are sent, before what they tell
SETTLED = timedelta(hours=1)  # after the end of a quarter, by when what began in it is judged
MOST = 10  # things that missed their objective, or came back, that are told

Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Review:
    """What is due to the stores of a plan: its quarter."""

    plan: Plan
    period: Period
    clients: tuple[Client, ...]

    def without(self, done: Collection[str]) -> "Review":
        """For those that have not had it."""
        return Review(self.plan, self.period, tuple(one for one in self.clients if self.mark(one) not in done))

    def mark(self, client: Client) -> str:
        """What stands for its having left."""
        return f"review:{client.id}:{self.period.name}"


def due(plans: Sequence[Plan], clients: Sequence[Client], now: datetime, zone: tzinfo) -> list[Review]:
    """What every plan that promises it owes its stores now, whether or not it has left: of the last quarter that is
    over, while the hours of the plan are open."""
    period = before(quarter_of(now - SETTLED, zone), zone)
    found = []
    for plan in plans:
        theirs = tuple(one for one in clients if one.plan == plan.id)
        if plan.quarterly_review and theirs and (plan.clock is None or plan.clock.within(now)):
            found.append(Review(plan, period, theirs))
    return found


def letters_of(review: Review, told: Told, hours: Mapping[str, Hours], now: datetime) -> dict[str, list[Letter]]:
    """Its letters, by the mark of each store: one for each channel, which waits for the hours of that. What it tells
    goes with it, so that it is the same whenever it is sent."""
    found: dict[str, list[Letter]] = {}
    for client in review.clients:
        letters = found[review.mark(client)] = []
        for channel in client.channels:
            names = [one.name for one in review.clients if channel in one.channels]
            content = json.dumps({**told, "stores": names}, ensure_ascii=False, separators=(",", ":"))
            id = f"{REVIEW}{review.plan.id}:{review.period.name}"
            letter = Letter(id, 1, channel, "summary", f"{WHY}{content}", now)
            letters.append(_in_hours(letter, hours.get(channel), now))
    return found


def _in_hours(letter: Letter, hours: Hours | None, now: datetime) -> Letter:
    opens_at = None if hours is None or hours.within(now) else hours.opens_at(now)
    return letter if opens_at is None else replace(letter, next_at=opens_at, tried_at=now)


def told_of(letter: Letter) -> Told | None:
    """What the letter of a review tells; None for any other."""
    return json.loads(letter.why.removeprefix(WHY)) if letter.why.startswith(WHY) else None


def told(plan: Plan, shown: Report, ours: Report) -> Told | None:
    """What a review tells, as it is stored and as templates read it; None where nothing is known of the time. `shown`
    is the report that the public reads, `ours` the same with how plans were kept."""
    row = shown.row(PLATFORM)
    if row.uptime.ratio is None:
        return None
    detect, _, recover = shown.times
    spent = next((one for which, one in ours.plans if which.id == plan.id), None)
    return {
        "plan": plan.id,
        "name": dict(plan.name),
        "period": {"name": shown.whole.name, "from": stamp(shown.whole.since), "until": stamp(shown.whole.until)},
        "ratio": floored(row.uptime.ratio),
        "ratio_before": None if row.change is None or row.before.ratio is None else floored(row.before.ratio),
        "ten_minute_ratio": None if row.interrupted.ratio is None else floored(row.interrupted.ratio),
        "coverage": floored(row.uptime.coverage),
        "down_seconds": round(row.uptime.down_seconds),
        "excluded_seconds": round(row.uptime.excluded_seconds),
        "objective": None if spent is None else _spending(spent),
        "incidents": len(shown.began),
        "detect_seconds": _whole(detect.median),
        "recover_seconds": _whole(recover.median),
        "longest_seconds": _whole(recover.worst),
        "missed": [_missed(one) for one in shown.rows if one.budget is not None and one.budget.kept is False][:MOST],
        "repeated": [{"module": one.module, "incidents": len(one.incidents)} for one in shown.offenders][:MOST],
        "services": [service_to_json(one) for one in ours.services if one.plan == plan.id and one.asked],
    }


def _missed(row: Row) -> dict[str, Any]:
    subject: Subject = row.subject
    ratio, budget = row.uptime.ratio, row.budget
    return {
        "kind": subject.kind,
        "id": subject.id,
        "ratio": None if ratio is None else floored(ratio),
        "objective": None if budget is None else budget.objective,
    }


def _spending(one: Spending) -> dict[str, Any]:
    return {
        "objective": one.objective,
        "allowed_seconds": round(one.allowed_seconds),
        "lost_seconds": round(one.lost_seconds),
        "kept": one.kept,
    }


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)
