"""Report data: a report as tables and as JSON; `docs/reports.md` tells what each column and key is."""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from monitor.core.availability import Subject
from monitor.core.module import Platform
from monitor.core.observation import stamp
from monitor.core.period import Period
from monitor.core.report import Course, Report, Row, Spending, Times
from monitor.core.service import service_to_json
from monitor.core.statement import floored, uptime_object
from monitor.core.text import Text, in_language
from monitor.core.wording import title
from monitor.pages.translate import Speech

Object = dict[str, Any]
# Where a spreadsheet would take a text for a formula: at the beginning of a cell, also behind the semicolon or tab at
# which one that speaks Portuguese or Spanish divides a line; the wide forms count where Japanese is written.
FORMULA = re.compile("(^|[;\t\r\n])(?=[^\\S\t\r\n]*[=+\\-@＝＋－＠]|[\t\r])")

AVAILABILITY = (
    *("kind", "id", "name", "ratio", "ratio_before", "coverage"),
    *("down_seconds", "degraded_seconds", "excluded_seconds", "lost_seconds", "known_seconds"),
    *("ten_minute_ratio", "ten_minute_interruptions", "ten_minute_seconds"),
    *("objective", "allowed_seconds", "objective_kept"),
)
TOLD = ("started_at", "detected_at", "acknowledged_at", "resolved_at", "status", "impact", "priority")
CAUSE = ("module", "code", "class", "state")
TOOK = ("detect_seconds", "acknowledge_seconds", "recover_seconds")
INCIDENTS = ("id", "title", *TOLD, *CAUSE, *TOOK, "modules", "components", "began_in_period")


def availability_csv(report: Report, platform: Platform, language: str) -> bytes:
    """A line for everything that has a figure."""
    return _csv(AVAILABILITY, (_line(row, platform, language) for row in report.rows))


def _line(row: Row, platform: Platform, language: str) -> list[Any]:
    one, budget = row.uptime, row.budget
    return [
        row.subject.kind,
        row.subject.id,
        in_language(_name(row.subject, platform), language),
        _share(one.ratio),
        _share(row.before.ratio),
        _share(one.coverage),
        *(round(value) for value in (one.down_seconds, one.degraded_seconds, one.excluded_seconds)),
        *(round(value) for value in (one.lost_seconds, one.known_seconds)),
        _share(row.interrupted.ratio),
        row.interrupted.count,
        round(row.interrupted.seconds),
        *(("", "", "") if budget is None else (budget.objective, round(budget.allowed_seconds), _truth(budget.kept))),
    ]


def incidents_csv(report: Report, platform: Platform, speech: Speech, language: str) -> bytes:
    """A line for every incident."""
    told = [(one, False) for one in report.carried] + [(one, True) for one in report.began]
    return _csv(INCIDENTS, (_incident_line(one, began, platform, speech, language) for one, began in told))


def _incident_line(one: Course, began: bool, platform: Platform, speech: Speech, language: str) -> list[Any]:
    found = _incident(one, platform, speech)
    return [
        found["id"],
        found["title"][language],
        *(found[name] or "" for name in TOLD),
        *(found["cause"][name] or "" for name in CAUSE),
        *("" if found[name] is None else found[name] for name in TOOK),
        " ".join(found["modules"]),
        " ".join(found["components"]),
        _truth(began),
    ]


