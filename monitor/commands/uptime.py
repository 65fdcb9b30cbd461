"""`monitor uptime`: a figure, and the intervals it comes from. Exit status 0; 2 where nothing is called so."""

import csv
import json
import sys
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from monitor.commands.period import moment
from monitor.commands.remembered import remembered
from monitor.config import Config
from monitor.core.availability import Availability, Interval, Subject, subject_of, subjects
from monitor.core.budget import PERIOD, budget_of
from monitor.core.daily import day_by_day
from monitor.core.module import Platform
from monitor.core.observation import stamp
from monitor.core.report import objective_of
from monitor.core.statement import cut_off, spent_object
from monitor.core.uptime import Spent, Uptime, figure


async def uptime(
    config: Config, data: Path, word: str, asked: tuple[str, str], explain: bool, daily: bool, as_json: bool
) -> int:
    """Prints the figure of what a word names, over the time asked for."""
    subject = subject_of(config.platform, word)
    if subject is None:
        print(f"nothing is called `{word[:100]}`{_nearest(config.platform, word)}", file=sys.stderr)
        return 2
    now = datetime.now(UTC)
    try:
        since, until = _window(asked, now, config.site.timezone)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    past = (await remembered(config, data, min(since, until - PERIOD))).availability(min(since, until - PERIOD))
    spent = past.spent(subject, since, until)
    budgets = _budgets(config, past, subject, until)
    told = day_by_day(past, subject, ZoneInfo(config.site.timezone), since, until) if daily else []
    days = [{"date": str(day), **spent_object(time)} for day, time in told]
    if as_json:
        found = _object(past, subject, since, until, spent, explain) | budgets | ({"days": days} if daily else {})
        print(json.dumps(found, ensure_ascii=False))
    elif daily:
        table = csv.DictWriter(sys.stdout, days[0].keys())
        table.writeheader()
        table.writerows(days)
    else:
        _print(past, subject, since, until, spent, explain, config.site.timezone)
        for name, one in budgets.get("objectives", {}).items():
            print(f"objective {name}: {_objective(one)}")
    return 0


def _budgets(config: Config, past: Availability, subject: Subject, until: datetime) -> dict[str, Any]:
    """The error budget of every objective it has, over the 30 days before the end: its own, of the platform those of
    the plans."""
    wanted = {one.id: one.objective for one in config.site.plans} if subject.kind == "platform" else {}
    own = objective_of(config.platform, subject)
    lines = list(past.lines(subject).values())
    found = {}
    for name, objective in {**wanted, **({} if own is None else {"own": own})}.items():
        if objective is not None:
            one = budget_of(lines, until, objective)
            found[name] = {
                "objective": objective,
                "allowed_seconds": round(one.allowed_seconds),
                "spent_seconds": round(one.spent_seconds),
                "left_seconds": round(one.left_seconds),
                "burn": {name: None if value is None else round(value, 2) for name, value in one.burn.items()},
                "exhausted_at": stamp(one.exhausted_at),
            }
    return {"objectives": found}


def _objective(one: dict[str, Any]) -> str:
    burns = ", ".join(f"{name} {'-' if burn is None else f'{burn:g}x'}" for name, burn in one["burn"].items())
    ends = one["exhausted_at"] or "not within 30 days"
    left, allowed = one["left_seconds"], one["allowed_seconds"]
    return f"{one['objective'] * 100:g} %, {left} s of {allowed} s left, burn {burns}, exhausted {ends}"


def _window(asked: tuple[str, str], now: datetime, zone: str) -> tuple[datetime, datetime]:
    found = []
    for name, said in zip(("--from", "--until"), asked, strict=True):
        try:
            found.append(moment(said, now, zone))
        except ValueError as error:
            raise ValueError(f"{name} {error}") from None
    since, until = found
    if since >= now:
        raise ValueError("--from lies in the future: nothing is known of it yet")
    if until > now:
        until = now  # nobody knows the rest yet
    if since >= until:
        raise ValueError("--until must be later than --from")
    return since, until


def _nearest(platform: Platform, word: str) -> str:
    known = {name: None for one in subjects(platform) for name in (one.id or one.kind, one.name)}
    found = get_close_matches(word, known, 1, 0.5)
    return f"; did you mean `{found[0]}`?" if found else f"; the modules are {', '.join(list(platform.modules)[:10])} …"


def _object(
    past: Availability, subject: Subject, since: datetime, until: datetime, spent: Spent, explain: bool
) -> dict[str, Any]:
    one = figure(spent)
    found: dict[str, Any] = {
        "kind": subject.kind,
        "id": subject.id or subject.kind,
        "from": stamp(since),
        "until": stamp(until),
        **spent_object(spent),
    }
    if explain:
        weights = past.platform.weights
        found["weights"] = {"degraded": weights.degraded, "partial": weights.partial}
        found["formula"] = _formula(spent, one)
        found["intervals"] = [
            {
                "of": each.line,
                "since": stamp(each.since),
                "until": stamp(each.until),
                "seconds": round(each.seconds, 3),
                "status": each.status,
                "counted": each.lost is not None,
                "lost": each.lost,
                "why": list(each.why),
            }
            for each in past.intervals(subject, since, until)
        ]
    return found


def _formula(spent: Spent, one: Uptime) -> list[str]:
    """The formulas with their numbers filled in."""
    counted = spent.known + spent.unknown
    ratio = "not known" if one.ratio is None else percent(one.ratio)
    return [
        f"uptime = 1 - lost / known = 1 - {_seconds(spent.lost)} / {_seconds(spent.known)} = {ratio}",
        f"coverage = known / counted = {_seconds(spent.known)} / {_seconds(counted)} = {percent(one.coverage)}",
    ]


def percent(share: float) -> str:
    """A share to four decimals, never rounded up."""
    return f"{cut_off(share, 6) * 100:.4f} %"


def _seconds(time: timedelta) -> str:
    return f"{time.total_seconds():.3f}".rstrip("0").rstrip(".") + " s"


def _print(
    past: Availability, subject: Subject, since: datetime, until: datetime, spent: Spent, explain: bool, zone: str
) -> None:
    there = ZoneInfo(zone)
    one, spans = figure(spent), [f"{at.astimezone(there):%Y-%m-%d %H:%M:%S %z}" for at in (since, until)]
    print(f"{subject.name}  {' .. '.join(spans)}")
    print(f"uptime    {'not known' if one.ratio is None else percent(one.ratio)}")
    print(f"coverage  {percent(one.coverage)}")
    for name in ("up", "degraded", "down", "unknown", "excluded", "lost"):
        time: timedelta = getattr(spent, name)
        print(f"{name:<9} {time.total_seconds():>14.3f} s  {_length(time)}")
    if explain:
        print()
        _table(past.intervals(subject, since, until), there)
        print()
        for line in _formula(spent, one):
            print(line)


def _length(time: timedelta) -> str:
    whole = round(time.total_seconds())
    parts = [(whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    return " ".join(f"{count} {sign}" for count, sign in parts if count) or "0 s"


def _table(intervals: list[Interval], zone: ZoneInfo) -> None:
    rows = [("of", "since", "until", "seconds", "status", "counts", "why")]
    for one in intervals:
        at = [f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S.%f}"[:-3] for moment in (one.since, one.until)]
        counts = "no" if one.lost is None else "good" if one.lost == 0 else f"{one.lost:.0%} lost"
        rows.append((one.line, at[0], at[1], f"{one.seconds:.3f}", one.status, counts, ", ".join(one.why)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if place == 3 else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