def _csv(heads: Iterable[str], rows: Iterable[list[Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heads)
    for row in rows:
        writer.writerow([_inert(one) for one in row])
    return out.getvalue().encode()


def _inert(value: Any) -> Any:
    """Text that a spreadsheet reads as text, whoever wrote it."""
    return FORMULA.sub(r"\1'", value) if isinstance(value, str) else value


def _share(value: float | None) -> float | str:
    return "" if value is None else floored(value)


def _truth(value: bool | None) -> str:
    return "" if value is None else str(value).lower()


def report_json(report: Report, platform: Platform, speech: Speech, now: datetime) -> bytes:
    """The whole of it as one object."""
    names = ("detect", "acknowledge", "recover")
    found: Object = {
        "generated_at": stamp(now),
        "name": report.whole.name or None,
        "complete": report.is_over,
        "period": _period(report.period),
        "before": _period(report.before),
        "definitions": {
            "uptime": "1 - lost_seconds / known_seconds",
            "coverage": "known time / (period - planned work)",
            "ten_minute_rule": "as uptime, lost are interruptions of 600 seconds and more, whole, and nothing else",
        },
        "weights": {"degraded": platform.weights.degraded, "partial": platform.weights.partial},
        "availability": [_row(row, platform, speech) for row in report.rows],
        "incidents": [_incident(one, platform, speech) for one in report.began],
        "carried": [_incident(one, platform, speech) for one in report.carried],
        "times": {
            name: {**_times(now), "before": _times(then)}
            for name, now, then in zip(names, report.times, report.times_before, strict=True)
        },
        "repeated": [
            {"module": one.module, "incidents": list(one.incidents), "seconds": round(one.seconds)}
            for one in report.offenders
        ],
        "changes": [
            {
                **{name: trigger.get(name) for name in ("kind", "module", "from", "to", "at")},
                "incident": one.incident.id,
            }
            for one in report.began
            if (trigger := one.incident.cause.trigger) is not None
        ],
        "plans": [
            {"plan": plan.id, "name": _spread(plan.name, speech), **_spending(spent)} for plan, spent in report.plans
        ],
        "lowered": [
            {
                "incident": incident.id,
                "at": stamp(entry.at),
                "from": entry.params["from"],
                "to": entry.params["to"],
                "reason": _spread(entry.body or {}, speech),
            }
            for incident, entry in report.lowered
        ],
        "services": [{"plan": one.plan, **service_to_json(one)} for one in report.services],
    }
    return (json.dumps(found, ensure_ascii=False, indent=1) + "\n").encode()


def _period(period: Period) -> Object:
    return {"from": stamp(period.since), "until": stamp(period.until)}


def _row(row: Row, platform: Platform, speech: Speech) -> Object:
    one, rule = row.uptime, row.interrupted
    return {
        "kind": row.subject.kind,
        "id": row.subject.id or None,
        "name": _spread(_name(row.subject, platform), speech),
        **uptime_object(one),
        "lost_seconds": round(one.lost_seconds),
        "known_seconds": round(one.known_seconds),
        "before": uptime_object(row.before),
        "ten_minute_rule": {
            "ratio": None if rule.ratio is None else floored(rule.ratio),
            "interruptions": rule.count,
            "seconds": round(rule.seconds),
            "longest_seconds": round(rule.longest_seconds),
        },
        "objective": None if row.budget is None else _spending(row.budget),
    }


def _spending(one: Spending) -> Object:
    return {
        "objective": one.objective,
        "allowed_seconds": round(one.allowed_seconds),
        "lost_seconds": round(one.lost_seconds),
        "kept": one.kept,
    }


def _times(one: Times) -> Object:
    found = {"mean_seconds": one.mean, "median_seconds": one.median, "worst_seconds": one.worst}
    return {"count": one.count, **{name: None if value is None else round(value) for name, value in found.items()}}


def _incident(one: Course, platform: Platform, speech: Speech) -> Object:
    incident, cause = one.incident, one.incident.cause
    return {
        "id": incident.id,
        "title": speech.every(title(incident, platform)),
        "started_at": stamp(incident.started_at),
        "detected_at": stamp(incident.detected_at),
        "acknowledged_at": stamp(incident.acknowledged_at),
        "resolved_at": stamp(incident.resolved_at),
        "status": incident.stage.value,
        "impact": incident.impact,
        "priority": incident.priority.value,
        "cause": {
            "scope": cause.scope,
            "module": cause.module,
            "code": cause.code or None,
            "class": str(cause.cls),
            "state": cause.state,
        },
        "detect_seconds": round(one.detect_seconds),
        "acknowledge_seconds": None if one.acknowledge_seconds is None else round(one.acknowledge_seconds),
        "recover_seconds": None if one.recover_seconds is None else round(one.recover_seconds),
        "modules": [member.module for member in incident.members],
        "components": list(incident.components),
    }


def _name(subject: Subject, platform: Platform) -> Text:
    if subject.kind == "module":
        return platform.modules[subject.id].name
    if subject.kind == "component":
        return platform.components[subject.id].name
    return next((one.name for one in platform.groups if subject == ("group", one.id)), {})


def _spread(text: Text, speech: Speech) -> Mapping[str, str]:
    return {language: in_language(text, language) for language in speech.languages}
